import { expect, it } from 'vitest';
import { parseLsn as lsnOf } from '../src/core/position.js';
import { differences, doltContents, postgresContents } from './support/compare.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase, startPostgres } from './support/postgres.js';
import { drain, startRun } from './support/run.js';

it('knows its own advance of the slot over WAL of no interest, run after run', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql('create table t (id int primary key)');
  await drain(source.url, target.url);
  const confirmed = async (): Promise<string> => {
    const [slot] = await source.sql('select confirmed_flush_lsn as lsn from pg_replication_slots where database = $1', [
      source.name,
    ]);
    return slot?.lsn;
  };
  const first = await confirmed();
  for (const run of [1, 2]) {
    await source.sql(`create temp table scratch_${run} as select 1 as a`);
    await drain(source.url, target.url);
  }
  expect(await confirmed()).not.toBe(first);
  for (const run of [3, 4]) {
    // After a commit of the same run.
    await source.sql(`insert into t values (${run})`);
    await source.sql(`create temp table scratch_${run} as select 1 as a`);
    await drain(source.url, target.url);
  }
  expect(differences(await doltContents(target.url), await postgresContents(source.url, target.url))).toEqual([]);
  // Nothing of the idle runs left a commit.
  expect(await target.sql('select count(*) as n from dolt_log')).toEqual([{ n: 4 }]);
});

it('lets Postgres forget WAL of no interest while it runs, and is not taken aback by that', async () => {
  await using source = await createPostgresDatabase();
  await using elsewhere = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(`
    create table t (id int primary key); insert into t values (1);
    create table busy (id int primary key, v int); insert into busy values (1, 0);
    create unlogged table quick (id int)`);
  // Postgres asks for an answer after half of its timeout; what is sent unasked waits for ten seconds.
  const url = `${source.url}?options=-c%20wal_sender_timeout%3D1s`;
  const settings = { tables: ['t'] };
  await drain(url, target.url, settings);
  const confirmed = async (): Promise<string> =>
    (
      await source.sql('select confirmed_flush_lsn as lsn from pg_replication_slots where slot_name = $1', [
        source.name,
      ])
    )[0]?.lsn;
  const traffic: [string, () => Promise<unknown>][] = [
    ['a table that is not published', () => source.sql('update busy set v = v + 1')],
    ['a message of someone else', () => source.sql("select pg_logical_emit_message(true, 'theirs', 'x')")],
    ['an unlogged table', () => source.sql('insert into quick values (1)')],
    ['another database', () => elsewhere.sql('create table if not exists t (id int); insert into t values (1)')],
  ];
  for (const [what, write] of traffic) {
    {
      await using running = startRun(url, target.url, settings);
      const active = 'select active from pg_replication_slots where slot_name = $1';
      await expect.poll(async () => (await source.sql(active, [source.name]))[0]?.active).toBe(true);
      for (let i = 0; i < 20; i += 1) await write();
      const [now] = await source.sql('select pg_current_wal_lsn() as lsn');
      const reached = async (): Promise<boolean> =>
        (await source.sql('select $1::pg_lsn >= $2 as reached', [await confirmed(), now?.lsn]))[0]?.reached;
      await expect.poll(reached, { message: what, timeout: 10_000, interval: 100 }).toBe(true);
      await running.stop();
    }
    // The slot stands where no commit of ours does: that is no sign of somebody else.
    await source.sql('insert into t select max(id) + 1 from t');
    await drain(url, target.url, settings);
  }
  expect(await target.sql('select count(*) as n from t')).toEqual([{ n: 5 }]);
  // One commit for each of the inserts: none for what was of no interest.
  expect(await target.sql('select count(*) as n from dolt_log')).toEqual([{ n: 6 }]);
});

it('misses nothing that commits exactly where the run before has ended', async () => {
  // A server of its own: on the shared one, others write between the two.
  await using server = await startPostgres();
  await using source = await createPostgresDatabase('adjacent', server);
  await using target = createDoltDatabaseName();
  await source.sql('create table t (id int primary key)');
  await drain(source.url, target.url);
  const [first, second] = [await source.client(), await source.client()];
  const position = async (): Promise<string> => (await source.sql('select pg_current_wal_insert_lsn() as lsn'))[0]?.lsn;
  let adjacent = false;
  for (let id = 1; !adjacent && id < 40; id += 2) {
    await first.query(`begin; insert into t values (${id})`);
    await second.query(`begin; insert into t values (${id + 1})`);
    await first.query('commit');
    const between = await position();
    await second.query('commit');
    const after = await position();
    await drain(source.url, target.url, { until: between });
    expect(await target.sql(`select id from t where id >= ${id}`)).toEqual([{ id }]);
    await drain(source.url, target.url, { transactions: true });
    expect(await target.sql(`select id from t where id >= ${id} order by id`)).toEqual([{ id }, { id: id + 1 }]);
    // A commit record is short: nothing else was written between the two.
    adjacent = Number(lsnOf(after) - lsnOf(between)) < 100;
  }
  expect(adjacent).toBe(true);
});

it('shows no part of a transaction, however long it is under way', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql('create table small (id int primary key); create table large (id int primary key, v text)');
  await drain(source.url, target.url);
  await source.sql('insert into small values (1)');
  await source.sql(`insert into large select n, repeat('x', 100) from generate_series(1, 20000) n`);
  await source.sql('insert into small values (2)');
  // Time and size are over in the middle of the long transaction, which has to be written in parts.
  await drain(source.url, target.url, { commit: { maxDelay: '100ms', maxBytes: '200kB' } });
  const commits = await target.sql('select commit_hash from dolt_log order by commit_order');
  const counts: number[] = [];
  for (const { commit_hash } of commits.slice(2)) {
    const [count] = await target.sql(`select count(*) as n from large as of '${commit_hash}'`);
    counts.push(count?.n);
  }
  expect(counts.length).toBeGreaterThan(0);
  expect(counts.filter((n) => n !== 0 && n !== 20_000)).toEqual([]);
});
