import type { Logger } from 'pino';

/** What a copy tells of itself. Tables are known by `schema.table`. */
export interface CopyProgress {
  /** The tables that will be copied now; an estimate below 0 means unknown. A copy that is tried again starts again. */
  start(tables: readonly { readonly name: string; readonly estimatedRows: number }[]): void;
  /** So many more rows are read; the first call for a table, also with 0, begins it. */
  add(table: string, rows: number): void;
  done(table: string): void;
  /** Ends the display, whether the copy is complete or not. May be called again. */
  finish(): void;
}

interface Tally {
  readonly estimatedRows: number;
  rows: number;
  startedAt: number | null;
  done: boolean;
}

const seconds = (since: number): number => Math.round((Date.now() - since) / 100) / 10;

/** Lines: one when a table begins and ends, and one every ten seconds (`every` in milliseconds, null for none). */
export class LoggedProgress implements CopyProgress {
  readonly #logger: Logger;
  readonly #every: number | null;
  readonly #tables = new Map<string, Tally>();
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger, every: number | null = 10_000) {
    this.#logger = logger;
    this.#every = every;
  }

  start(tables: readonly { readonly name: string; readonly estimatedRows: number }[]): void {
    this.#stop();
    for (const { name, estimatedRows } of tables) {
      this.#tables.set(name, { estimatedRows, rows: 0, startedAt: null, done: false });
    }
    this.#startedAt = Date.now();
    const estimatedRows = tables.reduce((sum, table) => sum + Math.max(table.estimatedRows, 0), 0);
    this.#logger.info({ tables: tables.length, estimatedRows }, 'copy started');
    if (this.#every !== null) this.#timer = setInterval(() => this.#report(), this.#every).unref();
  }

  add(table: string, rows: number): void {
    const tally = this.#tables.get(table);
    if (!tally) return;
    tally.rows += rows;
    if (tally.startedAt !== null) return;
    tally.startedAt = Date.now();
    const estimate = tally.estimatedRows < 0 ? {} : { estimatedRows: tally.estimatedRows };
    this.#logger.info({ table, ...estimate }, 'copying table');
  }

  done(table: string): void {
    this.add(table, 0);
    const tally = this.#tables.get(table);
    if (!tally || tally.done) return;
    tally.done = true;
    this.#logger.info({ table, rows: tally.rows, seconds: seconds(tally.startedAt ?? Date.now()) }, 'copied table');
  }

  finish(): void {
    if (this.#tables.size > 0 && this.#openTables().length === 0) {
      this.#logger.info({ ...this.#sum(), seconds: seconds(this.#startedAt) }, 'copy complete');
    }
    this.#stop();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#tables.clear();
  }

  #openTables(): string[] {
    return [...this.#tables].filter(([, tally]) => !tally.done).map(([name]) => name);
  }

  #sum(): { tables: number; rows: number } {
    const tallies = [...this.#tables.values()];
    return { tables: tallies.length, rows: tallies.reduce((sum, tally) => sum + tally.rows, 0) };
  }

  #report(): void {
    const running = this.#openTables().filter((name) => this.#tables.get(name)?.startedAt !== null);
    const { tables, rows } = this.#sum();
    this.#logger.info(
      {
        rows,
        rowsPerSecond: Math.round((rows * 1000) / Math.max(Date.now() - this.#startedAt, 1)),
        tablesDone: tables - this.#openTables().length,
        tables,
        running: running.map((name) => `${name} ${share(this.#tables.get(name))}`),
      },
      'copy in progress',
    );
  }
}

function share(tally: Tally | undefined): string {
  if (!tally) return '';
  const percentage =
    tally.estimatedRows > 0 ? ` (~${Math.min(Math.round((tally.rows / tally.estimatedRows) * 100), 99)} %)` : '';
  return `${tally.rows}${percentage}`;
}
