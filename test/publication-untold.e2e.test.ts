import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { drain, startRun } from './support/run.js';
import { FAST, failure } from './support/streamed.js';

const RELATIONS = { ...FAST, ddl: 'relations' };

const ids = async (target: DoltDatabase, table: string): Promise<number[]> =>
  (await target.sql(`select id from ${table} order by id`)).map((row) => Number(row.id));

/** A table, and a partition that is published for itself. */
const TABLES = `create table t (id int primary key); create table r (id int primary key) partition by range (id);
  create table leaf partition of r for values from (0) to (100); insert into t values (1), (11); insert into r values (1), (11)`;

describe.concurrent('a publication that changes by one of several entries, without event triggers,', () => {
  it.for<readonly [string, string, string]>([
    [
      'and so begins to filter',
      'for table t where (id < 10), table r, tables in schema public',
      'drop tables in schema public',
    ],
    ['and so filters no more', 'for table t where (id < 10)', 'add tables in schema public'],
    ['and so filters a partition no more', 'for table r, table leaf where (id < 10)', 'drop table leaf'],
    ['and so filters a partition', 'for table r', 'add table leaf where (id < 10)'],
  ])('%s, stops the next start', async ([, what, change], { expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`${TABLES}; create publication ${source.name} ${what}`);
    const settings = { ...RELATIONS, publication: source.name };
    await drain(source.url, target.url, settings);
    await source.sql(
      `alter publication ${source.name} ${change}; insert into t values (12); insert into r values (12)`,
    );
    await expect(drain(source.url, target.url, settings)).rejects.toMatchObject({ code: 'E_PUBLICATION_CHANGED' });
  });

  it.for<readonly [string, string, string]>([
    ['a table', 'for table t', 'add tables in schema public'],
    ['a table by its schema only', 'for table t where (id < 10), tables in schema public', 'drop table t'],
    ['a partition', 'for table r, table leaf', 'drop table leaf'],
  ])('and carries %s without a gap, is gone on with', async ([, what, change], { expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`${TABLES}; create publication ${source.name} ${what}`);
    const settings = { ...RELATIONS, publication: source.name };
    await drain(source.url, target.url, settings);
    await source.sql(
      `alter publication ${source.name} ${change}; insert into t values (12); insert into r values (12)`,
    );
    await drain(source.url, target.url, settings);
    const table = what.includes('table r') ? 'leaf' : 't';
    expect(await ids(target, table)).toEqual([1, 11, 12]);
  });
});

describe.concurrent('a publication that a transaction has altered and that has not ended', () => {
  it.for(['rollback', 'commit'])('says nothing, and nothing is committed, until its %s', async (end, { expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`create table a (id int primary key); create table b (id int primary key); insert into a values (1);
      create publication ${source.name} for table a, b`);
    await using running = startRun(source.url, target.url, { ...RELATIONS, publication: source.name });
    const shown = () => ids(target, 'a').catch(() => []);
    await expect.poll(shown, { timeout: 20_000 }).toEqual([1]);
    await source.sql('insert into a values (2)');
    await expect.poll(shown, { timeout: 20_000 }).toEqual([1, 2]);
    const other = await source.client();
    await other.query(`begin; alter publication ${source.name} drop table b`);
    await source.sql('insert into a values (3); insert into b values (3)');
    await sleep(1_000);
    expect(await shown()).toEqual([1, 2]);
    await other.query(end);
    if (end === 'rollback') await expect.poll(shown, { timeout: 20_000 }).toEqual([1, 2, 3]);
    else {
      expect(await failure(running)).toMatch(/^E_PUBLICATION_CHANGED: The publication/);
      expect(await shown()).toEqual([1, 2]);
    }
  });
});
