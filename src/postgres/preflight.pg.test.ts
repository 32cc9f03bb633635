import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { createPostgresDatabase, type PostgresDatabase, postgresVersion } from '../../test/support/postgres.js';
import { applyFix, checkSourceAt, codes, createRole, only, the } from '../../test/support/preflight.js';
import { parsePattern } from '../core/patterns.js';
import { checkReplicationConnection } from './preflight.js';

/** Everything that a check could have written: each row's version, and the slots. */
async function catalogState(database: PostgresDatabase): Promise<unknown> {
  const parts = ['pg_class', 'pg_attribute', 'pg_namespace', 'pg_proc', 'pg_publication', 'pg_publication_rel'].map(
    (table) => `(select md5(string_agg(oid_and_version, ',' order by oid_and_version)) from (
      select concat(${table === 'pg_attribute' ? "attrelid, '.', attnum" : 'oid'}, ':', xmin) as oid_and_version from ${table}) x) as ${table}`,
  );
  const slots = '(select json_agg(s) from pg_replication_slots s where database = current_database()) as slots';
  return database.sql(`select ${parts.join(', ')}, ${slots}`);
}

test('a clean source has nothing to say, and nothing is changed in it', async () => {
  await using source = await createPostgresDatabase();
  await source.sql('create table "Odd ""name" (id int primary key, t text); insert into "Odd ""name" values (1)');
  const before = await catalogState(source);

  expect(await checkSourceAt(source)).toEqual([]);
  const { findings, system } = await checkReplicationConnection(source.url);

  expect(findings).toEqual([]);
  expect(system).toMatchObject({ database: source.name, timelines: [{ id: 1 }] });
  const [row] = await source.sql('select system_identifier::text as id from pg_control_system()');
  expect(system?.systemId).toBe(row?.id);
  expect(await catalogState(source)).toEqual(before);
});

test('a role without privileges gets every missing one at once, and the fixes are enough', async () => {
  await using source = await createPostgresDatabase();
  await source.sql(`create table a (id int primary key); create schema "Hidden"; create table "Hidden".b (id int primary key);
    alter table a enable row level security`);
  await using role = await createRole(source);

  const connection = await checkReplicationConnection(role.url);
  expect(connection.system).toBeNull();
  const findings = [...(await checkSourceAt(source, {}, role.url)), ...connection.findings];

  expect(codes(findings)).toEqual([
    'publication_privilege',
    'schema_privilege',
    'select_privilege',
    'row_security',
    'replication_role',
  ]);
  expect(JSON.stringify(findings)).not.toContain('p-secret');
  for (const finding of findings) await applyFix(finding, source.sql);
  expect(await checkSourceAt(source, {}, role.url)).toEqual([]);
  expect((await checkReplicationConnection(role.url)).findings).toEqual([]);
});

test('an owner of all tables only needs CREATE on the database, and sees rows through its own policies unless forced', async () => {
  await using source = await createPostgresDatabase();
  await using role = await createRole(source, 'replication');
  const quoted = pg.escapeIdentifier(role.name);
  await source.sql(
    `create table a (id int primary key); alter table a owner to ${quoted}; alter table a enable row level security`,
  );

  const findings = await checkSourceAt(source, { tables: only('a') }, role.url);
  expect(codes(findings)).toEqual(['publication_privilege']);
  await applyFix(the('publication_privilege', findings), source.sql);
  expect(await checkSourceAt(source, { tables: only('a') }, role.url)).toEqual([]);

  await source.sql('alter table a force row level security');
  expect(codes(await checkSourceAt(source, {}, role.url))).toEqual(['row_security']);
});

test('SELECT on every column that is replicated is enough', async () => {
  await using source = await createPostgresDatabase();
  await using role = await createRole(source, 'replication');
  const quoted = pg.escapeIdentifier(role.name);
  await source.sql(`create table a (id int primary key, secret text, t text); create publication wal2dolt for table a;
    grant select (id, t) on a to ${quoted}`);

  expect(codes(await checkSourceAt(source, {}, role.url))).toEqual(['select_privilege']);
  const tables = { selection: [], options: [{ pattern: parsePattern('a'), options: { exclude: ['secret'] } }] };
  expect(await checkSourceAt(source, { tables }, role.url)).toEqual([]);
  await source.sql('alter publication wal2dolt set table a (id, t)');
  expect(await checkSourceAt(source, {}, role.url)).toEqual([]);
});

