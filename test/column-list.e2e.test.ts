import { describe, expect, it } from 'vitest';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase, postgresVersion } from './support/postgres.js';
import { drain } from './support/run.js';

/** Statements, the columns that are published, and whether Postgres refuses updates. */
const CASES: [string, string, string, boolean][] = [
  ['a part of the key', 'create table t (a int, b int, v text, primary key (a, b))', 'a, v', true],
  ['none of the key', 'create table t (a int primary key, b int, v text)', 'b, v', true],
  ['a key in another order', 'create table t (b int, a int, v text, primary key (a, b))', 'a, b', false],
  [
    'a part of the identity index',
    'create table t (a int primary key, b int not null, v text); create unique index i on t (a, b); alter table t replica identity using index i',
    'a, v',
    true,
  ],
  [
    'an identity index that is gone',
    'create table t (a int primary key, b int not null, v text); create unique index i on t (a, b); alter table t replica identity using index i; drop index i',
    'a, b, v',
    true,
  ],
  ['not whole rows', 'create table t (a int, b int, v text); alter table t replica identity full', 'a, v', true],
];

describe('a publication with', () => {
  it.each(CASES)('%s streams what Postgres lets through', async (_what, create, columns, refused) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`${create}; create publication wal2dolt for table t (${columns})`);
    await source.sql("insert into t (a, b, v) values (1, 1, 'copied')");
    await drain(source.url, target.url);
    await source.sql("insert into t (a, b, v) values (2, 2, 'streamed')");
    const update = source.sql('update t set b = 3, a = 4 where a = 2');
    if (refused) await expect(update).rejects.toThrow('cannot update table "t"');
    else await update;
    await drain(source.url, target.url);
    expect(await target.sql(`select ${columns} from t order by 1`)).toEqual(
      await source.sql(`select ${columns} from t order by 1`),
    );
  });

  it.runIf(postgresVersion() >= 18)('a key without overlaps streams too', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(
      'create table t (id int4range, during int4range, v text, primary key (id, during without overlaps))',
    );
    await drain(source.url, target.url);
    await source.sql("insert into t values ('[1,2)', '[1,3)', 'a'), ('[1,2)', '[3,5)', 'b')");
    await source.sql("update t set v = 'c' where during = '[3,5)'");
    await source.sql("delete from t where during = '[1,3)'");
    await drain(source.url, target.url);
    expect(await target.sql('select * from t')).toEqual([{ id: '[1,2)', during: '[3,5)', v: 'c' }]);
  });
});
