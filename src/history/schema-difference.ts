import { parseLsn } from '../core/position.js';
import { type Constraint, type Index, qualifiedName, type TableSchema } from '../core/schema.js';

/** What one commit changed in the definition of a table, or in how it is followed. */
export interface SchemaChange {
  /** `schema.table` in Postgres, after the change. */
  readonly table: string;
  readonly kind: ChangeKind;
  /** The column, index or constraint, by its name after the change. */
  readonly name: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

export type ChangeKind =
  /** `to` are its columns. */
  | 'table_added'
  | 'table_renamed'
  /** Without a trace: there was nothing of it in Dolt. */
  | 'table_removed'
  | 'table_left'
  | 'table_dropped'
  /** Marked to be copied; `to` is `again` where it was followed, `back` where it had left. */
  | 'table_copying'
  /** `from` and `to` are LSNs, the first of them null for a first copy. */
  | 'table_copied'
  | 'dolt_table_renamed'
  | 'dolt_column_renamed'
  | 'dolt_column_type'
  | 'column_added'
  | 'column_dropped'
  | 'column_renamed'
  | 'column_type'
  | 'column_nullable'
  | 'column_default'
  | 'key'
  | 'replica_identity'
  | 'index_added'
  | 'index_dropped'
  | 'index_changed'
  | 'constraint_added'
  | 'constraint_dropped'
  | 'constraint_changed'
  | 'comment'
  | 'row_filter'
  | 'partitions';

/** A row of `wal2dolt_tables`. */
export interface TableRow {
  readonly schema: string;
  readonly name: string;
  readonly target: string;
  readonly state: string;
  readonly snapshotLsn: string | null;
  readonly replicaIdentity: string;
  /** Null where it is not needed, which is in a row that came or went. */
  readonly definition: TableSchema | null;
}

/** A row of `wal2dolt_columns`. */
export interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly defaultExpression: string | null;
  readonly keyPosition: number | null;
  readonly target: string;
  readonly targetType: string;
}

/** How a row differs between two commits; a side is null where it is not there. */
export interface Difference<Row> {
  readonly from: Row | null;
  readonly to: Row | null;
}

export interface TableDifference {
  /** `schema.table` after the change. */
  readonly table: string;
  /** Null where the row is the same on both sides. */
  readonly row: Difference<TableRow> | null;
  /** Of columns that differ, in the order of their attnums. */
  readonly columns: readonly Difference<ColumnRow>[];
  /** `(id, region)`, empty for no key; null where the key is the same. */
  readonly key: { readonly from: string; readonly to: string } | null;
}

/** The changes of one table, those of the table first. `dropped`: the command drops tables. */
export function* changesOf({ table, row, columns, key }: TableDifference, dropped: boolean): Iterable<SchemaChange> {
  const change = (kind: ChangeKind, from: string | null, to: string | null, name: string | null = null) => ({
    table,
    kind,
    name,
    from,
    to,
  });
  if (row && !row.from) {
    yield change('table_added', null, columns.map(({ to }) => (to ? `${to.name} ${columnText(to)}` : '')).join(', '));
    return;
  }
  if (row && !row.to) {
    yield change('table_removed', null, null);
    return;
  }
  if (row?.from && row.to) yield* tableChanges(row.from, row.to, dropped, change);
  for (const column of columns) yield* columnChanges(column, change);
  if (key) yield change('key', key.from, key.to);
  const [from, to] = [row?.from?.definition, row?.to?.definition];
  if (from && to) yield* definitionChanges(from, to, key !== null, change);
}

type Change = (kind: ChangeKind, from: string | null, to: string | null, name?: string) => SchemaChange;

