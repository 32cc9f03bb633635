import { afterEach, expect } from 'vitest';
import type { Row } from '../../src/core/row.js';
import type { TableSchema } from '../../src/core/schema.js';
import { readTables } from '../../src/postgres/catalog.js';
import { connectSource } from '../../src/postgres/client.js';
import { type CopyOptions, copyRows } from '../../src/postgres/copy.js';
import type { PostgresDatabase } from './postgres.js';

/*
 * Tables of a publication p, copied by COPY. The clients end with the test.
 */

export const clients: Awaited<ReturnType<typeof connectSource>>[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
});

/** A client, the tables of publication p, and the first of them. */
export async function source(database: PostgresDatabase, url = database.url) {
  const client = await connectSource(url, 'test');
  clients.push(client);
  const tables = await readTables(client, 'p');
  const table = tables[0] ?? expect.fail('nothing is published');
  return { client, tables, table };
}

export const everyPosition = (table: TableSchema): number[] => table.columns.map((_, position) => position);

export async function copyAll(
  database: PostgresDatabase,
  positions?: readonly number[],
): Promise<Record<string, Row[]>> {
  const { client, tables } = await source(database);
  const all: Record<string, Row[]> = {};
  for (const table of tables) {
    const rows: Row[] = [];
    for await (const batch of copyRows(client, table, positions ?? everyPosition(table)))
      rows.push(...batch.map((row) => row.cells()));
    all[table.name] = rows;
  }
  return all;
}

export async function firstBatches(database: PostgresDatabase, options: CopyOptions, count = 1) {
  const { client, table } = await source(database);
  const batches = copyRows(client, table, everyPosition(table), options);
  for (let i = 0; i < count; i++) await batches.next();
  return { client, batches };
}
