import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createPostgresDatabase, postgresVersion, startPostgres } from '../../test/support/postgres.js';
import { applyFix, checkSourceAt, codes, the } from '../../test/support/preflight.js';
import { checkReplicationConnection } from './preflight.js';

/** What ALTER SYSTEM wrote for the next start; these servers get their own settings on the command line, which wins. */
const PENDING = `select name, setting from pg_file_settings where sourcefile like '%auto.conf' order by name`;

test('a server that is not set up for replication, or has nothing left of it', async () => {
  await using server = await startPostgres({ wal_level: 'replica', max_replication_slots: 1, max_wal_senders: 1 });
  await using source = await createPostgresDatabase('source', server);
  await source.sql(`create table a (id int primary key); select pg_create_physical_replication_slot('standby')`);
  const sender = new pg.Client({ connectionString: source.url, replication: 'database' } as pg.ClientConfig); // the driver passes it on
  await sender.connect();

  const { findings: refused, system } = await checkReplicationConnection(source.url);
  expect(system).toBeNull();
  const findings = [...(await checkSourceAt(source)), ...refused];
  expect(codes(findings)).toEqual(['wal_level', 'max_replication_slots', 'max_wal_senders']);
  expect(findings.every((finding) => finding.severity === 'error')).toBe(true);
  expect(the('max_replication_slots', findings).fix).toContain(`'standby'`);

  for (const finding of findings) await applyFix(finding, source.sql);
  expect(await source.sql(PENDING)).toEqual([
    { name: 'max_replication_slots', setting: '11' },
    { name: 'max_wal_senders', setting: '11' },
    { name: 'wal_level', setting: 'logical' },
  ]);
  await sender.end();
  await source.sql(`select pg_drop_replication_slot('standby')`);
  await expect.poll(async () => (await checkReplicationConnection(source.url)).findings).toEqual([]);
  expect(codes(await checkSourceAt(source))).toEqual(['wal_level']);
});

test('settings that endanger the stream', async () => {
  await using server = await startPostgres({ synchronous_commit: 'local' });
  await using source = await createPostgresDatabase('source', server);
  await source.sql('create table a (id int primary key)');
  const [role] = await source.sql('select current_user as name');
  await source.sql(`alter system set max_slot_wal_keep_size = '1GB'`);
  await source.sql(`alter system set synchronous_standby_names = 'FIRST 1 (*)'`);
  if (postgresVersion() >= 18) await source.sql(`alter system set idle_replication_slot_timeout = '1d'`);
  await source.sql('select pg_reload_conf()');
  await source.sql(`alter role ${role?.name} set wal_sender_timeout = '5s'`);

  const expected = [
    'max_slot_wal_keep_size',
    ...(postgresVersion() >= 18 ? ['idle_replication_slot_timeout'] : []),
    'wal_sender_timeout',
    'synchronous_standby',
  ];
  await expect.poll(async () => codes(await checkSourceAt(source))).toEqual(expected);
  const findings = await checkSourceAt(source);
  expect(findings.every((finding) => finding.severity === 'warning')).toBe(true);
  expect(findings[0]?.message).toContain('1GB');
  for (const finding of findings) if (finding.fix) await applyFix(finding, source.sql);
  await expect.poll(async () => codes(await checkSourceAt(source))).toEqual(['synchronous_standby']);
  await source.sql(`alter system set synchronous_standby_names = 'FIRST 1 (replica_a)'`);
  await source.sql('select pg_reload_conf()');
  await expect.poll(async () => checkSourceAt(source)).toEqual([]);
});

