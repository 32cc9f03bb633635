import type pg from 'pg';
import { z } from 'zod';
import type { TableSchema } from '../core/schema.js';
import { Wal2DoltError } from '../errors.js';
import { queryRows } from './client.js';
import { tableDefinition, toSchemas, typeDefinition } from './definition.js';
import { queryOf } from './sql-file.js';

const TABLES = queryOf('tables');
const TYPES = queryOf('types');

/**
 * The published tables: those that `pg_publication_tables` lists (partition roots or leaves as the publication says, with
 * column lists and row filters), in the order of their names. Two statements, however many tables.
 *
 * Runs inside the caller's transaction if there is one. Names and expressions are fully qualified, as sessions of
 * `connectSource` have an empty search_path. Note that Postgres prints expressions and types from the newest catalog, not the snapshot's.
 * A generated column has its expression as `defaultExpression`. Invalid indexes are left out: they promise nothing.
 * For the publication `null`, which takes `oids`: the tables as a new publication of theirs would carry them.
 *
 * Needs Postgres 15 or newer. Throws E_TABLE_REWRITTEN where a table changes meanwhile, else as `asSourceError` classifies.
 * Source: https://www.postgresql.org/docs/current/view-pg-publication-tables.html and the catalogs' own pages
 */
export async function readTables(
  client: pg.Client,
  publication: string | null,
  oids?: readonly number[],
): Promise<TableSchema[]> {
  const tables = await readJson(client, TABLES, [publication, oids ?? null], tableDefinition);
  const columns = tables.flatMap((table) => table.columns);
  const used = [
    ...new Map(columns.map(({ typeOid, typmod }) => [`${typeOid}/${typmod}`, { typeOid, typmod }])).values(),
  ];
  const types = await readJson(
    client,
    TYPES,
    [used.map(({ typeOid }) => typeOid), used.map(({ typmod }) => typmod)],
    typeDefinition,
  );
  return toSchemas(tables, types);
}

async function readJson<T>(
  client: pg.Client,
  query: string,
  values: Parameters<typeof queryRows>[2],
  shape: z.ZodType<T>,
): Promise<T[]> {
  const rows = await queryRows<{ definition: string }>(client, query, values);
  const read = z.array(shape).safeParse(rows.map(({ definition }): unknown => JSON.parse(definition)));
  if (read.success) return read.data;
  // What prints a definition looks at the newest catalog, and gives NULL for what is gone.
  const torn = read.error.issues.every(({ message }) => message.endsWith('received null'));
  if (!torn) throw read.error;
  const message = 'a table was altered or dropped while its definition was read';
  throw new Wal2DoltError('E_TABLE_REWRITTEN', message, { cause: read.error });
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