function* tableChanges(from: TableRow, to: TableRow, dropped: boolean, change: Change): Iterable<SchemaChange> {
  if (qualifiedName(from) !== qualifiedName(to)) yield change('table_renamed', qualifiedName(from), qualifiedName(to));
  if (from.target !== to.target) yield change('dolt_table_renamed', from.target, to.target);
  if (from.state !== to.state && to.state === 'left')
    yield change(dropped ? 'table_dropped' : 'table_left', null, null);
  else if (to.snapshotLsn !== null && later(to.snapshotLsn, from.snapshotLsn))
    yield change('table_copied', from.snapshotLsn, to.snapshotLsn);
  else if (from.state !== to.state && (to.state === 'copying' || to.state === 'joining'))
    yield change('table_copying', null, from.state === 'left' ? 'back' : 'again');
  if (from.replicaIdentity !== to.replicaIdentity)
    yield change('replica_identity', from.replicaIdentity, to.replicaIdentity);
}

const later = (lsn: string, than: string | null): boolean => than === null || parseLsn(lsn) > parseLsn(than);

function* columnChanges({ from, to }: Difference<ColumnRow>, change: Change): Iterable<SchemaChange> {
  if (!from || !to) {
    if (to) yield change('column_added', null, columnText(to), to.name);
    if (from) yield change('column_dropped', columnText(from), null, from.name);
    return;
  }
  const { name } = to;
  if (from.name !== name) yield change('column_renamed', from.name, name, name);
  if (from.type !== to.type) yield change('column_type', from.type, to.type, name);
  if (from.notNull !== to.notNull) yield change('column_nullable', nullText(from), nullText(to), name);
  if (from.defaultExpression !== to.defaultExpression)
    yield change('column_default', from.defaultExpression, to.defaultExpression, name);
  // What follows from a change in Postgres goes without saying.
  if (from.target !== to.target && (from.name === name || to.target !== name))
    yield change('dolt_column_renamed', from.target, to.target, name);
  if (from.targetType !== to.targetType && from.type === to.type)
    yield change('dolt_column_type', from.targetType, to.targetType, name);
}

const nullText = ({ notNull }: ColumnRow): string => (notNull ? 'NOT NULL' : 'NULL');

const columnText = ({ type, notNull, defaultExpression }: ColumnRow): string =>
  `${type}${notNull ? ' NOT NULL' : ''}${defaultExpression === null ? '' : ` DEFAULT ${defaultExpression}`}`;

function* definitionChanges(
  from: TableSchema,
  to: TableSchema,
  otherKey: boolean,
  change: Change,
): Iterable<SchemaChange> {
  const renamed =
    qualifiedName(from) !== qualifiedName(to) ||
    from.columns.some(({ attnum, name }) => to.columns.some((now) => now.attnum === attnum && now.name !== name));
  const indexes = (schema: TableSchema): Index[] => schema.indexes.filter(({ primary }) => !(primary && otherKey));
  yield* listChanges('index', indexes(from), indexes(to), renamed, change);
  yield* listChanges('constraint', from.constraints, to.constraints, renamed, change);
  if (from.comment !== to.comment) yield change('comment', from.comment, to.comment);
  if (from.rowFilter !== to.rowFilter && !renamed) yield change('row_filter', from.rowFilter, to.rowFilter);
  const [before, after] = [from.partitions?.length ?? 0, to.partitions?.length ?? 0];
  if (before !== after) yield change('partitions', String(before), String(after));
}

function* listChanges(
  what: 'index' | 'constraint',
  from: readonly (Index | Constraint)[],
  to: readonly (Index | Constraint)[],
  renamed: boolean,
  change: Change,
): Iterable<SchemaChange> {
  const before = new Map(from.map((one) => [one.name, one.definition]));
  const after = new Map(to.map((one) => [one.name, one.definition]));
  for (const [name, definition] of before)
    if (!after.has(name)) yield change(`${what}_dropped`, definition, null, name);
  for (const [name, definition] of after) {
    const was = before.get(name);
    if (was === undefined) yield change(`${what}_added`, null, definition, name);
    // A definition has the names of table and columns in it.
    else if (was !== definition && !renamed) yield change(`${what}_changed`, was, definition, name);
  }
}
