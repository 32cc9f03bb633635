import { EVERY_TABLE } from '../../src/core/patterns.js';
import { qualifiedName } from '../../src/core/schema.js';
import type { TargetTable } from '../../src/core/target.js';
import { parseTarget } from '../../src/dolt/address.js';
import { readTables } from '../../src/dolt/bookkeeping.js';
import { quoteName, TargetConnection } from '../../src/dolt/client.js';
import { EXACT_TABLE } from '../../src/dolt/exact.js';
import { quoteText } from '../../src/dolt/sql-text.js';
import { connectSource } from '../../src/postgres/client.js';
import { copyRows } from '../../src/postgres/copy.js';
import { type MappingRules, restoreTable } from '../../src/sync/tables.js';

/** Rows of every table as sorted lists of JSON, by `schema.table`. */
export type Contents = ReadonlyMap<string, readonly string[]>;

export const PLAIN: MappingRules = { tables: EVERY_TABLE, tableName: '{schema}__{table}', types: new Map() };

/**
 * What Dolt holds at a commit (default: the readers' branch), in Postgres text, the exact values put back in place. With
 * `known`, tables that are the same as in another commit are read once.
 */
export async function doltContents(
  url: string,
  asOf = 'main',
  rules: MappingRules = PLAIN,
  known?: Map<string, readonly string[]>,
): Promise<Contents> {
  await using connection = await TargetConnection.open(parseTarget(url), asOf);
  const contents = new Map<string, readonly string[]>();
  const exact = await hashOf(connection, EXACT_TABLE);
  for (const stored of await readTables(connection)) {
    const identity = `${exact} ${await hashOf(connection, stored.targetName)} ${JSON.stringify(stored.schema)}`;
    const rows = known?.get(identity) ?? (await doltRows(connection, restoreTable(stored, rules)));
    known?.set(identity, rows);
    contents.set(qualifiedName(stored.schema), rows);
  }
  return contents;
}

async function hashOf(connection: TargetConnection, table: string): Promise<string> {
  return (await connection.value(`SELECT dolt_hashof_table(${quoteText(table)})`)) ?? 'none';
}

export async function doltRows(connection: TargetConnection, table: TargetTable): Promise<string[]> {
  const exact = new Map<string, Map<string, { value: string; copies: number }>>();
  for (const [key, column, value, copies] of await connection.rows(
    `SELECT row_key, target_column, value, copies FROM wal2dolt_exact WHERE target_table=${quoteText(table.name)}`,
  )) {
    const of = exact.get(key ?? '') ?? new Map<string, { value: string; copies: number }>();
    of.set(column ?? '', { value: value ?? '', copies: Number(copies) });
    exact.set(key ?? '', of);
  }
  const reads = table.columns.map((column) => column.conversion.read(quoteName(column.name)));
  const rows = await connection.rows(`SELECT ${reads.join(',') || '1'} FROM ${quoteName(table.name)}`);
  const texts = rows.map((row) =>
    table.columns.map((column, i) => {
      const value = row[i];
      return value === null || value === undefined ? null : column.conversion.restore(value);
    }),
  );
  if (table.key.length > 0) {
    for (const row of texts) {
      const of = exact.get(JSON.stringify(table.key.map((i) => row[i])));
      for (const [i, column] of table.columns.entries()) row[i] = of?.get(column.name)?.value ?? row[i] ?? null;
    }
    return texts.map((row) => JSON.stringify(row)).sort();
  }
  // Each exact row stands for as many stored rows that hold its nearest values.
  const stored = new Map<string, number>();
  for (const row of texts) {
    const text = JSON.stringify(row);
    stored.set(text, (stored.get(text) ?? 0) + 1);
  }
  const nearest = nearestValues(connection, table);
  const whole: string[] = [];
  for (const [key, of] of exact) {
    const cells = JSON.parse(key) as (string | null)[]; // written by wal2dolt as an array of texts
    for (const [i, column] of table.columns.entries()) {
      if (of.has(column.name)) cells[i] = await nearest(i, cells[i] ?? '');
    }
    const text = JSON.stringify(cells);
    const copies = [...of.values()][0]?.copies ?? 0;
    if ((stored.get(text) ?? 0) < copies) throw new Error(`no row of ${table.name} for the exact values ${clip(key)}`);
    stored.set(text, (stored.get(text) ?? 0) - copies);
    for (let n = 0; n < copies; n += 1) whole.push(key);
  }
  for (const [text, copies] of stored) for (let n = 0; n < copies; n += 1) whole.push(text);
  return whole.sort();
}

