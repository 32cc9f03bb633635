import { setTimeout as sleep } from 'node:timers/promises';
import type mysql from 'mysql2/promise';
import { asWal2DoltError } from '../../src/errors.js';
import type { Mode } from './ddl-case.js';
import { createDoltDatabaseName, type DoltDatabase } from './dolt.js';
import type { PostgresDatabase } from './postgres.js';
import { type Running, startRun } from './run.js';

const PATIENCE_MS = 60_000;

/** A run of wal2dolt in one mode, with a publication and targets of its own. One Dolt commit for each transaction. */
export class Follower implements AsyncDisposable {
  readonly mode: Mode;
  readonly publication: string;
  /** Why it follows no longer. */
  failure: string | null = null;
  readonly #source: PostgresDatabase;
  readonly #settings: Record<string, unknown>;
  readonly #targets: DoltDatabase[] = [createDoltDatabaseName()];
  #running: Running | null = null;
  #reader: mysql.Connection | null = null;

  constructor(source: PostgresDatabase, mode: Mode, settings: Record<string, unknown>) {
    this.#source = source;
    this.mode = mode;
    this.publication = `pub_${mode}`;
    this.#settings = settings;
  }

  get target(): DoltDatabase {
    return this.#targets.at(-1) as DoltDatabase; // there is always one
  }

  start(): void {
    this.failure = null;
    const running = startRun(this.#source.url, this.target.url, {
      slot: `${this.#source.name}_${this.mode}_${this.#targets.length}`,
      publication: this.publication,
      ddl: this.mode,
      commit: { maxTransactions: 1, maxDelay: '10ms' },
      retry: { firstDelay: '50ms', maxDelay: '200ms', giveUpAfter: '2s' },
      ...this.#settings,
    });
    this.#running = running;
    const ends = (how: string): void => {
      if (this.#running === running) this.failure ??= how;
    };
    running.ended.then(
      () => ends('it ended by itself'),
      (thrown) => {
        const { code, message } = asWal2DoltError(thrown);
        ends(`${code}: ${message}`);
      },
    );
  }

  /** Returns when readers of the target see this row of the table `beat`, or when that will never be. */
  async hears(beat: number): Promise<void> {
    for (const started = Date.now(); this.failure === null; await sleep(5)) {
      if (await this.#has(beat)) return;
      if (Date.now() - started > PATIENCE_MS) this.failure = `nothing came any more for ${PATIENCE_MS / 1000} s`;
    }
  }

  /** The commit that readers see. */
  async head(): Promise<string> {
    const [[row]] = await (await this.#connected()).query<mysql.RowDataPacket[]>(`select hashof('main') as hash`);
    return row?.hash;
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    await running?.stop().catch((thrown) => {
      this.failure ??= asWal2DoltError(thrown).message;
    });
    this.#reader?.destroy();
    this.#reader = null;
  }

  /** Copies everything again into another target. */
  async startAfresh(): Promise<void> {
    await this.stop();
    this.#targets.push(createDoltDatabaseName());
    this.start();
  }

  async #has(beat: number): Promise<boolean> {
    try {
      const reader = await this.#connected();
      return (await reader.query<mysql.RowDataPacket[]>(`select n from beat where n = ${beat}`))[0].length > 0;
    } catch {
      return false; // the database or the table is still to come
    }
  }

  async #connected(): Promise<mysql.Connection> {
    this.#reader ??= await this.target.connect();
    return this.#reader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    for (const target of this.#targets) await target[Symbol.asyncDispose]();
  }
}
