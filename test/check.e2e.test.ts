import pg from 'pg';
import { expect, inject, test } from 'vitest';
import type { Finding } from '../src/core/finding.js';
import { check as checkAll } from '../src/sync/check.js';
import { status } from '../src/sync/status.js';
import { planTeardown, teardown } from '../src/sync/teardown.js';
import { check, configOf, preflight, SHOP } from './support/checked.js';
import { createDoltDatabase, createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { applyFix, codes, createRole, the } from './support/preflight.js';
import { configFor, drain, startRun } from './support/run.js';

const errorsOf = (findings: readonly Finding[]): string[] =>
  codes(findings.filter(({ severity }) => severity === 'error'));

test('two fresh sides, then a target that was filled, have nothing to say', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(SHOP);
  const config = configOf(source, target);
  expect(await check(config)).toEqual([]);
  expect(await preflight(config)).toEqual([]);
  expect(await source.sql('select 1 from pg_publication')).toEqual([]);

  await drain(source.url, target.url, { slot: source.name, publication: source.name });
  await expect.poll(() => check(config)).toEqual([]);
  await source.sql(`insert into orders values (1, 'x')`);
  await drain(source.url, target.url, { slot: source.name, publication: source.name });
  await expect.poll(() => check(config)).toEqual([]);
});

test('how schema changes will be noticed, and are', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(SHOP);
  const said = async (ddl: string): Promise<string> =>
    the('ddl', await checkAll(configOf(source, target, { ddl }))).message;
  expect(await said('auto')).toMatch(/a run installs the event triggers/);
  expect(await said('triggers')).toMatch(/a run installs the event triggers/);
  expect(await said('relations')).toMatch(/noticed with the first row after it/);
  expect(await source.sql('select 1 from pg_event_trigger')).toEqual([]);

  const settings = { slot: source.name, publication: source.name };
  await drain(source.url, target.url, { ...settings, ddl: 'relations' });
  expect(await source.sql('select 1 from pg_event_trigger')).toEqual([]);
  await expect.poll(() => said('auto')).toMatch(/a run installs the event triggers/);
  await drain(source.url, target.url, settings);
  await expect.poll(() => said('auto')).toMatch(/event triggers tell of each/);
  expect(await status(configOf(source, target))).toMatchObject({ source: { ddl: 'triggers' } });

  await using role = await createRole(source, 'replication');
  const refused = configFor(role.url, target.url, { ...settings, publication: 'other', ddl: 'triggers' });
  expect(the('ddl', await checkAll(refused))).toMatchObject({
    severity: 'error',
    fix: expect.stringContaining('follow'),
  });

  const config = configOf(source, target);
  const plan = await planTeardown(config);
  expect(plan.triggers).toBe('drop');
  await teardown(config, plan);
  expect(
    await source.sql(`select 1 from pg_event_trigger union all select 1 from pg_namespace where nspname = 'wal2dolt'`),
  ).toEqual([]);
});

test('both sides are looked at, although neither can be', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  const secret = 'p-secret';
  const url = new URL(source.url);
  url.password = secret;
  const bad = { source: url.href, target: target.url.replace('//root@', `//nobody:${secret}@`) };
  const findings = await check(configFor(bad.source, bad.target));
  expect(findings).toMatchObject([
    { code: 'E_TARGET_AUTH', severity: 'error', fix: expect.stringContaining('--target') },
    { code: 'E_SOURCE_AUTH', severity: 'error', fix: expect.stringContaining('--source') },
  ]);
  expect(JSON.stringify(findings)).not.toContain(secret);
  const refused = await preflight(configFor(bad.source, bad.target)).catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({
    code: 'E_CHECK',
    message: expect.stringMatching(/E_TARGET_AUTH[\s\S]*E_SOURCE_AUTH/),
  });
  expect(String(refused)).not.toContain(secret);
});

test.each([
  ['E_SOURCE_UNREACHABLE', (url: URL) => (url.port = '1')],
  ['E_SOURCE_DATABASE', (url: URL) => (url.pathname = '/nowhere')],
  ['E_SOURCE_AUTH', (url: URL) => (url.username = 'nobody')],
])('a source that gives %s stops a run with that code', async (code, spoil) => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  const url = new URL(source.url);
  spoil(url);
  await expect(preflight(configFor(url.href, target.url))).rejects.toMatchObject({ code });
});

