import type { Row } from '../core/row.js';
import type { Cast, RowsAfter } from '../core/rows-after.js';
import type { TargetTable } from '../core/target.js';
import { Wal2DoltError } from '../errors.js';
import type { ExactRow } from './read-rows.js';

/** Values of a column as Postgres prints them after the cast, by the source itself; some casts give NULL. */
export type Recast = (cast: Cast, texts: readonly string[]) => Promise<readonly (string | null)[]>;

type Converted = Extract<RowsAfter, { kind: 'converted' }>;

/** From rows of `before` to rows of `after`; null where a value can not be cast. */
export function converter(
  before: TargetTable,
  after: TargetTable,
  { casts, relabelled }: Pick<Converted, 'casts' | 'relabelled'>,
  recast: Recast | null,
): (page: readonly ExactRow[]) => Promise<Row[] | null> {
  const columns = after.columns.map(({ source }) => ({
    from: before.columns.findIndex((column) => column.source.attnum === source.attnum),
    missing: source.missing ?? null,
    cast: casts.find(({ attnum }) => attnum === source.attnum) ?? null,
    labels: relabelled.find(({ attnum }) => attnum === source.attnum)?.labels,
  }));
  return async (page) => {
    const rows = page.map((row) => columns.map(({ from, missing }) => (from < 0 ? missing : (row[from] ?? null))));
    for (const [i, { cast, labels }] of columns.entries()) {
      if (labels) replace(rows, i, labels);
      if (cast === null) continue;
      const texts = [...new Set(rows.flatMap((row) => row[i] ?? []))];
      const made = texts.length === 0 ? new Map() : recast && (await castValues(recast, cast, texts));
      if (!made) return null;
      replace(rows, i, made);
    }
    return rows;
  };
}

function replace(rows: (string | null)[][], i: number, values: ReadonlyMap<string, string | null>): void {
  for (const row of rows) {
    const text = row[i] ?? null;
    if (text !== null && values.has(text)) row[i] = values.get(text) ?? null;
  }
}

async function castValues(
  recast: Recast,
  cast: Cast,
  texts: readonly string[],
): Promise<ReadonlyMap<string, string | null> | null> {
  try {
    const made = await recast(cast, texts);
    return new Map(texts.map((text, i) => [text, made[i] ?? null]));
  } catch (error) {
    if (error instanceof Wal2DoltError && error.policy.action !== 'retry') return null;
    throw error;
  }
}
