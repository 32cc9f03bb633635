import { columnNameFor, tableNameFor, uniqueNames } from '../core/names.js';
import { optionsFor, selects, type TableRules } from '../core/patterns.js';
import { type Column, type ColumnType, keyAttnums, qualifiedName, type TableSchema } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import type { StoredTable } from '../dolt/bookkeeping.js';
import { Wal2DoltError } from '../errors.js';
import { planColumns } from '../types/columns.js';

/** What the configuration says about names and types. */
export interface MappingRules {
  readonly tables: TableRules;
  /** Template for tables outside of `public`, e.g. `{schema}__{table}`. */
  readonly tableName: string;
  /** Dolt type by Postgres type name (see `typeNames`). */
  readonly types: ReadonlyMap<string, string>;
}

/** The published tables that the configuration selects, and that have anything to replicate. */
export function selectSchemas(schemas: readonly TableSchema[], rules: TableRules): TableSchema[] {
  return schemas.filter((schema) => selects(rules, schema.schema, schema.name) && hasColumns(schema, rules));
}

/**
 * Whether a table, of which the target has `before`, has a column that is replicated: Dolt has no table without. Until it has
 * one it is passed over, as if it were not published.
 */
export function hasColumns(schema: TableSchema, rules: TableRules, before?: TargetTable): boolean {
  const { excludeColumns } = optionsFor(rules, schema.schema, schema.name);
  return schema.columns.some(({ attnum, name }) => decided(before, attnum) ?? !excludeColumns.has(name));
}

/** Whether the target has a column; undefined for one that is new. */
function decided(before: TargetTable | undefined, attnum: number): boolean | undefined {
  if (!before?.source.columns.some((column) => column.attnum === attnum)) return undefined;
  return before.columns.some(({ source }) => source.attnum === attnum);
}

/** Names and types for tables that are new to the target. `taken` are the names that it has already. */
export function planTables(
  schemas: readonly TableSchema[],
  rules: MappingRules,
  taken: readonly string[] = [],
): TargetTable[] {
  const ordered = [...schemas].sort((a, b) => (qualifiedName(a) < qualifiedName(b) ? -1 : 1));
  const wishes = ordered.map((schema) => {
    const { name } = optionsFor(rules.tables, schema.schema, schema.name);
    return tableNameFor(rules.tableName, schema.schema, schema.name, name);
  });
  const names = uniqueNames(wishes, taken);
  return ordered.map((schema, i) => planTable(schema, names[i] ?? schema.name, rules));
}

/**
 * The columns, with the names by which the configuration decided about them where it would decide otherwise by now: a column
 * that is left out is not shown because it was renamed.
 */
function withKnownNames(before: TargetTable, schema: TableSchema, rules: MappingRules): Column[] {
  const { excludeColumns } = optionsFor(rules.tables, schema.schema, schema.name);
  const kept = new Set(before.columns.map(({ source }) => source.attnum));
  const known = new Map(before.source.columns.map((column) => [column.attnum, column.knownAs ?? column.name]));
  return schema.columns.map((column) => {
    const knownAs = known.get(column.attnum);
    const asDecided = knownAs === undefined || kept.has(column.attnum) !== excludeColumns.has(column.name);
    return asDecided ? column : { ...column, knownAs };
  });
}

/** What the table has in the target already, and therefore keeps. */
interface StoredColumns {
  /** Names by attnum, of the columns that keep theirs. */
  readonly names: ReadonlyMap<number, string>;
  /** Whether the target has the column; undefined where that is still to be decided. */
  readonly has: (attnum: number) => boolean | undefined;
}

/**
 * A table of the target whose source is `schema` now. What it had keeps its name as long as the source's name stays; `taken`
 * are the names of all other tables of the target. Throws E_CONFIG where the configuration does not allow it.
 */
export function replanTable(
  before: TargetTable,
  schema: TableSchema,
  rules: MappingRules,
  taken: readonly string[],
): TargetTable {
  const name =
    qualifiedName(before.source) === qualifiedName(schema)
      ? before.name
      : (planTables([schema], rules, taken)[0]?.name ?? before.name);
  const stored = new Map(before.columns.map((column) => [column.source.attnum, column]));
  const names = schema.columns.flatMap((column): [number, string][] => {
    const was = stored.get(column.attnum);
    return was && was.source.name === column.name ? [[column.attnum, was.name]] : [];
  });
  return planTable({ ...schema, columns: withKnownNames(before, schema, rules) }, name, rules, {
    names: new Map(names),
    has: (attnum) => decided(before, attnum),
  });
}

