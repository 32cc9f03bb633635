import { MultiBar, type SingleBar } from 'cli-progress';
import type { CopyProgress } from './progress.js';

interface Tally {
  readonly estimatedRows: number;
  rows: number;
  done: boolean;
}

/** Bars that do not fit on the screen would scroll it at every redraw. */
const MAX_BARS = 8;
const NAME_WIDTH = 24;
const label = (name: string): string =>
  (name.length > NAME_WIDTH ? `…${name.slice(1 - NAME_WIDTH)}` : name).padEnd(NAME_WIDTH);

/**
 * For a terminal: a bar for the whole copy and one for each table that is being copied. Everything else that is written
 * to the terminal meanwhile has to go through `write`, or bars and lines would overwrite each other.
 */
export class BarProgress implements CopyProgress {
  readonly #terminal: NodeJS.WritableStream;
  readonly #tables = new Map<string, Tally>();
  readonly #running = new Map<string, SingleBar>();
  #bars: MultiBar | undefined;
  #total: SingleBar | undefined;

  constructor(terminal: NodeJS.WritableStream) {
    this.#terminal = terminal;
  }

  /** Whole lines, above the bars where there are some. */
  readonly write = (text: string): void => {
    if (!this.#bars) {
      this.#terminal.write(text);
      return;
    }
    // Bars switch line wrapping off, which would cut long lines; and a shorter one must clear the rest of an old bar.
    this.#bars.log(`\u001b[?7h${text.replaceAll('\n', '\u001b[K\n')}\u001b[?7l`);
    this.#bars.update();
  };

  start(tables: readonly { readonly name: string; readonly estimatedRows: number }[]): void {
    this.finish();
    for (const { name, estimatedRows } of tables) {
      this.#tables.set(name, { estimatedRows, rows: 0, done: false });
    }
    if (tables.length === 0) return;
    this.#bars = new MultiBar({
      stream: this.#terminal,
      format: '{name} {bar} {amount}',
      barsize: 16,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      linewrap: false,
      clearOnComplete: true,
      // A bar that did not change still has to move when a line is written above it.
      forceRedraw: true,
      // Its own signal handlers would end the process' handling of the signal; finish() restores the cursor.
      gracefulExit: false,
    });
    this.#total = this.#bars.create(1, 0, { name: '', amount: '' });
    this.#showTotal();
  }

  add(table: string, rows: number): void {
    const tally = this.#tables.get(table);
    if (!tally || !this.#bars || tally.done) return;
    tally.rows += rows;
    const bar = this.#running.get(table) ?? this.#newBar(table);
    if (bar) showBar(bar, tally.rows, tally.estimatedRows < 0 ? null : expected(tally));
    this.#showTotal();
  }

  done(table: string): void {
    const tally = this.#tables.get(table);
    if (!tally) return;
    tally.done = true;
    const bar = this.#running.get(table);
    if (bar) this.#bars?.remove(bar);
    this.#running.delete(table);
    this.#showTotal();
  }

  finish(): void {
    this.#bars?.update(); // writes lines that are still waiting
    this.#bars?.stop();
    this.#bars = undefined;
    this.#total = undefined;
    this.#running.clear();
    this.#tables.clear();
  }

  #newBar(table: string): SingleBar | undefined {
    if (this.#running.size >= MAX_BARS) return undefined;
    const bar = this.#bars?.create(1, 0, { name: label(table), amount: '' });
    if (bar) this.#running.set(table, bar);
    return bar;
  }

  #showTotal(): void {
    const tallies = [...this.#tables.values()];
    const done = tallies.filter((tally) => tally.done);
    const rows = tallies.reduce((sum, tally) => sum + tally.rows, 0);
    const total = tallies.reduce((sum, tally) => sum + (tally.done ? tally.rows : expected(tally)), 0);
    if (this.#total) showBar(this.#total, rows, total, { name: label(`${done.length} of ${tallies.length} tables`) });
  }
}

/** Estimates are of the last ANALYZE: a bar never goes beyond its end. */
const expected = (tally: Tally): number => Math.max(tally.estimatedRows, tally.rows);

function showBar(bar: SingleBar, rows: number, total: number | null, payload: { name?: string } = {}): void {
  const count = rows.toLocaleString('en-US');
  const percentage = Math.floor((rows / Math.max(total ?? 0, 1)) * 100);
  const amount =
    total === null ? `${count} rows` : `${percentage} %  ${count} of ~${total.toLocaleString('en-US')} rows`;
  // Without an estimate the bar stays empty and only the number grows.
  bar.setTotal(total === null ? Number.MAX_SAFE_INTEGER : Math.max(total, 1));
  bar.update(rows, { ...payload, amount });
}
