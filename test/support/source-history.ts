import { createHash } from 'node:crypto';
import type pg from 'pg';
import { type Lsn, parseLsn } from '../../src/core/position.js';
import { qualifiedName, type TableSchema } from '../../src/core/schema.js';
import { readTables } from '../../src/postgres/catalog.js';
import { connectSource } from '../../src/postgres/client.js';
import { copyRows } from '../../src/postgres/copy.js';
import type { PostgresDatabase } from './postgres.js';
import type { Step, Transaction } from './workload.js';
import type { WorkloadTable } from './workload-operations.js';

/** A table's rows, as `compare.ts` has them: kept where they are few, else their hash. */
export interface Rows {
  readonly hash: string;
  readonly rows: readonly string[] | null;
}

/** What Postgres had right after a transaction. */
export interface State {
  readonly xid: number;
  /** The commit record lies between these. */
  readonly from: Lsn;
  readonly to: Lsn;
  /** By `schema.table`. */
  readonly tables: ReadonlyMap<string, Rows>;
}

const KEPT_ROWS = 1_000;

export function rowsOf(rows: readonly string[]): Rows {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(row).update('\n');
  return { hash: hash.digest('hex'), rows: rows.length > KEPT_ROWS ? null : rows };
}

/** A transaction that is open in a session. */
interface Open {
  readonly xid: number;
  readonly changes: Set<string>;
}

/**
 * Runs the transactions of a workload and writes down what Postgres has after each. Two sessions at most, on tables of
 * their own, and driven by one caller: so the order of the commits is known.
 */
export class SourceHistory implements AsyncDisposable {
  /** In the order of the commits. */
  readonly states: State[] = [];
  readonly #main: pg.Client;
  readonly #second: pg.Client;
  readonly #reader: pg.Client;
  readonly #schemas: ReadonlyMap<string, TableSchema>;
  readonly #tables: readonly WorkloadTable[];
  readonly #secondTables: readonly WorkloadTable[];
  #open: Open | null = null;

  private constructor(
    clients: readonly [pg.Client, pg.Client, pg.Client],
    schemas: readonly TableSchema[],
    tables: readonly (readonly WorkloadTable[])[],
  ) {
    [this.#main, this.#second, this.#reader] = clients;
    this.#schemas = new Map(schemas.map((schema) => [qualifiedName(schema), schema]));
    this.#tables = tables[0] ?? [];
    this.#secondTables = tables[1] ?? [];
  }

  static async open(
    source: PostgresDatabase,
    publication: string,
    tables: readonly WorkloadTable[],
    secondTables: readonly WorkloadTable[],
  ): Promise<SourceHistory> {
    const reader = await connectSource(source.url, 'history');
    const schemas = await readTables(reader, publication);
    const history = new SourceHistory([await source.client(), await source.client(), reader], schemas, [
      tables,
      secondTables,
    ]);
    const now = await history.#position();
    const contents = new Map<string, Rows>();
    for (const [name, schema] of history.#schemas) contents.set(name, await history.#read(schema));
    history.states.push({ xid: 0, from: now, to: now, tables: contents });
    return history;
  }

  /** Runs a transaction of the main session. */
  async run({ steps, commits }: Transaction): Promise<void> {
    await this.#main.query('begin');
    const open = await begin(this.#main);
    for (const step of steps) await this.#step(this.#main, open, this.#tables, step);
    await this.#end(this.#main, open, commits);
  }

  /** Begins a transaction of the second session, or goes on with it, and maybe ends it. */
  async runSecond(step: Step, ends: 'no' | 'commit' | 'rollback'): Promise<void> {
    if (!this.#open) {
      await this.#second.query('begin');
      this.#open = await begin(this.#second);
    }
    await this.#step(this.#second, this.#open, this.#secondTables, step);
    if (ends === 'no') return;
    await this.#end(this.#second, this.#open, ends === 'commit');
    this.#open = null;
  }

  /** Ends what is open. */
  async finish(): Promise<void> {
    if (this.#open) await this.#end(this.#second, this.#open, true);
    this.#open = null;
  }

  /** The states that a position may mean: one, or two where it lies in the middle of a transaction's end. */
  at(end: Lsn): State[] {
    const before = this.states.filter((state) => state.to <= end).at(-1);
    const doubtful = this.states.filter((state) => state.from < end && end < state.to);
    return [...(before ? [before] : []), ...doubtful];
  }

  async #step(
    client: pg.Client,
    open: Open,
    tables: readonly WorkloadTable[],
    { table: n, operation, dice, savepoint }: Step,
  ): Promise<void> {
    const table = tables[n % tables.length];
    const operate = table?.operations[operation % table.operations.length];
    if (!table || !operate) throw new Error('a workload without tables');
    const sql = operate(table, dice);
    try {
      if (savepoint !== 'none') await client.query('savepoint s');
      await client.query(sql);
      if (savepoint === 'released') await client.query('release savepoint s');
      if (savepoint === 'rolledBack') await client.query('rollback to savepoint s');
    } catch (error) {
      throw new Error(`the workload's own statement failed: ${sql.slice(0, 2_000)}`, { cause: error });
    }
    for (const changed of table.changes) open.changes.add(changed);
  }

  async #end(client: pg.Client, open: Open, commits: boolean): Promise<void> {
    const from = await this.#position();
    await client.query(commits ? 'commit' : 'rollback');
    if (!commits) return;
    const to = await this.#position();
    const tables = new Map(this.states.at(-1)?.tables);
    for (const [name, schema] of this.#schemas) {
      if ([...open.changes].some((changed) => sameName(changed, schema))) tables.set(name, await this.#read(schema));
    }
    this.states.push({ xid: open.xid, from, to, tables });
  }

  async #position(): Promise<Lsn> {
    const { rows } = await this.#reader.query('select pg_current_wal_insert_lsn() as lsn');
    return parseLsn(rows[0].lsn);
  }

  async #read(schema: TableSchema): Promise<Rows> {
    const rows: string[] = [];
    const positions = schema.columns.map((_, position) => position);
    for await (const batch of copyRows(this.#reader, schema, positions))
      for (const row of batch) rows.push(JSON.stringify(row.cells()));
    return rowsOf(rows.sort());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.end();
  }
}

async function begin(client: pg.Client): Promise<Open> {
  const { rows } = await client.query('select pg_current_xact_id()::text as xid');
  return { xid: Number(rows[0].xid), changes: new Set() };
}

/** The workload's names are written as SQL has them. */
function sameName(name: string, { schema, name: table }: TableSchema): boolean {
  const plain = schema === 'public' ? table : `${schema}.${table}`;
  return name === plain || name === `${schema}."${table.replaceAll('"', '""')}"`;
}
