import type { RowDataPacket } from 'mysql2';
import type { ColumnType } from '../../src/core/schema.js';
import type { Conversion, TargetTable } from '../../src/core/target.js';
import { Tuple } from '../../src/core/tuple.js';
import { insertRows } from '../../src/dolt/insert-rows.js';
import { readTables } from '../../src/postgres/catalog.js';
import { connectSource, queryRows } from '../../src/postgres/client.js';
import { createDoltDatabase } from './dolt.js';
import { createPostgresDatabase } from './postgres.js';
import { targetOf } from './tables.js';

/** A Postgres that prints values and a Dolt that stores them, without anything of the stream in between. */
export interface TypeServers extends AsyncDisposable {
  /** A type as the catalog describes it, and the values of these SQL expressions as Postgres prints them. */
  print(type: string, expressions: readonly string[]): Promise<{ readonly type: ColumnType; readonly texts: string[] }>;
  /** Texts that the type can read, as Postgres prints them then. */
  reprint(type: string, inputs: readonly string[]): Promise<string[]>;
  /** Stores the texts by id and gives back what is restored, or null where Dolt has NULL. */
  store(conversion: Conversion, texts: readonly string[], table?: string): Promise<(string | null)[]>;
  /** A name for a new table: Dolt mixes up the statistics of a table with those of a dropped one of the same name. */
  tableName(): string;
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<(string | null)[][]>;
}

/** `id int, c` with this conversion, made by SQL of the tests' own. */
function tableWith(name: string, conversion: Conversion): TargetTable {
  const table = targetOf({ name, columns: { id: 'integer', c: 'text' }, key: ['id'] });
  const [id, c] = table.columns;
  if (!id || !c) throw new Error('it has two columns');
  return { ...table, name, columns: [id, { ...c, notNull: false, conversion }] };
}

const SETUP = `
  create extension hstore; create extension citext;
  create type mood as enum ('sad', 'ok', 'très ''content''');
  create type pair as (a int, b text);
  create type nested as (p pair, tags text[]);
  create domain price as numeric(10,2);
  create domain numbers as int[];
  create publication types for all tables`;

export async function startTypeServers(): Promise<TypeServers> {
  const source = await createPostgresDatabase();
  const target = await createDoltDatabase();
  await source.sql(SETUP);
  const postgres = await connectSource(source.url, 'types');
  await queryRows(postgres, 'set search_path = public');
  const dolt = await target.connect();
  let tables = 0;

  const tableName = (): string => {
    tables += 1;
    return `t${tables}`;
  };
  const run = async (sql: string): Promise<void> => {
    await dolt.query(sql);
  };
  const rows = async (sql: string): Promise<(string | null)[][]> => {
    const [result] = await dolt.query<RowDataPacket[][]>({
      sql,
      rowsAsArray: true,
      typeCast: (field) => field.string('utf8'),
    });
    return result as unknown as (string | null)[][]; // rowsAsArray and typeCast make them so
  };
  const texts = async (sql: string, values: string[][] = []): Promise<string[]> =>
    (await queryRows<{ c: string }>(postgres, sql, values)).map(({ c }) => c);

  return {
    tableName,
    run,
    rows,
    async print(type, expressions) {
      const table = tableName();
      await queryRows(postgres, `create table ${table} (id int primary key, c ${type})`);
      for (const [id, expression] of expressions.entries()) {
        await queryRows(postgres, `insert into ${table} values (${id}, ${expression})`);
      }
      const [oid] = await texts(`select '${table}'::regclass::oid as c`);
      const [schema] = await readTables(postgres, 'types', [Number(oid)]);
      const column = schema?.columns.find(({ name }) => name === 'c');
      if (!column) throw new Error(`no column of type ${type}`);
      return { type: column.type, texts: await texts(`select c from ${table} order by id`) };
    },
    reprint: (type, inputs) =>
      texts(`select v::${type} as c from unnest($1::text[]) with ordinality u (v, n) order by n`, [[...inputs]]),
    async store(conversion, values, table = tableName()) {
      await run(`create table ${table} (id int primary key, c ${conversion.sql})`);
      for (let start = 0; start < values.length; start += 500) {
        // As the writer does it.
        const some = values.slice(start, start + 500).map((text, i) => Tuple.of([String(start + i), text]));
        for (const { sql } of insertRows(tableWith(table, conversion), some)) await run(sql.toString());
      }
      return (await rows(`select ${conversion.read('`c`')} from ${table} order by id`)).map(([value]) =>
        value === null || value === undefined ? null : conversion.restore(value),
      );
    },
    async [Symbol.asyncDispose]() {
      await postgres.end();
      await source[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}
