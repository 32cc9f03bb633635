import { isPart, trailer } from '../../src/core/message.js';
import { type Lsn, parseLsn } from '../../src/core/position.js';
import { keyAttnums, type TableSchema } from '../../src/core/schema.js';
import { parseTarget } from '../../src/dolt/address.js';
import { readTables, type StoredTable } from '../../src/dolt/bookkeeping.js';
import { quoteName, TargetConnection } from '../../src/dolt/client.js';
import { createTable } from '../../src/dolt/ddl.js';
import { EXACT_TABLE } from '../../src/dolt/exact.js';
import { quoteText } from '../../src/dolt/sql-text.js';
import { planTables, restoreTable } from '../../src/sync/tables.js';
import { doltRows, PLAIN } from './compare.js';
import { createDoltDatabase, type DoltDatabase } from './dolt.js';
import { type Rows, rowsOf } from './source-history.js';

/** A table as a Dolt commit has it. */
export interface DoltTable extends Rows {
  readonly state: StoredTable['state'];
  readonly name: string;
  /** As the bookkeeping has it. */
  readonly schema: TableSchema;
  /** SHOW CREATE TABLE, see `shown`. */
  readonly create: string;
  /** What the rows of `wal2dolt_columns` say that is not in `schema`. */
  readonly columns: string;
}

export interface DoltCommit {
  readonly hash: string;
  readonly message: string;
  /** As text that sorts. */
  readonly date: string;
  readonly end: Lsn;
  /** It holds the first part of a transaction only: no state of the source. */
  readonly part: boolean;
}

/** What a commit's own tables are called in all commits; columns and indexes are in no order. */
export function shown(create: string): string {
  const lines = create.replace(/^CREATE TABLE `(?:[^`]|``)+`/, 'CREATE TABLE').split('\n');
  return lines
    .map((line) => line.trim().replace(/,$/, ''))
    .sort()
    .join('\n');
}

/** Reads many commits of one database, each table that did not change once. */
export class DoltHistory implements AsyncDisposable {
  readonly #connection: TargetConnection;
  readonly #database: string;
  readonly #known = new Map<string, DoltTable>();

  private constructor(connection: TargetConnection, database: string) {
    this.#connection = connection;
    this.#database = database;
  }

  static async open(target: { readonly url: string }): Promise<DoltHistory> {
    const address = parseTarget(target.url);
    return new DoltHistory(await TargetConnection.open(address), address.database);
  }

  /** All commits since the first copy was complete, oldest first. */
  async commits(): Promise<DoltCommit[]> {
    const rows = await this.#connection.rows(
      `SELECT commit_hash, message, date_format(date, '%Y-%m-%dT%H:%i:%s.%f') FROM ${quoteName(this.#database)}.dolt_log ORDER BY commit_order`,
    );
    return rows.flatMap(([hash, message, date]) => {
      const end = trailer(message ?? '', 'Lsn');
      return end === null
        ? []
        : [
            {
              hash: hash ?? '',
              message: message ?? '',
              date: date ?? '',
              end: parseLsn(end),
              part: isPart(message ?? ''),
            },
          ];
    });
  }

  /** Those that readers have seen as the newest one, in no order. */
  async published(): Promise<Set<string>> {
    await this.#use('main');
    const rows = await this.#connection.rows(`SELECT commit_hash FROM dolt_reflog('main')`);
    return new Set(rows.map(([hash]) => hash ?? ''));
  }

  /** The tables that a commit holds, by oid. */
  async at(hash: string): Promise<Map<number, DoltTable>> {
    await this.#use(hash);
    const exact = await this.#hashOf(EXACT_TABLE);
    const tables = new Map<number, DoltTable>();
    for (const stored of await readTables(this.#connection)) {
      const columns = JSON.stringify([...stored.columns]);
      const own = `${await this.#hashOf(stored.targetName)} ${stored.state} ${stored.targetName} ${columns}`;
      const identity = `${exact} ${own} ${JSON.stringify(stored.schema)}`;
      const table = this.#known.get(identity) ?? (await this.#read(stored, columns));
      this.#known.set(identity, table);
      tables.set(stored.oid, table);
    }
    return tables;
  }

  /** What a difference of two commits calls each table that was changed, made, or dropped. */
  async changes(from: string, to: string): Promise<Map<string, string>> {
    await this.#use('main');
    const rows = await this.#connection.rows(
      `SELECT coalesce(nullif(to_table_name, ''), from_table_name), diff_type FROM dolt_diff_summary('${from}', '${to}')`,
    );
    return new Map(rows.map(([table, kind]) => [table ?? '', kind ?? '']));
  }

  async #read(stored: StoredTable, columns: string): Promise<DoltTable> {
    const [row] = await this.#connection.rows(`SHOW CREATE TABLE ${quoteName(stored.targetName)}`);
    const rows = await doltRows(this.#connection, restoreTable(stored, PLAIN));
    const { state, targetName: name, schema } = stored;
    return { ...rowsOf(rows), state, name, schema, create: shown(row?.[1] ?? ''), columns };
  }

  async #hashOf(table: string): Promise<string> {
    return (await this.#connection.value(`SELECT dolt_hashof_table(${quoteText(table)})`)) ?? 'none';
  }

  #use(commit: string): Promise<unknown> {
    return this.#connection.run(`USE ${quoteName(`${this.#database}/${commit}`)}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }
}

