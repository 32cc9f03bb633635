import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltCli, buildCli } from '../support/built-cli.js';
import { startChild } from '../support/child.js';
import { createDoltDatabaseName, type DoltDatabase } from '../support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres.js';
import { drain, startRun } from '../support/run.js';
import { expectSame, FAST } from '../support/streamed.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

/** Larger than what is copied while the stream waits. */
const createLarge = (source: PostgresDatabase): Promise<unknown> =>
  source.sql(`create table large (id int primary key, n int, body text); alter table large alter body set storage external;
    insert into large select i, 0, repeat(md5(i::text), 125) from generate_series(1, 12000) i`);

const resync = (source: PostgresDatabase): Promise<unknown> =>
  source.sql(
    `select pg_logical_emit_message(true, 'wal2dolt.resync', '{"publication":"wal2dolt","tables":["public.large"]}')`,
  );

/** Waits until the copy beside the stream has its place in the WAL: what comes from now on is read again for the table. */
async function copyBegins(source: PostgresDatabase): Promise<void> {
  const begun = `select 1 from pg_replication_slots
    where slot_name like '%\\_side\\_%' and confirmed_flush_lsn is not null and database = current_database()`;
  await expect.poll(() => source.sql(begun), { timeout: 30_000, interval: 20 }).toHaveLength(1);
}

const stateOf = async (target: DoltDatabase): Promise<unknown> =>
  (await target.sql(`select state from wal2dolt_tables where source_table in ('large', 'huge')`))[0]?.state;

/** Changes a large table, and another one that shows that the stream goes on. */
async function change(source: PostgresDatabase, round: number): Promise<void> {
  await source.sql(`begin; insert into small values (${round}); update large set n = n + 1 where id % 1000 = ${round};
    delete from large where id = ${5000 + round}; insert into large values (${100_000 + round}, 1, 'new'); commit`);
}

describe.each(['triggers', 'relations'])('a large table (%s)', (ddl) => {
  it('that is new joins when it is copied, and does not stop the others', { timeout: 120_000 }, async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table small (id int primary key)');
    await createLarge(source);
    await source.sql('create publication wal2dolt for table small');
    await drain(source.url, target.url, { ddl });
    await using running = startRun(source.url, target.url, { ...FAST, ddl });
    await source.sql('insert into small values (0)');
    await expect.poll(() => target.sql('select id from small'), { timeout: 20_000 }).toHaveLength(1);
    await source.sql('alter publication wal2dolt add table large; insert into large values (0, 0, $$first$$)');
    const before: number[] = [];
    let round = 0;
    for (let joined = false; !joined && round < 200; ) {
      await change(source, ++round);
      await expect.poll(() => target.sql('select id from small'), { interval: 10 }).toHaveLength(round + 1);
      joined = (await target.sql(`show tables like 'large'`)).length > 0;
      if (!joined) before.push(round);
    }
    // Published while the copy ran.
    expect(before.length).toBeGreaterThan(1);
    await change(source, ++round);
    await running.stop();
    await drain(source.url, target.url, { ddl });
    await expectSame(source, target);
    expect(await target.sql(`select state from wal2dolt_tables`)).toEqual([
      { state: 'streaming' },
      { state: 'streaming' },
    ]);
  });

  it('is copied again while its changes are still followed, whatever becomes of it meanwhile', {
    timeout: 120_000,
  }, async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table small (id int primary key)');
    await createLarge(source);
    await drain(source.url, target.url, { ddl });
    await using running = startRun(source.url, target.url, { ...FAST, ddl });
    await resync(source);
    for (let round = 1; round <= 3; round += 1) await change(source, round);
    await source.sql('alter table large add column w int; update large set w = 1 where id < 10');
    await copyBegins(source);
    await change(source, 4);
    await source.sql('alter table large rename to huge; insert into huge (id, w) values (-1, 2)');
    // After its last row.
    if (ddl === 'triggers') await source.sql('alter table huge add column x int default 5');
    await expect
      .poll(() => target.sql('select id from huge where id = -1 and w = 2'), { timeout: 60_000 })
      .toHaveLength(1);
    await expect.poll(() => stateOf(target), { timeout: 60_000 }).toBe('streaming');
    await running.stop();
    await expectSame(source, target);
    await drain(source.url, target.url, { ddl });
    await expectSame(source, target);
  });

  it('that is dropped before its copy is complete is left', { timeout: 120_000 }, async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table small (id int primary key)');
    await createLarge(source);
    await source.sql('create publication wal2dolt for table small');
    await drain(source.url, target.url, { ddl });
    await using running = startRun(source.url, target.url, { ...FAST, ddl });
    await source.sql('alter publication wal2dolt add table large; insert into large values (0, 0, $$first$$)');
    await expect.poll(() => stateOf(target), { timeout: 30_000, interval: 20 }).toBe('joining');
    await source.sql('drop table large; insert into small values (1)');
    await expect.poll(() => target.sql('select id from small'), { timeout: 60_000 }).toHaveLength(1);
    await running.stop();
    await drain(source.url, target.url, { ddl });
    expect(await target.sql(`show tables like 'large%'`)).toEqual([]);
  });

  it('is copied again from the beginning after a crash', { timeout: 120_000 }, async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table small (id int primary key)');
    await createLarge(source);
    await source.sql('create publication wal2dolt for table small');
    await drain(source.url, target.url, { ddl });
    {
      await using child = startChild(cli, source.url, target.url, { slot: source.name, ddl });
      await child.logged('streaming');
      await source.sql('alter publication wal2dolt add table large; insert into large values (0, 0, $$first$$)');
      await child.logged('the table is large: it is copied beside the stream, and joins when it is complete');
      await change(source, 1);
      child.signal('SIGKILL');
      await child.end();
    }
    await change(source, 2);
    await drain(source.url, target.url, { ddl });
    await expectSame(source, target);
    const branches = await target.sql('select name from dolt_branches order by name');
    expect(branches).toEqual([{ name: 'main' }, { name: 'wal2dolt' }]);
  });
});

it('a large table that joins is what it was at each row that is read again, though the stream had come further', {
  timeout: 120_000,
}, async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql('create table small (id int primary key)');
  await createLarge(source);
  await source.sql(`update large set n = id; insert into large values (0, 1, 'has its n twice')`);
  await drain(source.url, target.url, { ddl: 'relations' });
  await using running = startRun(source.url, target.url, { ...FAST, ddl: 'relations' });
  await resync(source);
  await copyBegins(source);
  await source.sql(`insert into large values (20000, 20000, 'comes before the index')`);
  await source.sql(`begin; update large set n = 0 where id = 0; create unique index on large (n);
    insert into small values (1); commit`);
  await Promise.race([running.ended, expect.poll(() => target.sql('select id from small')).toHaveLength(1)]);
  // The stream has shown that transaction before the table joins.
  expect(await stateOf(target)).toBe('joining');
  await Promise.race([running.ended, expect.poll(() => stateOf(target), { timeout: 60_000 }).toBe('streaming')]);
  await running.stop();
  await expectSame(source, target);
});