test('servers that are both away are tried again', async () => {
  const config = configFor('postgres://a@127.0.0.1:1/a', 'mysql://root@127.0.0.1:1/a');
  expect(codes(await check(config))).toEqual(['E_TARGET_UNREACHABLE', 'E_SOURCE_UNREACHABLE']);
  await expect(preflight(config)).rejects.toMatchObject({ code: 'E_TARGET_UNREACHABLE' });
});

test('every finding of both sides at once, and nothing is changed', async () => {
  await using source = await createPostgresDatabase();
  await using target = await createDoltDatabase();
  await source.sql(
    `${SHOP}; create table history (id int); create table hidden (id int primary key); alter table hidden enable row level security`,
  );
  await target.sql('create table theirs (id int primary key)');
  await using role = await createRole(source);
  const before = await target.sql('select name, hash, dirty from dolt_branches');
  const config = configFor(role.url, target.url, { slot: source.name, publication: source.name });

  const findings = await check(config);
  expect(errorsOf(findings)).toEqual([
    'publication_privilege',
    'replica_identity',
    'schema_privilege',
    'select_privilege',
    'row_security',
    'replication_role',
    'E_TARGET_FOREIGN',
  ]);
  expect(findings.every(({ fix }) => fix !== undefined)).toBe(true);
  await expect(preflight(config)).rejects.toMatchObject({
    code: 'E_CHECK',
    message: expect.stringContaining('GRANT USAGE ON SCHEMA'),
  });

  expect(await target.sql('select name, hash, dirty from dolt_branches')).toEqual(before);
  expect(await source.sql('select 1 from pg_publication')).toEqual([]);
  expect(await source.sql('select 1 from pg_replication_slots where database = current_database()')).toEqual([]);

  for (const finding of findings) if (finding.code !== 'E_TARGET_FOREIGN') await applyFix(finding, source.sql);
  const url = /mysql:.*/.exec(the('E_TARGET_FOREIGN', findings).fix ?? '')?.[0] ?? '';
  expect(await check(configFor(role.url, url, { slot: source.name, publication: source.name }))).toEqual([]);
});

test('a target of another source: another server, slot, publication or database', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(SHOP);
  await drain(source.url, target.url, { slot: source.name, publication: source.name });

  const slot = await check(configOf(source, target, { slot: `${source.name}_2` }));
  expect(slot).toMatchObject([
    { code: 'E_OTHER_SOURCE', message: expect.stringContaining(`slot ${source.name}, now ${source.name}_2`) },
  ]);
  expect(await check(configOf(source, target, { publication: 'other' }))).toMatchObject([
    { code: 'E_OTHER_SOURCE', message: expect.stringContaining(`publication ${source.name}, now other`) },
  ]);
  await using other = await createPostgresDatabase();
  await other.sql(SHOP);
  const database = await check(configFor(other.url, target.url, { slot: source.name, publication: source.name }));
  expect(the('E_OTHER_SOURCE', database).message).toContain(`database ${source.name}, now ${other.name}`);
  await expect(preflight(configOf(source, target, { publication: 'other' }))).rejects.toMatchObject({
    code: 'E_OTHER_SOURCE',
  });
});

test('a run that is going on is nothing to put right', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(SHOP);
  await using running = startRun(source.url, target.url, { slot: source.name, publication: source.name });
  await expect
    .poll(() => check(configOf(source, target)), { timeout: 20_000 })
    .toEqual([
      expect.objectContaining({
        severity: 'info',
        code: 'running',
        message: expect.stringMatching(
          /^A run is going on, and writes the target\. The slot .* is being read by process/,
        ),
      }),
    ]);
  await running.stop();
  await expect.poll(() => check(configOf(source, target))).toEqual([]);
});

