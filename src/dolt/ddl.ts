import { acceptedName, uniqueNames } from '../core/names.js';
import type { Index } from '../core/schema.js';
import type { TargetColumn, TargetTable } from '../core/target.js';
import { quoteName } from './client.js';
import { quoteText } from './sql-text.js';

/**
 * Dolt panics when two neighbouring index entries together exceed 65,535 bytes, so an index entry stays below half of
 * that; where the declared columns could be longer, a prefix of them is indexed.
 */
const INDEX_BYTES = 32_000;
/** A prefix is limited to 3,072 bytes for the whole index. */
const PREFIX_BYTES = 3_072;

/** Columns of the helper index by which rows of a keyless table are found. */
const ROW_INDEX_COLUMNS = 8;

/** `CREATE TABLE` with the primary key; the secondary indexes of many rows are better built once, after the copy. */
export function createTable(table: TargetTable, withIndexes = false): string {
  const lines = table.columns.map((column) => `  ${columnDefinition(column)}`);
  if (table.key.length > 0) lines.push(`  PRIMARY KEY (${table.key.map((i) => nameOf(table, i)).join(', ')})`);
  if (withIndexes) lines.push(...plannedIndexes(table).map((index) => `  ${indexHead(index)} ${indexColumns(index)}`));
  const said = table.source.comment === null ? '' : ` COMMENT=${quoteText(table.source.comment)}`;
  return `CREATE TABLE ${quoteName(table.name)} (\n${lines.join(',\n')}\n)${said}`;
}

export const renameTable = (from: string, to: string): string => `RENAME TABLE ${quoteName(from)} TO ${quoteName(to)}`;

/** Name, type, nullability and default: what CREATE TABLE and MODIFY say. */
export function columnDefinition(column: TargetColumn): string {
  const fallback = literalDefault(column);
  return [
    quoteName(column.name),
    column.conversion.sql,
    column.notNull ? 'NOT NULL' : 'NULL',
    ...(fallback === null ? [] : [`DEFAULT (${fallback})`]),
  ].join(' ');
}

/**
 * A default is carried over where it is a literal. Whatever Postgres computes arrives computed with the rows, so the
 * default only matters to who looks at the schema or writes to a branch of the history.
 */
export function literalDefault(column: TargetColumn): string | null {
  const { defaultExpression, generated, identity } = column.source;
  if (defaultExpression === null || generated !== '' || identity !== '') return null;
  const match =
    /^\(?(?:'((?:[^']|'')*)'(?:::[\w\s."()[\],]+)?|(-?\d+(?:\.\d+)?)(?:::[\w\s."(),]+)?|(true|false))\)?$/.exec(
      defaultExpression,
    );
  if (!match) return null;
  const [, quoted, number, boolean] = match;
  const text = quoted?.replaceAll("''", "'") ?? number ?? (boolean === 'true' ? 't' : 'f');
  try {
    const { conversion } = column;
    const literal = conversion.literal(text);
    // The default of a numeric(10,2) may be written `0`: the number 0.00, though no text of that column.
    return (conversion.isExact?.(text) ?? true) || sameNumber(literal, text) ? literal : null;
  } catch {
    // Postgres keeps `'01/02/2020'::date` as it was written: not the text that it would print for the value.
    return null;
  }
}

const NUMBER = /^-?\d+(?:\.\d+)?$/;

function sameNumber(a: string, b: string): boolean {
  const plain = (number: string): string => (number.includes('.') ? number.replace(/\.?0+$/, '') : number);
  return NUMBER.test(a) && NUMBER.test(b) && plain(a) === plain(b);
}

/** The secondary indexes, each one statement. A unique one that is made of rows takes the table's comment away in Dolt 2.2. */
export function createIndexes(table: TargetTable): string[] {
  const statements = plannedIndexes(table).map((index) => createIndex(table, index));
  return statements.length > 0 && table.source.comment !== null ? [...statements, comment(table)] : statements;
}

export const comment = ({ name, source }: TargetTable): string =>
  `ALTER TABLE ${quoteName(name)} COMMENT=${quoteText(source.comment ?? '')}`;

export const createIndex = (table: TargetTable, index: PlannedIndex): string =>
  `CREATE ${indexHead(index)} ON ${quoteName(table.name)} ${indexColumns(index)}`;

const indexHead = ({ unique, name }: PlannedIndex): string => `${unique ? 'UNIQUE ' : ''}INDEX ${quoteName(name)}`;

const indexColumns = ({ parts }: PlannedIndex): string =>
  `(${parts.map(({ column, prefix }) => `${quoteName(column.name)}${prefix === null ? '' : `(${prefix})`}`).join(', ')})`;

/** A secondary index as it is in Dolt; `prefix`: so many characters or bytes of the column only. */
export interface PlannedIndex {
  readonly name: string;
  readonly unique: boolean;
  readonly parts: readonly { readonly column: TargetColumn; readonly prefix: number | null }[];
}

