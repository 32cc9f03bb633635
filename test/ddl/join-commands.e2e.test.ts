import { expect, it } from 'vitest';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres.js';
import { drain, startRun } from '../support/run.js';
import { expectSame, FAST } from '../support/streamed.js';

const SETTINGS = { ...FAST, ddl: 'triggers' };

const LARGE = `create table small (id int primary key);
  create table large (id int primary key, n int, body text); alter table large alter body set storage external;
  insert into large select i, i, repeat(md5(i::text), 125) from generate_series(1, 9000) i`;

/** Asks for a copy of the large table, and waits until it has its place in the WAL. */
async function copyLarge(source: PostgresDatabase): Promise<void> {
  await source.sql(`select pg_logical_emit_message(true, 'wal2dolt.resync',
    '{"publication":"wal2dolt","tables":["public.large"]}')`);
  const begun = `select 1 from pg_replication_slots
    where slot_name like '%\\_side\\_%' and confirmed_flush_lsn is not null and database = current_database()`;
  await expect.poll(() => source.sql(begun), { interval: 20 }).toHaveLength(1);
}

const COPIES = `select message from dolt_log where message like '%copied again%'`;

it('what several transactions did to a table while it was copied is known when it is read again', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(LARGE);
  await drain(source.url, target.url, SETTINGS);
  await using running = startRun(source.url, target.url, SETTINGS);
  await copyLarge(source);
  await source.sql('create index large_n on large (n)');
  await source.sql(`comment on table large is 'what is large'; alter table large add column m int default 7`);
  await source.sql('insert into large (id, m) values (0, 8); insert into small values (1)');
  const state = () => target.sql(`select state from wal2dolt_tables where source_table = 'large'`);
  await expect.poll(() => target.sql('select id from small')).toHaveLength(1);
  // The stream had come past them before the table joined.
  expect(await state()).toEqual([{ state: 'joining' }]);
  await Promise.race([running.ended, expect.poll(state, { timeout: 60_000 }).toEqual([{ state: 'streaming' }])]);
  await running.stop();
  await drain(source.url, target.url, SETTINGS);
  await expectSame(source, target);
  expect(await target.sql(COPIES)).toHaveLength(1);
  const [{ 'Create Table': definition } = {}] = await target.sql('show create table large');
  expect(definition).toMatch(/KEY `large_n` \(`n`\)/);
});

it('foreign keys and checks of a table that is copied, and foreign keys to it, are there when it joins', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  const settings = { ...SETTINGS, foreignKeys: true, checks: true };
  await source.sql(`${LARGE}; alter table large add column small int references small, add check (n >= 0);
    create table part (id int primary key, large int references large)`);
  await drain(source.url, target.url, settings);
  const definitions = async () => {
    const shown: unknown[] = [];
    for (const name of ['large', 'part']) {
      const [{ 'Create Table': definition } = {}] = await target.sql(`show create table ${name}`);
      shown.push(String(definition).match(/CONSTRAINT .*/g));
    }
    return shown;
  };
  const before = await definitions();
  expect(before).toEqual([
    [expect.stringMatching(/FOREIGN KEY/), expect.stringMatching(/CHECK/)],
    [expect.stringMatching(/REFERENCES `large`/)],
  ]);
  await using running = startRun(source.url, target.url, settings);
  await copyLarge(source);
  await source.sql(
    'insert into small values (1); insert into large values (0, 0, null, 1); insert into part values (1, 0)',
  );
  const state = () => target.sql(`select state from wal2dolt_tables where source_table = 'large'`);
  await Promise.race([running.ended, expect.poll(state, { timeout: 60_000 }).toEqual([{ state: 'streaming' }])]);
  await running.stop();
  await expectSame(source, target);
  expect(await target.sql(COPIES)).toHaveLength(1);
  expect(await definitions()).toEqual(before);
});
