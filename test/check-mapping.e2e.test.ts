import { expect, test } from 'vitest';
import { check, configOf, preflight, SHOP } from './support/checked.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { the } from './support/preflight.js';
import { drain } from './support/run.js';

test('names and types in Dolt that one would not expect', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(`create type pair as (a int, b int);
    create table "Foo" (id int primary key, "A" int, a int); create table foo (k text primary key, p pair, r int4range, q point);
    create table dolt_x (id int primary key)`);
  const findings = await check(configOf(source, target));
  expect(findings).toMatchObject([
    { code: 'renamed', severity: 'info' },
    { code: 'type_fallback', message: expect.stringContaining('public.foo.p') },
    { code: 'type_fallback', message: expect.stringContaining('public.foo.r') },
    { code: 'type_fallback', message: expect.stringContaining('public.foo.q') },
    { code: 'key_length', message: expect.stringContaining('public.foo.k VARCHAR') },
  ]);
  expect(findings[0]?.message).toContain('public.Foo.a as a_2, public.dolt_x as t_dolt_x, public.foo as foo_2');

  const types = { tables: { foo: { types: { k: 'VARCHAR(20000)' } } } };
  expect(await check(configOf(source, target, types))).toMatchObject([
    { code: 'E_CONFIG', severity: 'error', message: expect.stringContaining('public.foo') },
  ]);
});

test('a configuration that would have made the tables differently', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(SHOP);
  await drain(source.url, target.url, { slot: source.name, publication: source.name });
  const findings = await check(configOf(source, target, { types: { text: 'VARCHAR(100)' } }));
  expect(findings).toMatchObject([
    { code: 'E_CONFIG', message: expect.stringContaining('public.orders.note is LONGTEXT in the target') },
  ]);
});

test('columns that are to be left out or given a type, and that no table has, are told before anything is copied', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(SHOP);
  const misspelt = configOf(source, target, {
    tables: { orders: { exclude: ['nte'] }, 'sales.*': { exclude: ['id2'] } },
  });
  const finding = the('E_CONFIG', await check(misspelt));
  expect(finding.message).toContain('orders: nte, sales.*: id2.');
  await expect(preflight(misspelt)).rejects.toMatchObject({ code: 'E_CONFIG' });
  expect(await check(configOf(source, target, { tables: { '*.*': { exclude: ['note'] } } }))).toEqual([]);
});