test('a slot that is gone, advanced, or in use', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(SHOP);
  await drain(source.url, target.url, { slot: source.name, publication: source.name });
  const config = configOf(source, target);

  const reader = new pg.Client({ connectionString: source.url, replication: 'database' } as pg.ClientConfig); // the driver passes it on
  reader.on('error', () => {});
  await reader.connect();
  reader
    .query(
      `START_REPLICATION SLOT "${source.name}" LOGICAL 0/0 (proto_version '1', publication_names '${source.name}')`,
    )
    .catch(() => {});
  await expect.poll(async () => codes(await check(config))).toEqual(['E_SLOT_IN_USE']);
  expect(codes(await preflight(config))).toEqual(['E_SLOT_IN_USE']); // the run waits a while for it
  await reader.end();
  await expect.poll(() => check(config)).toEqual([]);

  await source.sql(`insert into orders values (1, 'lost')`);
  await source.sql(`select pg_replication_slot_advance('${source.name}', pg_current_wal_lsn())`);
  expect(codes(await check(config))).toEqual(['E_SLOT_ADVANCED']);
  await source.sql(`select pg_drop_replication_slot('${source.name}')`);
  await expect(preflight(config)).rejects.toMatchObject({ code: 'E_SLOT_MISSING' });
});

test('a target that cannot be read does not make our own slot a stranger', async () => {
  await using source = await createPostgresDatabase();
  await source.sql(SHOP);
  await source.sql(`select pg_create_logical_replication_slot('${source.name}', 'pgoutput')`);
  const config = configFor(source.url, 'mysql://root@127.0.0.1:1/a', { slot: source.name, publication: source.name });
  expect(codes(await check(config))).toEqual(['E_TARGET_UNREACHABLE']);
  const reached = configFor(source.url, `${inject('doltUrl')}/nothing_here`, {
    slot: source.name,
    publication: source.name,
  });
  expect(codes(await check(reached))).toEqual(['E_SLOT_EXISTS']);
});

test('tables that the publication carries no more, and tables without columns', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(`create table a (id int primary key); create table b (id int primary key); create table c (id int primary key);
    create publication ${source.name} for table a, b, c`);
  const ddl = 'relations'; // event triggers would tell
  await drain(source.url, target.url, { slot: source.name, publication: source.name, ddl });
  await source.sql(`alter publication ${source.name} drop table b; drop table c`);
  const config = configOf(source, target, { ddl });
  const findings = await check(config);
  expect(findings).toMatchObject([
    { code: 'not_published', severity: 'info' },
    { code: 'E_PUBLICATION_CHANGED', severity: 'error', message: expect.stringContaining('public.b,') },
    { code: 'table_dropped', severity: 'warning', message: expect.stringContaining('public.c') },
  ]);
  await source.sql(`alter publication ${source.name} add table b`);
  expect(await check(config)).toMatchObject([
    { code: 'E_PUBLICATION_CHANGED', message: expect.stringContaining('public.b: the table left it and came back') },
    { code: 'table_dropped' },
  ]);

  await source.sql('create table nothing ()');
  await using other = createDoltDatabaseName();
  const empty = await check(configOf(source, other, { slot: 'other', publication: 'other', tables: ['nothing'] }));
  expect(empty).toMatchObject([
    { code: 'replica_identity' },
    { code: 'no_columns', severity: 'warning', message: expect.stringContaining('public.nothing') },
  ]);

  await source.sql('drop table nothing; create table d (id int primary key, v text)');
  const settings = { slot: 'other', publication: 'other', tables: { 'public.d': { exclude: ['id'] } } };
  expect(await check(configOf(source, other, settings))).toMatchObject([
    { code: 'E_CONFIG', message: expect.stringContaining('public.d') },
  ]);
  await source.sql('alter table d replica identity full');
  expect(codes(await check(configOf(source, other, settings)))).toEqual([]);
});

test('what a crash left uncommitted in the bookkeeping is nothing that a start looks at', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql('create table a (id int primary key, v text)');
  const settings = { slot: source.name, publication: source.name };
  await drain(source.url, target.url, settings);
  const staging = await target.connect('wal2dolt');
  await staging.query('delete from wal2dolt_columns');
  await staging.end();
  expect(codes(await check(configOf(source, target)))).toEqual([]);
  await source.sql(`insert into a values (1, 'a')`);
  await drain(source.url, target.url, settings);
  expect(await target.sql('select * from a')).toEqual([{ id: 1, v: 'a' }]);
});

test('a migration that holds its lock does not hold up a run that streams', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(`create table t (id int primary key, at timestamptz default now(), n int default 3 check (n > 0))`);
  await drain(source.url, target.url);
  await source.sql('insert into t (id) values (1)');
  const migration = await source.client();
  await migration.query('begin; lock table t in access exclusive mode');
  await drain(source.url, target.url);
  expect(await target.sql('select id from t')).toEqual([{ id: 1 }]);
  await migration.query('rollback');
});
