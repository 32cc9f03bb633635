import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { brief, ToldSource, untold } from '../../test/support/told.js';
import { installTriggers } from './ddl-triggers.js';

/** Short messages of what was done since they were asked for last. */
const briefs = async (source: ToldSource): Promise<string[]> => (await source.told()).map(brief);

describe('a command never fails because of the triggers', () => {
  const redefine = (head: string, body: string): string =>
    `create or replace function wal2dolt.${head} language plpgsql as $$ begin ${body}; end $$`;
  const BROKEN: readonly (readonly [what: string, sql: string, told: RegExp | null])[] = [
    ['when a function is gone', 'drop function wal2dolt.touched', /wal2dolt\.touched.* does not exist/],
    ['when the publications are gone', 'drop function wal2dolt.followed', /wal2dolt\.followed.* does not exist/],
    ['when most of it is gone', 'drop function wal2dolt.messages, wal2dolt.followed, wal2dolt.message', /messages/],
    [
      'when one raises',
      redefine('message(publication name, change jsonb) returns text', `raise exception 'no "way"'`),
      /no "way" \[P0001\]/,
    ],
    [
      'when one fails while it notes',
      redefine('followed() returns name[]', 'return (1 / 0)::text'),
      /division by zero \[22012\]/,
    ],
    [
      'when one calls itself',
      redefine('followed() returns name[]', 'return wal2dolt.followed()'),
      /stack depth limit exceeded \[54001\]/,
    ],
    ['when one is elsewhere', 'alter function wal2dolt.types set schema public', /wal2dolt\.types.* does not exist/],
    ['when a note is none', `alter database :db set wal2dolt.rewritten = 'x'`, /invalid input syntax for type json/],
    [
      'when other notes are none',
      `alter database :db set wal2dolt.dropped = '{"x'`,
      /invalid input syntax for type json/,
    ],
    // Without its function an event trigger can not be.
    ['when the schema is gone', 'drop schema wal2dolt cascade', null],
  ];

  it.each(BROKEN)('%s', async (_, sql, told) => {
    await using source = await ToldSource.create('create table a (id int primary key, n int)');
    await source.database.sql(sql.replaceAll(':db', source.database.name));
    const session = await source.database.client();
    for (const statement of [
      'create table b (id serial primary key)',
      'alter table a alter n type bigint',
      'alter table a drop n',
      'drop table b',
      'create index concurrently on a (id)',
      'alter publication p set (publish_via_partition_root = false)',
    ]) {
      await session.query(statement);
    }
    expect((await session.query('select * from a')).fields.map(({ name }) => name)).toEqual(['id']);
    const failures = (await source.told()).flatMap(({ failure }) => failure ?? []);
    if (told === null) expect(failures).toEqual([]);
    else expect(failures.filter((failure) => told.test(failure))).not.toEqual([]);
  });

  it('where nobody knows which characters its bytes are', async () => {
    await using database = await createPostgresDatabase();
    const name = `${database.name}_bytes`;
    await database.sql(`create database ${name} template template0 encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'`);
    const url = new URL(database.url);
    url.pathname = `/${name}`;
    const client = new pg.Client({ connectionString: url.href, client_encoding: 'SQL_ASCII' });
    await client.connect();
    try {
      await client.query('create table a (id int primary key); create publication p for all tables');
      await installTriggers(client, 'p');
      const latin1 = Buffer.from(`alter table a add v text default 'caf\u00e9'`, 'latin1').toString('hex');
      await client.query(`do $$ begin execute convert_from('\\x${latin1}', 'SQL_ASCII'); end $$`);
      expect((await client.query('select * from a')).fields.map(({ name }) => name)).toEqual(['id', 'v']);
    } finally {
      await client.end();
      await database.sql(`drop database ${name}`);
    }
  });

  it('a failure is of that command only', async () => {
    await using source = await ToldSource.create(
      `create type mood as enum ('ok'); create table a (id int primary key, m mood default 'ok'); create table b (id int)`,
    );
    const other = await source.database.client();
    await other.query('begin; lock table a in access exclusive mode');
    const session = await source.database.client();
    await session.query('begin; alter table b alter id type bigint');
    await session.query(`alter type mood add value 'fine'`);
    await session.query('alter table b add n int; drop table b; commit');
    await other.query('rollback');
    expect(await briefs(source)).toEqual(['b*', expect.stringMatching(/lock timeout/), 'b', '-b']);
  });

  it('nor does it when a message would be too large, or nobody may emit one', async () => {
    await using source = await ToldSource.create('create table a (id int primary key)');
    const { sql } = source.database;
    const body = `begin return json_build_object('tag', repeat('x', 100000000), 'failure', null); end`;
    await sql(
      `create or replace function wal2dolt.message(publication name, change jsonb) returns text language plpgsql as $$ ${body} $$`,
    );
    await sql('alter table a add n int');
    expect(await briefs(source)).toEqual([expect.stringMatching(/^failure: .*too large/)]);

    await sql(`create role ${source.database.name}; alter function wal2dolt.on_ddl() owner to ${source.database.name}`);
    await sql('revoke execute on function pg_logical_emit_message(boolean, text, bytea) from public').catch(() =>
      sql('revoke execute on function pg_logical_emit_message(boolean, text, bytea, boolean) from public'),
    );
    await sql('alter table a add m int');
    expect(await briefs(source)).toEqual([]);
    await sql(`alter function wal2dolt.on_ddl() owner to current_user; drop role ${source.database.name}`);
  });
});