test('transactions that the creation of the slot would wait for', async () => {
  await using server = await startPostgres({ max_prepared_transactions: 5 });
  await using source = await createPostgresDatabase('source', server);
  await using other = await createPostgresDatabase('other', server);
  await source.sql('create table a (id int primary key); create publication wal2dolt for all tables');
  await source.sql(`begin; insert into a values (1); prepare transaction 'it''s'`);
  const open = await other.client();
  await open.query('begin; select pg_current_xact_id()');
  const ended = new Promise((resolve) => open.once('error', resolve));

  expect(codes(await checkSourceAt(source))).toEqual(['prepared_transactions']);
  const findings = await checkSourceAt(source, { slotTimeoutMs: 1 });
  expect(codes(findings)).toEqual(['open_transactions', 'prepared_transactions']);
  expect(findings.every((finding) => finding.severity === 'warning')).toBe(true);
  await applyFix(the('open_transactions', findings), source.sql);
  await ended;
  await expect
    .poll(async () => codes(await checkSourceAt(source, { slotTimeoutMs: 1 })))
    .toEqual(['prepared_transactions']);
  await applyFix(the('prepared_transactions', findings), source.sql);
  expect(await checkSourceAt(source, { slotTimeoutMs: 1 })).toEqual([]);

  await source.sql(`select pg_create_logical_replication_slot('source', 'pgoutput')`);
  await source.sql(`begin; insert into a values (1); prepare transaction 'in use'`);
  expect(await checkSourceAt(source, { slotState: 'kept' })).toMatchObject([
    { code: 'prepared_transactions', severity: 'info' },
  ]);
  await source.sql(`rollback prepared 'in use'`);
});

test('a slot whose WAL Postgres removed, and one that is about to lose it', async () => {
  await using server = await startPostgres({
    max_slot_wal_keep_size: '1MB',
    min_wal_size: '32MB',
    max_wal_size: '32MB',
  });
  await using source = await createPostgresDatabase('source', server);
  await source.sql('create table a (id int primary key, t text); create publication wal2dolt for all tables');
  await source.sql(`select pg_create_logical_replication_slot('source', 'pgoutput')`);
  const seen = new Set<string>();
  for (let i = 0; i < 6 && !seen.has('E_SLOT_LOST'); i++) {
    await source.sql(
      `select pg_logical_emit_message(false, 'filler', repeat('x', 1000000)) from generate_series(1, 17); select pg_switch_wal()`,
    );
    for (const code of codes(await checkSourceAt(source, { slotState: 'kept' }))) seen.add(code);
    await source.sql('checkpoint');
    for (const code of codes(await checkSourceAt(source, { slotState: 'kept' }))) seen.add(code);
  }
  expect([...seen].sort()).toEqual(['E_SLOT_LOST', 'max_slot_wal_keep_size', 'slot_unreserved']);
});

test('a standby', async () => {
  await using server = await startPostgres({ hot_standby_feedback: 'off' });
  await using source = await createPostgresDatabase('source', server);
  await source.sql('create table a (id int primary key)');
  await server.stop();
  await writeFile(join(server.folder, 'data', 'standby.signal'), '');
  await server.start();
  await source.sql('select 1').catch(() => {}); // its connection is gone
  const findings = await checkSourceAt(source);
  if (postgresVersion() < 16) {
    expect(findings[0]).toMatchObject({ code: 'standby', severity: 'error' });
  } else {
    expect(codes(findings)).toEqual(['standby', 'hot_standby_feedback', 'publication_missing']);
    expect(findings.map((finding) => finding.severity)).toEqual(['info', 'warning', 'error']);
    await applyFix(the('hot_standby_feedback', findings), source.sql);
    expect(await source.sql(PENDING)).toEqual([{ name: 'hot_standby_feedback', setting: 'on' }]);
  }
  await server.stop(); // nothing can be dropped on it
});

test('a slot on standbys', async () => {
  await using server = await startPostgres();
  await using source = await createPostgresDatabase('source', server);
  await source.sql(`create table a (id int primary key); select pg_create_physical_replication_slot('standby')`);
  if (postgresVersion() < 17) {
    expect(await checkSourceAt(source, { failover: true })).toMatchObject([
      { code: 'slot_failover', severity: 'error' },
    ]);
    return;
  }
  expect(await checkSourceAt(source)).toEqual([]);
  const standby = new pg.Client({ connectionString: source.url, replication: 'true' } as pg.ClientConfig); // the driver passes it on
  standby.on('error', () => {});
  await standby.connect();
  standby.query('START_REPLICATION SLOT standby PHYSICAL 0/1000000').catch(() => {});
  await expect
    .poll(async () => checkSourceAt(source))
    .toMatchObject([{ code: 'slot_failover', severity: 'info', fix: 'slotFailover: true' }]);
  expect(await checkSourceAt(source, { failover: true })).toEqual([]);
  await standby.end().catch(() => {});
});
