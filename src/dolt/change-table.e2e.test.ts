import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AlteredTables, createAlteredTables } from '../../test/support/altered-tables.js';

// A command is run in Postgres and followed in Dolt: rows, definition and exact values must be those of a table made anew.

let tables: AlteredTables;
beforeAll(async () => {
  tables = await createAlteredTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

let count = 0;
/** NAME stands for the table. */
async function create(sql: string) {
  count += 1;
  const name = `t${count}`;
  const table = await tables.create(name, sql.replaceAll('NAME', name));
  return (command: string, hidden = false) => table.alter(command.replaceAll('NAME', name), { hidden });
}

const KEYED = `
  create table NAME (id int primary key, a varchar(10) not null, b numeric(10,2), c text, at timestamptz);
  create index NAME_b on NAME (b); create index NAME_c on NAME (c, a); comment on table NAME is 'it''s';
  insert into NAME values (1, 'a', 1.10, 'x', '2020-01-01 00:00:00.5+00'), (2, 'B ', null, null, null),
    (3, E'it''s \\\\', 99.99, '', '-infinity')`;

describe('a column', () => {
  it.each([
    ['is renamed', 'rename a to "New Name"', 'kept'],
    ['is renamed in case only', 'rename a to "A"', 'kept'],
    ['is dropped', 'drop a', 'kept'],
    ['of an index is dropped', 'drop b', 'kept'],
    ['of the key is dropped, and rows have exact values', 'drop id', 'converted'],
    ['is added', 'add z int', 'kept'],
    ['is added with a constant', 'add z numeric not null default 1.5', 'kept'],
    ['is added with a constant that is not exact', 'add z numeric not null default 1.50', 'converted'],
    ['is added with json', `add z jsonb not null default '{"a": 1}'`, 'kept'],
    ['is added with bytes', `add z bytea not null default '\\x00ff'`, 'kept'],
    ['is added with a time', `add z time not null default '24:00'`, 'kept'],
    ['is added with a volatile default', 'add z float default random()', 'copied'],
    ['is added as identity', 'add z int generated always as identity', 'copied'],
    ['is made wider', 'alter id type bigint', 'kept'],
    ['is made wider, in an index', 'alter b type numeric(12,2)', 'kept'],
    ['is made text', 'alter a type text', 'kept'],
    ['gets another scale', 'alter b type numeric(12,3)', 'converted'],
    ['is made a bare numeric', 'alter b type numeric', 'converted'],
    ['is made text by its own cast', 'alter at type text', 'converted'],
    ['is made text by an expression', 'alter a type text using upper(a)', 'copied'],
    ['of the same type is made by an expression', `alter c type text using c || 'x'`, 'copied'],
    ['is NOT NULL already', 'alter id set not null', null],
    ['is made NOT NULL', `add check (b > 0), alter a set not null`, 'kept'],
    ['is made nullable', 'alter a drop not null', 'kept'],
    ['gets a default', `alter c set default 'x'`, 'kept'],
    ['gets a default that Dolt does not have', 'alter c set default random()::text', 'kept'],
  ])('%s', async (_, action, kind) => {
    const alter = await create(KEYED);
    const { diff, rows, differences } = await alter(`alter table NAME ${action}`);
    expect(differences).toEqual([]);
    if (kind === null) expect(diff).toBeNull();
    else expect(rows).toMatchObject({ kind });
  });

  it('comes in place of the last one', async () => {
    const alter = await create('create table NAME (a numeric); insert into NAME values (1), (1), (2.50)');
    const { rows, differences } = await alter(
      'begin; alter table NAME add b text; alter table NAME drop a; commit',
      true,
    );
    expect(differences).toEqual([]);
    expect(rows.kind).toBe('converted');
  });

  it('of long text makes way in a row that is full, and has room again', async () => {
    const alter = await create(`
      create table NAME (id int primary key, a varchar(9000) unique, b varchar(5000));
      insert into NAME values (1, 'a', 'b'), (2, '🍕', null)`);
    for (const action of [`add c varchar(6000) default 'c'`, 'drop b', 'alter c type varchar(4000)', 'drop c']) {
      const { rows, differences } = await alter(`alter table NAME ${action}`, action !== 'alter c type varchar(4000)');
      expect(differences, action).toEqual([]);
      expect(rows.kind, action).toBe(action.startsWith('alter') ? 'converted' : 'kept');
    }
  });
});

describe('a table with rows that have exact values', () => {
  const ROWS = `insert into NAME values (1, 1.10, 'NaN'), (1, 1.10, 'NaN'), (1, 1.1, 'NaN'), (2, null, '-0'), (null, 2.0, 1)`;

  it.each([
    ['a column is added', 'add z int', 'converted'],
    ['a column is dropped', 'drop f', 'converted'],
    ['a column is dropped that all have', 'drop n', 'converted'],
    ['a column is renamed', 'rename n to m', 'kept'],
    ['another column is renamed', 'rename id to n2', 'kept'],
    ['its table is renamed', 'rename to NAME_renamed', 'kept'],
    ['a column gets another type', 'alter n type text', 'converted'],
    ['a column that Dolt takes for its own is there', 'rename f to commit', 'kept'],
  ])('and no key: %s', async (_, action, kind) => {
    const alter = await create(
      `create table NAME (id int, n numeric, f float8); alter table NAME replica identity full; ${ROWS}`,
    );
    const { rows, differences } = await alter(`alter table NAME ${action}`);
    expect(differences).toEqual([]);
    expect(rows.kind).toBe(kind);
  });

  it('and no key, with a column that Dolt takes for its own, is copied', async () => {
    const alter = await create(`create table NAME (id int, n numeric, "Commit" float8); ${ROWS}`);
    const { rows, differences } = await alter('alter table NAME add z int');
    expect(differences).toEqual([]);
    expect(rows.kind).toBe('copied');
  });

  it.each([
    ['another key', 'alter table NAME drop constraint NAME_pkey, add primary key (b, a)', 'converted'],
    ['no key any more', 'alter table NAME drop constraint NAME_pkey', 'converted'],
    ['its key by another name', 'alter table NAME rename a to "A"', 'kept'],
    ['a wider key', 'alter table NAME alter a type bigint', 'kept'],
    ['a key of another type', 'alter table NAME alter a type text', 'converted'],
    ['another table name', 'alter table NAME rename to "NAME of exact values"', 'kept'],
    ['another table name in case only', 'alter table NAME rename to "NAME_PARTLY"', 'kept'],
  ])('and %s', async (_, command, kind) => {
    const alter = await create(`
      create table NAME (a int, b text, n numeric, primary key (a, b));
      insert into NAME values (1, 'x', 1.10), (1, 'y', 1.1), (2, 'x', 'Infinity'), (3, 'é', null)`);
    const { rows, differences } = await alter(command);
    expect(differences).toEqual([]);
    expect(rows.kind).toBe(kind);
  });
});

describe('a type whose values', () => {
  it.each([
    ['have other labels', `rename value 'sad' to 'it''s sad'`, 'converted'],
    ['had an empty label', `rename value '' to 'glad'`, 'converted'],
    ['may have more labels', `add value 'new'`, 'kept'],
    ['have a type of another name', 'rename to NAME_renamed', 'kept'],
  ])('%s', async (_, action, kind) => {
    const alter = await create(`
      create type NAME_mood as enum ('', 'sad');
      create table NAME (id int, m NAME_mood, n NAME_mood, primary key (id, m)); create index on NAME (m);
      insert into NAME values (1, 'sad', 'sad'), (2, '', ''), (3, '', null)`);
    const { rows, differences } = await alter(`alter type NAME_mood ${action}`);
    expect(differences).toEqual([]);
    expect(rows.kind).toBe(kind);
  });

  it('have other labels in an array', async () => {
    const alter = await create(`
      create type NAME_mood as enum ('', 'sad'); create table NAME (id int primary key, m NAME_mood[]);
      insert into NAME values (1, '{sad,NULL}')`);
    const { rows, differences } = await alter(`alter type NAME_mood rename value 'sad' to 'glad'`);
    expect(differences).toEqual([]);
    expect(rows.kind).toBe('copied');
  });

  it('have another attribute', async () => {
    const alter = await create(`
      create type NAME_pair as (a int, b int); create table NAME (id int primary key, p NAME_pair);
      insert into NAME values (1, '(1,2)')`);
    const { rows, differences } = await alter('alter type NAME_pair add attribute c int');
    expect(differences).toEqual([]);
    expect(rows.kind).toBe('copied');
  });

  it('can not be cast any more, since it is gone', async () => {
    const alter = await create(`
      create type NAME_pair as (a int, b int); create table NAME (id int primary key, p NAME_pair, n numeric);
      insert into NAME select i, row(i, i)::NAME_pair, 1.50 from generate_series(1, 9000) i`);
    const command = 'alter table NAME alter p type text; drop type NAME_pair';
    const { diff, rows, differences } = await alter(command);
    expect(differences).toEqual([]);
    expect(diff?.rows.kind).toBe('converted');
    expect(rows.kind).toBe('copied');
  });
});
