import type pg from 'pg';
import type { Column, ColumnType, Constraint, Index, TableSchema } from '../core/schema.js';
import { queryRows } from './client.js';
import { PUBLISHED_BY } from './publication.js';

/**
 * The published tables: as `pg_publication_tables` lists them (partition roots or leaves as the publication says, with
 * column lists and row filters), in the order of their names. Two statements, however many tables.
 *
 * Runs inside the caller's transaction if there is one. Names and expressions are fully qualified, as sessions of
 * `connectSource` have an empty search_path. Note that Postgres prints expressions and types from the newest catalog, not the snapshot's.
 * A generated column has its expression as `defaultExpression`. Invalid indexes are left out: they promise nothing.
 * For the publication `null`, which takes `oids`: the tables as a new publication of theirs would carry them.
 *
 * Needs Postgres 15 or newer. Throws Wal2DoltError, as `asSourceError` classifies.
 * Source: https://www.postgresql.org/docs/current/view-pg-publication-tables.html and the catalogs' own pages
 */
export async function readTables(
  client: pg.Client,
  publication: string | null,
  oids?: readonly number[],
): Promise<TableSchema[]> {
  const rows = await queryRows<{ definition: string }>(client, TABLES, [publication, oids ?? null]);
  // The cast: the shape is what TABLES builds.
  const tables = rows.map((row) => JSON.parse(row.definition) as CatalogTable);
  const types = await readTypes(client, tables);
  return tables.map((table) => toSchema(table, types));
}

/** Something that logical replication never carries. */
export interface Unreplicated {
  readonly kind: 'unlogged table' | 'foreign table' | 'materialized view' | 'sequence';
  readonly schema: string;
  readonly name: string;
}

