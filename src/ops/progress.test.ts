import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from './logging.js';
import { LoggedProgress } from './progress.js';

function logged(every: number | null): { progress: LoggedProgress; lines: () => Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ level: 'info', format: 'json', color: false }, (line) => lines.push(JSON.parse(line)));
  return { progress: new LoggedProgress(logger, every), lines: () => lines.splice(0) };
}

const TABLES = [
  { name: 'public.orders', estimatedRows: 1000 },
  { name: 'public.new', estimatedRows: -1 },
];

describe('progress in a log', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('has a line for the beginning and the end of each table, and of all', () => {
    const { progress, lines } = logged(10_000);
    progress.start(TABLES);
    expect(lines()).toMatchObject([{ msg: 'copy started', tables: 2, estimatedRows: 1000 }]);

    progress.add('public.orders', 600);
    progress.add('public.orders', 600);
    expect(lines()).toMatchObject([{ msg: 'copying table', table: 'public.orders', estimatedRows: 1000 }]);

    vi.advanceTimersByTime(4_200);
    progress.done('public.orders');
    expect(lines()).toMatchObject([{ msg: 'copied table', table: 'public.orders', rows: 1200, seconds: 4.2 }]);

    progress.done('public.new');
    const [begun] = lines();
    expect(begun).toMatchObject({ msg: 'copying table', table: 'public.new' });
    expect(begun).not.toHaveProperty('estimatedRows');

    progress.finish();
    progress.finish();
    expect(lines()).toMatchObject([{ msg: 'copy complete', tables: 2, rows: 1200 }]);
  });

  it('has a line every ten seconds, also when nothing moves, until it ends', () => {
    const { progress, lines } = logged(10_000);
    progress.start(TABLES);
    progress.add('public.orders', 500);
    progress.add('public.new', 7);
    lines();
    vi.advanceTimersByTime(20_000);
    expect(lines()).toMatchObject([
      { msg: 'copy in progress', rows: 507, rowsPerSecond: 51, tablesDone: 0, tables: 2 },
      { rowsPerSecond: 25, running: ['public.orders 500 (~50 %)', 'public.new 7'] },
    ]);
    progress.finish();
    vi.advanceTimersByTime(60_000);
    expect(lines()).toEqual([]); // in particular it is not said to be complete
  });

  it('begins again with another attempt', () => {
    const { progress, lines } = logged(null);
    progress.start(TABLES);
    progress.done('public.orders');
    progress.start([{ name: 'public.new', estimatedRows: -1 }]);
    progress.done('public.new');
    lines();
    progress.finish();
    expect(lines()).toMatchObject([{ msg: 'copy complete', tables: 1, rows: 0 }]);
  });
});
