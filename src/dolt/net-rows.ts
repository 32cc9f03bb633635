import { type KeyedChanges, KeylessChanges } from '../core/coalesce.js';
import type { TargetTable } from '../core/target.js';
import { uniqueIndexes } from './ddl.js';

/** What a batch comes to for a table with a key, in the order of the key. */
export interface KeyedRows {
  readonly table: TargetTable;
  readonly truncated: boolean;
  readonly changes: KeyedChanges;
  /** The numbers of its entries. */
  readonly entries: Uint32Array;
}

/** What is written to one table. */
export type NetRows = KeyedRows | KeylessChanges;

export const netRows = (changes: readonly (KeyedChanges | KeylessChanges)[]): NetRows[] =>
  changes.map((change) => {
    if (change instanceof KeylessChanges) return change;
    const { table, truncated } = change;
    return { table, truncated, changes: change, entries: sortedByKey(change) };
  });

/**
 * Dolt stores rows in key order, and writing in that order is more than twice as fast as in random order. The order
 * need not be Dolt's own exactly: it is only a matter of speed.
 */
export function sortedByKey(changes: KeyedChanges): Uint32Array {
  const { table } = changes;
  const numeric = table.key.map((position) =>
    /^(TINYINT|SMALLINT|INT|BIGINT|DECIMAL|DOUBLE)/i.test(table.columns[position]?.conversion.sql ?? ''),
  );
  const entries = changes.numbers();
  const order = Uint32Array.from(entries, (_, i) => i);
  if (numeric.length === 1 && numeric[0]) {
    const keys = Float64Array.from(entries, (entry) => Number(changes.key(entry)[0]));
    if (keys.every((key, i) => i === 0 || key >= (keys[i - 1] as number))) return entries;
    order.sort((a, b) => (keys[a] as number) - (keys[b] as number)); // both below the length
  } else {
    const keys = Array.from(entries, (entry) => changes.key(entry));
    order.sort((a, b) => compare(keys[a] ?? [], keys[b] ?? [], numeric));
  }
  return order.map((i) => entries[i] as number); // as above
}

function compare(a: readonly string[], b: readonly string[], numeric: readonly boolean[]): number {
  for (let i = 0; i < numeric.length; i += 1) {
    const left = a[i] ?? '';
    const right = b[i] ?? '';
    if (left === right) continue;
    if (numeric[i]) return Number(left) - Number(right);
    return left < right ? -1 : 1;
  }
  return 0;
}

/** Of fewer rows the second connection's own transaction costs more than it saves. */
const WORTH_SHARING = 2_000;
/** A partial row has a statement of its own, and so takes as long as many others. */
const PARTIAL_ROWS = 20;

/**
 * The rows for two connections that write at the same time, where that is faster: of a table each has a range of keys, so that
 * their transactions do not meet. Null where one connection is to write all.
 */
export function halves(all: readonly NetRows[]): readonly [readonly NetRows[], readonly NetRows[]] | null {
  const shared = all.flatMap((one) => (isShareable(one) ? [one] : []));
  if (shared.reduce((sum, rows) => sum + costOf(rows), 0) < WORTH_SHARING) return null;
  const whole = all.filter((one) => !isShareable(one));
  const middle = ({ entries }: KeyedRows): number => Math.ceil(entries.length / 2);
  const first = shared.map((one) => ({ ...one, entries: one.entries.subarray(0, middle(one)) }));
  const second = shared.map((one) => ({ ...one, entries: one.entries.subarray(middle(one)) }));
  return [[...first, ...whole], second];
}

const costOf = ({ entries, changes }: KeyedRows): number => entries.length + (PARTIAL_ROWS - 1) * changes.partial;

/**
 * Not where a row of one range may be in the way of another's: values of unique indexes change hands, partial rows get other keys,
 * and the same row of a keyless table is one row for Dolt, which merges it.
 */
const isShareable = (rows: NetRows): rows is KeyedRows =>
  !(rows instanceof KeylessChanges) &&
  !rows.truncated &&
  uniqueIndexes(rows.table).length === 0 &&
  !rows.changes.hasMovedPartial();
