import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { drain, startRun } from './support/run.js';
import { FAST, failure, stream } from './support/streamed.js';

describe('a schema that changes while streaming', () => {
  it.each([
    ['a new column', "alter table t add column w int; insert into t values (3, 'c', 3)", 'the column w is new'],
    ['a renamed column', "alter table t rename column v to w; insert into t values (3, 'c')", 'the column v is now w'],
    ['a dropped column', 'alter table t drop column v; insert into t values (3)', 'the column v is gone'],
    [
      'another type',
      "alter table t alter column v type varchar(50); insert into t values (3, 'c')",
      'the type of column v',
    ],
    [
      'another key',
      'alter table t drop constraint t_pkey, add primary key (id, v); insert into t values (3, $$c$$)',
      'key',
    ],
    ['a renamed table', 'alter table t rename to u; insert into u values (3)', 'it was called public.t'],
    [
      'a table in the place of another',
      "drop table t; create table t (id int primary key, v text); insert into t values (3, 'c')",
      'it is another table than before: the one of this name was dropped',
    ],
    ['a new table', 'create table u (id int primary key); insert into u values (3)', 'the table is new'],
  ])('%s stops it, and Postgres keeps the rest', async (_what, change, said) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await using running = startRun(source.url, target.url, { ...FAST, commit: { maxDelay: '10ms' } });
    await source.sql("insert into t values (2, 'b')");
    await expect.poll(() => target.sql('select id from t')).toHaveLength(2);
    await sleep(100);
    const [before] = await source.sql('select pg_current_wal_lsn() as lsn');
    await source.sql(change);
    expect(await failure(running)).toMatch(/^E_SCHEMA_CHANGED/);
    await expect(drain(source.url, target.url)).rejects.toMatchObject({
      code: 'E_SCHEMA_CHANGED',
      message: expect.stringContaining(said),
    });
    expect(await target.sql('select id from t order by id')).toEqual([{ id: 1 }, { id: 2 }]);
    const [slot] = await source.sql(
      'select confirmed_flush_lsn <= $2 as kept from pg_replication_slots where slot_name = $1',
      [source.name, before?.lsn],
    );
    expect(slot).toEqual({ kept: true });
  });
});
