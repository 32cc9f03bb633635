import type pg from 'pg';
import { z } from 'zod';
import { type CatalogRelation, typeKey } from '../core/catalog-relation.js';
import type { RelationColumn } from '../core/change.js';
import type { Horizon } from '../core/horizons.js';
import { parseLsn } from '../core/position.js';
import type { ColumnType } from '../core/schema.js';
import { readTables } from './catalog.js';
import { queryRows } from './client.js';
import { type TableDefinition, toSchemas, typeDefinition } from './definition.js';
import { queryOf } from './sql-file.js';

/**
 * A table by its oid as it is now, with the attributes that it had: what `inferSchema` needs. Null where it does not exist
 * any more. One that the publication does not carry any more comes as a publication of its own would carry it.
 * `announced` are the columns of its relation, whose types may be others than those that it has now.
 *
 * Not to be called inside a transaction: where the table is altered meanwhile, it is read again.
 * Throws Wal2DoltError, as `asSourceError` classifies.
 */
export async function readRelation(
  client: pg.Client,
  publication: string,
  oid: number,
  announced: readonly Pick<RelationColumn, 'typeOid' | 'typmod'>[] = [],
): Promise<CatalogRelation | null> {
  const values = [publication, oid, announced.map(({ typeOid }) => typeOid)];
  for (;;) {
    const before = await readFacts(client, values);
    const table =
      (await readTables(client, publication, [oid]))[0] ?? (await readTables(client, null, [oid]))[0] ?? null;
    // Not by one snapshot: whatever prints an expression looks at the newest catalog.
    if ((await readFacts(client, values)) !== before) continue;
    if (before === null || table === null) return null;
    const { attributes, indexes, types, ...facts } = catalogFacts.parse(JSON.parse(before));
    const published = new Set(table.columns.map(({ attnum }) => attnum));
    return {
      ...facts,
      table,
      attributes: attributes.map(({ notNullXid: _, ...attribute }) => ({
        ...attribute,
        published: published.has(attribute.attnum),
      })),
      publishedBy: table.publishedBy,
      notNullXids: new Map(attributes.map(({ attnum, notNullXid }) => [attnum, notNullXid])),
      indexXids: new Map(indexes.map(({ name, xid }) => [name, xid])),
      typeXids: new Map(types.flatMap(({ oid, xid }) => (xid === null ? [] : [[oid, xid]]))),
      layouts: new Map(types.map(({ oid, layout }) => [oid, layout])),
      alike: new Map(types.map(({ oid, alike }) => [oid, new Set(alike)])),
      ...(table.partitions && { partitions: table.partitions }),
      ...(table.leaves && { leaves: table.leaves }),
      types: await readTypes(
        client,
        announced.filter(({ typeOid }) => types.some(({ oid }) => oid === typeOid)),
      ),
    };
  }
}

/** What a table is called by now; null where it does not exist any more. */
export async function readName(
  client: pg.Client,
  oid: number,
): Promise<{ readonly schema: string; readonly name: string } | null> {
  const [row] = await queryRows<{ schema: string; name: string }>(
    client,
    `SELECT n.nspname AS schema, c.relname AS name
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1`,
    [oid],
  );
  return row ?? null;
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
    `SELECT ${withEpoch('s.catalog_xmin')} AS xid FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1`,
    [slot],
  );
  return row?.xid ? BigInt(row.xid) : null;
}

/**
 * Of these tables, those of which a column was altered by a transaction that the slot may still send something before: it
 * does not tell what they were then. Not those that were only created since.
 */
export async function readAlteredSince(
  client: pg.Client,
  slot: string,
  oids: readonly number[],
): Promise<ReadonlySet<number>> {
  const settled = await readSettledXid(client, slot);
  const rows = await queryRows<{ oid: string }>(
    client,
    `SELECT DISTINCT a.attrelid AS oid
     FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attribute created ON created.attrelid = a.attrelid AND created.attnum = -1
     WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND a.xmin <> created.xmin AND ${withEpoch('a.xmin')} >= $2::int8`,
    [oids, String(settled ?? 0n)],
  );
  return new Set(rows.map(({ oid }) => Number(oid)));
}

/**
 * A look at the transactions of the source, for `Horizons`: cheap, and to be repeated while streaming, since it tells about
 * the past only.
 */
