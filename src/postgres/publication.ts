import pg from 'pg';
import { Wal2DoltError } from '../errors.js';
import { queryRows } from './client.js';
import { queryOf } from './sql-file.js';

/** Source: https://www.postgresql.org/docs/current/catalog-pg-publication.html */
export interface Publication {
  readonly name: string;
  readonly allTables: boolean;
  /** Schemas all of whose tables are published (FOR TABLES IN SCHEMA). */
  readonly schemas: readonly string[];
  readonly insert: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  readonly truncate: boolean;
  /** Changes of partitions are published as changes of their root. */
  readonly viaRoot: boolean;
  /** Stored generated columns are published without a column list; always false before Postgres 18. */
  readonly generatedColumns: boolean;
}

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** The comment on a publication that wal2dolt created, and may therefore drop. */
const OWN = 'created by wal2dolt';

/** Whether wal2dolt created the publication; null where there is none. */
export async function isOwnPublication(client: pg.Client, name: string): Promise<boolean | null> {
  const [row] = await queryRows<{ comment: string | null }>(
    client,
    `SELECT obj_description(oid, 'pg_publication') AS comment FROM pg_catalog.pg_publication WHERE pubname = $1`,
    [name],
  );
  return row ? row.comment === OWN : null;
}

export async function dropPublication(client: pg.Client, name: string): Promise<void> {
  await queryRows(client, `DROP PUBLICATION IF EXISTS ${pg.escapeIdentifier(name)}`);
}

/** The publication as it is, or null where there is none of that name. */
export async function readPublication(client: pg.Client, name: string): Promise<Publication | null> {
  // As JSON, since pubgencols exists from Postgres 18 on.
  const [row] = await queryRows<{ publication: string; schemas: string }>(
    client,
    `SELECT to_jsonb(p)::text AS publication, (
       SELECT coalesce(json_agg(n.nspname ORDER BY n.nspname), '[]')::text
       FROM pg_catalog.pg_publication_namespace pn JOIN pg_catalog.pg_namespace n ON n.oid = pn.pnnspid
       WHERE pn.pnpubid = p.oid) AS schemas
     FROM pg_catalog.pg_publication p WHERE p.pubname = $1`,
    [name],
  );
  if (!row) return null;
  const p = JSON.parse(row.publication) as Record<string, unknown>; // a row is an object
  return {
    name,
    allTables: p.puballtables === true,
    schemas: JSON.parse(row.schemas) as string[], // json_agg of names
    insert: p.pubinsert === true,
    update: p.pubupdate === true,
    delete: p.pubdelete === true,
    truncate: p.pubtruncate === true,
    viaRoot: p.pubviaroot === true,
    generatedColumns: p.pubgencols === 's',
  };
}

/**
 * What a publication ($1) carries, of the tables $2 or of all where that is null: relid, listed (attnums), filter, published_by.
 * Takes no lock on the tables, unlike pg_publication_tables from Postgres 16 on.
 */
export const PUBLISHED = queryOf('published');

/** How a publication carries a table now. */
export interface Carried {
  /** `TableSchema.publishedBy`. */
  readonly by: readonly number[];
  /** Of these, the ones each of which alone has all of its rows sent; none where a row filter or a column list holds. */
  readonly whole: readonly number[];
}

/** By the oid of each published table, of all or of `oids`. Takes no lock on the tables. */
export async function readCarried(
  client: pg.Client,
  publication: string,
  oids: readonly number[] | null = null,
): Promise<Map<number, Carried>> {
  const rows = await queryRows<{ relid: string; carried: string }>(
    client,
    `SELECT relid, json_build_object('by', published_by::int8[], 'whole', CASE WHEN filter IS NULL AND listed IS NULL THEN ARRAY(
       SELECT unnest(published_by)
       EXCEPT SELECT oid FROM pg_catalog.pg_publication_rel WHERE prrelid = relid AND (prqual IS NOT NULL OR prattrs IS NOT NULL)
     )::int8[] ELSE '{}' END) AS carried FROM (${PUBLISHED}) published`,
    [publication, oids],
  );
  return new Map(rows.map((row) => [Number(row.relid), JSON.parse(row.carried) as Carried])); // as it was built
}

/**
 * Whether a transaction altered the publication, or drops it, and has not ended: the change is not seen yet, though its
 * commit may be in the WAL already, where it waits for a standby.
 */
