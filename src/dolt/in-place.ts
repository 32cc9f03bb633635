import { type KeyedEntry, keyText } from '../core/coalesce.js';
import { UNCHANGED } from '../core/row.js';
import type { Tuple } from '../core/tuple.js';

/**
 * Partial rows are updated in place, since what they leave out may be large. Dolt checks keys and unique indexes after
 * every row, so the order matters: a row that gives a value away goes before the row that takes it over. Where they
 * wait for each other in a circle (a swap), one of them is taken out and written whole instead.
 */
export interface InPlace {
  readonly entry: KeyedEntry;
  /** The row's key before. */
  readonly from: readonly string[];
  /** Values that only one row can have, which this row had and gives up, or gets. */
  readonly releases: readonly string[];
  readonly acquires: readonly string[];
}

/** What one partial row does. `unique`: column positions by index; `before`: their values before the batch, where any was sent. */
export function inPlace(
  unique: readonly (readonly number[])[],
  entry: KeyedEntry,
  before: ReadonlyMap<number, string | null>,
): InPlace {
  const from = entry.base ?? entry.key;
  const releases: string[] = [];
  const acquires: string[] = [];
  if (keyText(from) !== keyText(entry.key)) {
    releases.push(held('key', from));
    acquires.push(held('key', entry.key));
  }
  for (const [n, positions] of unique.entries()) {
    const old = positions.map((position) => before.get(position) ?? null);
    const now = positions.map((position) => valueAfter(entry.row, position, before));
    if (old.every((text, i) => text === now[i])) continue;
    // NULL is never equal to NULL, so it takes and leaves nothing.
    if (!old.includes(null)) releases.push(held(`unique ${n}`, old));
    if (!now.includes(null)) acquires.push(held(`unique ${n}`, now));
  }
  return { entry, from, releases, acquires };
}

function valueAfter(row: Tuple | null, position: number, before: ReadonlyMap<number, string | null>): string | null {
  const cell = row?.cell(position) ?? null;
  return cell === UNCHANGED ? (before.get(position) ?? null) : cell;
}

const held = (what: string, texts: readonly (string | null)[]): string => [what, ...texts].join('\u0000');

/** Puts the rows into an order that always works; `rewritten` are those that have to be written whole. */
export function orderInPlace(rows: readonly InPlace[]): { ordered: InPlace[]; rewritten: InPlace[] } {
  const holders = new Map<string, InPlace>();
  for (const row of rows) for (const text of row.releases) holders.set(text, row);
  const ordered: InPlace[] = [];
  const rewritten: InPlace[] = [];
  const state = new Map<InPlace, 'waiting' | 'done'>();
  // Not recursive: `SET id = id + 1` makes a chain as long as the table.
  for (const first of rows) {
    const path = [first];
    while (path.length > 0) {
      const row = path.at(-1) as InPlace; // the path is not empty
      if (state.get(row) === 'done') {
        path.pop();
        continue;
      }
      state.set(row, 'waiting');
      const next = row.acquires
        .map((text) => holders.get(text))
        .find((holder) => holder && holder !== row && state.get(holder) !== 'done');
      if (next === undefined) ordered.push(row);
      else if (state.get(next) !== 'waiting') {
        path.push(next);
        continue;
      } else rewritten.push(row);
      state.set(row, 'done');
      path.pop();
    }
  }
  return { ordered, rewritten };
}
