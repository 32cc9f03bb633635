import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createDoltDatabase, createDoltDatabaseName, startDolt } from './dolt.js';
import { createPostgresDatabase, postgresVersion, startPostgres } from './postgres.js';

test('the shared Postgres is of this project, streams logically, and keeps two databases apart', async () => {
  await using one = await createPostgresDatabase();
  await using two = await createPostgresDatabase();
  await one.sql('create table t (id int primary key); insert into t values (1)');
  await two.sql('create table t (id int primary key)');

  expect(await one.sql('select id from t')).toEqual([{ id: 1 }]);
  expect(await two.sql('select id from t')).toEqual([]);
  expect(await one.sql('show wal_level')).toEqual([{ wal_level: 'logical' }]);
  const [row] = await one.sql('show server_version_num');
  expect(Math.floor(Number(row?.server_version_num) / 10_000)).toBe(postgresVersion());
});

test('a Postgres database is dropped with its connections and slots', async () => {
  await using other = await createPostgresDatabase();
  const name = `dropped_${Date.now()}`;
  {
    await using database = await createPostgresDatabase(name);
    const client = await database.client();
    await client.query('begin');
    await database.sql(`select pg_create_logical_replication_slot('${name}', 'pgoutput')`);
  }
  expect(await other.sql('select 1 from pg_database where datname = $1', [name])).toEqual([]);
  expect(await other.sql('select 1 from pg_replication_slots where slot_name = $1', [name])).toEqual([]);
});

test('Dolt databases are apart, and a branch can be connected to', async () => {
  await using one = await createDoltDatabase();
  await using two = createDoltDatabaseName();
  await one.sql('create table t (id bigint primary key)');
  await one.sql("call dolt_commit('-Am', 'a table')");
  await one.sql("call dolt_branch('side')");
  const branch = await one.connect('side');
  await branch.query('insert into t values (9007199254740993)');

  expect(await one.sql('select id from t')).toEqual([]);
  expect((await branch.query('select id from t'))[0]).toEqual([{ id: '9007199254740993' }]);
  await expect(two.sql('select 1')).rejects.toThrow(two.name);
});

test('a Dolt database is dropped although a connection is open', async () => {
  await using other = await createDoltDatabase();
  const name = await (async () => {
    await using database = await createDoltDatabase();
    await (await database.connect()).query('create table t (id int primary key)');
    return database.name;
  })();
  expect(await other.sql('show databases')).not.toContainEqual({ Database: name });
});

test.each(['stop', 'kill'] as const)('Postgres keeps port and data over %s and start', async (end) => {
  let folder: string;
  {
    await using server = await startPostgres({ wal_level: 'replica' });
    folder = server.folder;
    await using database = await createPostgresDatabase('kept', server);
    await database.sql('create table t (id int primary key); insert into t values (1)');
    const { url, pid } = server;

    await server[end]();
    await expect(database.sql('select id from t')).rejects.toThrow();
    await server.start();

    expect(server.url).toBe(url);
    expect(server.pid).not.toBe(pid);
    expect(await database.sql('select id from t')).toEqual([{ id: 1 }]);
    expect(await database.sql('show wal_level')).toEqual([{ wal_level: 'replica' }]);
  }
  expect(existsSync(folder)).toBe(false);
});

test.each(['stop', 'kill'] as const)('Dolt keeps port and data over %s and start', async (end) => {
  let folder: string;
  {
    await using server = await startDolt();
    folder = server.folder;
    await using database = await createDoltDatabase(server);
    await database.sql('create table t (id int primary key)');
    await database.sql('insert into t values (1)');
    const { url, pid } = server;

    await server[end]();
    await expect(database.sql('select id from t')).rejects.toThrow();
    await server.start();

    expect(server.url).toBe(url);
    expect(server.pid).not.toBe(pid);
    expect(await database.sql('select id from t')).toEqual([{ id: 1 }]);
  }
  expect(existsSync(folder)).toBe(false);
});