export async function readHorizon(client: pg.Client): Promise<Horizon> {
  // The snapshot is taken before anything of the statement is evaluated.
  const [row] = await queryRows<{ xmin: string; xmax: string; running: string; lsn: string }>(
    client,
    `SELECT pg_catalog.pg_snapshot_xmin(s)::text AS xmin, pg_catalog.pg_snapshot_xmax(s)::text AS xmax,
       array_to_json(array(SELECT pg_catalog.pg_snapshot_xip(s)::text))::text AS running, pg_catalog.pg_current_wal_insert_lsn()::text AS lsn
     FROM pg_catalog.pg_current_snapshot() s`,
  );
  const { xmin, xmax, running, lsn } = row ?? { xmin: '0', xmax: '0', running: '[]', lsn: '' };
  return { xmin: BigInt(xmin), xmax: BigInt(xmax), running: xids.parse(JSON.parse(running)), lsn: parseLsn(lsn) };
}

const TYPES = queryOf('types');

/** The types of columns, by `typeKey`. */
async function readTypes(
  client: pg.Client,
  columns: readonly Pick<RelationColumn, 'typeOid' | 'typmod'>[],
): Promise<Map<string, ColumnType>> {
  const rows = await queryRows<{ definition: string }>(client, TYPES, [
    columns.map(({ typeOid }) => typeOid),
    columns.map(({ typmod }) => typmod),
  ]);
  const types = rows.map(({ definition }) => typeDefinition.parse(JSON.parse(definition)));
  const [table] = toSchemas([{ ...NO_TABLE, columns: columns.map((column) => ({ ...NO_COLUMN, ...column })) }], types);
  return new Map(table?.columns.map(({ type }) => [typeKey(type.oid, type.typmod), type]));
}

/** What types are resolved in. */
const NO_TABLE: TableDefinition = {
  ...{ oid: 0, schema: '', name: '', kind: 'r', replicaIdentity: 'd', comment: null, rowFilter: null, publishedBy: [] },
  ...{ fileNode: 0, partitionOf: null, partitions: null, leaves: null, columns: [], indexes: [], constraints: [] },
};
const NO_COLUMN: Omit<TableDefinition['columns'][number], 'typeOid' | 'typmod'> = {
  ...{ attnum: 0, name: '', published: true, notNull: false, defaultExpression: null, identity: '', generated: '' },
  ...{ collation: null, missing: null },
};

const fullXid = z.string().transform(BigInt);
const xids = z.array(fullXid);
const identifier = z.int().nonnegative();

/** What FACTS makes. */
const catalogFacts = z.object({
  fileNode: identifier,
  creationXid: fullXid,
  columnList: z.boolean(),
  generatedSent: z.object({ now: z.boolean(), xid: fullXid.nullable() }),
  virtualColumns: z.boolean(),
  attributes: z.array(
    z.object({
      attnum: z.int(),
      name: z.string(),
      typeOid: identifier,
      typmod: z.int(),
      generated: z.enum(['', 's', 'v']),
      dropped: z.boolean(),
      hasMissing: z.boolean(),
      layout: z.string(),
      xid: fullXid,
      notNullXid: fullXid,
    }),
  ),
  indexes: z.array(z.object({ name: z.string(), xid: fullXid })),
  types: z.array(
    z.object({ oid: identifier, layout: z.string(), alike: z.array(identifier), xid: fullXid.nullable() }),
  ),
});

/** As JSON; null where there is no such table. */
async function readFacts(client: pg.Client, values: Parameters<typeof queryRows>[2]): Promise<string | null> {
  const [row] = await queryRows<{ facts: string }>(client, FACTS, values);
  return row?.facts ?? null;
}

/**
 * An xid with its epoch: the last one of these 32 bits that began. One that was frozen long ago may come out too large,
 * which only says that less is known of it.
 */
function withEpoch(xid: string): string {
  const next = `pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::int8`;
  return `(${next} - ((${next} - ${xid}::text::int8) & 4294967295))`;
}

/** Types below are of Postgres itself, and nobody alters them. */
const FIRST_USER_OID = 16_384;

