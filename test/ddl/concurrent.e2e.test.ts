import { describe, expect, it } from 'vitest';
import { MODES } from '../support/ddl-case.js';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase } from '../support/postgres.js';
import { drain } from '../support/run.js';
import { expectSame } from '../support/streamed.js';

it('commands that do not lock each other out, in transactions that overlap', { timeout: 60_000 }, async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(
    "create type mood as enum ('a'); create table t (id int primary key, m mood); insert into t values (1, 'a')",
  );
  await drain(source.url, target.url);
  const first = await source.client();
  await first.query('begin');
  await first.query("alter type mood add value 'b'");
  await source.sql('alter table t add column k int default 5');
  await first.query('commit');
  await source.sql("insert into t values (2, 'b', 6)");
  await drain(source.url, target.url);
  await expectSame(source, target);
  expect(await target.sql('select k from t order by id')).toEqual([{ k: 5 }, { k: 6 }]);
});

it('an empty table of a transaction that is open while a run ends, and others come after it', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql('create table t (id int primary key)');
  await drain(source.url, target.url);
  const first = await source.client();
  await first.query('begin; create table made (id int primary key)');
  await source.sql('insert into t values (1)');
  await drain(source.url, target.url);
  await first.query('commit');
  await drain(source.url, target.url);
  await expectSame(source, target);
  expect(await target.sql('select id from made')).toEqual([]);
});

describe('an older transaction, which ends later, announces the name that it saw', () => {
  it.each(MODES)('of a partitioned table whose partition it wrote (%s)', async (ddl) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`create table log (id int, part int, primary key (id, part)) partition by list (part);
      create table log_0 partition of log for values in (0); create table log_1 partition of log for values in (1)`);
    await drain(source.url, target.url, { ddl });
    const older = await source.client();
    await older.query('begin; insert into log_0 values (0, 0); rollback'); // the next one does not lock the root
    await older.query('begin; insert into log_0 values (1, 0)');
    await source.sql('set lock_timeout = 5000; alter table log rename to events; insert into events values (2, 1)');
    await older.query('commit');
    await source.sql('insert into events values (3, 0)');
    await drain(source.url, target.url, { ddl });
    await expectSame(source, target);
    expect(await target.sql('select id from events')).toHaveLength(3);
  });

  it('of a schema', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create schema north; create table north.t (id int primary key)');
    await drain(source.url, target.url);
    const older = await source.client();
    await older.query('begin; insert into north.t values (1)');
    await source.sql('alter schema north rename to south');
    await older.query('commit');
    await source.sql('insert into south.t values (2)');
    await drain(source.url, target.url);
    await expectSame(source, target);
    expect(await target.sql('select id from south__t')).toHaveLength(2);
  });
});

it('a partitioned table whose new name is not selected is left alone, until it has another one', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(`create table log (id int, part int, primary key (id, part)) partition by list (part);
    create table log_0 partition of log for values in (0); insert into log values (0, 0);
    create table other (id int primary key)`);
  const settings = { tables: ['*', '!hidden'] };
  await drain(source.url, target.url, settings);
  await source.sql('insert into log values (1, 0)');
  await source.sql('alter table log rename to hidden');
  await source.sql('insert into hidden values (2, 0)');
  await drain(source.url, target.url, settings);
  expect(await target.sql('select id from log')).toHaveLength(2);
  await source.sql('insert into hidden values (3, 0)');
  await source.sql('alter table hidden rename to events');
  await source.sql('insert into events values (4, 0)');
  await drain(source.url, target.url, settings);
  expect(await target.sql('select id from events')).toHaveLength(5);
});
