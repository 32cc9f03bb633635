import { describe, expect, it } from 'vitest';
import { MODES } from '../support/ddl-case.js';
import { createDoltDatabaseName, type DoltDatabase } from '../support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres.js';
import { drain, startRun } from '../support/run.js';
import { expectSame, FAST } from '../support/streamed.js';

/*
 * Names that change hands while a table is copied.
 */

/** Larger than what is copied while the stream waits, and with values that a column of Dolt can not hold. */
const large = (
  name: string,
): string => `create table ${name} (id int primary key, v text, body text, f float default 'NaN');
  alter table ${name} alter body set storage external;
  insert into ${name} (id, v, body) select i, 'v' || i, repeat(md5(i::text), 125) from generate_series(1, 9000) i`;

const small = (name: string): string =>
  `create table ${name} (id int primary key, v text); insert into ${name} values (1, '${name}')`;

/** Waits until the copy beside the stream has its place in the WAL: what comes from now on is read again for the table. */
async function copyBegins(source: PostgresDatabase): Promise<void> {
  const begun = `select 1 from pg_replication_slots
    where slot_name like '%\\_side\\_%' and confirmed_flush_lsn is not null and database = current_database()`;
  await expect.poll(() => source.sql(begun), { interval: 20 }).toHaveLength(1);
}

const resync = (source: PostgresDatabase, name: string): Promise<unknown> =>
  source.sql(
    `select pg_logical_emit_message(true, 'wal2dolt.resync', '{"publication":"wal2dolt","tables":["public.${name}"]}')`,
  );

/** Source table, name in Dolt, state. */
async function names(target: DoltDatabase): Promise<string[]> {
  const rows = await target.sql('select source_table, target_table, state from wal2dolt_tables order by 1, 2');
  return rows.map((row) => Object.values(row).join(' '));
}

describe.each(MODES)('while a large table is copied beside the stream (%s)', (ddl) => {
  const settings = { ...FAST, ddl };

  it('another one that Dolt takes for the same has another name', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(
      `${small('first')}; create publication wal2dolt for table first; ${large('"Foo"')}; ${small('foo')}`,
    );
    await drain(source.url, target.url, settings);
    await using running = startRun(source.url, target.url, settings);
    await source.sql(`alter publication wal2dolt add table "Foo"; insert into "Foo" values (0, 'new', 'Foo')`);
    await copyBegins(source);
    await source.sql(`alter publication wal2dolt add table foo; insert into foo values (2, 'new')`);
    const joined = async () => (await names(target)).filter((row) => row.endsWith(' streaming'));
    await Promise.race([running.ended, expect.poll(joined, { timeout: 60_000 }).toHaveLength(3)]);
    await running.stop();
    expect(await names(target)).toEqual(['Foo Foo streaming', 'first first streaming', 'foo foo_2 streaming']);
    await source.sql(`update foo set v = 'updated' where id = 1; update "Foo" set v = 'updated' where id = 1`);
    await drain(source.url, target.url, settings);
    await expectSame(source, target);
    expect(await target.sql('select id from foo_2')).toHaveLength(2);
  });

  it('a table takes its name, and a third one that of the other', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`${small('first')}; ${small('other')}; ${large('large')}`);
    await drain(source.url, target.url, settings);
    await using running = startRun(source.url, target.url, settings);
    await resync(source, 'large');
    await copyBegins(source);
    await source.sql(`begin; alter table large rename to large_old; ${small('large')};
      update large_old set v = 'renamed' where id = 1; commit`);
    await source.sql(`begin; alter table large rename to tmp; alter table other rename to large;
      alter table tmp rename to other; insert into other values (2, 'swapped'); insert into large values (2, 'swapped');
      insert into large_old values (0, 'after', 'the swap'); commit`);
    const state = () => target.sql(`select state from wal2dolt_tables where source_table = 'large_old'`);
    await Promise.race([running.ended, expect.poll(state, { timeout: 60_000 }).toEqual([{ state: 'streaming' }])]);
    await running.stop();
    await drain(source.url, target.url, settings);
    await expectSame(source, target);
    expect(await names(target)).toEqual([
      'first first streaming',
      'large large streaming',
      'large_old large_old streaming',
      'other other streaming',
    ]);
  });
});

describe.each(MODES)('a table that is copied while the stream waits (%s)', (ddl) => {
  const settings = { ...FAST, ddl };

  it('has its name in Dolt, though another one had it when the copy began', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`${small('a')}; ${small('b')}`);
    await drain(source.url, target.url, settings);
    // All of it is in the WAL before the copy is made.
    await source.sql(`alter table a add column r double precision default random(); insert into a values (2, 'a')`);
    await source.sql('alter table a rename to tmp; alter table b rename to a; alter table tmp rename to b');
    await source.sql(`insert into a values (3, 'was b'); insert into b values (3, 'was a')`);
    await drain(source.url, target.url, settings);
    expect(await names(target)).toEqual(['a a streaming', 'b b streaming']);
    await expectSame(source, target);
    await drain(source.url, target.url, settings);
    await expectSame(source, target);
  });

  const add = 'alter publication wal2dolt add table large';

  it('a new one that is dropped is not missed, and another has its name', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`${small('first')}; create publication wal2dolt for table first; ${large('large')}`);
    await drain(source.url, target.url, settings);
    {
      await using running = startRun(source.url, target.url, settings);
      await source.sql(`${add}; insert into large values (0, 'row')`);
      await copyBegins(source);
      await source.sql(`drop table large; ${small('large')}; ${add}; insert into large values (2, 'row')`);
      await Promise.race([
        running.ended,
        expect.poll(() => names(target), { timeout: 60_000 }).toContain('large large streaming'),
      ]);
      await running.stop();
    }
    await source.sql(`update large set v = 'updated'`);
    await drain(source.url, target.url, settings);
    await expectSame(source, target);
    expect(await names(target)).toEqual(['first first streaming', 'large large streaming']);
  });

  it('a new one that is dropped while nothing runs is not missed, and another has its name', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`${small('first')}; create publication wal2dolt for table first; ${large('large')}`);
    await drain(source.url, target.url, settings);
    {
      await using running = startRun(source.url, target.url, settings);
      await source.sql(`${add}; insert into large values (0, 'row')`);
      await copyBegins(source);
      await running.stop();
    }
    expect(await names(target)).toEqual(['first first streaming', 'large large joining']);
    await source.sql(`drop table large; ${small('large')}; ${add}; insert into large values (2, 'row')`);
    await drain(source.url, target.url, settings);
    await source.sql(`update large set v = 'updated'; insert into first values (2, 'second')`);
    await drain(source.url, target.url, settings);
    await expectSame(source, target);
    expect(await names(target)).toEqual(['first first streaming', 'large large streaming']);
  });
});
