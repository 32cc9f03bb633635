import type { Client } from 'pg';
import { type DiffHints, type RowsAfter, rowsAfter } from '../../src/core/rows-after.js';
import type { Column, TableSchema } from '../../src/core/schema.js';
import { diffTables, type TableDiff } from '../../src/core/schema-diff.js';
import type { TargetTable } from '../../src/core/target.js';
import type { Tuple } from '../../src/core/tuple.js';
import { parseTarget } from '../../src/dolt/address.js';
import { createBookkeeping } from '../../src/dolt/bookkeeping.js';
import { changeTable, type Recast } from '../../src/dolt/change-table.js';
import { quoteName, TargetConnection } from '../../src/dolt/client.js';
import { createTable } from '../../src/dolt/ddl.js';
import { EXACT_TABLE, ExactValues } from '../../src/dolt/exact.js';
import { quoteText } from '../../src/dolt/sql-text.js';
import { Writer } from '../../src/dolt/writer.js';
import { readTables } from '../../src/postgres/catalog.js';
import { connectSource, queryRows } from '../../src/postgres/client.js';
import { copyRows } from '../../src/postgres/copy.js';
import { planTables, replanTable } from '../../src/sync/tables.js';
import { createDoltDatabase, type DoltDatabase } from './dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from './postgres.js';
import { PLAIN_RULES } from './tables.js';

/** What a command did to a table: how it was decided, and how it was done. */
export interface Alteration {
  readonly before: TargetTable;
  readonly after: TargetTable;
  readonly hints: DiffHints;
  readonly diff: TableDiff | null;
  /** What became of the rows; `copied`: they were copied after it. */
  readonly rows: RowsAfter;
  /** How the rows, the definition and the exact values differ from those of a table made anew: nothing, it should be. */
  readonly differences: readonly string[];
}

/** Tables in a Postgres, and in a Dolt that has them by alterations alone: no stream, no triggers. */
export interface AlteredTables extends AsyncDisposable {
  readonly source: PostgresDatabase;
  readonly target: DoltDatabase;
  /** Runs SQL in Postgres that makes the table, and copies it to Dolt. */
  create(name: string, sql: string): Promise<AlteredTable>;
}

export interface AlteredTable {
  readonly table: TargetTable;
  /** Runs one command in Postgres and follows it in Dolt. `hidden`: its text is not told. */
  alter(command: string, options?: { readonly hidden?: boolean }): Promise<Alteration>;
  /** Follows what was done already; `command` null: it is not told what that was. */
  follow(command: string | null): Promise<Alteration>;
}

