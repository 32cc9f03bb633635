import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectReplication } from '../src/postgres/client.js';
import { type BuiltCli, buildCli } from './support/built-cli.js';
import { startChild } from './support/child.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from './support/postgres.js';
import { drain } from './support/run.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

/** What a stop may take on a busy machine. */
const SECONDS = 3_000;
/** What a start may take there until it waits: its checks wait for locks too, each for a while. */
const STARTED = { timeout: 60_000 };

/** A consumer that reads the slot, and never says that it is there. */
async function occupy(source: PostgresDatabase): Promise<pg.Client> {
  const client = await connectReplication(source.url, 'occupier');
  const options = `(proto_version '1', publication_names 'wal2dolt')`;
  client.query(`START_REPLICATION SLOT ${source.name} LOGICAL 0/0 ${options}`).catch(() => {});
  const active = 'select active from pg_replication_slots where slot_name = $1';
  while (!(await source.sql(active, [source.name]))[0]?.active) await sleep(50);
  return client;
}

describe.concurrent('a slot that is in use', () => {
  it('is waited for until the server gives up its consumer', { timeout: 120_000 }, async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table t (id int primary key)');
    await drain(source.url, target.url);
    await source.sql(`alter database ${source.name} set wal_sender_timeout = '33s'`);
    const started = Date.now();
    const occupier = await occupy(source);
    const order: string[] = [];
    occupier.once('end', () => order.push('given up'));
    await source.sql('insert into t values (1)');
    await drain(source.url, target.url);
    order.push('drained');
    expect(order).toEqual(['given up', 'drained']);
    expect(Date.now() - started).toBeGreaterThan(30_000);
    expect(await target.sql('select id from t')).toEqual([{ id: 1 }]);
  });

  it('is told, once, and a signal ends the waiting', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table t (id int primary key)');
    await drain(source.url, target.url);
    const occupier = await occupy(source);
    const [slot] = await source.sql('select active_pid as pid from pg_replication_slots where slot_name = $1', [
      source.name,
    ]);
    await using child = startChild(cli, source.url, target.url, { slot: source.name });
    const line = await child.logged(/^the slot is in use/);
    expect(line).toMatchObject({ level: 'info', pid: slot?.pid, seconds: 70 });
    await sleep(1_200);
    child.signal('SIGTERM');
    const ending = await child.end();
    expect(ending).toMatchObject({ code: 0 });
    expect(ending.ms).toBeLessThan(SECONDS);
    expect(child.log.filter(({ msg }) => /^the slot is in use/.test(msg))).toHaveLength(1);
    await occupier.end().catch(() => {});
  });
});

describe('a signal ends a start that waits for', () => {
  /** Everything of ours on that database, once it had the time to end. */
  const leftovers = `select application_name, query from pg_stat_activity where datname = current_database() and application_name like 'wal2dolt%'`;

  it.each([
    // Held by another session, and the statement of ours that it holds up.
    ['a lock on a table', 'lock table t', { tables: 't' }, /^CREATE PUBLICATION/],
    // An autovacuum just before lets this be the next case.
    ['a lock on the catalog', 'lock table pg_catalog.pg_publication', {}, /publication|^$/],
    ['a connection', 'lock table pg_catalog.pg_publication', {}, /^$/],
    ['an open transaction', 'insert into t values (1)', {}, /^CREATE_REPLICATION_SLOT/],
  ] as const)('%s', async (what, statement, settings, waiting) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table t (id int primary key)');
    const holder = await source.client();
    // Throws the file away from which a new session has the catalog's tables: it opens all of them, before it has a name.
    if (what === 'a connection') await holder.query('analyze pg_class');
    await holder.query(`begin; ${statement}`);
    await using child = startChild(cli, source.url, target.url, { slot: source.name, ...settings });
    const locked = `select coalesce(a.query, '') as query from pg_locks l left join pg_stat_activity a using (pid)
      where not l.granted and coalesce(l.database, a.datid) = (select oid from pg_database where datname = current_database())
      and coalesce(a.application_name, '') in ('', 'wal2dolt', 'wal2dolt snapshot')`;
    await expect.poll(async () => (await source.sql(locked))[0]?.query, STARTED).toMatch(waiting);
    child.signal('SIGTERM');
    const ending = await child.end();
    expect(ending).toMatchObject({ code: 0 });
    expect(ending.ms).toBeLessThan(SECONDS);
    await expect.poll(() => source.sql(leftovers)).toEqual([]);
    expect(await source.sql('select slot_name from pg_replication_slots where database = current_database()')).toEqual(
      [],
    );
    await holder.query('rollback');
    await drain(source.url, target.url, settings);
  });

  it('the check', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table t (id int primary key)');
    const holder = await source.client();
    await holder.query('begin; lock table pg_catalog.pg_publication');
    await using child = startChild(cli, source.url, target.url, { slot: source.name });
    const locked = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(() => source.sql(locked), STARTED).toHaveLength(1);
    child.signal('SIGTERM');
    expect(await child.end()).toMatchObject({ code: 0 });
    // It would have given up by itself after a while, and said so.
    expect(child.log.filter(({ code }) => code === 'locked')).toEqual([]);
    await holder.query('rollback');
  });
});

it.each([
  ['in the stream', 't'],
  ['beside the stream', 'large'],
])('a signal ends a copy %s that waits for a lock', async (_, table) => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql('create table t (id int primary key)');
  for (const [name, rows] of Object.entries({ large: 9_000, larger: 12_000 })) {
    await source.sql(`create table ${name} (id int primary key, body text); alter table ${name} alter body set storage external;
      insert into ${name} select i, repeat(md5(i::text), 125) from generate_series(1, ${rows}) i`);
  }
  await drain(source.url, target.url);
  await using child = startChild(cli, source.url, target.url, { slot: source.name, copyConnections: 1 });
  await child.logged('streaming');
  const holder = await source.client();
  const side = `select 1 from pg_replication_slots
    where slot_name like '%\\_side\\_%' and confirmed_flush_lsn is not null and database = current_database()`;
  if (table === 't') await holder.query('begin; lock table t');
  await source.sql(`select pg_logical_emit_message(true, 'wal2dolt.resync',
    '{"publication":"wal2dolt","tables":["public.${table}", "public.larger"]}')`);
  if (table === 'large') {
    // It is copied after the larger one.
    await expect.poll(() => source.sql(side), { interval: 2 }).toHaveLength(1);
    await holder.query('begin; lock table large');
  }
  const locked = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(() => source.sql(locked), STARTED).toHaveLength(1);
  child.signal('SIGTERM');
  const ending = await child.end();
  expect(ending).toMatchObject({ code: 0 });
  expect(ending.ms).toBeLessThan(SECONDS);
  await expect.poll(() => source.sql(locked)).toEqual([]);
  await holder.query('rollback');
});
