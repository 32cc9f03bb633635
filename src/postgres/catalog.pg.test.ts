import { describe, expect, it } from 'vitest';
import { createPostgresDatabase, type PostgresDatabase, postgresVersion } from '../../test/support/postgres.js';
import { type ColumnType, keyAttnums, type Leaf, type TableSchema } from '../core/schema.js';
import { readTables, readUnreplicated } from './catalog.js';
import { connectSource, queryRows } from './client.js';

async function read(database: PostgresDatabase, publication = 'p', oids?: readonly number[]): Promise<TableSchema[]> {
  const client = await connectSource(database.url, 'test');
  try {
    return await readTables(client, publication, oids);
  } finally {
    await client.end();
  }
}

const names = (table: TableSchema | undefined): string[] | undefined => table?.columns.map((column) => column.name);

/** What decides how a value prints, without the oids. */
function shape(type: ColumnType): unknown {
  const { name, base, kind, builtin, element, delimiter } = type;
  const modified = type.baseTypmod < 0 ? {} : { baseTypmod: type.baseTypmod };
  return { name, base, kind, builtin, ...modified, ...(element ? { element: shape(element), delimiter } : {}) };
}

describe('readTables', () => {
  it('keeps odd names apart and whole', async () => {
    await using database = await createPostgresDatabase();
    const long = `${'ü'.repeat(31)}x`; // 63 bytes
    await database.sql(`
      create schema "S.s";
      create table foo (id int primary key);
      create table "Foo" ("Id" int primary key, "id" text);
      create table "S.s"."a""b'c\\d;--" ("select" int, " " int, "é😀" int, "{,}" int, "\\" int, "${long}" int, primary key ("${long}", " "));
      create publication "P""p" for table foo, "Foo", "S.s"."a""b'c\\d;--";`);
    const tables = await read(database, 'P"p');
    expect(tables.map((table) => [table.schema, table.name])).toEqual([
      ['S.s', `a"b'c\\d;--`],
      ['public', 'Foo'],
      ['public', 'foo'],
    ]);
    expect(names(tables[0])).toEqual(['select', ' ', 'é😀', '{,}', '\\', long]);
    expect(tables[0] && keyAttnums(tables[0])).toEqual([6, 2]);
    expect(names(tables[1])).toEqual(['Id', 'id']);

    expect(await read(database, 'P"p', [tables[1]?.oid ?? 0])).toEqual([tables[1]]);
    expect(await read(database, 'p"p')).toEqual([]);
  });

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

  it('tells which index identifies rows', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create table deferred (id int primary key deferrable initially deferred);
      create table by_index (id int primary key, "B" int not null, a int not null);
      create unique index identity on by_index ("B", a) include (id);
      alter table by_index replica identity using index identity;
      create table others (id int primary key, a int, b text, check (a > 0));
      create unique index others_expression on others (lower(b));
      create unique index others_partial on others (a) where a > 5;
      create unique index others_nulls on others (b, a desc) nulls not distinct;
      create index others_gist on others using gist (int4range(a, null));
      create index others_hash on others using hash (b);
      create table child (other int references others on delete cascade);
      alter table child replica identity full;
      create publication p for table deferred, by_index, others, child;`);
    const [byIndex, child, deferred, others] = await read(database);
    expect(deferred && keyAttnums(deferred)).toEqual([]);
    expect(deferred?.indexes).toMatchObject([{ name: 'deferred_pkey', primary: true, immediate: false, attnums: [1] }]);

    expect(byIndex?.replicaIdentity).toBe('i');
    expect(byIndex && keyAttnums(byIndex)).toEqual([2, 3]);

    expect(others?.indexes.map(({ name, unique, attnums }) => [name, unique, attnums])).toEqual([
      ['others_expression', true, null],
      ['others_gist', false, null],
      ['others_hash', false, [3]],
      ['others_nulls', true, [3, 2]],
      ['others_partial', true, null],
      ['others_pkey', true, [1]],
    ]);
    expect(others?.indexes[0]?.definition).toBe(
      'CREATE UNIQUE INDEX others_expression ON public.others USING btree (lower(b))',
    );
    expect(others?.constraints).toEqual([{ name: 'others_a_check', kind: 'c', definition: 'CHECK ((a > 0))' }]);
    expect(child?.replicaIdentity).toBe('f');
    expect(child?.constraints).toEqual([
      {
        name: 'child_other_fkey',
        kind: 'f',
        definition: 'FOREIGN KEY (other) REFERENCES public.others(id) ON DELETE CASCADE',
        attnums: [1],
        references: { oid: others?.oid, attnums: [1] },
        onUpdate: 'a',
        onDelete: 'c',
      },
    ]);
  });

  it('gives partition roots or leaves, as the publication says', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create table m (id int, at date, primary key (id, at)) partition by range (at);
      create table m1 partition of m for values from ('2026-01-01') to ('2026-07-01');
      create table m2 partition of m for values from ('2026-07-01') to ('2027-01-01') partition by list (id);
      create table m2a partition of m2 default;
      create publication roots for table m with (publish_via_partition_root = true);
      create publication leaves for table m;`);
    const roots = await read(database, 'roots');
    expect(roots.map(({ name, kind }) => [name, kind])).toEqual([['m', 'p']]);
    expect(roots[0] && keyAttnums(roots[0])).toEqual([1, 2]);
    expect((await read(database, 'leaves')).map(({ name, kind }) => [name, kind])).toEqual([
      ['m1', 'r'],
      ['m2a', 'r'],
    ]);
  });

  it('tells of each partition whether it was written anew, or was detached and came back', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create table m (id int) partition by range (id);
      create table m1 partition of m for values from (0) to (9);
      create table m2 partition of m for values from (10) to (19) partition by range (id);
      create table m2a partition of m2 for values from (10) to (14);
      create table m2b partition of m2 for values from (15) to (19);
      create publication p for table m with (publish_via_partition_root = true);`);
    let before: readonly Leaf[] = [];
    const changed = async (change: string): Promise<string[]> => {
      await database.sql(change);
      const was = before;
      before = (await read(database))[0]?.leaves ?? [];
      return before.map(([file, joinedBy], i) =>
        [file !== was[i]?.[0] ? 'file' : '', joinedBy !== was[i]?.[1] ? 'joined' : ''].join(''),
      );
    };
    await changed('');
    expect(await changed('insert into m values (1)')).toEqual(['', '', '']);
    expect(await changed('truncate m1')).toEqual(['file', '', '']);
    expect(
      await changed(
        'alter table m2 detach partition m2a; alter table m2 attach partition m2a for values from (10) to (14)',
      ),
    ).toEqual(['', 'joined', '']);
    expect(
      await changed(
        'alter table m detach partition m2; alter table m attach partition m2 for values from (10) to (19)',
      ),
    ).toEqual(['', 'joined', 'joined']);
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

  it('reads a thousand tables in a second or two, on a machine that does nothing else', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      do $$ begin for i in 1..1000 loop
        execute format('create table t%s (id int primary key, a text not null default ''x'', b numeric(10,2), c int[], check (id > 0))', i);
      end loop; end $$;
      create publication p for all tables`);
    const started = performance.now();
    expect(await read(database)).toHaveLength(1000);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('sees the catalog of the transaction that it runs in', async () => {
    await using database = await createPostgresDatabase();
    await database.sql('create table t (id int primary key); create publication p for table t');
    const client = await connectSource(database.url, 'test');
    await queryRows(client, 'begin');
    await queryRows(client, 'alter table public.t add column n int');
    expect(names((await readTables(client, 'p'))[0])).toEqual(['id', 'n']);
    await queryRows(client, 'rollback');
    expect(names((await readTables(client, 'p'))[0])).toEqual(['id']);
    await client.end();
  });
});

describe('readUnreplicated', () => {
  it('lists what Postgres never replicates', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create extension postgres_fdw;
      create server elsewhere foreign data wrapper postgres_fdw;
      create table ordinary (id int primary key);
      create unlogged table "Scratch" (id int);
      create temporary table session_only (id int);
      create temporary sequence session_numbers;
      create materialized view totals as select count(*) from ordinary;
      create foreign table remote (id int) server elsewhere;
      create sequence numbers;
      create schema wal2dolt; create sequence wal2dolt.own;`);
    const client = await connectSource(database.url, 'test');
    expect(await readUnreplicated(client)).toEqual([
      { kind: 'sequence', schema: 'public', name: 'numbers' },
      { kind: 'foreign table', schema: 'public', name: 'remote' },
      { kind: 'materialized view', schema: 'public', name: 'totals' },
      { kind: 'unlogged table', schema: 'public', name: 'Scratch' },
    ]);
    await client.end();
  });
});
