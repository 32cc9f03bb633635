import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Pace } from '../src/cli/pace.js';
import type { Status } from '../src/sync/status.js';
import { type BuiltCli, buildCli, outcomeOf, startCli } from './support/built-cli.js';
import { createDoltDatabaseName, startDolt } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { createProxy } from './support/replication.js';
import { drain, startRun } from './support/run.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

interface Watching extends AsyncDisposable {
  readonly lines: readonly string[];
  /** The exit code, and how long it took. */
  stop(signal: NodeJS.Signals): Promise<{ code: number | null; ms: number }>;
}

function startWatching(source: string, target: string, slot: string, args: readonly string[]): Watching {
  const child: ChildProcess = startCli(cli.path, ['status', '--watch', ...args], {
    WAL2DOLT_SOURCE: source,
    WAL2DOLT_TARGET: target,
    WAL2DOLT_SLOT: slot,
  });
  const lines: string[] = [];
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  const ended = outcomeOf(child);
  return {
    lines,
    async stop(signal) {
      const since = Date.now();
      child.kill(signal);
      const { code, stderr } = await ended;
      expect(stderr).toBe('');
      return { code, ms: Date.now() - since };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A line of `--json`, as docs/operating.md has it. */
interface JsonLine extends Pick<Status, 'source' | 'target'> {
  readonly time: string;
  readonly pace: Pace | null;
}

const AT_ONCE = { code: 0, ms: expect.toSatisfy((ms: number) => ms < 2_000) };

it('follows a stream in one line of JSON each time, with rates, and leaves no connection behind', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql('create table t (id int primary key, v text)');
  await drain(source.url, target.url);
  const connections = async (): Promise<number[]> => [
    (
      await source.sql("select 1 from pg_stat_activity where application_name = 'wal2dolt status' and datname = $1", [
        source.name,
      ])
    ).length,
    (await target.sql('show processlist')).filter(({ db }) => String(db).startsWith(target.name)).length,
  ];
  const before = await connections();

  await using watching = startWatching(source.url, target.url, source.name, ['0.5', '--json']);
  // What it prints is read as the interface has it: the expectations are what checks that.
  const read = (line: string | undefined): JsonLine | null =>
    line === undefined ? null : (JSON.parse(line) as JsonLine);
  const last = (): JsonLine | null => read(watching.lines.at(-1));
  await expect.poll(() => watching.lines.length).toBeGreaterThan(0);
  expect(read(watching.lines[0])).toMatchObject({
    source: { slot: { active: false } },
    target: { phase: 'streaming' },
    pace: null,
  });
  await source.sql("insert into t select i, repeat('x', 1000) from generate_series(1, 2000) i");
  await expect.poll(() => last()?.pace).toMatchObject({ lagIs: 'growing', secondsToCatchUp: null });
  expect(last()?.pace?.writtenBytesPerSecond).toBeGreaterThan(10_000);
  {
    await using running = startRun(source.url, target.url);
    await expect.poll(() => last()?.pace?.appliedBytesPerSecond, { interval: 200 }).toBeGreaterThan(10_000);
    expect(last()).toMatchObject({ source: { slot: { active: true } } });
    await running.stop();
  }

  for (let i = 0; i < 10; i += 1) {
    const [postgres = 0, dolt = 0] = await connections();
    expect(postgres).toBeLessThanOrEqual(1);
    expect(dolt - (before[1] ?? 0)).toBeLessThanOrEqual(3);
    await sleep(100);
  }
  expect(await watching.stop('SIGTERM')).toEqual(AT_ONCE);
  await expect.poll(connections).toEqual(before);
  const late = watching.lines
    .map((line) => Date.parse(read(line)?.time ?? ''))
    .map((time, _, [first = 0]) => (time - first) % 500);
  const drift = late.map((ms) => Math.min(ms, 500 - ms)).sort((a, b) => a - b);
  expect(drift[Math.floor(drift.length / 2)], String(late)).toBeLessThan(100);
});

it('goes on where a side is down, in lines of text', async () => {
  await using dolt = await startDolt();
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName(dolt);
  await source.sql('create table t (id int primary key)');
  await drain(source.url, target.url);
  await using watching = startWatching(source.url, target.url, source.name, ['0.3']);
  const last = (): string => String(watching.lines.at(-1));
  const up = /^20\S+Z {2}WAL at \S+, slot not in use; streaming, up to \S+; lag .* of WAL, /;
  await expect.poll(last).toMatch(up);
  await dolt.stop();
  await expect.poll(last).toMatch(/WAL at \S+, slot not in use; E_TARGET_UNREACHABLE: .*; lag unknown$/);
  await dolt.start();
  await expect.poll(last).toMatch(up);
  expect(await watching.stop('SIGINT')).toEqual(AT_ONCE);
});

it('ends at once while a server does not answer', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using proxy = await createProxy(source.url);
  await using watching = startWatching(proxy.url, target.url, source.name, ['0.3']);
  await expect.poll(() => watching.lines.length).toBeGreaterThan(0);
  proxy.fromServer = null;
  await sleep(1_000);
  expect(await watching.stop('SIGTERM')).toEqual(AT_ONCE);
});

it.each(['0', '-1', 'abc', '5s'])('refuses to look every %s seconds', async (seconds) => {
  const child = startCli(cli.path, ['status', '--watch', seconds], {
    WAL2DOLT_SOURCE: 'postgres://ann@127.0.0.1:1/shop',
    WAL2DOLT_TARGET: 'mysql://ann@127.0.0.1:1/shop',
  });
  const { code, stdout, stderr } = await outcomeOf(child);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('E_CONFIG');
  expect(stderr).toContain(seconds);
});
