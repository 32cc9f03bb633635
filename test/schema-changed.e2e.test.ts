import { describe, expect, it } from 'vitest';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { drain, startRun } from './support/run.js';
import { expectSame, FAST, failure } from './support/streamed.js';

// What becomes of each kind of change is in test/ddl; here is that a running stream goes on, and where it does not.

/** Each changes the schema and, where nothing else tells when it arrived, a row after that. */
const CHANGES: readonly (readonly [what: string, change: string])[] = [
  ['a new column', 'alter table t add column w int; insert into t values (3, $$c$$, 3)'],
  ['a renamed column', 'alter table t rename column v to x; insert into t values (4, $$d$$, 4)'],
  ['another type', 'alter table t alter column x type varchar(50); insert into t values (5, $$e$$, 5)'],
  ['a dropped column', 'alter table t drop column w; insert into t values (6, $$f$$)'],
  ['another key', 'alter table t drop constraint t_pkey, add primary key (id, x); update t set x = $$g$$ where id = 6'],
  ['a renamed table', 'alter table t rename to u; insert into u values (7, $$g$$)'],
  ['a new table', 'create table s (id int primary key); insert into s values (1)'],
  [
    'one in the place of another',
    'drop table s; create table s (id int primary key, v text); insert into s values (2, $$z$$)',
  ],
  ['another index', 'create index on u (x)'],
];

describe('a schema that changes while streaming', () => {
  it.each(['auto', 'relations'])('is followed (ddl: %s)', async (ddl) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { ...FAST, ddl };
    await source.sql('create table beat (n int primary key); create table t (id int primary key, v text)');
    await source.sql('insert into t values (1, $$a$$)');
    await drain(source.url, target.url, settings);
    await using running = startRun(source.url, target.url, settings);
    for (const [n, [what, change]] of CHANGES.entries()) {
      await source.sql(change);
      await source.sql(`insert into beat values (${n})`);
      const last = async (): Promise<unknown> => (await target.sql('select max(n) as n from beat'))[0]?.n;
      await expect.poll(last, { message: what }).toBe(n);
    }
    await running.stop();
    await expectSame(source, target);
  });

  it('stops it where only event triggers could tell what became of it, and Postgres keeps the rest', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { ...FAST, ddl: 'relations' };
    await source.sql('create table t (id int primary key, v text); insert into t values (1, $$a$$)');
    await drain(source.url, target.url, settings);
    const [before] = await source.sql('select pg_current_wal_lsn() as lsn');
    // Whether x was v when the row came, or is new, nobody tells any more.
    await source.sql('alter table t rename column v to x; insert into t values (2, $$b$$)');
    await source.sql('alter table t drop column x; alter table t add column x text');
    await using running = startRun(source.url, target.url, settings);
    expect(await failure(running)).toMatch(/^E_SCHEMA_AMBIGUOUS: public\.t: .*x may be the former v or a new column/);
    await expect(drain(source.url, target.url, settings)).rejects.toMatchObject({ code: 'E_SCHEMA_AMBIGUOUS' });
    expect(await target.sql('select * from t')).toEqual([{ id: 1, v: 'a' }]);
    const [slot] = await source.sql(
      'select confirmed_flush_lsn <= $2 as kept from pg_replication_slots where slot_name = $1',
      [source.name, before?.lsn],
    );
    expect(slot).toEqual({ kept: true });
  });
});
