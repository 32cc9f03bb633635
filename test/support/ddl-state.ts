import type pg from 'pg';
import { parseTarget } from '../../src/dolt/address.js';
import { readTables } from '../../src/dolt/bookkeeping.js';
import { quoteName, TargetConnection } from '../../src/dolt/client.js';
import { restoreTable } from '../../src/sync/tables.js';
import { doltRows, PLAIN } from './compare.js';

/** A table as a transaction left it. */
export interface TableState {
  /** `schema.table` */
  readonly name: string;
  /** By attnum. */
  readonly columns: ReadonlyMap<number, { readonly name: string; readonly type: string }>;
  /** As Postgres prints them, sorted. */
  readonly rows: readonly string[];
  /** All of that, to compare and to print. */
  readonly lines: readonly string[];
}

/** The tables of one case, by oid. */
export type State = ReadonlyMap<number, TableState>;

export const linesOf = (state: State): readonly string[] =>
  [...state].sort(([a], [b]) => a - b).flatMap(([oid, { lines }]) => [`oid ${oid}`, ...lines]);

function tableState({ name, columns, rows }: Omit<TableState, 'lines'>): TableState {
  const list = [...columns].map(([attnum, column]) => `${attnum} ${column.name} ${column.type}`);
  return { name, columns, rows, lines: [`${name} (${list.join(', ')})`, ...rows] };
}

const ofCase = (schema: string): string => `'^${schema}(_.*)?$'`;

/** What Postgres publishes now of the tables in the case's schemas: its own and those whose names begin with its name. */
export async function postgresState(client: pg.Client, schema: string, publication: string): Promise<State> {
  const { rows: tables } = await client.query<{ oid: number; schema: string; name: string; filter: string | null }>(
    `select c.oid, schemaname as schema, tablename as name, rowfilter as filter
     from pg_publication_tables p join pg_class c on c.oid = format('%I.%I', schemaname, tablename)::regclass
     where pubname = '${publication}' and schemaname ~ ${ofCase(schema)}`,
  );
  const state = new Map<number, TableState>();
  for (const { oid, schema, name, filter } of tables) {
    const { rows: columns } = await client.query<{ attnum: number; name: string; type: string }>(
      `select attnum, attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
       where attrelid = ${oid} and attnum > 0 and not attisdropped
         and (attgenerated = '' or attgenerated = 's' and current_setting('server_version_num')::int >= 180000)
         and attname = any (select unnest(attnames) from pg_publication_tables
           where pubname = '${publication}' and format('%I.%I', schemaname, tablename)::regclass = ${oid}::regclass)
       order by attnum`,
    );
    if (columns.length === 0) continue; // Dolt has no such table
    // A partitioned table has no rows of its own, a table with children not those of them.
    const list = columns.map((column) => client.escapeIdentifier(column.name)).join(', ');
    const whole = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;
    const [{ kind } = { kind: 'r' }] = (await client.query(`select relkind as kind from pg_class where oid = ${oid}`))
      .rows;
    const { rows } = await client.query({
      text: `select ${list} from ${kind === 'p' ? '' : 'only '}${whole} where ${filter ?? 'true'}`,
      rowMode: 'array',
      types: { getTypeParser: () => (text: string) => text },
    });
    const known = {
      name: `${schema}.${name}`,
      columns: new Map(columns.map(({ attnum, name, type }) => [attnum, { name, type }])),
      rows: rows.map((row) => JSON.stringify(row)).sort(),
    };
    state.set(oid, tableState(known));
  }
  return state;
}

/** The sessions's settings that decide how values and types are printed. */
export const PRINTING = `set search_path = ''; set datestyle = iso; set intervalstyle = postgres; set timezone = utc;
  set extra_float_digits = 3; set bytea_output = hex`;

interface Held {
  readonly state: State;
  /** What the tables are called in Dolt, by oid. */
  readonly names: ReadonlyMap<number, string>;
}

/** Reads many commits of one Dolt database. */
export class DoltStates implements AsyncDisposable {
  readonly #connection: TargetConnection;
  readonly #database: string;
  readonly #known = new Map<string, Held>();

  private constructor(connection: TargetConnection, database: string) {
    this.#connection = connection;
    this.#database = database;
  }

  static async open(url: string): Promise<DoltStates> {
    const address = parseTarget(url);
    return new DoltStates(await TargetConnection.open(address), address.database);
  }

  /** What a commit holds of the case's tables that take part in the stream. */
  async at(hash: string, schema: string): Promise<Held> {
    const held = this.#known.get(`${hash} ${schema}`) ?? (await this.#read(hash, schema));
    this.#known.set(`${hash} ${schema}`, held);
    return held;
  }

  async #read(hash: string, schema: string): Promise<Held> {
    await this.#connection.run(`USE ${quoteName(`${this.#database}/${hash}`)}`);
    const state = new Map<number, TableState>();
    const names = new Map<number, string>();
    for (const stored of await readTables(this.#connection)) {
      const own = stored.schema.schema;
      if (stored.state === 'left' || (own !== schema && !own.startsWith(`${schema}_`))) continue;
      names.set(stored.oid, stored.targetName);
      const { columns, name } = stored.schema;
      const known = {
        name: `${own}.${name}`,
        columns: new Map(columns.map(({ attnum, name, type }) => [attnum, { name, type: type.name }])),
        rows: await doltRows(this.#connection, restoreTable(stored, PLAIN)),
      };
      state.set(stored.oid, tableState(known));
    }
    return { state, names };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }
}
