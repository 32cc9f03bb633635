import { describe, expect, it } from 'vitest';
import { createPostgresDatabase, postgresVersion } from '../../test/support/postgres.js';
import { names, read } from '../../test/support/read-tables.js';
import type { ColumnType } from '../core/schema.js';
import { readTables } from './catalog.js';
import { connectSource } from './client.js';

/** What decides how a value prints, without the oids. */
function shape(type: ColumnType): unknown {
  const { name, base, kind, builtin, element, delimiter } = type;
  const modified = type.baseTypmod < 0 ? {} : { baseTypmod: type.baseTypmod };
  return { name, base, kind, builtin, ...modified, ...(element ? { element: shape(element), delimiter } : {}) };
}

describe('readTables', () => {
  it('takes column lists and row filters, qualified whatever search_path the database has', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create schema app;
      create type app.mood as enum ('sad', 'happy');
      create table app.t (id int primary key, secret text, m app.mood default 'sad', n int not null default 1 + 1, gone int);
      alter table app.t drop column gone, add column later date;
      comment on table app.t is 'It''s a "table"';
      create publication p for table app.t (id, later, m) where (id > 5 and later > '2026-01-01');
      alter database ${database.name} set search_path = app, public;`);
    const client = await connectSource(database.url, 'test');
    const [table] = await readTables(client, 'p');
    await client.end();

    expect(table).toMatchObject({
      schema: 'app',
      name: 't',
      kind: 'r',
      replicaIdentity: 'd',
      rowFilter: `((id > 5) AND (later > '2026-01-01'::date))`,
      comment: `It's a "table"`,
      unpublished: ['secret', 'n'],
    });
    expect(
      table?.columns.map(({ attnum, name, notNull, defaultExpression }) => [attnum, name, notNull, defaultExpression]),
    ).toEqual([
      [1, 'id', true, null],
      [3, 'm', false, `'sad'::app.mood`],
      [6, 'later', false, null],
    ]);
  });

  it('resolves types through domains and arrays', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create schema app;
      create type app.mood as enum ('sad', 'happy');
      create type app.pair as (a int, b text);
      create type app.span as range (subtype = float8, multirange_type_name = app.spans);
      create domain app.price as numeric(10,2) check (value > 0);
      create domain app.cost as app.price not null;
      create domain app.tags as varchar(5)[];
      create table t (
        i int, v varchar(20), n numeric(6,3), ts timestamptz(3), bits bit(4), price app.price, cost app.cost, tags app.tags,
        prices app.price[], matrix numeric(6,3)[][], boxes box[], moods app.mood[], pair app.pair, pairs app.pair[],
        span app.span, spans app.spans, vec int2vector, pt point, nm name, c char(3), listed app.tags[]);
      create publication p for table t;`);
    const [table] = await read(database);
    const type = Object.fromEntries(table?.columns.map((column) => [column.name, shape(column.type)]) ?? []);

    const scalar = (name: string, base: string, more: object = {}): object => ({
      name,
      base,
      kind: 'b',
      builtin: true,
      ...more,
    });
    const numeric102 = { baseTypmod: ((10 << 16) | 2) + 4 };
    const numeric63 = scalar('numeric(6,3)', 'numeric', { baseTypmod: ((6 << 16) | 3) + 4 });
    const price = scalar('app.price', 'numeric', numeric102);
    const varchar5 = scalar('character varying(5)', 'varchar', { baseTypmod: 9 });
    const tags = scalar('app.tags', '_varchar', { baseTypmod: 9, element: varchar5, delimiter: ',' });
    const mood = { name: 'app.mood', base: 'mood', kind: 'e', builtin: false };
    const pair = { name: 'app.pair', base: 'pair', kind: 'c', builtin: false };
    expect(type).toEqual({
      i: scalar('integer', 'int4'),
      v: scalar('character varying(20)', 'varchar', { baseTypmod: 24 }),
      n: numeric63,
      ts: scalar('timestamp(3) with time zone', 'timestamptz', { baseTypmod: 3 }),
      bits: scalar('bit(4)', 'bit', { baseTypmod: 4 }),
      price,
      cost: scalar('app.cost', 'numeric', numeric102),
      tags,
      prices: { name: 'app.price[]', base: '_price', kind: 'b', builtin: false, element: price, delimiter: ',' },
      matrix: scalar('numeric(6,3)[]', '_numeric', {
        baseTypmod: ((6 << 16) | 3) + 4,
        element: numeric63,
        delimiter: ',',
      }),
      boxes: scalar('box[]', '_box', { element: scalar('box', 'box'), delimiter: ';' }),
      moods: { name: 'app.mood[]', base: '_mood', kind: 'b', builtin: false, element: mood, delimiter: ',' },
      pair,
      pairs: { name: 'app.pair[]', base: '_pair', kind: 'b', builtin: false, element: pair, delimiter: ',' },
      span: { name: 'app.span', base: 'span', kind: 'r', builtin: false },
      spans: { name: 'app.spans', base: 'spans', kind: 'm', builtin: false },
      vec: scalar('int2vector', 'int2vector'),
      pt: scalar('point', 'point'),
      nm: scalar('name', 'name'),
      c: scalar('character(3)', 'bpchar', { baseTypmod: 7 }),
      listed: { name: 'app.tags[]', base: '_tags', kind: 'b', builtin: false, element: tags, delimiter: ',' },
    });
  });

  it('leaves out generated columns that are not published', async () => {
    await using database = await createPostgresDatabase();
    const is18 = postgresVersion() >= 18;
    await database.sql(`
      create table t (id int generated always as identity primary key, a int, s int generated always as (a * 2) stored
        ${is18 ? ', v int generated always as (a * 3) virtual' : ''});
      create publication p for table t;
      ${is18 ? 'create publication g for table t with (publish_generated_columns = stored);' : ''}`);
    const [without] = await read(database);
    expect(names(without)).toEqual(['id', 'a']);
    expect(without?.unpublished).toEqual(is18 ? ['s', 'v'] : ['s']);
    expect(without?.columns[0]).toMatchObject({ identity: 'a', generated: '', notNull: true });
    if (!is18) return;
    const [stored] = await read(database, 'g');
    expect(names(stored)).toEqual(['id', 'a', 's']);
    expect(stored?.unpublished).toEqual(['v']);
    expect(stored?.columns[2]).toMatchObject({ generated: 's', defaultExpression: '(a * 2)' });
  });

  it.runIf(postgresVersion() >= 18)('does not take a constraint that old rows may violate for NOT NULL', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create table t (a int, b int not null);
      insert into t values (null, 1);
      alter table t add constraint a_given not null a not valid;
      create publication p for table t;`);
    const [table] = await read(database);
    expect(table?.columns.map((column) => column.notNull)).toEqual([false, true]);
  });
});