/** What is read from Dolt where a column holds the value nearest to an exact text. */
function nearestValues(
  connection: TargetConnection,
  table: TargetTable,
): (position: number, text: string) => Promise<string | null> {
  const known = new Map<string, string | null>();
  return async (position, text) => {
    const column = table.columns[position];
    if (!column) throw new Error(`${table.name} has no column ${position}`);
    const literal = column.conversion.literal(text);
    const found = known.get(`${position} ${literal}`);
    if (found !== undefined) return found;
    const name = quoteName(column.name);
    const value = await connection.value(
      `SELECT ${column.conversion.read(name)} FROM ${quoteName(table.name)} WHERE ${column.conversion.equals(name, literal)} LIMIT 1`,
    );
    const nearest = value === null ? null : column.conversion.restore(value);
    known.set(`${position} ${literal}`, nearest);
    return nearest;
  };
}
/** What Postgres holds now, of the same tables. */
export async function postgresContents(url: string, doltUrl: string, rules: MappingRules = PLAIN): Promise<Contents> {
  await using connection = await TargetConnection.open(parseTarget(doltUrl), 'main');
  const client = await connectSource(url, 'compare');
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const contents = new Map<string, readonly string[]>();
    for (const stored of await readTables(connection)) {
      const table = restoreTable(stored, rules);
      const rows: string[] = [];
      for await (const batch of copyRows(
        client,
        stored.schema,
        table.columns.map((column) => column.sourcePosition),
      )) {
        for (const row of batch) rows.push(JSON.stringify(row.cells()));
      }
      contents.set(qualifiedName(stored.schema), rows.sort());
    }
    return contents;
  } finally {
    await client.end();
  }
}

/**
 * The hash that Dolt keeps of every replicated table and of the exact values: equal where schema, indexes and rows are
 * equal, and only there.
 */
export async function tableHashes(url: string): Promise<ReadonlyMap<string, string>> {
  await using connection = await TargetConnection.open(parseTarget(url), 'main');
  const names = [...(await readTables(connection)).map((table) => table.targetName), EXACT_TABLE].sort();
  const hashes = new Map<string, string>();
  for (const name of names) {
    hashes.set(name, await hashOf(connection, name));
  }
  return hashes;
}

/** The first differences in words, empty where both are the same. */
export function differences(dolt: Contents, postgres: Contents): string[] {
  const found: string[] = [];
  for (const name of new Set([...dolt.keys(), ...postgres.keys()])) {
    const left = dolt.get(name);
    const right = postgres.get(name);
    if (!left || !right) {
      found.push(`${name}: only in ${left ? 'Dolt' : 'Postgres'}`);
      continue;
    }
    if (left.length === right.length && left.every((row, i) => row === right[i])) continue;
    const onlyLeft = subtract(left, right);
    const onlyRight = subtract(right, left);
    found.push(
      `${name}: ${left.length} rows in Dolt, ${right.length} in Postgres; only in Dolt: ${onlyLeft.slice(0, 3).map(clip).join(' ')}; only in Postgres: ${onlyRight.slice(0, 3).map(clip).join(' ')}`,
    );
  }
  return found;
}

function subtract(from: readonly string[], what: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const row of what) counts.set(row, (counts.get(row) ?? 0) + 1);
  return from.filter((row) => {
    const n = counts.get(row) ?? 0;
    if (n > 0) counts.set(row, n - 1);
    return n === 0;
  });
}

const clip = (text: string): string => (text.length > 400 ? `${text.slice(0, 400)}…` : text);