/** Everything in users' schemas that Postgres never replicates, by kind and name. */
export async function readUnreplicated(client: pg.Client): Promise<Unreplicated[]> {
  const rows = await queryRows<{ relkind: string; schema: string; name: string }>(
    client,
    `SELECT c.relkind, n.nspname AS schema, c.relname AS name
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE (c.relkind IN ('f', 'm', 'S') AND c.relpersistence <> 't' OR c.relkind IN ('r', 'p') AND c.relpersistence = 'u')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'wal2dolt')
     ORDER BY c.relkind, n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
  const kinds: Record<string, Unreplicated['kind']> = { f: 'foreign table', m: 'materialized view', S: 'sequence' };
  return rows.map(({ relkind, schema, name }) => ({ kind: kinds[relkind] ?? 'unlogged table', schema, name }));
}

interface CatalogTable extends Omit<TableSchema, 'columns' | 'unpublished' | 'indexes'> {
  readonly columns: readonly (Omit<Column, 'type'> & { published: boolean; typeOid: number; typmod: number })[];
  /** `key`: attnums, 0 for an expression; null where the index cannot identify rows by plain equality. */
  readonly indexes: readonly (Omit<Index, 'attnums'> & { key: readonly number[] | null })[];
  readonly constraints: readonly Constraint[];
}

const TABLES = `
WITH published AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relreplident, p.attnames, p.rowfilter, ${PUBLISHED_BY} AS publishedby
  FROM pg_publication_tables p
  JOIN pg_publication pub ON pub.pubname = p.pubname
  JOIN pg_namespace n ON n.nspname = p.schemaname
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
  WHERE p.pubname = $1::text AND ($2::oid[] IS NULL OR c.oid = ANY ($2::oid[]))
  UNION ALL
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relreplident, NULL, NULL, '[]'
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE $1::text IS NULL AND c.oid = ANY ($2::oid[])
)
SELECT json_build_object(
  'oid', t.oid::int8, 'schema', t.nspname, 'name', t.relname, 'kind', t.relkind, 'replicaIdentity', t.relreplident,
  'comment', obj_description(t.oid, 'pg_class'), 'rowFilter', t.rowfilter,
  'publishedBy', t.publishedby,
  'columns', (
    SELECT coalesce(json_agg(json_build_object(
      'attnum', a.attnum, 'name', a.attname,
      -- Before Postgres 18 no generated column is ever sent, though Postgres 15 lists them.
      'published', coalesce(a.attname = ANY (t.attnames), true) AND (
        a.attgenerated = '' OR a.attgenerated = 's' AND current_setting('server_version_num')::int >= 180000),
      'typeOid', a.atttypid::int8, 'typmod', a.atttypmod,
      -- A constraint that is NOT VALID (Postgres 18) leaves NULLs in old rows.
      'notNull', a.attnotnull AND NOT EXISTS (
        SELECT FROM pg_constraint nn
        WHERE nn.conrelid = t.oid AND nn.contype = 'n' AND NOT nn.convalidated AND nn.conkey = ARRAY[a.attnum]),
      'defaultExpression', pg_get_expr(d.adbin, d.adrelid),
      'identity', a.attidentity, 'generated', a.attgenerated) ORDER BY a.attnum), '[]')
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped),
  'indexes', (
    SELECT coalesce(json_agg(json_build_object(
      'name', ic.relname, 'unique', i.indisunique, 'primary', i.indisprimary, 'immediate', i.indimmediate,
      'replicaIdentity', i.indisreplident, 'definition', pg_get_indexdef(i.indexrelid),
      'key', CASE WHEN (am.amname IN ('btree', 'hash') OR i.indisprimary) AND i.indpred IS NULL
             THEN (i.indkey::int2[])[0:i.indnkeyatts - 1] END) ORDER BY ic.relname COLLATE "C"), '[]')
    FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_am am ON am.oid = ic.relam
    WHERE i.indrelid = t.oid AND i.indisvalid),
  'constraints', (
    SELECT coalesce(json_agg(CASE k.contype WHEN 'c'
      THEN json_build_object('name', k.conname, 'kind', k.contype, 'definition', pg_get_constraintdef(k.oid))
      ELSE json_build_object('name', k.conname, 'kind', k.contype, 'definition', pg_get_constraintdef(k.oid),
        'attnums', k.conkey, 'references', json_build_object('oid', k.confrelid::int8, 'attnums', k.confkey),
        'onUpdate', k.confupdtype, 'onDelete', k.confdeltype) END
      ORDER BY k.contype, k.conname COLLATE "C"), '[]')
    FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype IN ('f', 'c'))
)::text AS definition
FROM published t ORDER BY t.nspname COLLATE "C", t.relname COLLATE "C"`;

function toSchema(table: CatalogTable, typeOf: (oid: number, typmod: number) => ColumnType): TableSchema {
  return {
    ...table,
    columns: table.columns
      .filter((column) => column.published)
      .map(({ published: _, typeOid, typmod, ...column }) => ({ ...column, type: typeOf(typeOid, typmod) })),
    unpublished: table.columns.filter((column) => !column.published).map((column) => column.name),
    indexes: table.indexes.map(({ key, ...index }) => ({ ...index, attnums: key?.includes(0) ? null : key })),
  };
}

/** A type with a modifier. `next`: what a domain is over, or an array's element; null for all others. */
interface CatalogType extends Pick<ColumnType, 'oid' | 'typmod' | 'name'> {
  readonly typname: string;
  readonly typtype: ColumnType['kind'] | 'd';
  readonly delimiter: string;
  readonly builtin: boolean;
  readonly nextOid: number | null;
  readonly nextTypmod: number;
}

/**
 * All types that the columns use, down to the last base and element. A true array is the one that its element calls
 * its array: `int2vector`, `point` and `name` have elements as well but print otherwise.
 */
const TYPES = `
WITH RECURSIVE used (oid, typmod) AS (
  SELECT * FROM unnest($1::oid[], $2::int4[])
  UNION
  SELECT next.oid, next.typmod FROM used, LATERAL (${nextType('used')}) next WHERE next.oid IS NOT NULL
)
SELECT json_build_object(
  'oid', u.oid::int8, 'typmod', u.typmod, 'name', format_type(u.oid, u.typmod), 'typname', t.typname,
  'typtype', t.typtype, 'delimiter', t.typdelim, 'builtin', t.typnamespace = 'pg_catalog'::regnamespace,
  'nextOid', next.oid::int8, 'nextTypmod', next.typmod)::text AS definition
FROM used u JOIN pg_type t ON t.oid = u.oid, LATERAL (${nextType('u')}) next`;

function nextType(of: string): string {
  return `SELECT CASE s.typtype WHEN 'd' THEN s.typbasetype ELSE e.oid END AS oid,
                 CASE s.typtype WHEN 'd' THEN s.typtypmod ELSE ${of}.typmod END AS typmod
          FROM pg_type s LEFT JOIN pg_type e ON e.oid = s.typelem AND e.typarray = s.oid WHERE s.oid = ${of}.oid`;
}

async function readTypes(
  client: pg.Client,
  tables: readonly CatalogTable[],
): Promise<(oid: number, typmod: number) => ColumnType> {
  const keyOf = (oid: number, typmod: number): string => `${oid}/${typmod}`;
  const columns = tables.flatMap((table) => table.columns);
  const used = [...new Map(columns.map((column) => [keyOf(column.typeOid, column.typmod), column])).values()];
  const rows = await queryRows<{ definition: string }>(client, TYPES, [
    used.map((column) => column.typeOid),
    used.map((column) => column.typmod),
  ]);
  // The cast: the shape is what TYPES builds.
  const known = new Map(
    rows.map((row) => JSON.parse(row.definition) as CatalogType).map((type) => [keyOf(type.oid, type.typmod), type]),
  );
  const resolved = new Map<string, ColumnType>();

  const find = (oid: number, typmod: number): CatalogType => {
    const type = known.get(keyOf(oid, typmod));
    if (!type) throw new Error(`type ${oid} vanished while the catalog was read`);
    return type;
  };
  const resolve = (oid: number, typmod: number): ColumnType => {
    const done = resolved.get(keyOf(oid, typmod));
    if (done) return done;
    const type = find(oid, typmod);
    let base = type;
    while (base.typtype === 'd' && base.nextOid !== null) base = find(base.nextOid, base.nextTypmod);
    const common = { oid, typmod, name: type.name, base: base.typname, baseTypmod: base.typmod, builtin: base.builtin };
    // The cast: the loop above has left all domains behind.
    const kind = base.typtype as ColumnType['kind'];
    const made =
      base.nextOid === null
        ? { ...common, kind }
        : {
            ...common,
            kind,
            element: resolve(base.nextOid, base.nextTypmod),
            delimiter: find(base.nextOid, base.nextTypmod).delimiter,
          };
    resolved.set(keyOf(oid, typmod), made);
    return made;
  };
  return resolve;
}