describe('a command never waits because of the triggers', () => {
  it('for a table that somebody has locked, which is told', async () => {
    await using source = await ToldSource.create(
      `create type mood as enum ('ok'); create table a (id int primary key, m mood default 'ok'); create table b (id int)`,
    );
    const other = await source.database.client();
    await other.query('begin; lock table a in access exclusive mode');
    const started = performance.now();
    await source.database.sql(`alter type mood add value 'fine'`);
    await source.database.sql('alter table b add n int');
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await briefs(source)).toEqual([expect.stringMatching(/lock timeout.*\[55P03\]/), 'b']);
    await other.query('rollback');
    await source.database.sql(`alter type mood add value 'good'`);
    expect(await briefs(source)).toEqual(['a']);
  });

  it('for a transaction that had schema changes and is still open; nor does installing', async () => {
    await using source = await ToldSource.create('create table a (id int primary key); create table b (id int)');
    const other = await source.database.client();
    await other.query('begin; alter table a add n int; drop table a');
    const session = await source.database.client();
    await session.query(`set lock_timeout = '1s'`);
    await session.query('alter table b add n int');
    await session.query(`select wal2dolt.follow('q')`);
    await session.query('create table c (id int primary key)');
    await other.query('rollback');
    expect(await briefs(source)).toEqual(['b', 'c+']);
  });
});

describe('whatever a session has set', () => {
  const HOSTILE = `
    set standard_conforming_strings = off; set escape_string_warning = off; set quote_all_identifiers = on; set DateStyle = 'SQL, DMY';
    set IntervalStyle = 'iso_8601'; set TimeZone = 'Asia/Tokyo'; set bytea_output = escape; set extra_float_digits = -10;
    set array_nulls = off; set jit_above_cost = 0; set enable_nestloop = off; set enable_indexscan = off; set enable_hashjoin = off;
    set session_replication_role = replica; set row_security = off; set plpgsql.extra_errors = 'all';
    set plpgsql.variable_conflict = use_column; set client_min_messages = error;
    set search_path = evil, pg_catalog`;
  const EVIL = `
    create schema evil; create view evil.pg_class as select 1 as oid; create table evil.pg_depend (x int);
    create function evil.format(text, text) returns text language sql as 'select null::text';
    create function evil.array_length(anyarray, int) returns int language sql as 'select 1 / 0';
    create function evil.no(oid, oid) returns boolean language plpgsql as 'begin raise exception ''hijacked''; end';
    create operator evil.= (leftarg = oid, rightarg = oid, function = evil.no);
    create type evil.name as enum ('x')`;

  it('the definitions are the same', async () => {
    await using source = await ToldSource.create(`${EVIL}; create table public.a (id int primary key)`);
    const session = await source.database.client();
    await session.query('create temporary table pg_publication (x int); create temporary table pg_attribute (x int)');
    await session.query(HOSTILE);
    const before = await source.tables();
    for (const statement of [
      String.raw`alter table public.a add t text default 'it''s \\ "x"', add b bytea default '\\x00ff', add at timestamptz default '01/02/2026 03:04'`,
      `alter table public.a add i interval default '1 day 2 hours', add f float8 default 0.1234567890123456, add check (at > '31/12/2025 00:00')`,
      'create table public."Of mine" (like public.a including all)',
      'alter table public.a rename f to "user"',
      'alter table public.a drop i',
    ]) {
      await session.query(statement);
    }
    const told = await source.told();
    expect(told.map(brief)).toEqual(['a', 'a', 'Of mine+', 'a', 'a']);
    expect(untold(before, await source.tables(), told)).toEqual([]);
    expect(told[0]?.tables[0]?.schema.columns.map(({ missing }) => missing)).toEqual([
      undefined,
      String.raw`it's \ "x"`,
      String.raw`\x00ff`,
      '2026-01-31 18:04:00+00', // the 1st of February in Tokyo
    ]);
    expect(told[0]?.settings).toMatchObject({
      TimeZone: 'Asia/Tokyo',
      DateStyle: 'SQL, DMY',
      extra_float_digits: '-10',
    });
  });
});
