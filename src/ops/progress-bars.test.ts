import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { BarProgress } from './progress-bars.js';

/** Enough of a terminal to see what stands on its screen: the sequences that bars and lines use, and no other. */
class Screen extends PassThrough {
  readonly isTTY = true;
  readonly columns = 80;
  readonly #rows: string[] = [''];
  #row = 0;
  #column = 0;
  cursorShown = true;
  #wraps = true;

  constructor() {
    super();
    this.on('data', (chunk: Buffer) => this.#feed(chunk.toString()));
  }

  get lines(): string[] {
    return this.#rows.map((line) => line.trimEnd()).filter((line) => line !== '');
  }

  #feed(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are driven by them
    for (const [token, , argument = '', command] of text.matchAll(/(\u001b\[(\??\d*)([A-Za-z])|[\s\S])/g)) {
      if (command === undefined) this.#put(token);
      else this.#control(argument, command);
    }
  }

  #put(character: string): void {
    if (character === '\n') this.#newLine();
    else {
      if (this.#column >= this.columns && this.#wraps) this.#newLine();
      const column = Math.min(this.#column, this.columns - 1);
      const line = (this.#rows[this.#row] ?? '').padEnd(column);
      this.#rows[this.#row] = line.slice(0, column) + character + line.slice(column + 1);
      this.#column += 1;
    }
  }

  #newLine(): void {
    this.#row += 1;
    this.#column = 0;
    this.#rows[this.#row] ??= '';
  }

  #control(argument: string, command: string): void {
    const clear = (from: number) => {
      this.#rows[this.#row] = (this.#rows[this.#row] ?? '').slice(0, from);
    };
    if (argument === '?25') this.cursorShown = command === 'h';
    else if (argument === '?7') this.#wraps = command === 'h';
    else if (command === 'A') this.#row -= Number(argument || 1);
    else if (command === 'G') this.#column = Number(argument || 1) - 1;
    else if (command === 'K') clear(argument === '2' ? 0 : this.#column);
    else if (command === 'J') {
      clear(this.#column);
      this.#rows.length = this.#row + 1;
    } else throw new Error(`unknown sequence ${argument}${command}`);
  }
}

describe('bars on a terminal', () => {
  let bars: BarProgress | undefined;
  afterEach(() => bars?.finish());

  it('stand below the lines, and leave nothing behind', () => {
    const screen = new Screen();
    const progress = new BarProgress(screen);
    bars = progress;
    progress.write('first line\n');
    progress.start([
      { name: 'public.orders', estimatedRows: 2000 },
      { name: 'public.new', estimatedRows: -1 },
    ]);
    progress.add('public.orders', 500);
    progress.add('public.new', 7);
    const long = `a line ${'that is long '.repeat(6)}and has to be wrapped`;
    progress.write(`${long}\nx\n`);
    expect(screen.lines).toEqual([
      'first line',
      long.slice(0, 80).trimEnd(),
      long.slice(80),
      'x',
      expect.stringMatching(/^0 of 2 tables .* 25 % {2}507 of/),
      expect.stringMatching(/^public.orders .* 25 % {2}500 of/),
      expect.stringMatching(/^public.new .* 7 rows$/),
    ]);
    expect(screen.cursorShown).toBe(false);

    progress.done('public.orders');
    progress.write('orders is done\n');
    expect(screen.lines.slice(4)).toEqual([
      'orders is done',
      expect.stringMatching(/^1 of 2 tables .* 100 % {2}507 of/),
      expect.stringMatching(/^public.new/),
    ]);

    progress.finish();
    progress.write('last line\n');
    expect(screen.lines.slice(4)).toEqual(['orders is done', 'last line']);
    expect(screen.cursorShown).toBe(true);
  });

  it('never go beyond their end', () => {
    const screen = new Screen();
    bars = new BarProgress(screen);
    bars.start([{ name: 'public.grown', estimatedRows: 10 }]);
    bars.add('public.grown', 1500);
    bars.write('');
    expect(screen.lines).toEqual([
      expect.stringMatching(/^0 of 1 tables .* 100 % {2}1,500 of/),
      expect.stringMatching(/^public.grown .* 100 % {2}1,500 of/),
    ]);
  });
});