const FACTS = `
WITH RECURSIVE used (root, oid) AS (
  SELECT DISTINCT t.oid, t.oid FROM (
    SELECT unnest($3::oid[]) UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = $2 AND a.attnum > 0
  ) t (oid) WHERE t.oid <> 0
  UNION
  SELECT u.root, i.oid FROM used u JOIN pg_type t ON t.oid = u.oid AND t.oid >= ${FIRST_USER_OID}, LATERAL (
    SELECT t.typbasetype UNION ALL SELECT t.typelem
    UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid
    UNION ALL SELECT r.rngtypid FROM pg_range r WHERE r.rngmultitypid = t.oid
    UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0
  ) i (oid) WHERE i.oid <> 0
), same_bytes (a, b) AS (
  SELECT castsource, casttarget FROM pg_cast WHERE castmethod = 'b'
  UNION ALL SELECT oid, typbasetype FROM pg_type WHERE typbasetype <> 0
  -- Where the time zone is UTC (ATColumnChangeRequiresRewrite).
  UNION ALL SELECT 'timestamp'::regtype, 'timestamptz'::regtype
), alike (root, oid) AS (
  SELECT DISTINCT root, root FROM used
  UNION
  SELECT l.root, s.oid FROM alike l JOIN (SELECT a, b FROM same_bytes UNION ALL SELECT b, a FROM same_bytes) s (other, oid) ON s.other = l.oid
)
SELECT json_build_object(
  'fileNode', coalesce(pg_relation_filenode(c.oid), 0)::int8,
  'xid', c.xmin::text,
  -- Of a system column (ctid): a table that is renamed, moved or given away has its rows in pg_class and pg_type written anew.
  'creationXid', (SELECT ${withEpoch('a.xmin')}::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = -1),
  'virtualColumns', current_setting('server_version_num')::int >= 180000,
  'columnList', list.there,
  -- As JSON, since pubgencols exists from Postgres 18 on. A list of columns says it itself.
  'generatedSent', (
    SELECT json_build_object('now', g.known AND (list.there OR coalesce(to_jsonb(p) ->> 'pubgencols' = 's', false)),
      'xid', CASE WHEN g.known AND NOT list.there THEN ${withEpoch('p.xmin')}::text END)
    FROM (SELECT current_setting('server_version_num')::int >= 180000 AS known) g LEFT JOIN pg_publication p ON p.pubname = $1),
  'attributes', (
    SELECT coalesce(json_agg(json_build_object(
      'attnum', a.attnum, 'name', a.attname, 'typeOid', a.atttypid::int8, 'typmod', a.atttypmod,
      'generated', a.attgenerated, 'dropped', a.attisdropped, 'hasMissing', a.atthasmissing,
      'layout', concat_ws('/', a.attlen, a.attbyval, a.attalign),
      'xid', ${withEpoch('a.xmin')}::text,
      -- From Postgres 18 on a constraint of its own says whether the old rows keep to it.
      'notNullXid', greatest(${withEpoch('a.xmin')}, (
        SELECT max(${withEpoch('nn.xmin')}) FROM pg_constraint nn
        WHERE nn.conrelid = c.oid AND nn.contype = 'n' AND nn.conkey = ARRAY[a.attnum]))::text) ORDER BY a.attnum), '[]')
    FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0),
  'indexes', (
    SELECT coalesce(json_agg(json_build_object('name', ic.relname, 'xid', ${withEpoch('i.xmin')}::text) ORDER BY i.indexrelid), '[]')
    FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid WHERE i.indrelid = c.oid),
  'types', (
    SELECT coalesce(json_agg(json_build_object(
      'oid', r.root::int8, 'layout', concat_ws('/', t.typlen, t.typbyval, t.typalign), 'xid', r.xid::text,
      'alike', (SELECT json_agg(l.oid::int8 ORDER BY l.oid) FROM alike l WHERE l.root = r.root)) ORDER BY r.root), '[]')
    FROM (
      SELECT u.root, max(greatest(${withEpoch('y.xmin')},
        (SELECT max(${withEpoch('l.xmin')}) FROM pg_enum l WHERE l.enumtypid = y.oid),
        (SELECT max(${withEpoch('a.xmin')}) FROM pg_attribute a WHERE y.typtype = 'c' AND a.attrelid = y.typrelid)))
        FILTER (WHERE y.oid >= ${FIRST_USER_OID}) AS xid
      FROM used u JOIN pg_type y ON y.oid = u.oid GROUP BY u.root
    ) r JOIN pg_type t ON t.oid = r.root)
)::text AS facts
FROM pg_class c, LATERAL (
  SELECT EXISTS (
    SELECT FROM pg_publication_rel pr JOIN pg_publication p ON p.oid = pr.prpubid
    WHERE p.pubname = $1 AND pr.prrelid = c.oid AND pr.prattrs IS NOT NULL) AS there
) list WHERE c.oid = $2`;
