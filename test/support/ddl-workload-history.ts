import pg from 'pg';
import { formatLsn, type Lsn, parseLsn } from '../../src/core/position.js';
import type { Step, Transaction } from './ddl-workload.js';
import { connectObserver, look, lookInside, RAW_TEXT, type TableState, type TableStates } from './ddl-workload-look.js';
import type { Territory } from './ddl-workload-scene.js';
import { type Played, Session, type Style } from './ddl-workload-session.js';
import { type Choice, MAIN, SIDE } from './ddl-workload-statements.js';
import type { PostgresDatabase } from './postgres.js';

/** What Postgres had right after a transaction. */
export interface State {
  readonly xid: number;
  /** The commit record lies between these. */
  readonly from: Lsn;
  readonly to: Lsn;
  readonly tables: TableStates;
  /** What the transaction itself saw before each of its changes of schema, and at its end. */
  readonly moments: readonly Moment[];
  /** Tables of which rows were inserted, updated or deleted for certain. */
  readonly touched: ReadonlySet<number>;
  /** Whether there may be others: Postgres does not count what TRUNCATE removes. Or those: it counts rows that were rolled back. */
  readonly uncertain: boolean;
}

export interface Moment {
  readonly tables: TableStates;
  /** Tables of which the transaction changed rows since the moment before. */
  readonly touched: ReadonlySet<number>;
}

/** What is known of a transaction's way to its end. */
interface Course {
  readonly before: readonly Moment[];
  readonly last: Moment['touched'];
  readonly uncertain: boolean;
  readonly emptied: boolean;
}

/** Also as a part of a text of several statements. */
const empties = (sql: string): boolean => /\btruncate /.test(sql);

/** Always there, so that the progress of the stream can be seen. */
const STEADY: Territory = { schemas: ['steady'], tableNames: [], everything: false };

/**
 * Runs the transactions of a plan and writes down what Postgres has after each. Two sessions at most, each with tables
 * of its own and driven by one caller: so the order of the commits is known, and none waits for the other.
 */
export class DdlHistory implements AsyncDisposable {
  /** In the order of the commits. */
  readonly states: State[] = [];
  /** All that happened, as SQL with comments: for whoever looks into a failure. */
  readonly log: string[] = [];
  readonly played: Played[] = [];
  readonly #reader: pg.Client;
  readonly #pulse: pg.Client;
  readonly #main: Session;
  readonly #second: Session;
  /** Of the open transaction of each session. */
  readonly #moments = new Map<Session, Moment[]>();
  readonly #clients: Readonly<Record<'main' | 'second', pg.Client>>;
  #secondIsOpen = false;
  #uncertain = false;
  #emptied = false;
  #number = 0;
  /** Tables that were marked, while nothing ran, to be copied again: by their oids. */
  readonly marked = new Set<number>();
  /** The transactions of `beat`, by their xids. */
  readonly beats: number[] = [];

  private constructor(
    options: Choice,
    [main, second, pulse, reader]: readonly [pg.Client, pg.Client, pg.Client, pg.Client],
  ) {
    this.#reader = reader;
    this.#pulse = pulse;
    this.#clients = { main, second };
    const style: Style = {
      ...options,
      numbers: (count) => {
        const first = this.#number + 1;
        this.#number += count;
        return first;
      },
      beforeDdl: async (client, territory) => {
        const session = territory === MAIN ? this.#main : this.#second;
        const touched = await session.touched();
        this.#moments.get(session)?.push({ tables: await lookInside(client, territory.schemas), touched });
      },
    };
    this.#main = new Session(main, MAIN, style);
    this.#second = new Session(second, SIDE, style);
  }

  static async open(source: PostgresDatabase, options: Choice): Promise<DdlHistory> {
    const connect = async (): Promise<pg.Client> => {
      const client = new pg.Client({ connectionString: source.url, types: RAW_TEXT });
      client.on('error', () => {}); // its database is dropped in the end
      await client.connect();
      await client.query(`set lock_timeout = '30s'`);
      return client;
    };
    const reader = await connectObserver(source.url);
    const history = new DdlHistory(options, [await connect(), await connect(), await connect(), reader]);
    await history.#record(0, await history.#position(), null, [MAIN, SIDE, STEADY]);
    return history;
  }

