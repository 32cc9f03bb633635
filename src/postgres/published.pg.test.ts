import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresDatabase, type PostgresDatabase, postgresVersion } from '../../test/support/postgres.js';
import { readTables } from './catalog.js';
import { connectSource, queryRows } from './client.js';
import { readCarried } from './publication.js';

const is18 = postgresVersion() >= 18;

/** Partitions of partitions in two schemas, with all that is not replicated, and names that need quotes. */
const SCENE = `
  create extension postgres_fdw; create server elsewhere foreign data wrapper postgres_fdw;
  create schema s1; create schema "S 2";
  create table s1.plain (id int primary key, a int not null, b text, g int generated always as (a * 2) stored);
  create table s1.heir () inherits (s1.plain);
  create table "S 2"."P t" ("Id" int primary key, "a b" int not null, c text, gone int);
  alter table "S 2"."P t" drop column gone;
  create unlogged table s1.scratch (id int primary key); create temporary table t (id int);
  create view s1.v as select 1; create materialized view s1.mv as select 1; create sequence s1.numbers;
  create table s1.m (id int not null, at date not null, n int, primary key (id, at)) partition by range (at);
  create table s1.m1 partition of s1.m for values from ('2026-01-01') to ('2026-02-01');
  create table "S 2".m2 partition of s1.m for values from ('2026-02-01') to ('2026-03-01') partition by list (id);
  create table s1.m2a partition of "S 2".m2 for values in (1);
  create table "S 2".m2b partition of "S 2".m2 for values in (2);
  create unlogged table s1.m2c partition of "S 2".m2 for values in (3);
  create table s1.leaving partition of s1.m for values from ('2026-04-01') to ('2026-05-01');
  create table s1.w (id int) partition by list (id); create foreign table s1.w1 partition of s1.w default server elsewhere;
  create table s1.empty (id int primary key) partition by list (id);`;

/** As they may stand in FOR TABLE, with column lists and row filters. */
const TABLES = [
  's1.plain',
  'only s1.plain',
  's1.plain (id, b)',
  "s1.plain (id, a) where (a > 5 and b like 'x%')",
  's1.heir',
  's1.heir where (id > 0)',
  '"S 2"."P t"',
  '"S 2"."P t" ("Id", "a b")',
  '"S 2"."P t" where ("a b" is not null)',
  ...(is18 ? ['s1.plain (id, g)'] : []),
  's1.m',
  's1.m (id, at)',
  's1.m where (n is null)',
  's1.m1',
  's1.m1 where (n > 1)',
  's1.m1 (id, at)',
  '"S 2".m2',
  '"S 2".m2 where (id > 0)',
  's1.m2a',
  's1.m2a (id, at, n)',
  '"S 2".m2b',
  's1.leaving',
  's1.w',
  's1.empty',
]; // prettier-ignore

let database: PostgresDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createPostgresDatabase();
  await database.sql(SCENE);
  client = await connectSource(database.url, 'test');
  await leaveHalfDetached(database);
});
afterAll(async () => {
  await client.end();
  await database[Symbol.asyncDispose]();
});

describe('what a publication carries', () => {
  it('is what pg_publication_tables says, whatever it is made of', async () => {
    const publication = fc.record({
      what: fc.oneof(
        { weight: 1, arbitrary: fc.constant('for all tables') },
        { weight: 1, arbitrary: fc.constant('') },
        {
          weight: 20,
          arbitrary: fc
            .tuple(fc.subarray(TABLES, { maxLength: 6 }), fc.subarray(['s1', '"S 2"']))
            .map(([tables, schemas]) => {
              const parts = [
                ...(tables.length > 0 ? [`table ${tables.join(', ')}`] : []),
                ...(schemas.length > 0 ? [`tables in schema ${schemas.join(', ')}`] : []),
              ];
              return parts.length > 0 ? `for ${parts.join(', ')}` : '';
            }),
        },
      ),
      viaRoot: fc.boolean(),
      generated: fc.boolean(),
    });
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(publication, async ({ what, viaRoot, generated }) => {
        const options = [`publish_via_partition_root = ${viaRoot}`];
        if (is18 && generated) options.push('publish_generated_columns = stored');
        const created = await database.sql(`create publication p ${what} with (${options.join(', ')})`).then(
          () => true,
          () => false, // a combination that Postgres does not take
        );
        fc.pre(created);
        try {
          await compare();
          compared += 1;
        } finally {
          await database.sql('drop publication p');
        }
      }),
      { numRuns: 150, maxSkipsPerRun: 100 },
    );
    expect(compared).toBe(150);
  });

  it('is found without waiting for somebody who has locked a table', async () => {
    await database.sql('create publication p for all tables');
    const other = await database.client();
    await other.query('begin; lock table s1.plain in access exclusive mode');
    try {
      await queryRows(client, `set lock_timeout = '1s'`);
      expect((await readCarried(client, 'p')).size).toBeGreaterThan(5);
      await expect(readTables(client, 'p')).rejects.toThrow(/lock timeout/); // its default is printed
    } finally {
      await queryRows(client, 'reset lock_timeout');
      await other.query('rollback');
      await other.end();
      await database.sql('drop publication p');
    }
  });
});

async function compare(): Promise<void> {
  const told = await queryRows<{ oid: string; attnames: string; rowfilter: string | null }>(
    client,
    `select c.oid, p.rowfilter, to_json(array(
       select a.attname from pg_catalog.pg_attribute a
       where a.attrelid = c.oid and a.attname = any (p.attnames) and ($1 or a.attgenerated = '') order by a.attnum)) as attnames
     from pg_catalog.pg_publication_tables p join pg_catalog.pg_namespace n on n.nspname = p.schemaname
     join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
     where p.pubname = 'p' and c.relkind <> 'f' and c.relpersistence = 'p' order by n.nspname collate "C", c.relname collate "C"`,
    [String(is18)],
  );
  const wanted = told.map(({ oid, attnames, rowfilter }) => [Number(oid), JSON.parse(attnames), rowfilter]);
  const tables = await readTables(client, 'p');
  expect(tables.map(({ oid, columns, rowFilter }) => [oid, columns.map(({ name }) => name), rowFilter])).toEqual(
    wanted,
  );
  expect([...(await readCarried(client, 'p')).keys()].sort()).toEqual(wanted.map(([oid]) => oid).sort());

  // Of some tables, the same as of all.
  const every = await queryRows<{ oid: string }>(
    client,
    `select oid from pg_catalog.pg_class where relkind in ('r', 'p', 'f')`,
  );
  const some = every.map(({ oid }) => Number(oid)).filter((oid) => oid % 2 === 0);
  expect(await readTables(client, 'p', some)).toEqual(tables.filter(({ oid }) => some.includes(oid)));
}

/** DETACH … CONCURRENTLY that is broken off between its two transactions: the partition is neither in nor out. */
async function leaveHalfDetached(source: PostgresDatabase): Promise<void> {
  const reader = await source.client();
  await reader.query('begin; select from s1.m');
  await source.sql(`set lock_timeout = '300ms'`);
  await expect(source.sql('alter table s1.m detach partition s1.leaving concurrently')).rejects.toThrow(/lock timeout/);
  await source.sql('reset lock_timeout');
  await reader.query('rollback');
  const pending = await source.sql('select from pg_inherits where inhdetachpending');
  expect(pending).toHaveLength(1);
}
