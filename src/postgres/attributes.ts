import type pg from 'pg';
import type { Attribute } from '../core/attribute-facts.js';
import type { CatalogRelation } from '../core/infer-schema.js';
import { readTables } from './catalog.js';
import { queryRows } from './client.js';

/**
 * A table by its oid as it is now, with the attributes that it had: what `inferSchema` needs. Null where it does not exist
 * any more. One that the publication does not carry any more comes as a publication of its own would carry it.
 *
 * Not to be called inside a transaction: where the table is altered meanwhile, it is read again.
 * Throws Wal2DoltError, as `asSourceError` classifies.
 */
export async function readRelation(
  client: pg.Client,
  publication: string,
  oid: number,
): Promise<CatalogRelation | null> {
  for (;;) {
    const before = await readRows(client, publication, oid);
    const table =
      (await readTables(client, publication, [oid]))[0] ?? (await readTables(client, null, [oid]))[0] ?? null;
    // Not by one snapshot: whatever reads a publication's tables, or prints an expression, looks at the newest catalog.
    if ((await readRows(client, publication, oid)) !== before) continue;
    if (before === null || table === null) return null;
    // The cast: the shape is what ROWS builds.
    const rows = JSON.parse(before) as CatalogRows;
    const published = new Set(table.columns.map(({ attnum }) => attnum));
    return {
      table,
      attributes: rows.attributes.map(({ xid, notNullXid: _, ...attribute }) => ({
        ...attribute,
        published: published.has(attribute.attnum),
        xid: BigInt(xid),
      })),
      columnList: rows.columnList,
      fileNode: rows.fileNode,
      publishedBy: table.publishedBy,
      notNullXids: new Map(rows.attributes.map(({ attnum, notNullXid }) => [attnum, BigInt(notNullXid)])),
      indexXids: new Map(rows.indexes.map(({ name, xid }) => [name, BigInt(xid)])),
      types: new Map(),
    };
  }
}

/**
 * An xid below which every transaction had ended at the place in the WAL that the slot's consumer confirmed, or before it:
 * `settledXid` for whatever the slot sends after that. Null where there is no such slot.
 *
 * Postgres keeps it so that decoding finds the catalog as it was: no transaction that it still decodes can be older.
 * Source: https://www.postgresql.org/docs/current/view-pg-replication-slots.html (catalog_xmin), src/backend/replication/slot.c
 */
export async function readSettledXid(client: pg.Client, slot: string): Promise<bigint | null> {
  const [row] = await queryRows<{ xid: string | null }>(
    client,
    `SELECT ${fullXid('s.catalog_xmin')} AS xid FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1`,
    [slot],
  );
  return row?.xid ? BigInt(row.xid) : null;
}

interface CatalogRows {
  readonly attributes: readonly (Omit<Attribute, 'xid' | 'published'> & {
    readonly xid: string;
    readonly notNullXid: string;
  })[];
  readonly indexes: readonly { readonly name: string; readonly xid: string }[];
  readonly columnList: boolean;
  readonly fileNode: number;
}

/** As JSON; null where there is no such table. */
async function readRows(client: pg.Client, publication: string, oid: number): Promise<string | null> {
  const [row] = await queryRows<{ rows: string }>(client, ROWS, [publication, oid]);
  return row?.rows ?? null;
}

/**
 * An xid with its epoch: the last one of these 32 bits that began. One that was frozen long ago may come out too large,
 * which only says that less is known of it.
 */
function fullXid(xid: string): string {
  const next = `pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::int8`;
  return `(${next} - ((${next} - ${xid}::text::int8) & 4294967295))`;
}

const ROWS = `
SELECT json_build_object(
  'fileNode', coalesce(pg_relation_filenode(c.oid), 0)::int8,
  'xid', c.xmin::text,
  'columnList', EXISTS (
    SELECT FROM pg_publication_rel pr JOIN pg_publication p ON p.oid = pr.prpubid
    WHERE p.pubname = $1 AND pr.prattrs IS NOT NULL
      AND (pr.prrelid = c.oid OR pr.prrelid IN (SELECT relid FROM pg_partition_ancestors(c.oid)))),
  'attributes', (
    SELECT coalesce(json_agg(json_build_object(
      'attnum', a.attnum, 'name', a.attname, 'typeOid', a.atttypid::int8, 'typmod', a.atttypmod,
      'generated', a.attgenerated, 'dropped', a.attisdropped, 'hasMissing', a.atthasmissing,
      'xid', ${fullXid('a.xmin')}::text,
      -- From Postgres 18 on a constraint of its own says whether the old rows keep to it.
      'notNullXid', greatest(${fullXid('a.xmin')}, (
        SELECT max(${fullXid('nn.xmin')}) FROM pg_constraint nn
        WHERE nn.conrelid = c.oid AND nn.contype = 'n' AND nn.conkey = ARRAY[a.attnum]))::text) ORDER BY a.attnum), '[]')
    FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0),
  'indexes', (
    SELECT coalesce(json_agg(json_build_object('name', ic.relname, 'xid', ${fullXid('i.xmin')}::text) ORDER BY i.indexrelid), '[]')
    FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid WHERE i.indrelid = c.oid)
)::text AS rows
FROM pg_class c WHERE c.oid = $2`;
