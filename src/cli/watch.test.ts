import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Status } from '../sync/status.js';
import { parseSeconds } from './seconds.js';
import { type WatchOptions, watch } from './watch.js';

const DOWN: Status = {
  time: '2026-11-22T00:00:00.000Z',
  source: { error: 'E_SOURCE_UNREACHABLE: no\nanswer from postgres://ann:s3cret@db/shop' },
  target: {
    phase: 'empty',
    endLsn: null,
    commitTime: null,
    tables: { streaming: 0, copying: 0, left: 0 },
    commits: [],
  },
  lag: null,
};

/** Watches until there were so many looks. */
async function watched(looks: number, options: Partial<WatchOptions> & { readonly isTTY?: boolean } = {}) {
  const controller = new AbortController();
  const written: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _, done) => {
      written.push(chunk.toString());
      done();
    },
  });
  const at: number[] = [];
  const started = performance.now();
  await watch({
    look: async () => {
      at.push(performance.now() - started);
      if (at.length === looks) controller.abort();
      return DOWN;
    },
    seconds: 0.1,
    json: false,
    // The cast: what is used of a terminal.
    output: Object.assign(output, { isTTY: options.isTTY ?? false }) as unknown as NodeJS.WriteStream,
    signal: controller.signal,
    ...options,
  });
  return { written, at };
}

it('writes one line each time, on a terminal in place of what was there', async () => {
  const line =
    '2026-11-22T00:00:00.000Z  E_SOURCE_UNREACHABLE: no answer from postgres://ann:***@db/shop; nothing of wal2dolt yet; lag unknown\n';
  expect((await watched(3)).written).toEqual([line, line]);
  const json = (await watched(2, { json: true, isTTY: true })).written;
  expect(json).toEqual([expect.stringMatching(/^{.*}\n$/)]);
  expect(JSON.parse(json[0] ?? '')).toMatchObject({ time: DOWN.time, lag: null, pace: null });
  const [screen] = (await watched(2, { isTTY: true })).written;
  expect(screen?.startsWith('\u001b[H\u001b[2J')).toBe(true);
  expect(screen).toMatch(/Postgres {2}E_SOURCE_UNREACHABLE: no\nanswer[\s\S]*\nLag {7}unknown\n$/);
});

it('keeps its pace, whatever a look takes', async () => {
  const controller = new AbortController();
  const started = performance.now();
  const at: number[] = [];
  await watched(0, {
    seconds: 0.4,
    signal: controller.signal,
    look: async () => {
      at.push(performance.now() - started);
      await sleep(at.length === 2 ? 600 : 100);
      if (at.length === 6) controller.abort();
      return DOWN;
    },
  });
  // The third turn was missed.
  expect(at.map((ms) => Math.round(ms / 400))).toEqual([0, 1, 3, 4, 5, 6]);
});

it('ends at once in the middle of a look, and when nobody reads any more', async () => {
  const forever = (): Promise<Status> => new Promise(() => {});
  await watched(0, { look: forever, signal: AbortSignal.timeout(50) });
  await expect(watched(0, { look: () => Promise.reject(new Error('a defect')) })).rejects.toThrow('a defect');

  const output = new Writable({
    write: (_chunk, _, done) => done(Object.assign(new Error('gone'), { code: 'EPIPE' })),
  });
  await watched(0, {
    look: async () => DOWN,
    output: output as unknown as NodeJS.WriteStream, // as above
    signal: new AbortController().signal,
  });
});

it('takes seconds', () => {
  expect(['2', '0.5', '86400'].map(parseSeconds)).toEqual([2, 0.5, 86_400]);
  for (const bad of ['0', '-1', 'abc', '', ' 2', '1e3', '2s', '0.01', '86401', 'Infinity']) {
    expect(() => parseSeconds(bad), bad).toThrow('expected a number of seconds');
  }
});
