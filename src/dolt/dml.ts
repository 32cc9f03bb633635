import { keyText } from '../core/coalesce.js';
import { type Cell, type Row, UNCHANGED } from '../core/row.js';
import { qualifiedName } from '../core/schema.js';
import type { TargetColumn, TargetTable } from '../core/target.js';
import { Wal2DoltError } from '../errors.js';
import { quoteName } from './client.js';
import { literalDefault } from './ddl.js';

/**
 * Net changes as SQL text. Nothing here talks to Dolt.
 *
 * A changed row is deleted and inserted, not upserted: REPLACE and ON DUPLICATE KEY UPDATE silently hit another row
 * that owns the same unique value, and a swap of unique values is refused row by row. An `UPDATE … JOIN (VALUES ROW …)`
 * would be one statement for many partial rows, but Dolt 2.2 takes the values' types from the first row, and then
 * silently misses rows whose key does not fit that type; so a partial row is an UPDATE of its own.
 */

/** A statement and how many rows it must change: another number means that the target is not what the stream left. */
export interface Statement {
  readonly sql: string;
  readonly expect: number;
}

const INSERT_ROWS = 2_000;
const INSERT_CHARACTERS = 1 << 20;
const DELETE_KEYS = 1_000;

/** How rows become `(…)` of an INSERT, which Dolt runs faster where every cell is a word (`Conversion.word`). Every cell must be known. */
export function rowLiterals({ columns }: TargetTable): (row: Row) => string {
  const nulls = columns.map(nullWord);
  return (row) => {
    let sql = '(';
    for (let i = 0; i < columns.length; i += 1) {
      if (i > 0) sql += ',';
      const column = columns[i] as TargetColumn; // below the length
      const cell = row[i] as Cell; // rows have one cell per column
      const word = cell === null ? 'NULL' : column.conversion.word(known(column, cell));
      sql += word === 'NULL' ? nulls[i] : word;
    }
    return `${sql})`;
  };
}

/** To Dolt NULL is no word, but DEFAULT is, which comes to the same where a column may be NULL and has no other default. */
const nullWord = (column: TargetColumn): string =>
  column.notNull || literalDefault(column) !== null ? 'NULL' : 'DEFAULT';

export function cellLiteral(column: TargetColumn, cell: Cell): string {
  return cell === null ? 'NULL' : column.conversion.literal(known(column, cell));
}

function known(column: TargetColumn, cell: NonNullable<Cell>): string {
  if (cell === UNCHANGED) throw new Wal2DoltError('E_INTERNAL', `the column ${column.name} is not known`);
  return cell;
}

/** Whether there are keys that the table cannot hold exactly. */
export const keyMayNotFit = (table: TargetTable): boolean =>
  table.key.some((position) => table.columns[position]?.conversion.isExact);

/** An inexact key would be another row's, so it stops the stream: throws E_VALUE_IN_KEY. */
export function assertKeyFits(table: TargetTable, key: readonly string[]): void {
  for (const [i, position] of table.key.entries()) {
    const column = table.columns[position] as TargetColumn; // key positions are positions of columns
    const text = key[i] ?? '';
    if (column.conversion.isExact && !column.conversion.isExact(text)) {
      throw new Wal2DoltError(
        'E_VALUE_IN_KEY',
        `${qualifiedName(table.source)}.${column.source.name} (${column.source.type.name}): the key value ${clip(text)} does not fit ${column.conversion.sql} exactly`,
      );
    }
  }
}

function keyLiterals(table: TargetTable, key: readonly string[]): string[] {
  assertKeyFits(table, key);
  return table.key.map((position, i) => (table.columns[position] as TargetColumn).conversion.literal(key[i] ?? '')); // as above
}

