import type { CopyProgress } from '../ops/progress.js';
import { BarProgress } from '../ops/progress-bars.js';

const INDENT = '  ';
/** Where nobody knows how wide a line may be: a log file. */
const WIDTH = 120;

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** What the demo prints. Plain lines, but for colours and the bars of the copy where a terminal shows them. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  readonly #color: boolean;
  readonly #bars: BarProgress | null;

  constructor(stream: NodeJS.WriteStream, env: Readonly<Record<string, string | undefined>>) {
    const terminal = stream.isTTY && env.TERM !== 'dumb';
    this.#stream = stream;
    this.#color = terminal && !env.NO_COLOR;
    this.#bars = terminal ? new BarProgress(stream) : null;
  }

  /** For the copy; what it shows is gone when the copy has ended. */
  get progress(): CopyProgress {
    return this.#bars ?? { start() {}, add() {}, done() {}, finish() {} };
  }

  /** Whole lines, as they are. */
  readonly write = (text: string): void => {
    if (this.#bars) this.#bars.write(text);
    else this.#stream.write(text);
  };

  heading(text: string): void {
    this.write(`\n${this.#style(1, text)}\n`);
  }

  /** Says what begins now. The function returned says how it ended, and how long it took. */
  step(text: string): (result: string) => void {
    const started = performance.now();
    this.heading(text);
    return (result) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      this.line(`${result} ${this.#style(2, `(${seconds} s)`)}`);
    };
  }

  line(text: string): void {
    this.write(`${INDENT}${text}\n`);
  }

  /** What the reader may paste, and its result. */
  statement(sql: string, { columns, rows }: Table): void {
    for (const line of sql.split('\n')) this.line(this.#style(36, line));
    const cells = [columns, ...rows.map((row) => row.map((cell) => cell ?? 'NULL'))];
    const widths = columns.map((_, i) => Math.max(...cells.map((row) => lengthOf(row[i] ?? ''))));
    // Numbers stand below each other's last digit.
    const right = columns.map((_, i) => rows.every((row) => /^-?\d+(\.\d+)?$/.test(row[i] ?? '')));
    const limit = (this.#stream.columns || WIDTH) - 2 * INDENT.length; // a terminal of unknown size has 0 columns
    for (const [n, row] of cells.entries()) {
      const padded = row.map((cell, i) => {
        const blanks = ' '.repeat((widths[i] ?? 0) - lengthOf(cell));
        return right[i] ? blanks + cell : cell + blanks;
      });
      const line = clip(padded.join(INDENT).trimEnd(), limit);
      this.line(INDENT + (n === 0 ? this.#style(2, line) : line));
    }
  }

  /** Ends what still moves. */
  finish(): void {
    this.#bars?.finish();
  }

  /** https://en.wikipedia.org/wiki/ANSI_escape_code#Select_Graphic_Rendition_parameters */
  #style(code: number, text: string): string {
    return this.#color ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

/** In characters, not in UTF-16 units. */
const lengthOf = (text: string): number => [...text].length;

const clip = (text: string, limit: number): string =>
  lengthOf(text) > limit ? `${[...text].slice(0, limit - 1).join('')}…` : text;