/** Unique where that can never refuse what Postgres accepted. */
export function plannedIndexes(table: TargetTable): PlannedIndex[] {
  const wanted = table.source.indexes.flatMap((index) => {
    const positions = indexPositions(table, index);
    return positions === null || sameKey(table, positions) ? [] : [{ index, positions }];
  });
  const names = uniqueNames(
    wanted.map(({ index }) => acceptedName(index.name)),
    ['PRIMARY'],
  );
  const indexes = wanted.flatMap(({ index, positions }, i) => {
    const planned = planIndex(table, names[i] ?? index.name, positions, isUniqueInDolt(table, index));
    return planned === null ? [] : [planned];
  });
  const row = rowIndexPositions(table);
  if (row.length > 0) {
    const planned = planIndex(table, uniqueNames(['wal2dolt_row'], names)[0] ?? 'wal2dolt_row', row, false);
    if (planned !== null) indexes.push(planned);
  }
  return indexes;
}

/**
 * Whether an index may be UNIQUE in Dolt. Not for a DEFERRABLE one, which Postgres allows to be violated inside a
 * transaction (and a spilled transaction is written in pieces); not over a column of which two different values may
 * come to the same nearest value.
 */
export function isUniqueInDolt(table: TargetTable, index: Index): boolean {
  const columns = indexPositions(table, index)?.map((i) => table.columns[i]);
  const alwaysTold = columns?.every(
    (column) => column?.conversion.isExact === null && !/^(LONGBLOB|JSON)/i.test(column.conversion.sql),
  );
  return index.unique && index.immediate && alwaysTold === true;
}

/** Column positions of each index that is UNIQUE in Dolt, the key's own left out: their values may move between rows. */
export function uniqueIndexes(table: TargetTable): readonly (readonly number[])[] {
  return table.source.indexes
    .filter((index) => isUniqueInDolt(table, index))
    .map((index) => indexPositions(table, index) ?? [])
    .filter((positions) => !sameKey(table, positions));
}

/** Key columns of an index as positions in the target table, each once; null where it can not be made in Dolt. */
function indexPositions(table: TargetTable, index: Index): number[] | null {
  if (index.attnums === null || index.attnums.length === 0) return null;
  const attnums = [...new Set(index.attnums)];
  const positions = attnums.map((attnum) => table.columns.findIndex((column) => column.source.attnum === attnum));
  if (positions.includes(-1)) return null;
  if (positions.some((i) => /^JSON/i.test(table.columns[i]?.conversion.sql ?? ''))) return null;
  return positions;
}

function sameKey(table: TargetTable, positions: readonly number[]): boolean {
  return positions.length === table.key.length && positions.every((position, i) => position === table.key[i]);
}

function planIndex(
  table: TargetTable,
  name: string,
  positions: readonly number[],
  unique: boolean,
): PlannedIndex | null {
  const columns = positions.flatMap((i) => table.columns[i] ?? []);
  const long = columns.filter((column) => isLong(column));
  // An index entry carries the key as well.
  const carried = table.key.filter((i) => !positions.includes(i)).flatMap((i) => table.columns[i] ?? []);
  const declared = [...columns, ...carried].reduce(
    (sum, column) => sum + (isLong(column) ? 0 : column.conversion.declaredBytes),
    0,
  );
  if (declared > INDEX_BYTES) return null;
  const room = Math.floor((PREFIX_BYTES - Math.min(declared, PREFIX_BYTES / 2)) / 4 / Math.max(1, long.length));
  const parts = columns.map((column) => {
    const whole = !isLong(column) || (unique && /TEXT/i.test(column.conversion.sql));
    return { column, prefix: whole ? null : Math.min(room, 255) };
  });
  return { name, unique, parts };
}

const isLong = (column: TargetColumn): boolean => /TEXT|BLOB/i.test(column.conversion.sql);

/**
 * A keyless table whose rows may be updated and deleted (REPLICA IDENTITY FULL) gets one plain index over columns that
 * Dolt compares exactly: a deletion finds its row in it instead of reading the whole table.
 */
function rowIndexPositions(table: TargetTable): number[] {
  if (table.key.length > 0 || table.source.replicaIdentity !== 'f') return [];
  const comparable = table.columns.flatMap((column, i) => (column.conversion.comparable && !isLong(column) ? [i] : []));
  const positions: number[] = [];
  let bytes = 0;
  for (const position of comparable) {
    bytes += table.columns[position]?.conversion.declaredBytes ?? 0;
    if (positions.length === ROW_INDEX_COLUMNS || bytes > PREFIX_BYTES) break;
    positions.push(position);
  }
  if (positions.length > 0) return positions;
  const text = table.columns.findIndex((column) => column.conversion.comparable);
  return text < 0 ? [] : [text];
}

const nameOf = (table: TargetTable, position: number): string => quoteName(table.columns[position]?.name ?? '');
