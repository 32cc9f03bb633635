import { expect, it } from 'vitest';
import { differences, doltContents, postgresContents } from './support/compare.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { drain } from './support/run.js';

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
