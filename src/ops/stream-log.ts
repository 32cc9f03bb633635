import type { Logger } from 'pino';

const EVERY_MS = 10_000;

/** What a published Dolt commit held. */
export interface CommitFigures {
  readonly lsn: string;
  readonly transactions: number;
  readonly rows: number;
}

/** Says while streaming what was done: a line at most every ten seconds, and the sum at the end. Every commit at level debug. */
export class StreamLog {
  readonly #logger: Logger;
  readonly #startedAt = Date.now();
  #reportedAt = Date.now();
  #since = { commits: 0, transactions: 0, rows: 0 };
  #total = { commits: 0, transactions: 0, rows: 0 };
  #lsn = '';

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  committed(figures: CommitFigures, reason: string, ms: number): void {
    this.#logger.debug({ ...figures, reason, ms }, 'committed');
    this.#lsn = figures.lsn;
    for (const sum of [this.#since, this.#total]) {
      sum.commits += 1;
      sum.transactions += figures.transactions;
      sum.rows += figures.rows;
    }
    if (Date.now() - this.#reportedAt < EVERY_MS) return;
    this.#logger.info({ ...this.#since, lsn: this.#lsn }, 'streamed');
    this.#reportedAt = Date.now();
    this.#since = { commits: 0, transactions: 0, rows: 0 };
  }

  stopped(why: string): void {
    const seconds = Math.round((Date.now() - this.#startedAt) / 100) / 10;
    this.#logger.info({ ...this.#total, ...(this.#lsn === '' ? {} : { lsn: this.#lsn }), seconds }, why);
  }
}
