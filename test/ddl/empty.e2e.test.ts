import { expect, it } from 'vitest';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase } from '../support/postgres.js';
import { drain } from '../support/run.js';

it('rows between two commands may come to what they were', { timeout: 60_000 }, async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql('create table t (id int primary key); insert into t values (1)');
  await drain(source.url, target.url);
  await source.sql(
    'begin; alter table t add a text; update t set a = null; alter table t add b text; update t set b = null; commit',
  );
  await drain(source.url, target.url);
  expect(await target.sql('select * from t')).toEqual([{ id: 1, a: null, b: null }]);
});
