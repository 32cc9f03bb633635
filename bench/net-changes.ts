import type { Cells, Target } from './target.js';
import { quote, quoteName } from './target.js';

/** What lies between two states of a table, in the order of its key, as literals of SQL. */
export interface NetChanges {
  readonly table: string;
  /** Quoted column names. */
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly rows: readonly NetChange[];
  /** The first of them, as a statement each. */
  readonly single: readonly string[];
}

export interface NetChange {
  /** The key, `(1,'a')` or `1`, of a row that goes or changes. */
  readonly gone: string | null;
  /** The row, `(1,'a',NULL)`, that comes or changes. */
  readonly coming: string | null;
}

/** How many statements of one row are kept; they are slow, so a sample has to do. */
const SINGLE = 10_000;

interface Column {
  readonly name: string;
  readonly isKey: boolean;
  readonly literal: (cell: string | Buffer | null) => string;
}

/** Between the commit `from` (null: nothing was there) and `main`, of every table. A table without a key may only have grown. */
export async function readNetChanges(target: Target, from: string | null): Promise<NetChanges[]> {
  const changes: NetChanges[] = [];
  for (const table of await target.tables()) {
    const columns = await readColumns(target, table);
    changes.push({
      table,
      columns: columns.map(({ name }) => quoteName(name)),
      key: columns.filter(({ isKey }) => isKey).map(({ name }) => quoteName(name)),
      ...(from === null ? await readAll(target, table, columns) : await readDiff(target, table, columns, from)),
    });
  }
  return changes;
}

async function readColumns(target: Target, table: string): Promise<Column[]> {
  const rows = await target.rows(
    `SELECT column_name, data_type, column_key FROM information_schema.columns
     WHERE table_schema = 'bench' AND table_name = ${quote(table)} ORDER BY ordinal_position`,
  );
  return rows.map(([name, type, key]) => ({
    name: String(name),
    isKey: String(key) === 'PRI',
    literal: /int|decimal|double|float/i.test(String(type)) ? numberLiteral : textLiteral,
  }));
}

const numberLiteral = (cell: string | Buffer | null): string => (cell === null ? 'NULL' : String(cell));

const textLiteral = (cell: string | Buffer | null): string => {
  if (cell === null) return 'NULL';
  return typeof cell === 'string' ? quote(cell) : `x'${cell.toString('hex')}'`;
};

const rowLiteral = (columns: readonly Column[], cells: Cells): string =>
  `(${columns.map(({ literal }, i) => literal(cells[i] ?? null)).join(',')})`;

/** One key column: the value alone, as `IN` wants it. */
function keyLiteral(columns: readonly Column[], cells: Cells): string {
  const key = columns.flatMap(({ isKey, literal }, i) => (isKey ? literal(cells[i] ?? null) : []));
  return key.length === 1 ? String(key[0]) : `(${key.join(',')})`;
}

async function readAll(
  target: Target,
  table: string,
  columns: readonly Column[],
): Promise<Pick<NetChanges, 'rows' | 'single'>> {
  const names = columns.map(({ name }) => quoteName(name)).join();
  const rows = (await target.rows(`SELECT ${names} FROM ${quoteName(table)}`)).map((row) => rowLiteral(columns, row));
  return {
    rows: rows.map((coming) => ({ gone: null, coming })),
    single: rows.slice(0, SINGLE).map((row) => `INSERT INTO ${quoteName(table)} VALUES ${row}`),
  };
}

async function readDiff(
  target: Target,
  table: string,
  columns: readonly Column[],
  from: string,
): Promise<Pick<NetChanges, 'rows' | 'single'>> {
  const side = (name: 'from' | 'to') => columns.map((column) => quoteName(`${name}_${column.name}`)).join();
  const changes: NetChange[] = [];
  const single: string[] = [];
  const rows = await target.rows(
    `SELECT diff_type, ${side('from')}, ${side('to')} FROM DOLT_DIFF(${quote(from)}, 'main', ${quote(table)})`,
  );
  const keyed = columns.some(({ isKey }) => isKey);
  for (const [type, ...cells] of rows) {
    const before = cells.slice(0, columns.length);
    const after = cells.slice(columns.length);
    if (type !== 'added' && !keyed) throw new Error(`${table} has no key, and rows of it are gone`);
    changes.push({
      gone: type === 'added' ? null : keyLiteral(columns, before),
      coming: type === 'removed' ? null : rowLiteral(columns, after),
    });
    if (single.length < SINGLE) single.push(singleStatement(table, columns, String(type), before, after));
  }
  return { rows: changes, single };
}

const sameCell = (a: Cells[number] | undefined, b: Cells[number] | undefined): boolean =>
  Buffer.isBuffer(a) && Buffer.isBuffer(b) ? a.equals(b) : a === b;

function singleStatement(table: string, columns: readonly Column[], type: string, before: Cells, after: Cells): string {
  const equal = (cells: Cells, of: (column: Column) => boolean): string[] =>
    columns.flatMap((column, i) => (of(column) ? `${quoteName(column.name)}=${column.literal(cells[i] ?? null)}` : []));
  if (type === 'added') return `INSERT INTO ${quoteName(table)} VALUES ${rowLiteral(columns, after)}`;
  const where = equal(before, ({ isKey }) => isKey).join(' AND ');
  if (type === 'removed') return `DELETE FROM ${quoteName(table)} WHERE ${where}`;
  const changed = equal(after, (column) => !sameCell(before[columns.indexOf(column)], after[columns.indexOf(column)]));
  return `UPDATE ${quoteName(table)} SET ${changed.join(',')} WHERE ${where}`;
}
