import { expect, it } from 'vitest';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase } from '../support/postgres.js';
import { drain } from '../support/run.js';
import { expectSame } from '../support/streamed.js';

it('commands that do not lock each other out, in transactions that overlap', { timeout: 60_000 }, async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(
    "create type mood as enum ('a'); create table t (id int primary key, m mood); insert into t values (1, 'a')",
  );
  await drain(source.url, target.url);
  const first = await source.client();
  await first.query('begin');
  await first.query("alter type mood add value 'b'");
  await source.sql('alter table t add column k int default 5');
  await first.query('commit');
  await source.sql("insert into t values (2, 'b', 6)");
  await drain(source.url, target.url);
  await expectSame(source, target);
  expect(await target.sql('select k from t order by id')).toEqual([{ k: 5 }, { k: 6 }]);
});
