import type { TableSchema } from '../../src/core/schema.js';
import { readTables } from '../../src/postgres/catalog.js';
import { connectSource } from '../../src/postgres/client.js';
import type { PostgresDatabase } from './postgres.js';

/** What the catalog says of a publication's tables. */
export async function read(
  database: PostgresDatabase,
  publication = 'p',
  oids?: readonly number[],
): Promise<TableSchema[]> {
  const client = await connectSource(database.url, 'test');
  try {
    return await readTables(client, publication, oids);
  } finally {
    await client.end();
  }
}

export const names = (table: TableSchema | undefined): string[] | undefined =>
  table?.columns.map((column) => column.name);
