import pg from 'pg';
import type { TableSchema } from '../../src/core/schema.js';
import { readTables } from '../../src/postgres/catalog.js';
import { connectSource } from '../../src/postgres/client.js';
import { type Rows, rowsOf } from './source-history.js';

/** A published table as Postgres had it. */
export interface TableState extends Rows {
  readonly schema: TableSchema;
  /** Of all its attributes by attnum, dropped and unpublished ones too: how long, and how aligned. */
  readonly layouts: ReadonlyMap<number, string>;
}

/** By oid. */
export type TableStates = ReadonlyMap<number, TableState>;

/** For the driver: every value as Postgres prints it. */
export const RAW_TEXT = {
  // The cast: the driver's type wants all overloads of its own registry; it only ever calls this one.
  getTypeParser: (() => (text: string) => text) as unknown as typeof pg.types.getTypeParser,
};

/** A connection that prints as wal2dolt's own do. */
export async function connectObserver(url: string): Promise<pg.Client> {
  const client = await connectSource(url, 'history');
  await client.query('set jit = off'); // else the catalog is looked at for longer than all other things take
  return client;
}

/**
 * The published tables of these schemas as the connection sees them; those that are as `before` are the same objects.
 * Five round trips, however many tables.
 */
export async function look(
  client: pg.Client,
  schemas: readonly string[],
  before: TableStates = new Map(),
): Promise<TableStates> {
  const published = await client.query(PUBLISHED, [schemas]);
  const lists = new Map<number, { filter: string | null; columns: string[] | null }>(
    published.rows.map(({ oid, filter, columns }) => [Number(oid), { filter, columns: JSON.parse(columns ?? 'null') }]),
  );
  if (lists.size === 0) return new Map();
  const tables = (await readTables(client, null, [...lists.keys()])).map((table) => ({
    ...table,
    rowFilter: lists.get(table.oid)?.filter ?? null,
    columns: table.columns.filter(({ name }) => lists.get(table.oid)?.columns?.includes(name) ?? true),
  }));
  const contents = await readRows(client, tables);
  const { rows: attributes } = await client.query(ATTRIBUTES, [tables.map(({ oid }) => oid)]);
  return new Map(
    tables.map((schema, i) => {
      const rows = rowsOf(contents[i] ?? []);
      const layouts = new Map<number, string>(
        attributes.flatMap(({ oid, attnum, layout }) =>
          Number(oid) === schema.oid ? [[Number(attnum), String(layout)]] : [],
        ),
      );
      const known = before.get(schema.oid);
      const same =
        known?.hash === rows.hash &&
        JSON.stringify([...known.layouts]) === JSON.stringify([...layouts]) &&
        JSON.stringify(known.schema) === JSON.stringify(schema);
      return [schema.oid, same ? known : { schema, layouts, ...rows }];
    }),
  );
}

/** The same within the transaction of a session of the application, which may have settings of its own. */
export async function lookInside(client: pg.Client, schemas: readonly string[]): Promise<TableStates> {
  await client.query(`savepoint look; ${PRINTING}`);
  const tables = await look(client, schemas);
  await client.query('rollback to savepoint look; release savepoint look');
  return tables;
}

/**
 * What the publication carries, without asking the view for it, which locks the tables on newer servers: what it names
 * (or names by a schema, or by all), but no partition of such a table.
 */
const PUBLISHED = `
with direct as (
  select c.oid, c.relnamespace, r.prqual, r.prattrs from pg_class c cross join pg_publication p
    left join pg_publication_rel r on r.prpubid = p.oid and r.prrelid = c.oid
  where p.pubname = 'wal2dolt' and c.relkind in ('r', 'p') and c.relpersistence = 'p' and c.oid >= 16384 and (
    p.puballtables or r.oid is not null
    or exists (select from pg_publication_namespace s where s.pnpubid = p.oid and s.pnnspid = c.relnamespace)))
select d.oid::int8::int, pg_get_expr(d.prqual, d.oid) as filter,
  (select json_agg(a.attname)::text from pg_attribute a where a.attrelid = d.oid and a.attnum = any (d.prattrs)) as columns
from direct d join pg_namespace n on n.oid = d.relnamespace
where n.nspname = any ($1) and not exists (
  select from pg_partition_ancestors(d.oid) a join direct o on o.oid = a.relid where a.relid <> d.oid)`;

const ATTRIBUTES = `
select attrelid::int8 as oid, attnum, concat_ws('/', attlen, attbyval, attalign) as layout
from pg_attribute where attrelid = any ($1) and attnum > 0 order by attrelid, attnum`;

const PRINTING = `
  set local jit = off;
  set local search_path = '';
  set local datestyle = iso;
  set local intervalstyle = postgres;
  set local timezone = utc;
  set local extra_float_digits = 3;
  set local bytea_output = hex;
  set local quote_all_identifiers = off`;

/** The published rows of each table as sorted lists of JSON: one round trip, of a statement for each. */
async function readRows(client: pg.Client, tables: readonly TableSchema[]): Promise<string[][]> {
  const statements = tables.map(({ schema, name, kind, columns, rowFilter }) => {
    const list = columns.map((column) => pg.escapeIdentifier(column.name)).join(', ');
    // Rows of tables that inherit from an ordinary one are not published with it.
    const from = `${kind === 'p' ? '' : 'only '}${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
    return `select ${list} from ${from}${columns.length === 0 ? ' where false' : rowFilter === null ? '' : ` where ${rowFilter}`}`;
  });
  const answer: unknown = await client.query({ text: statements.join(';'), rowMode: 'array' });
  // As the driver has it for a text of several statements, and for one.
  const results = (Array.isArray(answer) ? answer : [answer]) as pg.QueryArrayResult<(string | null)[]>[];
  return results.map(({ rows }) => rows.map((row) => JSON.stringify(row)).sort());
}
