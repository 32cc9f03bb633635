import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BuiltCli, buildCli, type Outcome, outcomeOf, startCli } from './support/built-cli.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

it('the log, the schema history, and a table that is copied again, on the command line', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  const env = {
    WAL2DOLT_SOURCE: source.url,
    WAL2DOLT_TARGET: target.url,
    WAL2DOLT_SLOT: source.name,
    WAL2DOLT_PUBLICATION: source.name,
    WAL2DOLT_LOG_FORMAT: 'json',
    WAL2DOLT_COMMIT_MAX_DELAY: '50ms',
  };
  const wal2dolt = (...args: string[]): Promise<Outcome> => outcomeOf(startCli(cli.path, args, env));
  await source.sql('create table orders (id int primary key, note text); create table notes (id int primary key)');
  const tooEarly = {
    code: 3,
    stderr: expect.stringMatching(/E_TARGET_DATABASE.*the first `wal2dolt run` creates/),
  };
  expect(await wal2dolt('log')).toMatchObject(tooEarly);
  expect(await wal2dolt('resync', 'orders')).toMatchObject(tooEarly);
  expect(await wal2dolt('run', '--until', 'current')).toMatchObject({ code: 0 });
  await source.sql("insert into orders values (1, 'one')");
  await source.sql('alter table orders add column extra jsonb');
  expect(await wal2dolt('run', '--until', 'current')).toMatchObject({ code: 0 });

  const log = await wal2dolt('log', '--limit', '2');
  expect(log).toMatchObject({ code: 0, stderr: '' });
  expect(log.stdout).toMatch(/^(?:[0-9a-v]{32} {2}20\d\d-\d\d-\d\dT[\d:.]+Z {2}[0-9A-F/ ]+ {2}[^\n]+\n){2}$/);
  expect(JSON.parse((await wal2dolt('log', '--json')).stdout)).toContainEqual(
    expect.objectContaining({ author: 'wal2dolt', lsn: expect.stringMatching('/'), message: expect.any(String) }),
  );

  const schema = await wal2dolt('log', '--schema', '--limit', '1', 'orders');
  expect(schema).toMatchObject({ code: 0, stderr: '' });
  expect(schema.stdout).toMatch(
    /^20[^\n]*Z {2}ALTER TABLE: alter table orders add column extra jsonb\n {2}commit [^\n]*, transaction \d+, by \w+\n {4}public\.orders: column extra added: jsonb\n$/,
  );
  const json = await wal2dolt('log', '--schema', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject([
    { tag: 'ALTER TABLE', changes: [{ kind: 'column_added', name: 'extra' }] },
    { tag: null, changes: [{ table: 'public.notes', kind: 'table_added' }, { table: 'public.orders' }] },
  ]);

  // Who has a clone of the target needs no Postgres.
  const alone = await outcomeOf(startCli(cli.path, ['log', '--schema', '--json'], { WAL2DOLT_TARGET: target.url }));
  expect(alone).toEqual(json);
  const nowhere = await outcomeOf(startCli(cli.path, ['log'], { WAL2DOLT_SOURCE: source.url }));
  expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('target') });

  for (const args of [
    ['log', '--schema', 'ordres'],
    ['log', 'orders'],
    ['log', '--limit', 'all'],
    ['log', '--scheme'],
    ['resync', 'ordres'],
    ['resync'],
    ['resync', 'orders', '--now'],
  ])
    expect(await wal2dolt(...args), args.join(' ')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('E_CONFIG'),
    });

  expect(await wal2dolt('resync', 'orders')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^No run is going on\. Marked in commit [0-9a-v]{32}; .*: public\.orders\n$/),
    stderr: '',
  });
  const run = startCli(cli.path, ['run'], env);
  const ended = outcomeOf(run);
  const state = (): Promise<Record<string, unknown>[]> =>
    target.sql(`select state from wal2dolt_tables where source_table = 'orders'`);
  await expect.poll(state).toEqual([{ state: 'streaming' }]);
  const asked = await wal2dolt('resync', 'public.orders', 'notes', '--wait', '--json');
  expect(asked).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(asked.stdout)).toMatchObject({
    how: 'asked',
    tables: expect.arrayContaining(['public.orders', 'public.notes']),
    waited: 'done',
    copied: [{ lsn: expect.any(String) }, { lsn: expect.any(String) }],
  });
  run.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0 });
});
