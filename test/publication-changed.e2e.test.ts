import { describe, it } from 'vitest';
import { check } from '../src/sync/check.js';
import { resync } from '../src/sync/resync.js';
import { createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from './support/postgres.js';
import { configFor, drain, runBroken, startRun } from './support/run.js';
import { FAST, failure } from './support/streamed.js';

/** A look every ten seconds, and a stream that is idle hears of its position only now and then. */
const NOTICED = { timeout: 40_000, interval: 100 };

const RELATIONS = { ddl: 'relations' };

async function published(source: PostgresDatabase): Promise<Record<string, unknown>> {
  await source.sql(`create table a (id int primary key, v text); create table b (id int primary key, v text);
    insert into a values (1, 'a'); insert into b values (1, 'b'); create publication ${source.name} for table a, b`);
  return { ...FAST, publication: source.name };
}

const states = async (target: DoltDatabase): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await target.sql('select source_table, state from wal2dolt_tables order by 1')).map((row) => [
      row.source_table,
      row.state,
    ]),
  );

const ids = async (target: DoltDatabase, table: string): Promise<number[]> =>
  (await target.sql(`select id from ${table} order by id`)).map((row) => Number(row.id));

describe.concurrent('a publication that changes while it is streamed without event triggers', () => {
  it.for<readonly [string, (name: string) => string, string?]>([
    ['without a table', (name: string) => `alter publication ${name} drop table b`],
    [
      'with a table that left it and came back',
      (name: string) => `alter publication ${name} drop table b; alter publication ${name} add table b`,
    ],
    ['with another row filter', (name: string) => `alter publication ${name} set table a, b where (id < 100)`],
    ['dropped and made again', (name: string) => `drop publication ${name}; create publication ${name} for table a, b`],
    [
      'without an operation',
      (name: string) => `alter publication ${name} set (publish = 'insert, update')`,
      'E_PUBLICATION_OPERATIONS',
    ],
  ])('%s: the run ends, and says it', async ([, change, code = 'E_PUBLICATION_CHANGED'], { expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { ...(await published(source)), ...RELATIONS, slot: source.name };
    await using running = startRun(source.url, target.url, settings);
    await expect.poll(() => ids(target, 'b').catch(() => []), NOTICED).toEqual([1]);
    await source.sql(`insert into a values (2, 'before'); insert into b values (2, 'before')`);
    await expect.poll(() => ids(target, 'b'), NOTICED).toEqual([1, 2]);
    // What commits after it is incomplete, and so nothing of it is shown.
    await source.sql(change(source.name));
    await source.sql(`insert into a values (3, 'after'); insert into b values (103, 'after');
      update b set v = 'after' where id = 1; delete from b where id = 2`);
    expect(await failure(running)).toMatch(new RegExp(`^${code}: The publication`, 'i'));
    expect([await ids(target, 'a'), await ids(target, 'b')]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    await expect(drain(source.url, target.url, settings)).rejects.toMatchObject({
      code: expect.stringMatching(new RegExp(`^${code}$|^E_CHECK$`)),
    });
    // The position is before it: what was not shown comes again.
    await source.sql(`drop publication ${source.name}; create publication ${source.name} for table a, b`);
    await resync(configFor(source.url, target.url, settings), ['b']);
    await resync(configFor(source.url, target.url, settings), ['a']);
    await drain(source.url, target.url, settings);
    expect([await ids(target, 'a'), await ids(target, 'b')]).toEqual([
      [1, 2, 3],
      [1, 103],
    ]);
  });

  it.for<readonly [string, (name: string) => string, string]>([
    [
      'that left it and came back',
      (name: string) => `alter publication ${name} drop table b; delete from b; alter publication ${name} add table b`,
      'Copy them again: wal2dolt resync public.b; or go on without them',
    ],
  ])('a table %s: the history goes on with a new copy', async ([, change, told], { expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { ...(await published(source)), ...RELATIONS, slot: source.name };
    await drain(source.url, target.url, settings);
    await source.sql(`insert into b values (2); ${change(source.name)}; insert into b values (3)`);
    const run = () => drain(source.url, target.url, settings);
    await expect(run()).rejects.toMatchObject({ message: expect.stringContaining(told) });
    await resync(configFor(source.url, target.url, settings), ['a', 'b']);
    await run();
    await source.sql('insert into b values (4)');
    await run();
    expect(await ids(target, 'b')).toEqual([3, 4]);
    expect(await target.sql(`select id from b as of 'HEAD~3' order by id`)).toEqual([{ id: 1 }]);
  });

  it('left out operations: put right, the history goes on with what is copied again', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { ...(await published(source)), ...RELATIONS, slot: source.name };
    {
      await using running = startRun(source.url, target.url, settings);
      await expect.poll(() => ids(target, 'b').catch(() => []), NOTICED).toEqual([1]);
      await source.sql(`alter publication ${source.name} set (publish = 'insert'); delete from b`);
      await source.sql('insert into a values (2)');
      expect(await failure(running)).toMatch(/^E_PUBLICATION_OPERATIONS: /);
    }
    expect(await states(target)).toEqual({ a: 'copying', b: 'copying' });
    await source.sql(`alter publication ${source.name} set (publish = 'insert, update, delete, truncate')`);
    const run = () => drain(source.url, target.url, settings);
    await run();
    expect([await ids(target, 'a'), await ids(target, 'b')]).toEqual([[1, 2], []]);
    // So it is where a start finds it.
    await source.sql(`alter publication ${source.name} set (publish = 'insert'); delete from a where id = 1`);
    await expect(run()).rejects.toMatchObject({
      code: 'E_PUBLICATION_OPERATIONS',
      message: expect.stringContaining('A run marks all tables to be copied again'),
    });
    await source.sql(`alter publication ${source.name} set (publish = 'insert, update, delete, truncate')`);
    await run();
    expect([await ids(target, 'a'), await ids(target, 'b')]).toEqual([[2], []]);
    await source.sql('insert into b values (4); delete from a');
    await run();
    expect([await ids(target, 'a'), await ids(target, 'b')]).toEqual([[], [4]]);
  });

  it('goes on with what the publication carries without a gap', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { ...(await published(source)), ...RELATIONS };
    await using running = startRun(source.url, target.url, settings);
    await expect.poll(() => ids(target, 'b').catch(() => []), NOTICED).toEqual([1]);
    await source.sql(`alter publication ${source.name} add tables in schema public`);
    await source.sql(`insert into b values (2); create table c (id int primary key); drop table a`);
    // Two looks.
    await new Promise((resolve) => setTimeout(resolve, 21_000));
    await source.sql(`insert into b values (3)`);
    await expect.poll(() => ids(target, 'b'), NOTICED).toEqual([1, 2, 3]);
    await running.stop();
    const findings = await check(configFor(source.url, target.url, { ...settings, slot: source.name }));
    expect(findings.filter(({ severity }) => severity !== 'info')).toMatchObject([{ code: 'table_dropped' }]);
  });
});

describe.concurrent('a publication that changes', () => {
  it('is followed where event triggers tell of it: what leaves stays as it was, what comes is copied', async ({
    expect,
  }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = await published(source);
    await source.sql(`create table c (id int primary key); insert into c values (1)`);
    await using running = startRun(source.url, target.url, settings);
    await expect.poll(() => ids(target, 'b').catch(() => []), NOTICED).toEqual([1]);
    await source.sql(`alter publication ${source.name} drop table b; insert into b values (2, 'unseen')`);
    await source.sql(`alter publication ${source.name} add table c; insert into c values (2)`);
    await expect.poll(() => ids(target, 'c').catch(() => []), NOTICED).toEqual([1, 2]);
    expect(await ids(target, 'b')).toEqual([1]);
    expect(await states(target)).toEqual({ a: 'streaming', b: 'left', c: 'streaming' });
    // Nothing of it keeps the next start from going on, nor is it told that the table left.
    await running.stop();
    await source.sql(`insert into a values (2)`);
    await drain(source.url, target.url, settings);
    expect(await ids(target, 'a')).toEqual([1, 2]);

    await source.sql(`alter publication ${source.name} add table b`);
    await drain(source.url, target.url, settings);
    expect(await ids(target, 'b')).toEqual([1, 2]);
    expect(await states(target)).toEqual({ a: 'streaming', b: 'streaming', c: 'streaming' });
  });

  it('and leaves out an operation ends the run also where event triggers tell of tables', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = await published(source);
    await using running = startRun(source.url, target.url, settings);
    await expect.poll(() => ids(target, 'b').catch(() => []), NOTICED).toEqual([1]);
    await source.sql(`alter publication ${source.name} set (publish = 'insert, update'); delete from a`);
    expect(await failure(running)).toMatch(/^E_PUBLICATION_OPERATIONS: The publication/i);
  });

  it('and left out an operation for a moment ends the run where event triggers tell; the next one copies all', async ({
    expect,
  }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { ...(await published(source)), slot: source.name };
    await drain(source.url, target.url, settings);
    await source.sql(`insert into b values (3, 'x')`);
    await source.sql(`alter publication ${source.name} set (publish = 'insert, update')`);
    await source.sql('delete from a; insert into b values (4)');
    await source.sql(`alter publication ${source.name} set (publish = 'insert, update, delete, truncate')`);
    const run = () => drain(source.url, target.url, settings);
    await expect(run()).rejects.toMatchObject({ code: 'E_PUBLICATION_OPERATIONS' });
    expect(await ids(target, 'b')).toEqual([1, 3]);
    expect(await states(target)).toEqual({ a: 'copying', b: 'copying' });
    await run();
    expect(await ids(target, 'a')).toEqual([]);
    expect(await ids(target, 'b')).toEqual([1, 3, 4]);
  });

  it('and leaves out an operation may be put right after the start that refuses it: that has not forgotten', async ({
    expect,
  }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = await published(source);
    await drain(source.url, target.url, settings);
    await source.sql(`alter publication ${source.name} set (publish = 'insert'); delete from a`);
    await expect(drain(source.url, target.url, settings)).rejects.toMatchObject({
      code: 'E_PUBLICATION_OPERATIONS',
      message: expect.stringContaining('ALTER PUBLICATION'),
    });
    await source.sql(`alter publication ${source.name} set (publish = 'insert, update, delete, truncate')`);
    await drain(source.url, target.url, settings);
    expect(await ids(target, 'a')).toEqual([]);
  });

  it('goes on without the table where the configuration leaves it out, for good', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = await published(source);
    await drain(source.url, target.url, settings);
    await source.sql(`insert into a values (2, 'x'); insert into b values (2, 'x')`);
    await drain(source.url, target.url, settings);
    await source.sql(
      `alter publication ${source.name} drop table b; insert into a values (3); insert into b values (3)`,
    );
    const without = { ...settings, tables: ['!b'] };
    const findings = await check(configFor(source.url, target.url, { ...without, slot: source.name }));
    expect(findings.filter(({ severity }) => severity !== 'info')).toMatchObject([
      { severity: 'warning', code: 'tables_left', message: expect.stringMatching(/: public\.b\./) },
    ]);
    await drain(source.url, target.url, without);
    await source.sql(`insert into a values (4)`);
    await drain(source.url, target.url, without);
    expect([await ids(target, 'a'), await ids(target, 'b')]).toEqual([
      [1, 2, 3, 4],
      [1, 2],
    ]);
    expect(await states(target)).toEqual({ a: 'streaming', b: 'left' });
    // One row for each position that the history went through, whose commit shows the table as left.
    const commits = await target.sql(
      'select commit_hash as hash, row_count from wal2dolt_commits order by end_lsn_num',
    );
    expect(commits.map((row) => Number(row.row_count))).toEqual([2, 2, 1]);
    const [last] = await target.sql(`select message from dolt_log where commit_hash = '${commits[1]?.hash}'`);
    expect(last?.message).toMatch(/^no longer followed: public\.b\n/);

    await source.sql(`alter publication ${source.name} add table b`);
    await drain(source.url, target.url, without);
    expect(await states(target)).toEqual({ a: 'streaming', b: 'left' });
    const back = await check(configFor(source.url, target.url, { ...settings, slot: source.name }));
    expect(back.filter(({ severity }) => severity !== 'info')).toMatchObject([
      { severity: 'warning', code: 'table_back', message: expect.stringMatching(/^public\.b was not followed/) },
    ]);
    // What happened in between is copied, in one commit.
    await source.sql('update b set v = $$late$$ where id = 1; insert into a values (5)');
    await drain(source.url, target.url, settings);
    expect([await ids(target, 'a'), await ids(target, 'b')]).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3],
    ]);
    expect(await states(target)).toEqual({ a: 'streaming', b: 'streaming' });
    expect(await target.sql(`select count(*) as n from b as of 'HEAD~1'`)).toEqual([{ n: 2 }]);
    await source.sql('insert into b values (4)');
    await drain(source.url, target.url, settings);
    expect(await ids(target, 'b')).toEqual([1, 2, 3, 4]);
  });

  it('has written that a table is left out before it passes over its rows', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = await published(source);
    await drain(source.url, target.url, settings);
    // Nothing else happens: no commit of rows could bring the mark along, while the slot is advanced.
    await source.sql('insert into b values (2)');
    await drain(source.url, target.url, { ...settings, tables: ['!b'] });
    expect(await target.sql(`select state from wal2dolt_tables as of 'HEAD' where source_table = 'b'`)).toEqual([
      { state: 'left' },
    ]);
    expect(await ids(target, 'b')).toEqual([1]);
    await drain(source.url, target.url, settings);
    expect(await ids(target, 'b')).toEqual([1, 2]);
  });

  it('goes on without a table whose copy was broken off', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { ...(await published(source)), copyConnections: 1 };
    // Small tables are copied together: one is not.
    await source.sql(`alter table a set (autovacuum_enabled = false);
      insert into a select generate_series(2, 150000); delete from a where id > 1`);
    await runBroken(source.url, target.url, 1, settings);
    const staging = await target.connect('wal2dolt');
    const [rows] = await staging.query(`select source_table from wal2dolt_tables where state = 'copying'`);
    await staging.end();
    expect(rows).toHaveLength(1);
    const [{ source_table: left }] = rows as [{ source_table: string }];
    await source.sql(`insert into a values (2); insert into b values (2)`);
    await drain(source.url, target.url, { ...settings, tables: [`!${left}`] });
    const other = left === 'a' ? 'b' : 'a';
    expect([await ids(target, other), await ids(target, left)]).toEqual([[1, 2], []]);
  });
});