function planTable(schema: TableSchema, name: string, rules: MappingRules, stored?: StoredColumns): TargetTable {
  const { excludeColumns, columnTypes } = optionsFor(rules.tables, schema.schema, schema.name);
  const kept = schema.columns.flatMap((column, sourcePosition) => {
    const keep = stored?.has(column.attnum) ?? !excludeColumns.has(column.name);
    return keep ? [{ column, sourcePosition }] : [];
  });
  if (kept.length === 0) {
    throw new Wal2DoltError(
      'E_CONFIG',
      `${qualifiedName(schema)} has no column that is replicated, and Dolt has no such tables`,
    );
  }
  const key = keyAttnums({ ...schema, columns: kept.map(({ column }) => column) });
  if (key.length === 0 && keyAttnums(schema).length > 0 && schema.replicaIdentity !== 'f') {
    throw new Wal2DoltError(
      'E_CONFIG',
      `the columns that are left out of ${qualifiedName(schema)} identify its rows, so that none could be changed or deleted; replicate them, or set REPLICA IDENTITY FULL`,
    );
  }
  const indexed = new Set(schema.indexes.flatMap((index) => index.attnums ?? []));
  const conversions = planColumns(
    kept.map(({ column }) => ({
      column,
      inKey: key.includes(column.attnum),
      indexed: indexed.has(column.attnum),
      override: [columnTypes.get(column.name), ...typeNames(column.type).map((type) => rules.types.get(type))].find(
        (type) => type !== undefined,
      ),
    })),
  );
  const storedNames = stored?.names ?? new Map<number, string>();
  const unnamed = kept.filter(({ column }) => !storedNames.has(column.attnum));
  const newNames = uniqueNames(
    unnamed.map(({ column }) => columnNameFor(column.name)),
    storedNames.values(),
  );
  const names = new Map([
    ...storedNames,
    ...unnamed.map(({ column }, i) => [column.attnum, newNames[i] ?? ''] as const),
  ]);
  const columns = kept.map(({ column, sourcePosition }, i) => {
    const conversion = conversions[i];
    if (!conversion) throw new Wal2DoltError('E_INTERNAL', `no conversion for ${qualifiedName(schema)}.${column.name}`);
    return {
      source: column,
      sourcePosition,
      name: names.get(column.attnum) ?? column.name,
      notNull: key.includes(column.attnum) || (column.notNull && !conversion.nullable),
      conversion,
    };
  });
  return {
    source: schema,
    name,
    columns,
    key: key.map((attnum) => columns.findIndex((column) => column.source.attnum === attnum)),
  };
}

/** What the configuration may call a type: as `format_type` prints it, also without the schema, or by its base name. */
function typeNames({ name, base }: ColumnType): readonly string[] {
  return [name, name.replace(/^("(""|[^"])+"|[^".(]+)\./, ''), base];
}

/**
 * A table as the target has it: names from the bookkeeping, columns and types as they follow from the configuration,
 * which must be the ones that the table was made with. Throws E_CONFIG where they are not.
 */
export function restoreTable(stored: StoredTable, rules: MappingRules): TargetTable {
  const { schema, name, columns } = stored.schema;
  const known = qualifiedName(stored.schema);
  const { excludeColumns } = optionsFor(rules.tables, schema, name);
  for (const column of columns) {
    const made = stored.columns.has(column.attnum);
    if (made !== excludeColumns.has(column.knownAs ?? column.name)) continue;
    throw changedConfiguration(
      `${known}.${column.name} is ${made ? '' : 'not '}in the target, but ${made ? '' : 'not '}excluded by the configuration; columns of existing tables can not be changed`,
    );
  }
  const names = new Map([...stored.columns].map(([attnum, column]) => [attnum, column.name]));
  const table = planTable(stored.schema, stored.targetName, rules, { names, has: (attnum) => names.has(attnum) });
  for (const column of table.columns) {
    const made = stored.columns.get(column.source.attnum)?.type;
    if (made === column.conversion.sql) continue;
    throw changedConfiguration(
      `${known}.${column.source.name} is ${made} in the target, but ${column.conversion.sql} by the configuration; types of existing columns can not be changed`,
    );
  }
  return table;
}

const changedConfiguration = (what: string): Wal2DoltError =>
  new Wal2DoltError('E_CONFIG', `${what} (undo the change, or copy into a new target)`);
