import { error, type Finding, info, listed, warning } from '../core/finding.js';
import { optionsFor, unknownColumns } from '../core/patterns.js';
import { qualifiedName, type TableSchema } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import type { StoredTable } from '../dolt/bookkeeping.js';
import { Wal2DoltError } from '../errors.js';
import { fallbackNote } from '../types/mapping.js';
import { type MappingRules, planTables, restoreTable, selectSchemas } from './tables.js';

/** What of names and types in Dolt differs from what one would expect, for published tables that are new to the target. */
export function checkMapping(published: readonly TableSchema[], rules: MappingRules): Finding[] {
  const schemas = selectSchemas(published, rules.tables);
  const impossible = [
    ...checkColumns(published, rules),
    ...schemas.flatMap((schema) => refusalOf(schema, () => planTables([schema], rules))),
  ];
  if (impossible.length > 0) return impossible;
  const tables = planTables(schemas, rules);
  const without = published.filter((schema) => !schemas.includes(schema));
  return [...checkNames(tables, rules), ...checkFallbacks(tables), ...checkKeys(tables), ...passedOver(without)];
}

/** Dolt has no table without columns. */
function passedOver(tables: readonly TableSchema[]): Finding[] {
  if (tables.length === 0) return [];
  const message = `Without a column that is replicated, and passed over until they have one: ${listed(tables.map(qualifiedName))}.`;
  return [warning('no_columns', message)];
}

/** Tables that the target has: the configuration must still say of them what it said when they were made. */
export function checkStoredMapping(stored: readonly StoredTable[], rules: MappingRules): Finding[] {
  return stored.flatMap((table) => refusalOf(table.schema, () => restoreTable(table, rules)));
}

function refusalOf(schema: TableSchema, plan: () => unknown): Finding[] {
  try {
    plan();
    return [];
  } catch (thrown) {
    if (!(thrown instanceof Wal2DoltError)) throw thrown;
    const named = thrown.message.includes(qualifiedName(schema)) ? '' : `${qualifiedName(schema)}: `;
    return [error(thrown.code, `${named}${thrown.message}`)];
  }
}

/** A slip in the name of a column that is to be left out would put it into a history that forgets nothing. */
function checkColumns(schemas: readonly TableSchema[], { tables }: MappingRules): Finding[] {
  const unknown = unknownColumns(tables, schemas);
  if (unknown.length === 0) return [];
  const message = `No table has these columns, which tables names under exclude or types: ${listed(unknown)}. Names are compared exactly, case included.`;
  return [error('E_CONFIG', message)];
}

/** Names that collide in Dolt, which does not tell `Foo` from `foo`, or that it does not take. */
function checkNames(tables: readonly TargetTable[], rules: MappingRules): Finding[] {
  const renamed = tables.flatMap(({ source, name, columns }) => [
    ...(name === wishedName(source, rules) ? [] : [`${qualifiedName(source)} as ${name}`]),
    ...columns
      .filter((column) => column.name !== column.source.name)
      .map((column) => `${qualifiedName(source)}.${column.source.name} as ${column.name}`),
  ]);
  if (renamed.length === 0) return [];
  return [
    info(
      'renamed',
      `Kept in Dolt under another name, since theirs is taken or not possible there: ${listed(renamed)}.`,
    ),
  ];
}

function wishedName({ schema, name }: TableSchema, rules: MappingRules): string {
  const given = optionsFor(rules.tables, schema, name).name;
  if (given !== undefined) return given;
  if (schema === 'public') return name;
  return rules.tableName.replaceAll('{schema}', () => schema).replaceAll('{table}', () => name);
}

/** Types that Dolt does not have, each with the columns that use it. Those that the configuration gives a type are left out. */
function checkFallbacks(tables: readonly TargetTable[]): Finding[] {
  const columnsByNote = new Map<string, string[]>();
  for (const { source, columns } of tables) {
    for (const column of columns) {
      const note = column.conversion.sql === 'LONGTEXT' ? fallbackNote(column.source.type) : null;
      if (note === null) continue;
      const columnsOf = columnsByNote.get(note) ?? [];
      columnsOf.push(`${qualifiedName(source)}.${column.source.name}`);
      columnsByNote.set(note, columnsOf);
    }
  }
  return [...columnsByNote].map(([note, columns]) => info('type_fallback', `${note}: ${listed(columns)}.`));
}

/** A text of any length has a limit in a key. */
function checkKeys(tables: readonly TargetTable[]): Finding[] {
  const limited = tables.flatMap((table) =>
    table.key.flatMap((position) => {
      const column = table.columns[position];
      if (!column?.conversion.isExact || !column.conversion.sql.startsWith('VAR')) return [];
      return [`${qualifiedName(table.source)}.${column.source.name} ${column.conversion.sql}`];
    }),
  );
  if (limited.length === 0) return [];
  return [info('key_length', `A longer value in a key would stop the stream (E_VALUE_IN_KEY): ${listed(limited)}.`)];
}
