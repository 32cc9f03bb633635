import { describe, it } from 'vitest';
import { expectAsCopied } from '../support/ddl-fresh.js';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase } from '../support/postgres.js';
import { drain } from '../support/run.js';
import { FAST } from '../support/streamed.js';

const WITH_TRIGGERS = { ...FAST, ddl: 'triggers' };

const TABLES = `create table fruit (id int primary key, name text); insert into fruit values (1, 'apple'), (2, 'pear');
  create table veg (id int primary key, name text); insert into veg values (1, 'leek')`;

/** Each is one transaction that nobody tells of, with a row after it. */
const CHANGES = [
  `alter table fruit add column n int default 5; insert into fruit values (3, 'fig', 3)`,
  `alter table fruit rename column name to title; update fruit set title = 'quince' where id = 2`,
  `alter table fruit alter n type numeric(6,2) using n * 1.5; insert into fruit values (4, 'kiwi', 4.44)`,
  `alter table veg drop column name; insert into veg values (2)`,
  `create table weed as select 1 as id; alter table weed add primary key (id); insert into weed values (2)`,
  `alter table veg rename to vegetables; insert into vegetables values (3)`,
];

describe('changes of schema that the event triggers did not tell of', () => {
  it.each([
    ['switched off in the session', 'set wal2dolt.disabled = on', 'reset wal2dolt.disabled'],
    [
      'switched off for the database',
      'do $$ begin execute format($q$alter database %I set wal2dolt.disabled = on$q$, current_database()); end $$',
      'do $$ begin execute format($q$alter database %I reset wal2dolt.disabled$q$, current_database()); end $$',
    ],
    [
      'that break',
      'alter function wal2dolt.messages(text) rename to broken',
      'alter function wal2dolt.broken(text) rename to messages',
    ],
  ])('%s are found by the rows that follow', async (_what, off, on) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(TABLES);
    await drain(source.url, target.url, WITH_TRIGGERS);
    await source.sql(off);
    for (const change of CHANGES) {
      const session = await source.client(); // what is set for the database is so in new sessions
      if (off.startsWith('set ')) await session.query(off);
      await session.query(change);
      await session.end();
      await drain(source.url, target.url, WITH_TRIGGERS);
    }
    await source.sql(on);
    await source.sql(`alter table fruit add column last int default 1; delete from fruit where id = 1`);
    await drain(source.url, target.url, WITH_TRIGGERS);
    await expectAsCopied(source, target);
  });

  it('by a trigger that breaks: rows that were written anew in the same type are copied again, also when a run ends in between', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`create table fruit (id int primary key, n int); insert into fruit values (1, 10), (2, 20);
      create table basket (id int primary key, n int) partition by range (id);
      create table basket_1 partition of basket for values from (0) to (10); insert into basket values (1, 10)`);
    await drain(source.url, target.url, WITH_TRIGGERS);
    await source.sql('alter function wal2dolt.messages(text) rename to broken');
    await source.sql('alter table fruit alter n type int using n + 1');
    await source.sql('alter table basket alter n type int using n + 1');
    await drain(source.url, target.url, WITH_TRIGGERS);
    await source.sql('alter function wal2dolt.broken(text) rename to messages');
    await source.sql('insert into fruit values (3, 30); insert into basket values (3, 30)');
    await drain(source.url, target.url, WITH_TRIGGERS);
    await expectAsCopied(source, target);
  });

  it('by a trigger that breaks: partitions and labels are what they are, also when a run ends in between', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`create type kind as enum ('sweet', 'sour'); create table fruit (id int primary key, k kind);
      insert into fruit values (1, 'sweet'); create table p3 (id int primary key); insert into p3 values (30)`);
    for (const name of ['joined', 'left_it', 'lost']) {
      await source.sql(`create table ${name} (id int primary key) partition by range (id);
        create table ${name}_1 partition of ${name} for values from (0) to (10);
        create table ${name}_2 partition of ${name} for values from (10) to (20); insert into ${name} values (1), (11)`);
    }
    await drain(source.url, target.url, WITH_TRIGGERS);
    await source.sql('alter function wal2dolt.messages(text) rename to broken');
    await source.sql('alter table joined attach partition p3 for values from (20) to (40)');
    await source.sql('alter table left_it detach partition left_it_2; drop table lost_2');
    await source.sql(`alter type kind rename value 'sweet' to 'ripe'`);
    await drain(source.url, target.url, WITH_TRIGGERS);
    await source.sql('alter function wal2dolt.broken(text) rename to messages');
    await source.sql(
      'insert into joined values (2); insert into left_it values (2); insert into left_it_2 values (12); insert into lost values (2)',
    );
    await source.sql(`insert into fruit values (2, 'ripe')`);
    await drain(source.url, target.url, WITH_TRIGGERS);
    await expectAsCopied(source, target);
  });

  it('are told also where the session replicates from elsewhere', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(TABLES);
    await drain(source.url, target.url, WITH_TRIGGERS);
    await source.sql(`set session_replication_role = replica; alter table fruit add column n int default 5;
      create table weed (id int primary key, v text)`);
    await drain(source.url, target.url, WITH_TRIGGERS);
    await expectAsCopied(source, target); // without any row
  });
});
