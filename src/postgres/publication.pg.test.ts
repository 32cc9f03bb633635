import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createPostgresDatabase, postgresVersion } from '../../test/support/postgres.js';
import { readTables } from './catalog.js';
import { connectSource } from './client.js';
import { createPublication, readPublication, selectTables } from './publication.js';

const is18 = postgresVersion() >= 18;
const EVERYTHING = { insert: true, update: true, delete: true, truncate: true, viaRoot: true, generatedColumns: is18 };

describe('createPublication', () => {
  it('publishes all tables for a superuser, future ones too', async () => {
    await using database = await createPostgresDatabase();
    const client = await connectSource(database.url, 'test');
    expect(await createPublication(client, { name: `all"'s`, tables: 'all' })).toEqual({
      name: `all"'s`,
      allTables: true,
      schemas: [],
      ...EVERYTHING,
    });
    await database.sql('create table later (id int primary key, twice int generated always as (id * 2) stored)');
    const [table] = await readTables(client, `all"'s`);
    expect(table?.columns.map((column) => column.name)).toEqual(is18 ? ['id', 'twice'] : ['id']);
    await client.end();
  });

  it('publishes the list of tables that are there for a role that may no more', async () => {
    await using database = await createPostgresDatabase();
    const role = `r${randomBytes(6).toString('hex')}`;
    await database.sql(`
      create role ${role} login password 'x';
      grant create on database ${database.name} to ${role};
      create schema own authorization ${role};
      set role ${role};
      create table own."T 1" (id int primary key); create table own.heir () inherits (own."T 1");
      create table own.m (id int) partition by list (id); create table own.m1 partition of own.m default;
      reset role;`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'x';
    const client = await connectSource(url.href, 'test');
    const created = await createPublication(client, { name: 'mine', tables: 'all' });
    expect(created).toMatchObject({ allTables: false, ...EVERYTHING });
    expect((await readTables(client, 'mine')).map((table) => table.name)).toEqual(['T 1', 'heir', 'm']);

    await database.sql('create table theirs (id int primary key)');
    await expect(createPublication(client, { name: 'more', tables: 'all' })).rejects.toMatchObject({
      code: 'E_SOURCE_PRIVILEGE',
      message: expect.stringContaining('theirs'),
    });
    expect(await readPublication(client, 'more')).toBeNull();
    await client.end();
    await database.sql(`drop owned by ${role} cascade; drop role ${role}`);
  });

  it('publishes exactly the tables of a list, without those that inherit from them', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(
      `create table "a""b" (id int primary key); create table heir () inherits ("a""b"); create table other (id int)`,
    );
    const client = await connectSource(database.url, 'test');
    await createPublication(client, { name: 'p', tables: [{ schema: 'public', name: 'a"b' }] });
    expect((await readTables(client, 'p')).map((table) => table.name)).toEqual(['a"b']);
    await expect(createPublication(client, { name: 'q', tables: [] })).rejects.toMatchObject({ code: 'E_CONFIG' });
    await client.end();
  });
});

describe('readPublication', () => {
  it('tells what is published', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create schema "A b"; create schema c;
      create publication p for tables in schema c, "A b" with (publish = 'insert, delete');`);
    const client = await connectSource(database.url, 'test');
    expect(await readPublication(client, 'p')).toEqual({
      name: 'p',
      allTables: false,
      schemas: ['A b', 'c'],
      insert: true,
      update: false,
      delete: true,
      truncate: false,
      viaRoot: false,
      generatedColumns: false,
    });
    expect(await readPublication(client, 'P')).toBeNull();
    await client.end();
  });
});

describe('selectTables', () => {
  it('lists what can be published, and partitions only where their root is not picked', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create table plain (id int); create unlogged table scratch (id int); create temporary table t (id int);
      create view v as select 1; create materialized view mv as select 1;
      create schema wal2dolt; create table wal2dolt.own (id int);
      create table m (id int, at date) partition by range (at);
      create table m1 partition of m for values from ('2026-01-01') to ('2026-07-01');
      create table m2 partition of m for values from ('2026-07-01') to ('2027-01-01') partition by list (id);
      create table m2a partition of m2 default;`);
    const client = await connectSource(database.url, 'test');
    const pick = async (wanted: (name: string) => boolean): Promise<string[]> =>
      (await selectTables(client, (schema, name) => schema === 'public' && wanted(name))).map((table) => table.name);
    expect(await selectTables(client, () => true)).toEqual([
      { schema: 'public', name: 'm' },
      { schema: 'public', name: 'plain' },
    ]);
    expect(await pick((name) => name !== 'm')).toEqual(['m1', 'm2', 'plain']);
    expect(await pick((name) => name !== 'm2')).toEqual(['m', 'plain']);
    expect(await pick((name) => name === 'm2a')).toEqual(['m2a']);
    await client.end();
  });
});
