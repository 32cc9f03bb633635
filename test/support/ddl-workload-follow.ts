import { setTimeout as sleep } from 'node:timers/promises';
import { type Lsn, parseLsn } from '../../src/core/position.js';
import { qualifiedName } from '../../src/core/schema.js';
import { Wal2DoltError } from '../../src/errors.js';
import { type Resync, resync } from '../../src/sync/resync.js';
import type { Plan, Policy } from './ddl-workload.js';
import { Dice } from './ddl-workload-dice.js';
import type { DdlHistory } from './ddl-workload-history.js';
import { judgeHalt } from './ddl-workload-oracle.js';
import type { DoltDatabase } from './dolt.js';
import type { PostgresDatabase } from './postgres.js';
import { configFor, drain, type Running, runBroken, startRun } from './run.js';

/** How changes of the schema are noticed. */
export type Mode = 'triggers' | 'relations';

export const settingsFor = (mode: Mode, policy: Partial<Policy> = {}): Record<string, unknown> => ({
  ddl: mode,
  commit: policy,
  transactions: true,
  retry: { firstDelay: '10ms', maxDelay: '100ms' },
});

/** wal2dolt under a plan: started, stopped, disturbed, and helped on where it had to halt. */
export class Follower implements AsyncDisposable {
  /** What it had to halt for, and where. */
  readonly halts: string[] = [];
  readonly #mode: Mode;
  readonly #source: PostgresDatabase;
  readonly #target: DoltDatabase;
  readonly #history: DdlHistory;
  readonly #published: Published;
  #running: Running | null = null;
  #policy: Policy;

  constructor(mode: Mode, source: PostgresDatabase, target: DoltDatabase, history: DdlHistory, policy: Policy) {
    this.#mode = mode;
    this.#source = source;
    this.#target = target;
    this.#published = new Published(target);
    this.#history = history;
    this.#policy = policy;
  }

  get runs(): boolean {
    return this.#running !== null;
  }

