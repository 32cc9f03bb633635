import type { DiffHints } from '../../src/core/rows-after.js';
import type { ColumnType } from '../../src/core/schema.js';
import type { TargetTable } from '../../src/core/target.js';
import { numbered } from './numbered-tables.js';

/*
 * What is told of a change, and the tables that change.
 */

export const QUIET: DiffHints = { rewritten: false, command: null };
export const REWRITTEN: DiffHints = { rewritten: true, command: null };
export const by = (command: string): DiffHints => ({ rewritten: true, command });

export const BEFORE = numbered({ 1: 'id integer', 2: 'v text' });
export const PARTITIONED = numbered({ 1: 'id integer', 2: 'v text' }, { kind: 'p', partitions: [5, 6] });

/** The second column's type, as it is and as it is said to be. */
export const retyped = (table: TargetTable, type: Partial<ColumnType>): TargetTable => ({
  ...table,
  columns: table.columns.map((column, i) =>
    i === 1 ? { ...column, source: { ...column.source, type: { ...column.source.type, ...type } } } : column,
  ),
});
