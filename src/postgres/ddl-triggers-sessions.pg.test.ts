import pg from 'pg';
import { expect, it } from 'vitest';
import { createPostgresDatabase, postgresVersion, startPostgres } from '../../test/support/postgres.js';
import { createRole } from '../../test/support/preflight.js';
import { ALL_TABLES, brief, snapshotsOf, ToldSource } from '../../test/support/told.js';
import type { SourceEvent } from '../core/change.js';
import { type DdlSnapshot, saw } from '../core/ddl-snapshot.js';
import { DDL_MESSAGE } from './ddl-message.js';
import { installTriggers } from './ddl-triggers.js';
import { decodeMessage } from './decoder.js';

const quote = pg.escapeIdentifier;

async function createSession(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/** What the stream says, an event a word. */
const inOrder = (events: readonly SourceEvent[]): string =>
  events
    .filter(({ kind }) => kind !== 'relation' && kind !== 'type')
    .map((event) =>
      event.kind === 'message' && event.prefix === DDL_MESSAGE ? snapshotsOf([event]).map(brief).join() : event.kind,
    )
    .join(', ');

it('a message has its place among the rows of its transaction; what is rolled back says nothing', async () => {
  await using source = await ToldSource.create('create table a (id int primary key, n int)');
  const session = await source.database.client();
  for (const statement of [
    'begin',
    'insert into a values (1)',
    'alter table a add m int default 7',
    'insert into a values (2)',
    'savepoint s',
    'alter table a alter n type bigint',
    'create table b (id int primary key)',
    'insert into a values (3)',
    'rollback to s',
    'savepoint t',
    'alter table a rename m to k', // not told as rewritten by what was rolled back
    'release t',
    'update a set k = 8 where id = 2',
    'commit',
    'begin; drop table a; rollback',
    'create table c as select 1 as one',
  ]) {
    await session.query(statement);
  }
  await expect(session.query('alter table a add x int default 1 / 0')).rejects.toThrow('division by zero');
  const events = await source.events();
  expect(inOrder(events)).toBe('begin, insert, a, insert, a, update, commit, begin, insert, c+, commit');
  const [added, renamed] = snapshotsOf(events);
  expect(added?.tables[0]?.schema.columns.map(({ name }) => name)).toEqual(['id', 'n', 'm']);
  expect(renamed?.tables[0]?.schema.columns.map(({ name }) => name)).toEqual(['id', 'n', 'k']);
});

it('a command costs the transaction no xid', async () => {
  // The server counts for all: alone on one, and without its own vacuums, the number is exact.
  await using server = await startPostgres({ autovacuum: 'off' });
  await using source = await ToldSource.create('create table a (id int primary key)', ALL_TABLES, server);
  const session = await source.database.client();
  const next = async (): Promise<number> =>
    Number((await session.query('select pg_snapshot_xmax(pg_current_snapshot())::text as xid')).rows[0].xid);
  const before = await next();
  await session.query('begin');
  for (let i = 0; i < 14; i++) await session.query(`alter table a add c${i} int`);
  await session.query('commit');
  expect((await next()) - before).toBe(1);
  expect((await source.told()).length).toBe(14);
});

it('who did it, by which words; passwords are left out', async () => {
  await using source = await ToldSource.create('create table a (id int primary key)');
  await using role = await createRole(source.database);
  await source.database.sql(`grant create on schema public to ${quote(role.name)}; create role owner_${source.database.name};
    grant owner_${source.database.name} to ${quote(role.name)}; grant create on schema public to owner_${source.database.name}`);
  const own = await createSession(role.url);
  const commands = [
    'create table b (id int primary key)',
    `set role owner_${source.database.name}; create table c (id int); reset role`,
    "do $$ begin execute 'create table d (password text default ''x'')'; end $$",
    'create table e (password text, id int)',
    `create table f (id int); select 'host=x password=secret user=y'`,
    `create table g (id int); -- alter role x password 'secret'`,
    `/* ${'é'.repeat(20_000)} */ create table h (id int)`,
  ];
  for (const command of commands) await own.query(command);
  await own.end();
  const told = await source.told();
  expect(told.map(brief)).toEqual(['b+', 'c+', 'd+', 'e+', 'f+', 'g+', 'h+']);
  expect(told.map(({ user }) => user)).toEqual(
    ['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => (name === 'c' ? `owner_${source.database.name}` : role.name)),
  );
  expect(told.map(({ command }) => command)).toEqual([
    commands[0],
    commands[1],
    "do $$ begin execute 'create table d (password text default '...",
    commands[3],
    `create table f (id int); select 'host=x password=...`,
    `create table g (id int); -- alter role x password '...`,
    `${commands[6]?.slice(0, 16_381)}...`,
  ]);
  await source.database.sql(`drop owned by owner_${source.database.name}; drop role owner_${source.database.name}`);
});

it('the emergency switch', async () => {
  await using source = await ToldSource.create('create table a (id int primary key)');
  const session = await source.database.client();
  for (const [i, value] of ['on', 'TRUE', '1', 'yes'].entries()) {
    await session.query(`set wal2dolt.disabled = '${value}'`);
    await session.query(`alter table a add c${i} int; alter table a alter c${i} type bigint; alter table a drop c${i}`);
  }
  expect(await source.told()).toEqual([]);
  for (const [i, value] of ['off', '', 'false', '0'].entries()) {
    await session.query(`set wal2dolt.disabled = '${value}'`);
    await session.query(`alter table a add d${i} int`);
  }
  expect((await source.told()).map(brief)).toEqual(['a', 'a', 'a', 'a']);
  if (postgresVersion() < 17) return;
  await session.query('set event_triggers = off; alter table a add e int'); // of Postgres itself
  expect(await source.told()).toEqual([]);
});

it('a command is told for each publication that is followed', async () => {
  await using source = await ToldSource.create(
    'create table a (id int primary key, n int); create table b (id int)',
    'for table a',
  );
  await source.database.sql(`create publication "Q q" for table a (id), b`);
  await installTriggers(source.client, 'Q q');
  await source.database.sql('create publication unfollowed for all tables');
  await source.database.sql('alter table a add m int');
  await source.database.sql('alter publication "Q q" drop table b');
  await source.database.sql('alter publication "Q q" set (publish = \'insert\')');
  const told = await source.told();
  const show = (one: DdlSnapshot): string =>
    `${one.publication}: ${brief(one)} ${one.tables.map(({ schema }) => schema.columns.map(({ name }) => name).join())}`;
  expect(told.map(show).sort()).toEqual(['Q q: (b) ', 'Q q: a id', 'Q q: all: a id', 'p: (b) ', 'p: a id,n,m']);
});

it('a database in another encoding', async () => {
  const name = `latin_${Date.now().toString(36)}`;
  await using admin = await createPostgresDatabase();
  await admin.sql(`create database ${name} template template0 encoding 'LATIN1' locale 'C'`);
  try {
    const session = await createSession(admin.url.replace(/[^/]*$/, name));
    await session.query(`create publication p ${ALL_TABLES}`);
    await installTriggers(session, 'p');
    await session.query(`select pg_create_logical_replication_slot('${name}', 'pgoutput')`);
    await session.query(`create table "Bücher" ("Größe" text default 'très')`);
    const { rows } = await session.query(
      `select data from pg_logical_slot_get_binary_changes('${name}', null, null,
         'proto_version', '1', 'publication_names', 'p', 'messages', 'true')`,
    );
    const [told] = snapshotsOf(rows.map(({ data }) => decodeMessage(data)));
    expect(told?.tables[0]?.schema).toMatchObject({
      name: 'Bücher',
      columns: [{ name: 'Größe', defaultExpression: `'très'::text` }],
    });
    await session.query(`select pg_drop_replication_slot('${name}')`);
    await session.end();
  } finally {
    await admin.sql(`drop database ${name} with (force)`);
  }
});

it('what others did at the same time can be told from what the message saw', async () => {
  await using source = await ToldSource.create(
    `create type mood as enum ('ok'); create table a (id int primary key, m mood); create table b (id int, n int)`,
  );
  const [one, other] = [await source.database.client(), await source.database.client()];
  await one.query(`begin; alter type mood add value 'fine'`);
  await other.query('alter table a add k int');
  await one.query('create index on b (id)');
  await other.query('create index on b (n)');
  await one.query('commit');
  const events = await source.events();
  const begun = events.flatMap((event) => (event.kind === 'begin' ? event.xid : []));
  const [column, index, type, first] = snapshotsOf(events);
  const columns = (told: DdlSnapshot | undefined): string | undefined =>
    told?.tables[0]?.schema.columns.map(({ name }) => name).join();
  expect([columns(column), columns(type)]).toEqual(['id,m,k', 'id,m']); // in this order
  expect(begun).toHaveLength(3);
  const [addColumn = 0, addIndex = 0, rest = 0] = begun;
  expect([type, first].map((told) => saw(told?.seen ?? '', addColumn))).toEqual([false, true]);
  expect(saw(first?.seen ?? '', addIndex)).toBe(false);
  expect(index?.tables[0]?.schema.indexes).toHaveLength(1);
  expect(saw(column?.seen ?? '', rest)).toBe(false);
});

it('a transaction that sees an older catalog says so', async () => {
  await using source = await ToldSource.create('create table a (id int primary key); create table b (id int)');
  const session = await source.database.client();
  await session.query('begin isolation level repeatable read; select from b');
  await source.database.sql('alter table a add n int');
  await session.query('alter table a add m int');
  await session.query('commit');
  await session.query('begin isolation level serializable');
  await session.query('alter table a add o int');
  await session.query('alter table b add o int; savepoint s; alter table b add p int');
  await session.query('commit');
  const told = await source.told();
  expect(told.map(brief).slice(0, 2)).toEqual(['a', expect.stringMatching(/^failure: by its isolation level/)]);
  // Nobody else was there, unless tests run beside this one.
  for (const one of told.slice(2)) expect(brief(one)).toMatch(/^(a|b|failure: by its isolation level.*)$/);
  expect(told).toHaveLength(5);
});