  /** Runs a transaction of the main session. */
  async run({ seed, steps, commits }: Transaction): Promise<void> {
    this.log.push('begin;', ...(await this.#main.begin(seed)));
    this.#moments.set(this.#main, []);
    [this.#uncertain, this.#emptied] = [false, false];
    for (const step of steps) {
      const played = await this.#main.step(step);
      if (step.savepoint === 'rolledBack' || (step.savepoint === 'released' && played.refusal !== null))
        this.#uncertain = true;
      this.#play(played);
    }
    await this.#end(this.#main, this.#clients.main, commits);
  }

  /** Begins a transaction of the second session, or goes on with it, and maybe ends it. */
  async runSecond(step: Step, ends: 'no' | 'commit' | 'rollback'): Promise<void> {
    if (!this.#secondIsOpen) {
      this.log.push('/* second session: */ begin;', ...(await this.#second.begin(step.seed)));
      this.#moments.set(this.#second, []);
    }
    this.#secondIsOpen = true;
    this.#play(await this.#second.step(step), 'second session: ');
    if (ends === 'no') return;
    this.#secondIsOpen = false;
    await this.#end(this.#second, this.#clients.second, ends === 'commit');
  }

  /** Ends what is open. */
  async finish(): Promise<void> {
    if (this.#secondIsOpen) await this.#end(this.#second, this.#clients.second, true);
    this.#secondIsOpen = false;
  }

  async runBare(seed: number): Promise<void> {
    await this.finish(); // some of these wait for all other transactions
    const from = await this.#position();
    const played = await this.#main.bare(seed);
    if (played) this.#play(played, 'alone: ');
    await this.#record(0, from, await this.#position(), [MAIN]);
  }

  /** Changes a row of a table that is always there: when this has arrived, everything before it has. */
  async beat(): Promise<State> {
    const from = await this.#position();
    const { rows } = await this.#pulse.query(
      'update steady.pulse set beats = $1 returning pg_current_xact_id()::text as xid',
      [this.beats.length + 1],
    );
    const xid = Number(rows[0]?.xid);
    this.beats.push(xid);
    return this.#record(xid, from, await this.#position(), [STEADY]);
  }

  /** Runs statements of the caller's in a transaction. */
  async runSql(...statements: readonly string[]): Promise<void> {
    await this.#main.begin(0);
    this.log.push('begin;');
    this.#moments.set(this.#main, []);
    this.#uncertain = false;
    this.#emptied = statements.some(empties);
    for (const sql of statements) {
      await this.#clients.main.query(sql);
      this.log.push(`${sql};`);
    }
    await this.#end(this.#main, this.#clients.main, true);
  }

  /** Announces every table once more: without event triggers, that is what tells of a change. */
  async touchAll(): Promise<void> {
    for (const session of [this.#main, this.#second]) {
      await session.begin(0);
      this.#moments.set(session, []);
      this.#uncertain = true;
      this.log.push(...(await session.announceEverything()));
      await this.#end(session, session === this.#main ? this.#clients.main : this.#clients.second, true);
    }
  }

  /** The states that a position may mean: one, or two where it lies in the middle of a transaction's end. */
  at(end: Lsn): State[] {
    const before = this.states.filter((state) => state.to <= end).at(-1);
    const doubtful = this.states.filter((state) => state.from < end && end < state.to);
    return [...(before ? [before] : []), ...doubtful];
  }

  /** Whether what is at this position has the state: the end of a commit is not known, as others write to the server too. */
  hasArrived(state: State, end: Lsn | null): boolean {
    return end !== null && (state.to <= end || this.at(end).includes(state));
  }

  #play(played: Played, who = ''): void {
    this.played.push(played);
    const { sql, refusal } = played;
    if (empties(sql)) this.#emptied = true;
    this.log.push(refusal === null ? `${who && `/* ${who}*/ `}${sql};` : `-- ${who}refused (${refusal}): ${sql}`);
  }

  async #end(session: Session, client: pg.Client, commits: boolean): Promise<void> {
    const { rows } = await client.query('select pg_current_xact_id_if_assigned()::text as xid');
    const last = await session.touched();
    const from = await this.#position();
    await session.end(commits);
    this.log.push(`${session === this.#main ? '' : '/* second session: */ '}${commits ? 'commit' : 'rollback'};`);
    if (!commits) return;
    await this.#record(Number(rows[0].xid ?? 0), from, await this.#position(), [session.territory], {
      before: this.#moments.get(session) ?? [],
      last,
      uncertain: session === this.#second || this.#uncertain,
      emptied: this.#emptied,
    });
  }

  async #record(
    xid: number,
    from: Lsn,
    to: Lsn | null,
    territories: readonly Territory[],
    course: Course = { before: [], last: new Set(), uncertain: false, emptied: false },
  ): Promise<State> {
    const changed = territories.flatMap(({ schemas }) => schemas);
    const before = this.states.at(-1)?.tables ?? new Map<number, TableState>();
    const tables = new Map([...before].filter(([, { schema }]) => !changed.includes(schema.schema)));
    for (const [oid, table] of await look(this.#reader, changed, before)) tables.set(oid, table);
    const moments = [...course.before, { tables, touched: course.last }];
    const touched = new Set(course.uncertain ? [] : moments.flatMap((moment) => [...moment.touched]));
    const uncertain = course.uncertain || course.emptied;
    const state = { xid, from, to: to ?? from, tables, moments, touched, uncertain };
    this.states.push(state);
    this.log.push(`-- xid ${xid}, to ${formatLsn(state.to)}, state ${this.states.length - 1}`);
    return state;
  }

  async #position(): Promise<Lsn> {
    const { rows } = await this.#reader.query('select pg_current_wal_insert_lsn() as lsn');
    return parseLsn(rows[0].lsn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { main, second } = this.#clients;
    for (const client of [main, second, this.#pulse, this.#reader]) await client.end();
  }
}
