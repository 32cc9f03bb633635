import { describe, expect, it } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { names, read } from '../../test/support/read-tables.js';
import { keyAttnums, type Leaf } from '../core/schema.js';
import { readTables, readUnreplicated } from './catalog.js';
import { connectSource, queryRows } from './client.js';

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

  it('reads a thousand tables in a second or two of processor time', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      do $$ begin for i in 1..1000 loop
        execute format('create table t%s (id int primary key, a text not null default ''x'', b numeric(10,2), c int[], check (id > 0))', i);
      end loop; end $$;
      create publication p for all tables`);
    const client = await connectSource(database.url, 'test');
    await queryRows(client, 'set log_statement_stats = on; set client_min_messages = log');
    let seconds = 0;
    client.on('notice', ({ detail }) => {
      const [, user, system] = /([\d.]+) s user, ([\d.]+) s system/.exec(detail ?? '') ?? expect.fail(`${detail}`);
      seconds += Number(user) + Number(system);
    });
    const before = process.cpuUsage();
    expect(await readTables(client, 'p')).toHaveLength(1000);
    const { user, system } = process.cpuUsage(before);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds + (user + system) / 1e6).toBeLessThan(15);
    await client.end();
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
