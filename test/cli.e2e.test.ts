import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BuiltCli, buildCli, type Outcome, outcomeOf, startCli } from './support/built-cli.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

it('a database from the first check to the teardown', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  const name = source.name;
  const wal2dolt = (...args: string[]): Promise<Outcome> =>
    outcomeOf(
      startCli(cli.path, args, {
        WAL2DOLT_SOURCE: source.url,
        WAL2DOLT_TARGET: target.url,
        WAL2DOLT_SLOT: name,
        WAL2DOLT_PUBLICATION: name,
        WAL2DOLT_LOG_FORMAT: 'json',
      }),
    );
  const slots = (): Promise<unknown[]> => source.sql('select 1 from pg_replication_slots where slot_name = $1', [name]);

  await source.sql(
    "create table orders (id int primary key, note text); insert into orders values (1, 'one'), (2, 'two')",
  );
  await source.sql('create unlogged table scratch (id int)');

  const before = await wal2dolt('check');
  expect(before).toMatchObject({ code: 0, stderr: '' });
  expect(before.stdout).toMatch(/scratch[\s\S]*\nReady: `wal2dolt run` can start.\n$/);
  expect(await slots()).toHaveLength(0);

  const run = await wal2dolt('run', '--until', 'current');
  expect(run.code, run.stderr).toBe(0);
  expect(run.stdout).toBe('');
  const log = run.stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(log[0]).toMatchObject({
    level: 'info',
    msg: 'wal2dolt starts',
    source: source.url.replace(/:[^:@/]*@/, ':***@'),
  });
  expect(log).toContainEqual(expect.objectContaining({ msg: 'copied table', table: 'public.orders', rows: 2 }));
  expect(await target.sql('select * from orders order by id')).toEqual([
    { id: 1, note: 'one' },
    { id: 2, note: 'two' },
  ]);

  const status = await wal2dolt('status');
  expect(status).toMatchObject({ code: 0, stderr: '' });
  expect(status.stdout).toMatch(/^Postgres {2}WAL at [0-9A-F]+\/[0-9A-F]+\n/);
  expect(status.stdout).toMatch(/^Dolt {6}streaming, up to [0-9A-F]+\/[0-9A-F]+\n.*\n {10}1 table\nLag {7}/m);
  expect(status.stdout).toMatch(/\nLast commits\n {2}[0-9a-v]{10} {2}20\d\d-/);
  expect(JSON.parse((await wal2dolt('status', '--json')).stdout)).toMatchObject({ target: { phase: 'streaming' } });

  const unanswered = await wal2dolt('teardown');
  expect(unanswered.code).toBe(2);
  expect(JSON.parse(unanswered.stderr)).toMatchObject({ code: 'E_CONFIG', msg: expect.stringContaining('--yes') });
  expect(await slots()).toHaveLength(1);

  expect(await wal2dolt('teardown', '--yes')).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nDone.\n$/) });
  expect(await slots()).toHaveLength(0);
  expect(await wal2dolt('teardown', '--yes')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/\nNothing to do.\n$/),
  });
  expect(await target.sql('select count(*) as n from orders')).toEqual([{ n: 2 }]);

  const lost = await wal2dolt('check', '--json');
  expect(lost.code).toBe(1);
  expect(JSON.parse(lost.stdout)).toMatchObject({
    ready: false,
    findings: expect.arrayContaining([expect.objectContaining({ severity: 'error', code: 'E_SLOT_MISSING' })]),
  });
  expect((await wal2dolt('status')).code).toBe(1);
});
