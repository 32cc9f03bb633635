import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase, startPostgres } from '../support/postgres.js';
import { startRun } from '../support/run.js';
import { FAST, failure } from '../support/streamed.js';

/*
 * A transaction is sent as soon as it is in the WAL. Nobody else in Postgres sees it, nor what it did to the catalog, before
 * its commit is over, and that waits for a synchronous standby.
 */
it.each([
  ['a new table', 'create table n (id int primary key); insert into n values (7)', '[{"id":7}]'],
  // The row may have come before the change.
  [
    'a column that was dropped and added again',
    'alter table t drop c, add c int default 5; insert into t values (2, 20)',
    'E_SCHEMA_AMBIGUOUS: public.t: the table was changed again since, or it is not known when, so that the column c may be the former c or a new column',
  ],
])('%s is looked at in the catalog when it is there', async (_what, statements, expected) => {
  await using server = await startPostgres();
  await using source = await createPostgresDatabase('shop', server);
  await using target = createDoltDatabaseName();
  await source.sql('create table t (id int primary key, c int); insert into t values (1, 10)');
  await using running = startRun(source.url, target.url, { ...FAST, ddl: 'relations' });
  await expect.poll(() => target.sql('select id from t').catch(() => [])).toHaveLength(1);

  const standbys = async (names: string): Promise<void> => {
    await source.sql(`alter system set synchronous_standby_names = '${names}'`);
    await source.sql('select pg_reload_conf()');
    await expect
      .poll(() => source.sql('show synchronous_standby_names'))
      .toEqual([{ synchronous_standby_names: names }]);
  };
  await standbys('standby');
  const session = await source.client();
  const committed = session.query(`begin; ${statements}; commit`);
  await expect.poll(() => source.sql(`select from pg_stat_activity where wait_event = 'SyncRep'`)).toHaveLength(1);
  await sleep(1_500); // it has been sent
  await standbys('');
  await committed;
  if (expected.startsWith('E_')) return expect(await failure(running)).toBe(expected);
  const rows = async (): Promise<string> =>
    JSON.stringify(await target.sql('select * from n order by id').catch(() => []));
  await Promise.race([expect.poll(rows).toBe(expected), running.ended]);
});
