import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { LSN_ZERO, type Lsn, lsn } from '../core/position.js';
import { parseTarget } from '../dolt/address.js';
import { quoteName, TargetConnection } from '../dolt/client.js';
import type { CopyProgress } from '../ops/progress.js';
import { run } from '../sync/supervisor.js';

const POLL = 50;

/** `wal2dolt run` in this process, observed from the side of Dolt's readers. */
export class Replication implements AsyncDisposable {
  readonly #controller: AbortController;
  readonly #run: Promise<void>;
  readonly #readers: TargetConnection;
  readonly #database: string;
  #ended: { readonly error?: unknown } | null = null;

  private constructor(controller: AbortController, run: Promise<void>, readers: TargetConnection, database: string) {
    this.#controller = controller;
    this.#run = run;
    this.#readers = readers;
    this.#database = database;
    run.then(
      () => (this.#ended = {}),
      (error: unknown) => (this.#ended = { error }),
    );
  }

  static async start(config: Config, io: { logger: Logger; progress: CopyProgress; signal: AbortSignal }) {
    const address = parseTarget(config.target);
    const readers = await TargetConnection.open(address, null);
    const controller = new AbortController();
    const signal = AbortSignal.any([io.signal, controller.signal]);
    return new Replication(controller, run(config, { ...io, signal }), readers, address.database);
  }

  /** Resolves when the copy is complete and readers see it. */
  async published(): Promise<void> {
    await this.#until(
      async () =>
        (await this.#readers.value(
          `SELECT 1 FROM information_schema.tables WHERE table_schema = '${this.#database}' AND table_name = 'wal2dolt_position'`,
        )) !== null,
    );
  }

  /** Resolves when readers see a transaction that ends after `position`, and thereby all before it; with its end. */
  async passed(position: Lsn): Promise<Lsn> {
    const sql = `SELECT end_lsn_num FROM ${quoteName(this.#database)}.wal2dolt_position`;
    let end = LSN_ZERO;
    await this.#until(async () => {
      end = lsn(BigInt((await this.#readers.value(sql)) ?? 0));
      return end > position;
    });
    return end;
  }

  /** So many commits came after the copy's: each of them is recorded by the next one. */
  async commits(): Promise<number> {
    return Number(await this.#readers.value(`SELECT count(*) FROM ${quoteName(this.#database)}.wal2dolt_commits`));
  }

  /** Ends it in order. Throws what it threw. */
  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
    await this.#readers[Symbol.asyncDispose]();
  }

  async #until(reached: () => Promise<boolean>): Promise<void> {
    while (!(await reached())) {
      if (this.#ended) throw this.#ended.error ?? new Error('interrupted');
      await pause(POLL);
    }
  }
}
