import { expect, it } from 'vitest';
import { isPart } from '../../src/core/message.js';
import { MODES } from '../support/ddl-case.js';
import { createDoltDatabaseName, type DoltDatabase } from '../support/dolt.js';
import { createPostgresDatabase } from '../support/postgres.js';
import { drain } from '../support/run.js';
import { expectSame, FAST } from '../support/streamed.js';

/*
 * `AS OF` a time finds the newest commit that is not later: never one in the middle of a transaction, where a table may be empty.
 */

interface Dated {
  readonly hash: string;
  readonly message: string;
  readonly date: string;
}

/** The oldest first. */
async function history(target: DoltDatabase): Promise<Dated[]> {
  const rows = await target.sql(
    `select commit_hash as hash, message, date_format(date, '%Y-%m-%d %H:%i:%s.%f') as date from dolt_log order by commit_order`,
  );
  return rows.map(({ hash, message, date }) => ({ hash: String(hash), message: String(message), date: String(date) }));
}

/** Every part of a transaction has the date of the commit that completes it. Returns how many parts there are. */
async function expectNoPartIsFound(target: DoltDatabase): Promise<number> {
  const commits = await history(target);
  let parts = 0;
  for (const [i, { message, date }] of commits.entries()) {
    if (!isPart(message)) continue;
    parts += 1;
    const state = commits.slice(i).find((later) => !isPart(later.message));
    expect([message, date]).toEqual([message, state?.date]);
    // What is found for that very time is what the transaction came to.
    const found = `select count(*) as n from t as of timestamp('${date}')`;
    expect(await target.sql(found)).toEqual(await target.sql(`select count(*) as n from t as of '${state?.hash}'`));
  }
  return parts;
}

const settingsOf = (ddl: string) => ({ ...FAST, ddl, commit: { maxTransactions: 1 } });

const SOURCE = `create table t (id int primary key, v text); insert into t select i, 'v' from generate_series(1, 9) i;
  create table other (id int primary key)`;

it('a table that a command copies has its rows at any time', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(SOURCE);
  await drain(source.url, target.url, settingsOf('triggers'));
  await source.sql(`begin; update t set v = 'before' where id = 1; alter table t add r float8 default random();
    insert into t (id) values (11); alter table t rename v to w; update t set w = 'after' where id = 2; commit`);
  // What commits before the copy's place in the WAL is shown together with it.
  for (let i = 0; i < 5; i += 1) await source.sql(`insert into other values (${i}); select pg_sleep(0.02)`);
  await drain(source.url, target.url, settingsOf('triggers'));
  await expectSame(source, target);
  expect(await expectNoPartIsFound(target)).toBeGreaterThan(1);
});

it.each(MODES)('a table that is copied since somebody asked has its rows at any time (%s)', async (ddl) => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(SOURCE);
  await drain(source.url, target.url, settingsOf(ddl));
  await source.sql(`select pg_logical_emit_message(true, 'wal2dolt.resync', '{"publication":"wal2dolt","tables":["public.t"]}');
    alter table t alter v type varchar(100), add note text; insert into t values (10)`);
  for (let i = 0; i < 5; i += 1) await source.sql(`insert into other values (${i}); select pg_sleep(0.02)`);
  await drain(source.url, target.url, settingsOf(ddl));
  await expectSame(source, target);
  expect(await expectNoPartIsFound(target)).toBeGreaterThan(0);
  const dates = (await history(target)).map(({ date }) => date);
  expect(dates.slice(1)).toEqual(dates.slice(1).sort());
});