describe('publication', () => {
  test('one that leaves out operations', async () => {
    await using source = await createPostgresDatabase();
    await source.sql(
      `create table a (id int primary key); create publication wal2dolt for table a with (publish = 'insert, update')`,
    );
    const finding = the('publication_operations', await checkSourceAt(source));
    expect(finding.severity).toBe('error');
    expect(finding.message).toContain('leaves out delete, truncate');
    const streamed = await checkSourceAt(source, { slotState: 'kept' });
    expect(the('E_PUBLICATION_OPERATIONS', streamed).message).toContain('leaves out delete, truncate');
    expect(codes(streamed)).not.toContain('publication_operations');
    await applyFix(finding, source.sql);
    expect(await checkSourceAt(source)).toEqual([]);
  });

  test('one of nothing, and one of some tables', async () => {
    await using source = await createPostgresDatabase();
    await source.sql('create publication wal2dolt');
    expect(the('publication_empty', await checkSourceAt(source))).toMatchObject({ severity: 'error' });
    await source.sql('create table a (id int primary key); create table "B" (id int primary key)');
    const empty = await checkSourceAt(source, { tables: only('a') });
    expect(codes(empty)).toEqual(['publication_empty']);
    await applyFix(the('publication_empty', empty), source.sql);

    expect(await checkSourceAt(source, { tables: only('a') })).toEqual([]);
    const some = await checkSourceAt(source);
    expect(some).toMatchObject([{ code: 'not_published', severity: 'info' }]);
    await applyFix(the('not_published', some), source.sql);
    expect(await checkSourceAt(source)).toEqual([]);
  });

  test('no table at all, and a pattern that matches none', async () => {
    await using source = await createPostgresDatabase();
    expect(await checkSourceAt(source)).toMatchObject([{ code: 'no_tables', severity: 'error' }]);
    await source.sql('create table orders (id int primary key)');
    const findings = await checkSourceAt(source, { tables: only('orders', 'Orders') });
    expect(findings).toMatchObject([
      { code: 'pattern_unmatched', severity: 'warning', message: expect.stringContaining('Orders') },
    ]);
    await source.sql('create table hidden (id int primary key)');
    expect(await checkSourceAt(source, { tables: only('!hidden') })).toEqual([]);
    await source.sql('create publication wal2dolt for table orders');
    expect(await checkSourceAt(source, { tables: only('!hidden') })).toEqual([]);
  });

  test('one that is gone, or partitions that it publishes one by one', async () => {
    await using source = await createPostgresDatabase();
    await source.sql(`create table a (id int primary key) partition by range (id);
      create table a1 partition of a for values from (0) to (10); create table a2 partition of a for values from (10) to (20)`);
    await source.sql(`select pg_create_logical_replication_slot('${source.name}', 'pgoutput')`);
    const gone = await checkSourceAt(source, { slotState: 'kept' });
    expect(codes(gone)).toEqual(['E_PUBLICATION_MISSING', 'partitions']);
    await applyFix(the('E_PUBLICATION_MISSING', gone), source.sql);
    expect(codes(await checkSourceAt(source, { slotState: 'kept' }))).toEqual(['partitions']);

    await source.sql('alter publication wal2dolt set (publish_via_partition_root = false)');
    const leaves = await checkSourceAt(source, { slotState: 'kept' });
    expect(leaves).toMatchObject([{ code: 'publish_via_root', severity: 'info' }]);
    await applyFix(the('publish_via_root', leaves), source.sql);
    expect(codes(await checkSourceAt(source, { slotState: 'kept' }))).toEqual(['partitions']);
  });
});

