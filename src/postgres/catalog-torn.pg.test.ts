import type pg from 'pg';
import { expect, it } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import type { TableSchema } from '../core/schema.js';
import { readTables } from './catalog.js';
import { connectSource } from './client.js';
import { importSnapshot } from './copy.js';
import { createSlot } from './create-slot.js';
import { assertStillSame } from './still-same.js';

const TABLES = `create type mood as enum ('sad', 'happy'); create domain price as numeric(8,2) check (value > 0);
  create function next() returns int language sql as 'select 1';
  create table p (id int primary key);
  create table t (id int primary key, m mood default 'sad', n int default next() not null, x price, u text,
    p int references p, unique (u), check (n > 0), constraint named check (x < 1000));
  create index i on t (n, u); comment on table t is 'a comment'; alter table t add column late int default 7;
  create publication pub for table t where (n > 0)`;

const without = ({ fileNode: _, ...table }: TableSchema): unknown => table;

/** As a copy does. */
async function readAndCompare(snapshot: pg.Client, now: pg.Client): Promise<TableSchema[]> {
  const tables = await readTables(snapshot, 'pub');
  await assertStillSame(now, tables);
  return tables;
}

/** Postgres prints definitions from the newest catalog, not from the snapshot's. */
it.each([
  'drop index i',
  'alter table t drop constraint t_u_key',
  'alter table t drop constraint t_pkey',
  'alter table t drop constraint named',
  'alter table t drop constraint t_p_fkey',
  'alter table t alter n drop default, alter m drop default, alter n drop not null',
  'alter table t alter n drop default; drop function next',
  'alter table t alter m type text',
  'alter table t alter x type numeric(10,4)',
  'alter table t drop m; drop type mood',
  'alter table t drop x; drop domain price',
  'alter table t alter id type bigint',
  'alter table t alter late set default 8, drop u',
  'alter table t replica identity full; comment on table t is null',
  'drop table p cascade',
  'alter publication pub set table t',
  'drop table t',
  'create index j on t (u); alter table t add check (id > 0), add column z int default 3',
])('what a snapshot shows of a table from before %s is what it was, or refused', async (change) => {
  await using database = await createPostgresDatabase();
  await database.sql(TABLES);
  const client = await connectSource(database.url, 'test');
  try {
    const before = await readTables(client, 'pub');
    expect(before).toHaveLength(1);
    await using snapshot = await createSlot(database.url, {
      name: `${database.name}_torn`,
      temporary: true,
      failover: false,
      timeoutMs: 60_000,
    });
    await database.sql(change);
    await importSnapshot(client, snapshot.snapshotName);
    const read = await readAndCompare(client, await database.client()).catch((error: { code?: string }) => error.code);
    expect(typeof read === 'object' ? read.map(without) : read).toBeOneOf([before.map(without), 'E_TABLE_REWRITTEN']);
  } finally {
    await client.end();
  }
});