export async function isBeingAltered(client: pg.Client, publication: string): Promise<boolean> {
  const [row] = await queryRows<{ altered: string }>(
    client,
    `SELECT EXISTS (
       SELECT FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_locks l ON l.granted AND (
         l.transactionid = p.xmax OR l.classid = 'pg_catalog.pg_publication'::regclass AND l.objid = p.oid
         AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
       WHERE p.pubname = $1) AS altered`,
    [publication],
  );
  return row?.altered === 't';
}

/** Of the four operations, those that the publication does not publish. */
export function missingOperations(publication: Publication): string[] {
  const { insert, update, delete: deletes, truncate } = publication;
  return Object.entries({ insert, update, delete: deletes, truncate }).flatMap(([name, yes]) => (yes ? [] : [name]));
}

/**
 * Creates a publication of all four operations, through partition roots, with stored generated columns where the server
 * can (Postgres 18). 'all' means FOR ALL TABLES, also future ones; a role that may not do that (it takes a superuser)
 * gets the list of today's tables. Not to be called inside a transaction: the attempt may fail first.
 *
 * From then on Postgres refuses UPDATE and DELETE on published tables that have no replica identity: check that before.
 * Throws E_CONFIG for an empty list; E_SOURCE_PRIVILEGE where the role does not own a table or may not create in the database.
 * Source: https://www.postgresql.org/docs/current/sql-createpublication.html
 */
export async function createPublication(
  client: pg.Client,
  options: { readonly name: string; readonly tables: 'all' | readonly TableName[] },
): Promise<Publication> {
  const [server] = await queryRows<{ version: string }>(
    client,
    `SELECT current_setting('server_version_num') AS version`,
  );
  const generated = Number(server?.version) >= 180000 ? ', publish_generated_columns = stored' : '';
  const create = (what: string): Promise<unknown> =>
    queryRows(
      client,
      `CREATE PUBLICATION ${pg.escapeIdentifier(options.name)} ${what}
       WITH (publish = 'insert, update, delete, truncate', publish_via_partition_root = true${generated})`,
    );
  const forTables = (tables: readonly TableName[]): string => {
    if (tables.length === 0) throw new Wal2DoltError('E_CONFIG', 'there is no table to publish');
    // ONLY: a table that inherits from this one is a table of its own.
    return `FOR TABLE ${tables.map((table) => `ONLY ${quoteTable(table)}`).join(', ')}`;
  };

  if (options.tables !== 'all') {
    await create(forTables(options.tables));
  } else {
    try {
      await create('FOR ALL TABLES');
    } catch (error) {
      if (!(error instanceof Wal2DoltError) || error.code !== 'E_SOURCE_PRIVILEGE') throw error;
      await create(forTables(await selectTables(client, () => true)));
    }
  }
  await queryRows(client, `COMMENT ON PUBLICATION ${pg.escapeIdentifier(options.name)} IS ${pg.escapeLiteral(OWN)}`);
  const created = await readPublication(client, options.name);
  if (!created)
    throw new Wal2DoltError('E_PUBLICATION_MISSING', `publication ${options.name} was dropped again at once`);
  return created;
}

/**
 * The users' tables that a publication can carry and that `wanted` picks, in the order of their names: ordinary and
 * partitioned ones, not partitions of a table that is picked itself, and not wal2dolt's own schema.
 */
export async function selectTables(
  client: pg.Client,
  wanted: (schema: string, name: string) => boolean,
): Promise<TableName[]> {
  const rows = await queryRows<{ oid: string; schema: string; name: string; ancestors: string }>(
    client,
    `SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name,
       CASE WHEN c.relispartition THEN (
         SELECT string_agg(relid::oid::text, ',') FROM pg_catalog.pg_partition_ancestors(c.oid) WHERE relid <> c.oid
       ) ELSE '' END AS ancestors
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'wal2dolt')
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
  const picked = rows.filter((row) => wanted(row.schema, row.name));
  const oids = new Set(picked.map((row) => row.oid));
  return picked
    .filter((row) => !row.ancestors.split(',').some((ancestor) => oids.has(ancestor)))
    .map(({ schema, name }) => ({ schema, name }));
}

/** `"schema"."name"`, quotes doubled. */
export const quoteTable = (table: TableName): string =>
  `${pg.escapeIdentifier(table.schema)}.${pg.escapeIdentifier(table.name)}`;