  start(policy: Policy = this.#policy): void {
    this.#policy = policy;
    this.#history.log.push(`-- wal2dolt begins ${JSON.stringify(policy)}`);
    this.#running ??= startRun(this.#source.url, this.#target.url, settingsFor(this.#mode, policy));
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    this.#history.log.push('-- wal2dolt is stopped');
    await running?.stop().catch((error) => this.#halted(error));
  }

  /** The first copy, broken off when so many tables are done. */
  async breakCopy(tables: number): Promise<void> {
    this.#history.log.push(`-- the first copy is broken off after ${tables} tables`);
    await runBroken(this.#source.url, this.#target.url, tables, settingsFor(this.#mode, this.#policy));
  }

  /** Until everything that there is has arrived. */
  async drain(): Promise<void> {
    this.#history.log.push('-- wal2dolt drains what there is');
    for (;;) {
      try {
        return await drain(this.#source.url, this.#target.url, settingsFor(this.#mode, { maxDelay: 10_000 }));
      } catch (error) {
        await this.#halted(error);
      }
    }
  }

  async catchUp(): Promise<void> {
    await this.#history.finish(); // a copy waits for all transactions that are open
    const beat = await this.#history.beat();
    this.#history.log.push('-- wal2dolt catches up');
    const deadline = Date.now() + 120_000;
    for (;;) {
      if (this.#history.hasArrived(beat, await this.#published.position())) return;
      if (Date.now() > deadline) throw new Error('what Postgres had did not arrive in two minutes');
      await Promise.race([sleep(20), this.#running?.ended]).catch(async (error) => {
        this.#running = null;
        await this.#halted(error);
        this.start();
      });
    }
  }

  /** Asks for a table to be copied again: the run, or else the next one. */
  async resync(seed: number): Promise<void> {
    const published = [...(this.#history.states.at(-1)?.tables.values() ?? [])].map(({ schema }) => schema);
    const table = qualifiedName(new Dice(seed).pick(published));
    await this.#history.finish(); // a copy waits for all transactions that are open
    try {
      const { how, tables } = await this.#resync(table);
      if (how === 'marked') for (const { oid } of tables) this.#history.marked.add(oid);
      this.#history.log.push(`-- resync ${table}`);
    } catch (error) {
      // The target may not know the table yet, or not know that it is back.
      if (!(error instanceof Wal2DoltError) || error.code !== 'E_CONFIG') throw error;
      this.#history.log.push(`-- resync ${table}, in vain: ${error.message}`);
    }
  }

  #resync(table: string): Promise<Resync> {
    const settings = settingsFor(this.#mode, this.#policy);
    return resync(configFor(this.#source.url, this.#target.url, { ...settings, slot: this.#source.name }), [table]);
  }

  /** Ends the connections of whoever streams. */
  async breakSource(): Promise<void> {
    this.#history.log.push('-- the connections to Postgres end');
    await this.#source.sql(
      'select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database() and active',
    );
  }

  /** Ends the connections of whoever uses the target. */
  async breakTarget(): Promise<void> {
    this.#history.log.push('-- the connections to Dolt end');
    const processes = await this.#target.sql('show processlist');
    for (const { Id, db, Info } of processes) {
      if (String(db).startsWith(this.#target.name) && !/processlist/i.test(String(Info)))
        await this.#target.sql(`kill ${Number(Id)}`).catch(() => {});
    }
  }

  /** Without event triggers a run may have to halt: then what the message tells to do has to help. Anything else is thrown. */
  async #halted(thrown: unknown): Promise<void> {
    const { code, message } = thrown as Wal2DoltError; // or anything that has no such code
    if (this.#mode === 'triggers' || code !== 'E_SCHEMA_AMBIGUOUS') throw thrown;
    const fail = (fault: string): never => {
      throw new Error(`${fault} (halted: ${message})`, { cause: thrown });
    };
    const { named, oids, gone, fault } = await judgeHalt(message, this.#history, this.#target);
    if (fault !== null) fail(fault);
    const halt = `${message}, at ${await this.#published.position()}`;
    if (this.halts.includes(halt)) fail('it went on, and came no further');
    this.halts.push(halt);
    this.#history.log.push(`-- halted, rightly: ${message}`);
    if (gone) return; // whoever begins again sees that, too
    const { how, tables } = await this.#resync(named).catch((error) => fail(`resync ${named}: ${error.message}`));
    if (how !== 'marked') fail(`resync ${named} asked a run that has ended`);
    if (!tables.every(({ oid }) => oids.includes(oid))) fail(`resync ${named} copies another table`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
  }
}

/** How far readers see the source, asked often. */
export class Published {
  readonly #target: DoltDatabase;
  #connection: ReturnType<DoltDatabase['connect']> | null = null;

  constructor(target: DoltDatabase) {
    this.#target = target;
  }

  /** Null before they see anything, and where the connection was ended. */
  async position(): Promise<Lsn | null> {
    try {
      this.#connection ??= this.#target.connect();
      const [rows] = await (await this.#connection).query('select end_lsn from wal2dolt_position');
      const [position] = rows as { readonly end_lsn: string }[]; // of the statement
      return position ? parseLsn(position.end_lsn) : null;
    } catch {
      // There is no database yet, or nothing published in it.
      this.#connection = null;
      return null;
    }
  }
}

/** Runs a plan's transactions while it is followed; in the end the target has all of them. */
export async function follow(plan: Plan, history: DdlHistory, follower: Follower): Promise<void> {
  const { before, interruptAt, between, during, after, last, lockstep } = plan;
  for (const transaction of before) await history.run(transaction);
  if (interruptAt !== null) {
    await follower.breakCopy(interruptAt);
    // The tables that are missing are copied as they are after these.
    for (const transaction of between) await history.run(transaction);
  }
  follower.start();
  for (const transaction of during) await history.run(transaction);
  await follower.catchUp();
  let gap = 0;
  for (const { transaction, next } of after) {
    await history.run(transaction);
    if (!follower.runs && gap === 0) follower.start();
    gap = Math.max(0, gap - 1);
    if (next.kind === 'restart' && !lockstep) {
      await follower.stop();
      gap = next.gap;
      if (gap === 0) follower.start(next.policy);
    }
    if (next.kind === 'second')
      await history.runSecond(next.step, lockstep && next.ends === 'no' ? 'commit' : next.ends);
    if (next.kind === 'bare') await history.runBare(next.seed);
    if (next.kind === 'resync') await follower.resync(next.seed);
    if (next.kind === 'sourceBreaks') await follower.breakSource();
    if (next.kind === 'targetBreaks') await follower.breakTarget();
    if (follower.runs && (lockstep || next.kind === 'catchesUp')) await follower.catchUp();
  }
  await history.finish();
  await follower.stop();
  for (const transaction of last) await history.run(transaction);
}
