import type pg from 'pg';
import { queryRows } from './client.js';
import { PUBLISHED, type TableName } from './publication.js';

/** Names of all tables that a publication carries, by oid. Takes no lock on the tables. */
export async function readPublishedTables(client: pg.Client, publication: string): Promise<Map<number, TableName>> {
  const rows = await queryRows<{ oid: string; schema: string; name: string }>(
    client,
    `SELECT c.oid, n.nspname AS schema, c.relname AS name
     FROM (${PUBLISHED}) published
     JOIN pg_catalog.pg_class c ON c.oid = published.relid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`,
    [publication, null],
  );
  return new Map(rows.map(({ oid, schema, name }) => [Number(oid), { schema, name }]));
}
