import type pg from 'pg';
import { qualifiedName, type TableSchema } from '../core/schema.js';
import { Wal2DoltError } from '../errors.js';
import { queryRows } from './client.js';

/**
 * Makes sure that tables whose COPY has just been made, and whose locks are still held, are what `tables` says: a COPY looks up
 * names and partitions as they are when it begins, not as its snapshot shows them. Columns that were added since do not matter.
 *
 * Reads the catalog's tables only: whatever prints definitions may wait for a lock, behind an ALTER TABLE that waits for ours.
 * Throws E_TABLE_REWRITTEN.
 */
export async function assertStillSame(client: pg.Client, tables: readonly TableSchema[]): Promise<void> {
  const rows = await queryRows<{ oid: string; schema: string; name: string; columns: string; partitions: string }>(
    client,
    SHAPES,
    [tables.map(({ oid }) => oid)],
  );
  const now = new Map(rows.map((row) => [Number(row.oid), row]));
  for (const table of tables) {
    const found = now.get(table.oid);
    const columns = new Map(JSON.parse(found?.columns ?? '[]') as [number, string][]); // json_agg of pairs
    const same =
      found?.schema === table.schema &&
      found.name === table.name &&
      table.columns.every(({ attnum, name, type }) => columns.get(attnum) === `${type.oid} ${type.typmod} ${name}`) &&
      (table.partitions === undefined || found.partitions === JSON.stringify(table.partitions));
    if (same) continue;
    throw new Wal2DoltError('E_TABLE_REWRITTEN', `${qualifiedName(table)} changed while it was copied`);
  }
}

const SHAPES = `
SELECT c.oid, n.nspname AS schema, c.relname AS name, (
    SELECT coalesce(json_agg(json_build_array(a.attnum, a.atttypid || ' ' || a.atttypmod || ' ' || a.attname)), '[]')::text
    FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns, (
    WITH RECURSIVE tree (oid) AS (
      SELECT c.oid
      UNION ALL
      SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid AND NOT i.inhdetachpending)
    SELECT coalesce(replace(json_agg(leaf.oid::int8 ORDER BY leaf.oid)::text, ' ', ''), '[]')
    FROM tree JOIN pg_class leaf USING (oid) WHERE leaf.relkind = 'r' AND leaf.relpersistence = 'p') AS partitions
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY ($1::oid[])`;
