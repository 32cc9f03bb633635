import { describe, it } from 'vitest';
import { createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { drain } from './support/run.js';
import { FAST } from './support/streamed.js';

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
