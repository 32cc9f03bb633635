import { expect, it } from 'vitest';
import { differences, doltContents, postgresContents } from './support/compare.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
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
