import { describe, expect, it } from 'vitest';
import { tableHashes } from './support/compare.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { expectFollowed } from './support/followed.js';
import { createPostgresDatabase, startPostgres } from './support/postgres.js';
import { drain } from './support/run.js';
import { expectSame } from './support/streamed.js';

describe('a source', () => {
  it('whose roles and databases print, name and limit everything in another way gives the same target', async () => {
    await using source = await createPostgresDatabase();
    const role = `odd_${source.name}`;
    const odd = new URL(source.url);
    odd.username = role;
    odd.password = 'secret';
    await source.sql(`
      create role ${role} superuser login password 'secret';
      create schema theirs; create view theirs.pg_settings as select 1 as theirs;
      create type theirs.mood as enum ('a', 'B c');
      create table t (
        id int primary key, m theirs.mood default 'a', at timestamptz default '2020-01-01 00:00+00', b bytea default '\\x01',
        s text default 'back\\slash', every interval default '1 mon 2 days', f float8 default 0.1, price money default 1.5,
        x xml default '<a/>', o regclass default 't', check (s <> 'q\\'));
      insert into t (id) values (1)`);
    for (const setting of [
      "datestyle = 'german'",
      "intervalstyle = 'sql_standard'",
      "bytea_output = 'escape'",
      'extra_float_digits = 0',
      "timezone = 'Asia/Kathmandu'",
      'search_path = theirs, public, pg_catalog',
      'xmloption = document',
      'standard_conforming_strings = off',
      'quote_all_identifiers = on',
      "client_encoding = 'latin1'",
      'default_transaction_read_only = on',
      "default_transaction_isolation = 'serializable'",
      'row_security = off',
      "statement_timeout = '1s'",
      "idle_in_transaction_session_timeout = '1s'",
      "idle_session_timeout = '1s'",
      "lock_timeout = '10ms'",
      "client_min_messages = 'debug1'",
    ]) {
      await source.sql(`alter role ${role} set ${setting}`);
    }
    await using target = createDoltDatabaseName();
    await using fresh = createDoltDatabaseName();
    try {
      await drain(odd.href, target.url, { checks: true });
      await source.sql(`insert into t (id) values (2), (3); update t set f = 0.1 + 0.2::float8, s = 'x' where id = 1`);
      await drain(odd.href, target.url, { checks: true });
      await expectSame(source, target);
      await drain(source.url, fresh.url, { checks: true, snapshot: 'only', slot: `${source.name}_fresh` });
      expect(await tableHashes(target.url)).toEqual(await tableHashes(fresh.url));
    } finally {
      await source.sql(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });

  it('of an odd name is followed', async () => {
    await using server = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await using source = await createPostgresDatabase(`${server.name} ünï "q" 'x' \\ %41`);
    await source.sql(`create table t (id int primary key); insert into t values (1)`);
    await drain(source.url, target.url, { slot: server.name });
    await source.sql('insert into t values (2)');
    await drain(source.url, target.url, { slot: server.name });
    await expectSame(source, target);
  });

  it('whose transactions were made elsewhere, at any time, is followed', async () => {
    await using source = await createPostgresDatabase();
    await source.sql(
      `create table t (id int primary key, n numeric); select pg_replication_origin_create('${source.name}')`,
    );
    const client = await source.client();
    await client.query(`select pg_replication_origin_session_setup('${source.name}')`);
    const times = [
      '2026-01-01',
      '2026-01-01',
      '1900-01-01',
      '4713-01-01 BC',
      '-infinity',
      '2025-01-01 00:00:00.000001',
      '9999-12-31 23:59:59.999999+00',
      '294276-12-31',
      'infinity',
      'now',
    ];
    await using target = createDoltDatabaseName();
    await drain(source.url, target.url);
    for (const [id, time] of times.entries()) {
      await client.query(
        `begin; select pg_replication_origin_xact_setup('0/1', '${time}'); insert into t values (${id}, 1.10); commit`,
      );
    }
    await client.query(`select pg_replication_origin_session_reset(), pg_replication_origin_drop('${source.name}')`);
    await drain(source.url, target.url, { transactions: true, commit: { maxTransactions: 1 } });
    await expectSame(source, target);
    const log = await target.sql('select date from dolt_log order by commit_order');
    const dates = log.slice(1).map(({ date }) => date);
    expect(dates).toEqual([...dates].sort());
    expect(await target.sql('select count(*) as n from wal2dolt_transactions')).toEqual([{ n: times.length }]);
  });

  it('with prepared transactions shows them when they are committed', async () => {
    await using server = await startPostgres({ max_prepared_transactions: 5 });
    await using source = await createPostgresDatabase(undefined, server);
    await using target = createDoltDatabaseName();
    await source.sql(`create table t (id int primary key); insert into t values (1);
      create publication wal2dolt for all tables`);
    await source.sql(`begin; insert into t values (10); prepare transaction 'before the slot'`);
    const first = drain(source.url, target.url);
    await expect.poll(() => source.sql('select slot_name from pg_replication_slots')).toHaveLength(1);
    await source.sql(`commit prepared 'before the slot'`);
    await first;
    await expectSame(source, target);
    await source.sql(
      `begin; insert into t values (20); savepoint s; truncate t; rollback to s; prepare transaction 'kept'`,
    );
    await source.sql('insert into t values (30)');
    await drain(source.url, target.url);
    await expectSame(source, target);
    await source.sql('checkpoint');
    await source.sql(`commit prepared 'kept'`);
    await drain(source.url, target.url);
    await expectSame(source, target);
    expect(await target.sql('select id from t order by id')).toEqual([{ id: 1 }, { id: 10 }, { id: 20 }, { id: 30 }]);
  });

  it('that is itself a subscriber passes on what it receives', async () => {
    await using first = await createPostgresDatabase();
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const name = `sub_${first.name}`;
    const { hostname, port, username, password } = new URL(first.url);
    const rows = (from: number, to: number): string =>
      `insert into t select n, 'v', repeat(md5(n::text), 200) from generate_series(${from}, ${to}) n`;
    await first.sql(
      `create table t (id int primary key, v text, big text); ${rows(1, 20)}; create publication p for all tables`,
    );
    await first.sql(`select pg_create_logical_replication_slot('${name}', 'pgoutput')`);
    await source.sql(`create table t (id int primary key, v text, big text, extra numeric default 7.0);
      create subscription ${name} connection 'host=${hostname} port=${port} user=${username} password=${password} dbname=${first.name}'
        publication p with (create_slot = false, slot_name = '${name}')`);
    try {
      await drain(source.url, target.url);
      await first.sql(
        `update t set v = 'u' where id % 3 = 0; delete from t where id = 4; update t set id = id + 100 where id = 5`,
      );
      await first.sql('begin; truncate t; insert into t values (1); commit');
      await first.sql(rows(21, 40));
      await first.sql(`update t set v = 'last' where id = 30`);
      await expect.poll(() => source.sql(`select id from t where v = 'last'`)).toEqual([{ id: 30 }]);
      // A subscription does not wait for the disk when it commits, and WAL is streamed from there: this does.
      await source.sql(`select pg_logical_emit_message(true, 'theirs', '')`);
      await drain(source.url, target.url);
      await expectSame(source, target);
      expect(await target.sql('select count(*) as n from t')).toEqual([{ n: 21 }]);
    } finally {
      await source.sql(`alter subscription ${name} disable`);
      await source.sql(`alter subscription ${name} set (slot_name = none)`);
      await source.sql(`drop subscription ${name}`);
    }
  });

  it('that is maintained while it streams sends no rows for that, and breaks nothing', async () => {
    await using source = await createPostgresDatabase();
    await source.sql(`
      create table t (id int primary key, v numeric, big text); alter table t alter big set storage external;
      create table rows (a numeric, b json); alter table rows replica identity full;
      insert into t select n, 1.10, repeat(md5(n::text), 100) from generate_series(1, 30) n; insert into rows values (1.0, '{}'), (1.0, '{}')`);
    const change = `update t set v = v + 1.0 where id < 10; update rows set a = a + 1.0 where ctid = (select min(ctid) from rows)`;
    await expectFollowed(
      source,
      [
        ...['vacuum full t', 'cluster t using t_pkey', 'reindex table concurrently t', 'vacuum full rows', 'analyze'],
        ...['alter table t set (fillfactor = 50)', 'alter table t alter big set storage extended', 'vacuum full'],
        ...['alter table t replica identity full', 'alter table t drop constraint t_pkey, add primary key (id)'],
        ...[
          'alter table t replica identity default',
          'create materialized view m as select * from t',
          'refresh materialized view m',
        ],
      ].flatMap((statement) => [change, statement]),
    );
  });

  it.for(['r', 'unlogged'])(
    'with a partition that is not logged has only the rows of the others, until it is logged (%s published)',
    async (published, { expect }) => {
      await using source = await createPostgresDatabase();
      await using target = createDoltDatabaseName();
      await source.sql(`create table r (id int primary key) partition by range (id);
        create table logged partition of r for values from (0) to (10);
        create unlogged table unlogged partition of r for values from (10) to (20); insert into r values (1), (11);
        create publication ${source.name} for table r with (publish_via_partition_root = ${published === 'r'})`);
      const run = () => drain(source.url, target.url, { publication: source.name });
      const ids = async (): Promise<unknown[]> => {
        const tables = await target.sql('select target_table as name from wal2dolt_tables');
        return (await Promise.all(tables.map(({ name }) => target.sql(`select id from ${name}`))))
          .flat()
          .map(({ id }) => id);
      };
      await run();
      expect(await ids()).toEqual([1]);
      await source.sql('delete from r; insert into r values (2), (12)');
      await run();
      expect(await ids()).toEqual([2]);
      await source.sql('alter table unlogged set logged');
      await run();
      await expectSame(source, target);
      expect((await ids()).sort()).toEqual([12, 2]);
    },
  );
});
