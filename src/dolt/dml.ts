import { keyText } from '../core/coalesce.js';
import { type Cell, type Row, UNCHANGED } from '../core/row.js';
import { qualifiedName } from '../core/schema.js';
import type { TargetColumn, TargetTable } from '../core/target.js';
import { Wal2DoltError } from '../errors.js';
import { quoteName } from './client.js';

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
  /** Bytes: of UTF-8. */
  readonly sql: string | Buffer;
  readonly expect: number;
}

const DELETE_KEYS = 1_000;

export function cellLiteral(column: TargetColumn, cell: Cell): string {
  if (cell === null) return 'NULL';
  if (cell === UNCHANGED) throw new Wal2DoltError('E_INTERNAL', `the column ${column.name} is not known`);
  return column.conversion.literal(cell);
}

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
