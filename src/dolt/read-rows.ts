import type { TargetTable } from '../core/target.js';
import { Tuple } from '../core/tuple.js';
import { quoteName, type TargetConnection, type TextRow } from './client.js';
import { EXACT_TABLE, readExact } from './exact.js';
import { insertRows } from './insert-rows.js';
import { quoteText } from './sql-text.js';

/** A row as exact Postgres text, in the order of the table's columns. */
export type ExactRow = readonly (string | null)[];

/** A page is so many rows, or less where so many characters are reached. */
const PAGE_ROWS = 2_000;
const PAGE_CHARACTERS = 4 << 20;

const HASH = /^[0-9a-v]{32}$/;

/**
 * All rows of a table with a key at a commit, page by page, each as exact Postgres text. Two connections, since a result
 * that is still being read occupies the first.
 */
export async function* readKeyedRows(
  reader: TargetConnection,
  lookup: TargetConnection,
  table: TargetTable,
  commit: string,
  hasExact: boolean,
): AsyncGenerator<ExactRow[]> {
  const sql = `SELECT ${reads(table)} FROM ${quoteName(table.name)}${asOf(commit)}`;
  for await (const rows of pages(reader.stream(sql), table)) {
    if (!hasExact) {
      yield rows;
      continue;
    }
    const keyOf = (row: ExactRow): string[] => table.key.map((position) => row[position] ?? '');
    const exact = await readExact(lookup, table, rows.map(keyOf), asOf(commit));
    yield rows.map((row) => {
      const values = exact.get(JSON.stringify(keyOf(row)));
      return values ? row.map((cell, i) => values.get(table.columns[i]?.name ?? '') ?? cell) : row;
    });
  }
}

/** The rows of a table without a key of which every value is exact; that is all of them, for most tables. */
export function readKeylessRows(
  reader: TargetConnection,
  table: TargetTable,
  commit: string,
): AsyncGenerator<ExactRow[]> {
  return pages(reader.stream(`SELECT ${reads(table)} FROM ${quoteName(table.name)}${asOf(commit)}`), table);
}

/** `dolt_diff` calls the values of a column `commit` as it calls its own: `from_commit`. */
export const canReadApart = ({ columns }: TargetTable): boolean =>
  !columns.some(({ name }) => /^commit(_date)?$/i.test(name));

/**
 * The same where some rows have exact values. Which of the stored rows those are is not recorded, only what they stand
 * for: so the table, which is empty in the working set, first gets what is stored for them, and the others are what Dolt
 * says was removed since the commit. Two sequences, each to be read from its own connection; the first page of the first
 * one must be read before the table is changed.
 */
export async function readKeylessRowsApart(
  writer: TargetConnection,
  reader: TargetConnection,
  table: TargetTable,
  commit: string,
): Promise<{ readonly plain: AsyncGenerator<ExactRow[]>; readonly exact: () => AsyncGenerator<ExactRow[]> }> {
  const exact = (): AsyncGenerator<ExactRow[]> => readExactRows(reader, table, commit);
  await writer.run('START TRANSACTION');
  for await (const rows of exact()) for (const { sql } of insertRows(table, rows.map(Tuple.of))) await writer.run(sql);
  await writer.run('COMMIT');
  const before = table.columns.map((column) => column.conversion.read(quoteName(`from_${column.name}`)));
  const sql = `SELECT ${before.join(',')} FROM dolt_diff(${quoteText(commit)}, 'WORKING', ${quoteText(table.name)}) WHERE diff_type='removed'`;
  return { plain: pages(reader.stream(sql), table), exact };
}

/** Rows of a table without a key that have exact values, as many times as they are there. */
async function* readExactRows(
  reader: TargetConnection,
  table: TargetTable,
  commit: string,
): AsyncGenerator<ExactRow[]> {
  const sql = `SELECT row_hash, row_key, copies FROM ${EXACT_TABLE}${asOf(commit)} WHERE target_table=${quoteText(table.name)} ORDER BY target_table, row_hash`;
  let last: string | null = null;
  for await (const [hash = null, key, copies] of reader.stream(sql)) {
    if (hash === last) continue; // another column of the same row
    last = hash;
    const row = JSON.parse(key ?? '[]') as ExactRow; // written by wal2dolt as an array of texts
    for (let left = Number(copies); left > 0; left -= PAGE_ROWS) {
      yield Array.from({ length: Math.min(left, PAGE_ROWS) }, () => row);
    }
  }
}

const asOf = (commit: string): string => {
  if (!HASH.test(commit)) throw new TypeError(`${commit} is no commit`);
  return ` AS OF '${commit}'`;
};

const reads = ({ columns }: TargetTable): string =>
  columns.map((column) => column.conversion.read(quoteName(column.name))).join(',');

async function* pages(rows: AsyncIterable<TextRow>, table: TargetTable): AsyncGenerator<ExactRow[]> {
  let page: ExactRow[] = [];
  let characters = 0;
  for await (const row of rows) {
    for (const cell of row) characters += cell?.length ?? 0;
    page.push(
      table.columns.map((column, i) => {
        const value = row[i];
        return value === null || value === undefined ? null : column.conversion.restore(value);
      }),
    );
    if (page.length < PAGE_ROWS && characters < PAGE_CHARACTERS) continue;
    yield page;
    page = [];
    characters = 0;
  }
  if (page.length > 0) yield page;
}
