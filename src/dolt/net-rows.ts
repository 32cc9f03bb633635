import { type KeyedChanges, type KeyedEntry, KeylessChanges } from '../core/coalesce.js';
import type { TargetTable } from '../core/target.js';
import { uniqueIndexes } from './ddl.js';
import { sortByKey } from './dml.js';

/** What a batch comes to for a table with a key, in the order of the key. */
export interface KeyedRows {
  readonly table: TargetTable;
  readonly truncated: boolean;
  readonly entries: readonly KeyedEntry[];
}

/** What is written to one table. */
export type NetRows = KeyedRows | KeylessChanges;

export const netRows = (changes: readonly (KeyedChanges | KeylessChanges)[]): NetRows[] =>
  changes.map((change) => {
    if (change instanceof KeylessChanges) return change;
    const { table, truncated, entries } = change;
    return { table, truncated, entries: sortByKey(table, [...entries.values()]) };
  });

/** Of fewer rows the second connection's own transaction costs more than it saves. */
const WORTH_SHARING = 2_000;

/**
 * The rows for two connections that write at the same time, where that is faster: of a table each has a range of keys, so that
 * their transactions do not meet. Null where one connection is to write all.
 */
export function halves(rows: readonly NetRows[]): readonly [readonly NetRows[], readonly NetRows[]] | null {
  const shared = rows.flatMap((one) => (isShareable(one) ? [one] : []));
  if (shared.reduce((sum, { entries }) => sum + entries.length, 0) < WORTH_SHARING) return null;
  const whole = rows.filter((one) => !isShareable(one));
  const middle = ({ entries }: KeyedRows): number => Math.ceil(entries.length / 2);
  const first = shared.map((one) => ({ ...one, entries: one.entries.slice(0, middle(one)) }));
  const second = shared.map((one) => ({ ...one, entries: one.entries.slice(middle(one)) }));
  return [[...first, ...whole], second];
}

/**
 * Not where a row of one range may be in the way of another's: values of unique indexes change hands, rows are moved in place, and
 * the same row of a keyless table is one row for Dolt, which merges it.
 */
const isShareable = (rows: NetRows): rows is KeyedRows =>
  !(rows instanceof KeylessChanges) &&
  !rows.truncated &&
  uniqueIndexes(rows.table).length === 0 &&
  rows.entries.every(({ base }) => base === null);