export async function createAlteredTables(): Promise<AlteredTables> {
  const source = await createPostgresDatabase();
  const target = await createDoltDatabase();
  const admin = await target.connect();
  await admin.query(`call dolt_branch('staging')`);
  const connection = await TargetConnection.open(parseTarget(target.url), 'staging');
  await connection.run('SET foreign_key_checks=0');
  await createBookkeeping(connection);
  await connection.rows(`CALL DOLT_COMMIT('-Am', 'bookkeeping')`);
  const exact = await ExactValues.load(connection);
  const writer = new Writer(connection, exact);
  const postgres = await connectSource(source.url, 'altered');
  const places: Places = { connection, exact, writer, postgres };
  return {
    source,
    target,
    async create(name, sql) {
      await source.sql(sql);
      const [{ oid } = { oid: 0 }] = await source.sql<{ oid: number }>(`select $1::regclass::oid::int8::int4 as oid`, [
        name,
      ]);
      const [table] = planTables([await readTable(postgres, oid)], PLAIN_RULES);
      if (!table) throw new Error('not planned');
      await connection.run(createTable(table, true));
      await copy(places, table);
      await commit(connection);
      return new Altered(places, source, table);
    },
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      await postgres.end();
      await source[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

interface Places {
  readonly connection: TargetConnection;
  readonly exact: ExactValues;
  readonly writer: Writer;
  readonly postgres: Client;
}

let twins = 0;

class Altered implements AlteredTable {
  readonly #places: Places;
  readonly #source: PostgresDatabase;
  #table: TargetTable;

  constructor(places: Places, source: PostgresDatabase, table: TargetTable) {
    this.#places = places;
    this.#source = source;
    this.#table = table;
  }

  get table(): TargetTable {
    return this.#table;
  }

  async alter(command: string, { hidden = false }: { hidden?: boolean } = {}): Promise<Alteration> {
    await this.#source.sql(command);
    return this.follow(hidden ? null : command);
  }

  async follow(command: string | null): Promise<Alteration> {
    const { connection, exact, writer, postgres } = this.#places;
    const before = this.#table;
    const schema = await readTable(postgres, before.source.oid);
    const after = replanTable(before, schema, PLAIN_RULES, []);
    this.#table = after;
    const hints: DiffHints = {
      rewritten: schema.fileNode !== before.source.fileNode,
      command,
    };
    const diff = diffTables(before, after, hints);
    if (diff === null)
      return { before, after, hints, diff, rows: rowsAfter(before, after, hints), differences: await this.#compare() };
    const head = (await connection.value(`SELECT hashof('HEAD')`)) ?? '';
    const recast: Recast = (cast, texts) => castBySource(postgres, cast, texts);
    const rows = await changeTable({ connection, writer, exact, before, after, diff, head, recast });
    if (rows.kind === 'copied') await copy(this.#places, after);
    await commit(connection);
    return { before, after, hints, diff, rows, differences: await this.#compare() };
  }

  /** A twin that is made anew has the rows that Postgres shows, as the writer writes them. */
  async #compare(): Promise<string[]> {
    const { connection, exact } = this.#places;
    twins += 1;
    const twin = { ...this.#table, name: `wal2dolt_twin_${twins}` };
    await connection.run(createTable(twin, true));
    await copy(this.#places, twin);
    const [is, should] = [await shape(connection, this.#table), await shape(connection, twin)];
    await connection.run(`DROP TABLE ${quoteName(twin.name)}`);
    await exact.clear(connection, twin);
    await connection.run('COMMIT');
    return Object.entries(should).flatMap(([what, text]) => {
      return is[what] === text ? [] : [`${what}: ${is[what]} instead of ${text}`];
    });
  }
}

/** What two tables have alike that hold the same. */
async function shape(connection: TargetConnection, table: TargetTable): Promise<Record<string, string>> {
  const name = quoteName(table.name);
  const [row] = await connection.rows(`SHOW CREATE TABLE ${name}`);
  const [head = '', ...lines] = (row?.[1] ?? '').split('\n');
  const keys = lines.filter((line) => /^ {2}(UNIQUE )?KEY/.test(line)).map((line) => line.replace(/,$/, ''));
  const exact = await connection.rows(
    `SELECT row_hash, target_column, row_key, value, copies FROM ${EXACT_TABLE} WHERE target_table=${quoteText(table.name)} ORDER BY row_hash, target_column`,
  );
  const rows = (await connection.rows(`SELECT * FROM ${name}`)).map((cells) => JSON.stringify(cells)).sort();
  return {
    definition: [head.replace(/^.*\($/, ''), ...lines.filter((line) => !/^ {2}(UNIQUE )?KEY/.test(line))]
      .map((line) => line.replace(/,$/, ''))
      .join('\n'),
    keys: keys.sort().join('\n'),
    exact: JSON.stringify(exact),
    rows: rows.join('\n'),
  };
}

/** As the catalog has it, with what old rows show for columns that are newer. */
async function readTable(postgres: Client, oid: number): Promise<TableSchema> {
  const [schema] = await readTables(postgres, null, [oid]);
  if (!schema) throw new Error(`no table ${oid}`);
  const [found] = await queryRows<{ node: string }>(postgres, 'select pg_relation_filenode($1)::int8 as node', [oid]);
  const missing = new Map(
    (
      await queryRows<{ attnum: string; value: string }>(
        postgres,
        `select attnum, (attmissingval::text::text[])[1] as value from pg_attribute where attrelid = $1 and atthasmissing`,
        [oid],
      )
    ).map(({ attnum, value }) => [Number(attnum), value]),
  );
  return {
    ...schema,
    fileNode: Number(found?.node ?? 0),
    columns: schema.columns.map((column): Column => {
      const value = missing.get(column.attnum);
      return value === undefined ? column : { ...column, missing: value };
    }),
  };
}

async function rowsOf(postgres: Client, table: TargetTable): Promise<Tuple[]> {
  const rows: Tuple[] = [];
  const positions = table.columns.map((column) => column.sourcePosition);
  for await (const page of copyRows(postgres, table.source, positions)) {
    rows.push(...page);
  }
  return rows;
}

async function copy({ connection, writer, postgres }: Places, table: TargetTable): Promise<void> {
  await connection.run('START TRANSACTION');
  const rows = await rowsOf(postgres, table);
  if (rows.length > 0) await writer.insert(table, rows);
  await connection.run('COMMIT');
}

async function commit(connection: TargetConnection): Promise<void> {
  await connection.rows(`CALL DOLT_COMMIT('-A', '--allow-empty', '-m', 'step')`);
  await connection.run('COMMIT');
}

const castBySource: (postgres: Client, ...args: Parameters<Recast>) => Promise<string[]> = async (
  postgres,
  { from, to, byText },
  texts,
) => {
  const expression = `(value::${from.name}${byText ? '::text' : ''}::${to.name})`;
  const rows = await queryRows<{ made: string }>(
    postgres,
    `select ${expression} as made from unnest($1::text[]) with ordinality given (value, place) order by place`,
    [texts],
  );
  return rows.map(({ made }) => made);
};
