import { describe, expect, it } from 'vitest';
import { differences, doltContents, postgresContents } from './support/compare.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { drain, startRun } from './support/run.js';

async function expectSame(source: string, target: string): Promise<void> {
  expect(differences(await doltContents(target), await postgresContents(source, target))).toEqual([]);
}

describe('a snapshot and a stream', () => {
  it('copies what is there, streams what comes, and goes on where it stopped', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`
      create table customers (id bigint primary key, name text not null, email varchar(100) unique, balance numeric(12,2) default 0);
      create table lines (order_id int, line int, what text, primary key (order_id, line));
      create table log (at timestamptz default now(), what text);
      create table counted (a int, b text);
      alter table counted replica identity full;
      alter table log replica identity full;
      insert into customers select i, 'name ' || i, 'mail' || i || '@example.org', i * 1.25 from generate_series(1, 5000) i;
      insert into lines select i / 10, i % 10, 'it''s \\ ' || i from generate_series(1, 3000) i;
      insert into log (what) select 'line ' || i from generate_series(1, 100) i;
      insert into counted select i % 10, 'row ' || (i % 7) from generate_series(1, 200) i;
    `);
    await drain(source.url, target.url);
    await expectSame(source.url, target.url);

    await source.sql(`update customers set balance = balance + 1 where id % 10 = 0`);
    await source.sql(`delete from customers where id > 4900`);
    await source.sql(`update lines set order_id = order_id + 1000 where order_id < 20`);
    await source.sql(`insert into log (what) values ('more'), (null)`);
    await source.sql(`delete from counted where ctid in (select ctid from counted where a = 3 limit 5)`);
    await source.sql(`update counted set b = 'changed' where a = 4`);
    await drain(source.url, target.url);
    await expectSame(source.url, target.url);

    await source.sql(`begin; truncate lines; insert into lines values (1, 1, 'after'); commit`);
    await drain(source.url, target.url);
    await expectSame(source.url, target.url);
  });

  it('follows a running workload until it is stopped', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`create table t (id serial primary key, v int, w text)`);
    await using running = startRun(source.url, target.url, { commit: { maxDelay: 50 } });
    for (let i = 0; i < 200; i += 1) {
      await source.sql(`insert into t (v, w) values (${i}, 'x'); `);
      if (i % 3 === 0) await source.sql(`update t set v = v + 1 where id = ${i}`);
      if (i % 7 === 0) await source.sql(`delete from t where id = ${i - 5}`);
    }
    await running.stop();
    await drain(source.url, target.url);
    await expectSame(source.url, target.url);
  });

  it('keeps large unchanged values when other columns, the key, or unique values change', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`
      create table big (id int primary key, u int unique, n int, body text, raw bytea);
      alter table big alter body set storage external, alter raw set storage external;
      insert into big select i, i, 0, repeat('x' || i, 300000), decode(repeat('00ff', 100000), 'hex') from generate_series(1, 6) i;
    `);
    await drain(source.url, target.url);
    await source.sql(`update big set n = 7 where id = 1`);
    await source.sql(`update big set id = id + 100 where id in (2, 3)`);
    await source.sql(
      `begin; update big set u = -1 where id = 4; update big set u = 4 where id = 5; update big set u = 5 where id = 4; commit`,
    );
    await source.sql(
      `begin; update big set id = 60 where id = 6; update big set n = 1 where id = 60; insert into big values (6, 77, 7, 'new', null); commit`,
    );
    await drain(source.url, target.url);
    await expectSame(source.url, target.url);
  });

  it('follows chains and circles of keys and unique values beside large unchanged values', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`
      create table chain (id int primary key, u int unique, n int, body text, price numeric);
      alter table chain alter body set storage external;
      -- rows in descending order, so that Postgres itself can add one to each
      insert into chain select i, i, 0, repeat('b' || i, 3000), i * 1.10 from generate_series(300, 1, -1) i;
    `);
    await drain(source.url, target.url);
    await source.sql(`update chain set id = id + 1`);
    await source.sql(
      `begin; do $$ begin for i in reverse 301..2 loop update chain set u = u + 1 where id = i; end loop; end $$; update chain set n = 1 where id % 2 = 0; commit`,
    );
    await source.sql(`begin;
      update chain set id = -1 where id = 5; update chain set id = 5 where id = 6; update chain set id = 6 where id = -1;
      update chain set u = -1 where id = 8; update chain set u = 8 where id = 9; update chain set u = 9 where id = 8; delete from chain where id = 10; commit`);
    await drain(source.url, target.url);
    await expectSame(source.url, target.url);
  });

  it('spills a transaction that is larger than its memory', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(
      `create table t (id int primary key, v text); create table k (v int); alter table k replica identity full`,
    );
    await drain(source.url, target.url);
    await source.sql(`
      begin;
      insert into t select i, repeat('y', 100) from generate_series(1, 20000) i;
      update t set v = 'z' || id where id % 3 = 0;
      update t set id = id + 100000 where id % 5 = 0;
      delete from t where id % 7 = 0;
      insert into k select i % 100 from generate_series(1, 3000) i;
      delete from k where v = 3;
      commit`);
    await drain(source.url, target.url, { commit: { maxBytes: '200kB' } });
    await expectSame(source.url, target.url);
    const dolt = await target.connect();
    const [commits] = await dolt.query('select count(*) as n from dolt_log');
    expect(commits).toEqual([{ n: 3 }]);
  });
});

describe('foreign keys and checks', () => {
  const schema = `
    create table parents (id int primary key, kind text check (kind in ('a', 'b')), price numeric(8,2) check (price > 0), check (length(kind) > 0));
    create table children (id int primary key, parent int references parents on delete cascade);
    insert into parents values (1, 'a', 1), (2, 'b', 2); insert into children values (1, 1), (2, 2);`;

  it('are left out by default', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(schema);
    await drain(source.url, target.url);
    const [row] = await target.sql<{ 'Create Table': string }>('show create table children');
    expect(row?.['Create Table']).not.toContain('FOREIGN KEY');
  });

  it('are created on request, and never in the way of the stream', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(schema);
    await drain(source.url, target.url, { foreignKeys: true, checks: true });
    const [child] = await target.sql<{ 'Create Table': string }>('show create table children');
    expect(child?.['Create Table']).toMatch(/FOREIGN KEY \(`parent`\) REFERENCES `parents` \(`id`\) ON DELETE CASCADE/);
    const [parent] = await target.sql<{ 'Create Table': string }>('show create table parents');
    expect(parent?.['Create Table']).toContain('CHECK');
    expect(parent?.['Create Table']).not.toContain('length');
    await source.sql(`delete from parents where id = 1`);
    await source.sql(
      `begin; set constraints all deferred; update parents set kind = 'a', id = 20 where id = 2 and false; delete from children; insert into parents values (3, 'a', 5); insert into children values (3, 3); commit`,
    );
    await drain(source.url, target.url, { foreignKeys: true, checks: true });
    await expectSame(source.url, target.url);
  });
});