const clip = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}… (${text.length} characters)` : text);

const columnNames = (table: TargetTable, positions: readonly number[]): string[] =>
  positions.map((position) => quoteName(table.columns[position]?.name ?? ''));

/** `key IN (…)` or `(a,b) IN ((…),…)`. */
export function whereKeys(table: TargetTable, keys: readonly (readonly string[])[]): string {
  const names = columnNames(table, table.key);
  const list = keys.map((key) => {
    const literals = keyLiterals(table, key);
    return literals.length === 1 ? literals[0] : `(${literals.join(',')})`;
  });
  return `${names.length === 1 ? names[0] : `(${names.join(',')})`} IN (${list.join(',')})`;
}

export function* deleteKeys(table: TargetTable, keys: Iterable<readonly string[]>): Iterable<Statement> {
  const statement = (some: readonly (readonly string[])[]): Statement => ({
    sql: `DELETE FROM ${quoteName(table.name)} WHERE ${whereKeys(table, some)}`,
    expect: some.length,
  });
  let some: (readonly string[])[] = [];
  for (const key of keys) {
    some.push(key);
    if (some.length < DELETE_KEYS) continue;
    yield statement(some);
    some = [];
  }
  if (some.length > 0) yield statement(some);
}

/** Multi-row INSERTs of at most 2,000 rows and about a megabyte, built one at a time. */
export function* insertRows(table: TargetTable, rows: Iterable<Row>): Iterable<Statement> {
  const names = table.columns.map((column) => quoteName(column.name)).join(',');
  const head = `INSERT INTO ${quoteName(table.name)} (${names}) VALUES `;
  const rowLiteral = rowLiterals(table);
  let values: string[] = [];
  let size = 0;
  for (const row of rows) {
    const literal = rowLiteral(row);
    if (values.length > 0 && (values.length === INSERT_ROWS || size + literal.length > INSERT_CHARACTERS)) {
      yield { sql: head + values.join(','), expect: values.length };
      values = [];
      size = 0;
    }
    values.push(literal);
    size += literal.length;
  }
  if (values.length > 0) yield { sql: head + values.join(','), expect: values.length };
}

/** An UPDATE of the cells that were sent, the others keep their value. `from` is the row's key before. */
export function updateRow(table: TargetTable, from: readonly string[], key: readonly string[], row: Row): Statement {
  const moves = !sameKey(from, key);
  if (moves) assertKeyFits(table, key);
  const sets: string[] = [];
  for (const [i, column] of table.columns.entries()) {
    const cell = row[i] as Cell; // rows have one cell per column
    if (cell === UNCHANGED || (!moves && table.key.includes(i))) continue;
    sets.push(`${quoteName(column.name)}=${cellLiteral(column, cell)}`);
  }
  const [key0] = columnNames(table, [table.key[0] ?? 0]);
  const set = sets.length > 0 ? sets.join(',') : `${key0}=${key0}`;
  return { sql: `UPDATE ${quoteName(table.name)} SET ${set} WHERE ${whereKeys(table, [from])}`, expect: 1 };
}

/** Takes `copies` of a row out of a keyless table. */
export function deleteCopies(table: TargetTable, row: Row, copies: number): Statement {
  const conditions = table.columns.map((column, i) => {
    const cell = row[i] as Cell; // rows have one cell per column
    const literal = cellLiteral(column, cell);
    const name = quoteName(column.name);
    return literal === 'NULL' ? `${name} IS NULL` : column.conversion.equals(name, literal);
  });
  return {
    sql: `DELETE FROM ${quoteName(table.name)} WHERE ${conditions.join(' AND ')} LIMIT ${copies}`,
    expect: copies,
  };
}

/** Reads back whole rows by key: key columns first, then all columns, in forms that `restore` understands. */
export function selectRows(
  table: TargetTable,
  keys: readonly (readonly string[])[],
  positions: readonly number[],
): string {
  const reads = [...table.key, ...positions].map((position) => {
    const column = table.columns[position] as TargetColumn; // positions of columns
    return column.conversion.read(quoteName(column.name));
  });
  return `SELECT ${reads.join(',')} FROM ${quoteName(table.name)} WHERE ${whereKeys(table, keys)}`;
}

export const sameKey = (a: readonly string[], b: readonly string[]): boolean => keyText(a) === keyText(b);