/** Makes tables as a first copy would, to see what Dolt shows of them. */
export class FreshTables implements AsyncDisposable {
  readonly #database: DoltDatabase;
  readonly #connection: TargetConnection;
  readonly #known = new Map<string, string>();

  private constructor(database: DoltDatabase, connection: TargetConnection) {
    this.#database = database;
    this.#connection = connection;
  }

  static async open(): Promise<FreshTables> {
    const database = await createDoltDatabase();
    return new FreshTables(database, await TargetConnection.open(parseTarget(database.url), 'main'));
  }

  /** What the table is wished to be called, and `shown` of it. */
  async make(schema: TableSchema): Promise<{ readonly name: string; readonly create: string }> {
    const [table] = planTables([schema], PLAIN);
    if (!table) throw new Error('not planned');
    const statement = createTable(table, true);
    const known = this.#known.get(statement);
    if (known !== undefined) return { name: table.name, create: known };
    await this.#connection.run(statement);
    // A session that knew `Orders` shows the indexes of `orders` without columns (Dolt 2.2), though they have theirs.
    await using other = await this.#connection.another();
    const [row] = await other.rows(`SHOW CREATE TABLE ${quoteName(table.name)}`);
    const create = shown(row?.[1] ?? '');
    await this.#connection.run(`DROP TABLE ${quoteName(table.name)}`);
    this.#known.set(statement, create);
    return { name: table.name, create };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
    await this.#database[Symbol.asyncDispose]();
  }
}

/** What the bookkeeping is to say of a table: everything but what changes without the table. */
export function described(schema: TableSchema): string {
  const columns = schema.columns.map(
    ({ attnum, name, type, notNull, defaultExpression, identity, generated }) =>
      `${attnum} ${name} ${type.name} ${type.oid}/${type.typmod} ${notNull} ${defaultExpression} ${identity}${generated}`,
  );
  const indexes = schema.indexes.map(({ name, attnums, unique, primary }) => `${name} ${attnums} ${unique} ${primary}`);
  const constraints = schema.constraints.map((constraint) => {
    // Its text names the other table as it was called when this one was altered last.
    const { definition, ...rest } = constraint;
    return JSON.stringify(constraint.kind === 'f' ? rest : { ...rest, definition });
  });
  return [
    `${schema.schema}.${schema.name} ${schema.replicaIdentity} ${schema.comment} key ${keyAttnums(schema)}`,
    `unpublished ${[...schema.unpublished].sort()}`,
    ...columns,
    ...indexes.sort(),
    ...constraints.sort(),
  ].join('\n');
}
