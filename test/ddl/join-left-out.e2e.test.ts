import { expect, it } from 'vitest';
import { MODES } from '../support/ddl-case.js';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres.js';
import { drain, startRun } from '../support/run.js';
import { expectSame, FAST, failure } from '../support/streamed.js';

/*
 * A table, or changes of it, that are left out while it is copied beside the stream.
 */

/** Larger than what is copied while the stream waits; created and filled at once. */
const LARGE = `select i as id, repeat(md5(i::text), 3) as body into large from generate_series(1, 350000) i`;

async function copyBegins(source: PostgresDatabase): Promise<void> {
  const begun = `select 1 from pg_replication_slots
    where slot_name like '%\\_side\\_%' and confirmed_flush_lsn is not null and database = current_database()`;
  await expect.poll(() => source.sql(begun), { interval: 20 }).toHaveLength(1);
}

it.each(MODES)('operations: put right, the history goes on with what is copied again (%s)', async (ddl) => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  const settings = { ...FAST, ddl };
  await source.sql(`${LARGE}; alter table large add primary key (id)`);
  await drain(source.url, target.url, settings);
  await using running = startRun(source.url, target.url, settings);
  await source.sql(
    `select pg_logical_emit_message(true, 'wal2dolt.resync', '{"publication":"wal2dolt","tables":["public.large"]}')`,
  );
  await copyBegins(source);
  await source.sql(`alter publication wal2dolt set (publish = 'insert')`);
  await source.sql('delete from large where id = 10');
  expect(await failure(running)).toMatch(/^E_PUBLICATION_OPERATIONS: /);
  await source.sql(`alter publication wal2dolt set (publish = 'insert, update, delete, truncate')`);
  await source.sql(`insert into large values (10, 'again')`);
  await drain(source.url, target.url, settings);
  await expectSame(source, target);
});

it.each(MODES)('a new one: another one may have its name (%s)', async (ddl) => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  const settings = { ...FAST, ddl };
  await source.sql('create table small (id int primary key)');
  await drain(source.url, target.url, settings);
  await using running = startRun(source.url, target.url, settings);
  await source.sql(LARGE);
  await source.sql('alter table large add primary key (id)');
  await source.sql(`insert into large values (0, 'new')`);
  await copyBegins(source);
  await running.stop();
  await source.sql('insert into small values (1)');
  await drain(source.url, target.url, { ...settings, tables: ['!large'] });
  await source.sql('drop table large; create table large (id int primary key)');
  await drain(source.url, target.url, { ...settings, tables: ['!large'] });
  await source.sql('insert into large values (1); insert into small values (2)');
  await drain(source.url, target.url, settings);
  await source.sql(`comment on table large is 'told of'; insert into large values (2)`);
  await drain(source.url, target.url, settings);
  await expectSame(source, target);
});