describe('replica identity', () => {
  const TABLES = `
    create table plain (a int);
    create table nothing (a int primary key); alter table nothing replica identity nothing;
    create table dropped (a int primary key, b int not null); create unique index dropped_b on dropped (b);
    alter table dropped replica identity using index dropped_b; drop index dropped_b;
    create table "Deferrable" (a int primary key deferrable, b int not null); create unique index "B" on "Deferrable" (b);
    create table part (a int) partition by list (a); create table part1 partition of part for values in (1);
    create table part2 partition of part for values in (2); alter table part2 replica identity full;
    create table fine (a int primary key); create table full_one (a int); alter table full_one replica identity full;
    create table by_index (a int not null unique); alter table by_index replica identity using index by_index_a_key;
    create table nullable (a int unique, b int); create unique index partial on nullable (b) where b > 0`;

  test('is an error where we would publish, and what Postgres refuses then is what was said', async () => {
    await using source = await createPostgresDatabase();
    await source.sql(TABLES);
    const finding = the('replica_identity', await checkSourceAt(source));
    expect(finding.severity).toBe('error');
    expect(finding.fix?.split('\n')).toEqual([
      'ALTER TABLE public."Deferrable" REPLICA IDENTITY USING INDEX "B";',
      'ALTER TABLE public.dropped REPLICA IDENTITY DEFAULT;',
      'ALTER TABLE public.nothing REPLICA IDENTITY DEFAULT;',
      'ALTER TABLE public.nullable REPLICA IDENTITY FULL;',
      'ALTER TABLE public.part REPLICA IDENTITY FULL;',
      'ALTER TABLE public.part1 REPLICA IDENTITY FULL;',
      'ALTER TABLE public.plain REPLICA IDENTITY FULL;',
    ]);

    await source.sql('create publication wal2dolt for all tables with (publish_via_partition_root = true)');
    const refused: string[] = [];
    const all = [
      '"Deferrable"',
      'by_index',
      'dropped',
      'fine',
      'full_one',
      'nothing',
      'nullable',
      'part1',
      'part2',
      'plain',
    ];
    for (const table of all) {
      await source.sql(`update ${table} set a = a`).catch(() => refused.push(table));
    }
    expect(refused).toEqual(['"Deferrable"', 'dropped', 'nothing', 'nullable', 'part1', 'plain']);

    const published = the('replica_identity', await checkSourceAt(source));
    expect(published.severity).toBe('warning');
    await applyFix(published, source.sql);
    for (const table of all) await source.sql(`update ${table} set a = a`);
    expect(codes(await checkSourceAt(source))).not.toContain('replica_identity');
  });

  test('matters for the selected tables only, where we publish a list', async () => {
    await using source = await createPostgresDatabase();
    await source.sql(TABLES);
    expect(await checkSourceAt(source, { tables: only('fine', 'by_*') })).toEqual([]);
    expect(the('replica_identity', await checkSourceAt(source, { tables: only('*', '!part*') })).message).not.toContain(
      'part1',
    );
  });
});

test('what Postgres never replicates is named', async () => {
  await using source = await createPostgresDatabase();
  await source.sql(`create unlogged table u (id int primary key); create table s (id serial primary key);
    create materialized view m as select 1 as x; create foreign data wrapper w; create server srv foreign data wrapper w;
    create foreign table f (id int) server srv;
    create table p (id int) partition by list (id); create foreign table pf partition of p for values in (1) server srv`);
  const findings = await checkSourceAt(source);
  const messages = findings.filter((finding) => finding.code === 'not_replicated').map((finding) => finding.message);
  expect(messages).toEqual([
    expect.stringContaining('public.u'),
    expect.stringContaining('public.f, public.pf'),
    expect.stringContaining('public.m'),
    expect.stringContaining('public.s_id_seq'),
  ]);
  expect(the('partition_not_replicated', findings)).toMatchObject({
    severity: 'warning',
    message: expect.stringContaining('public.pf (foreign)'),
  });
  expect(await checkSourceAt(source, { tables: only('s') })).toEqual([]);
});

test('generated columns that do not arrive are named', async () => {
  await using source = await createPostgresDatabase();
  await source.sql('create table a (id int primary key, twice int generated always as (id * 2) stored)');
  const generated = {
    code: 'generated_columns',
    severity: 'warning',
    message: expect.stringContaining('public.a.twice'),
  };
  if (postgresVersion() < 18) {
    expect(await checkSourceAt(source)).toMatchObject([generated]);
    await source.sql('create publication wal2dolt for table a');
    expect(await checkSourceAt(source)).toMatchObject([generated]);
    return;
  }
  expect(await checkSourceAt(source)).toEqual([]); // we would publish it
  await source.sql('create publication wal2dolt for table a');
  const findings = await checkSourceAt(source);
  expect(findings).toMatchObject([generated]);
  await applyFix(the('generated_columns', findings), source.sql);
  expect(await checkSourceAt(source)).toEqual([]);
  await source.sql('alter table a add v int generated always as (id * 3) virtual');
  expect(await checkSourceAt(source)).toMatchObject([
    { code: 'generated_columns', message: expect.stringContaining('public.a.v') },
  ]);
});

test('a database in SQL_ASCII', async () => {
  await using admin = await createPostgresDatabase();
  const name = `${admin.name}_ascii`;
  await admin.sql(`create database ${name} template template0 encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'`);
  try {
    const url = new URL(admin.url);
    url.pathname = `/${name}`;
    expect(codes(await checkSourceAt(admin, {}, url.href))).toEqual(['encoding', 'no_tables']);
  } finally {
    await admin.sql(`drop database ${name} with (force)`);
  }
});

test('says what of partitions Postgres does not replicate', async () => {
  await using source = await createPostgresDatabase();
  await source.sql(`
    create table events (at date, id int, primary key (at, id)) partition by range (at);
    create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
    create table plain (id int primary key)`);
  const findings = await checkSourceAt(source);
  expect(the('partitions', findings)).toMatchObject({
    severity: 'warning',
    message: expect.stringContaining('public.events'),
  });
  expect(codes(await checkSourceAt(source, { tables: only('plain') }))).not.toContain('partitions');
});
