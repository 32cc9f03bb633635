import { describe, expect, it } from 'vitest';
import { PLAIN_RULES, plan, planned, rulesOf, schemaOf, type TableSpec } from '../../test/support/tables.js';
import { parseSelection, type TableOptions } from '../core/patterns.js';
import type { TableSchema } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import type { StoredTable } from '../dolt/bookkeeping.js';
import { hasColumns, planTables, restoreTable, selectSchemas } from './tables.js';

const columns = { id: 'integer', name: 'text', total: 'numeric(10,2)' };
const table = (name: string, schema = 'public'): TableSpec => ({ schema, name, columns, key: ['id'] });
const namesOf = (tables: readonly TargetTable[]): Record<string, string> =>
  Object.fromEntries(tables.map(({ source, name }) => [`${source.schema}.${source.name}`, name]));

describe('names of tables', () => {
  it('are their own in public, and by the template elsewhere', () => {
    expect(namesOf(plan([table('orders'), table('orders', 'sales')]))).toEqual({
      'public.orders': 'orders',
      'sales.orders': 'sales__orders',
    });
    const rules = rulesOf({ 'sales.*': { name: 'mine' } }, { tableName: '{table}/{schema}' });
    expect(namesOf(plan([table('orders', 'crm'), table('orders', 'sales')], rules))).toEqual({
      'crm.orders': 'orders/crm',
      'sales.orders': 'mine',
    });
  });

  it('that Dolt takes for one are made different, whatever order they come in', () => {
    const colliding = [table('Foo'), table('foo'), table('FOO'), table('foo_2')];
    const names = { 'public.FOO': 'FOO', 'public.Foo': 'Foo_2', 'public.foo': 'foo_3', 'public.foo_2': 'foo_2_2' };
    expect(namesOf(plan(colliding))).toEqual(names);
    expect(namesOf(plan(colliding.toReversed()))).toEqual(names);
  });

  it('collide across schemas, with names that were given, and with what is there', () => {
    const specs = [table('a__b'), table('b', 'a'), table('c'), table('d')];
    expect(namesOf(plan(specs, rulesOf({ c: { name: 'D' } }), ['A__B']))).toEqual({
      'a.b': 'a__b_2',
      'public.a__b': 'a__b_3',
      'public.c': 'D',
      'public.d': 'd_2',
    });
  });
});

describe('columns', () => {
  it('that Dolt takes for one are made different', () => {
    const made = planned({ name: 't', columns: { id: 'integer', ID: 'text', Id: 'text', id_2: 'text' }, key: ['ID'] });
    expect(made.columns.map(({ name }) => name)).toEqual(['id', 'ID_2', 'Id_3', 'id_2_2']);
    expect(made.key).toEqual([1]);
  });

  it('that are excluded leave a gap in what Postgres sends', () => {
    const made = planned(
      { name: 't', columns: { a: 'text', b: 'integer', c: 'text', d: 'integer' }, key: ['d', 'b'] },
      rulesOf({ t: { exclude: ['a', 'c', 'nothing'] } }),
    );
    expect(made.columns.map(({ name, sourcePosition }) => [name, sourcePosition])).toEqual([
      ['b', 1],
      ['d', 3],
    ]);
    expect(made.key).toEqual([1, 0]);
    expect(made.source.columns).toHaveLength(4);
  });

  it('that are excluded from a key leave none', () => {
    const made = planned(
      { name: 't', columns: { a: 'integer', b: 'integer' }, key: ['a', 'b'], identity: 'f' },
      rulesOf({ t: { exclude: ['b'] } }),
    );
    expect(made.key).toEqual([]);
    expect(made.columns.map(({ notNull }) => notNull)).toEqual([true]);
  });

  it('are NOT NULL where their value can never be NULL in Dolt', () => {
    const spec = {
      name: 't',
      columns: {
        id: 'double precision',
        needed: { type: 'text', notNull: true },
        ratio: { type: 'double precision', notNull: true },
        free: 'text',
      },
      key: ['id'],
    };
    expect(planned(spec).columns.map(({ name, notNull }) => [name, notNull])).toEqual([
      ['id', true],
      ['needed', true],
      ['ratio', false],
      ['free', false],
    ]);
  });

  it('have the type of the configuration: by column, else by full type, else by base type', () => {
    const spec = { name: 't', columns: { a: 'numeric(10,2)', b: 'numeric(10,2)', c: 'numeric(6,0)', d: 'integer' } };
    const types = new Map([
      ['numeric(10,2)', 'DECIMAL(20,2)'],
      ['numeric', 'DOUBLE'],
    ]);
    const made = planned(spec, rulesOf({ t: { types: { a: 'BIGINT' } } }, { types }));
    expect(made.columns.map(({ conversion }) => conversion.sql)).toEqual(['BIGINT', 'DECIMAL(20,2)', 'DOUBLE', 'INT']);
  });

  it('of a type outside of pg_catalog are called as Postgres prints that, with or without the schema', () => {
    const schema = schemaOf({ name: 't', columns: { a: 'text', b: 'text', c: 'text', d: 'text' } });
    const names = ['public.vector(3)', '"odd.one".price', 'public."The.Price"', 'public.mood'];
    const columns = schema.columns.map((column, i) => ({
      ...column,
      type: { ...column.type, name: names[i] ?? '', base: 'other', builtin: false },
    }));
    const types = new Map([
      ['vector(3)', 'VARCHAR(1)'],
      ['price', 'VARCHAR(2)'],
      ['"The.Price"', 'VARCHAR(3)'],
      ['public.mood', 'VARCHAR(4)'],
    ]);
    const [made] = planTables([{ ...schema, columns }], { ...PLAIN_RULES, types });
    expect(made?.columns.map(({ conversion }) => conversion.sql)).toEqual([
      'VARCHAR(1)',
      'VARCHAR(2)',
      'VARCHAR(3)',
      'VARCHAR(4)',
    ]);
  });

  it('of a key or an index have a type that can be one', () => {
    const made = planned({ name: 't', columns: { a: 'text', b: 'text', c: 'text' }, key: ['a'], unique: [['b']] });
    expect(made.columns.map(({ conversion }) => conversion.sql)).toEqual(['VARCHAR(4000)', 'LONGTEXT', 'LONGTEXT']);
    expect(() => planned(table('t'), rulesOf({ t: { types: { name: 'BLOB' } } }))).toThrowError(
      expect.objectContaining({ code: 'E_CONFIG' }),
    );
  });
});

it('only the selected tables are taken', () => {
  const rules = { selection: ['*', '!hidden'].map(parseSelection), options: [] };
  const schemas = [table('orders'), table('hidden'), table('orders', 'sales')].map(schemaOf);
  expect(selectSchemas(schemas, rules).map(({ schema, name }) => `${schema}.${name}`)).toEqual(['public.orders']);
});

it('a table is passed over as long as it has no column that is replicated', () => {
  const { tables } = rulesOf({ '*': { exclude: ['secret'] } });
  const named = (...names: string[]): TableSchema =>
    schemaOf({ name: 't', oid: 1, columns: Object.fromEntries(names.map((name) => [name, 'text'])) });
  const taken = [named(), named('secret'), named('secret', 'open')].map(
    (schema) => selectSchemas([schema], tables).length,
  );
  expect(taken).toEqual([0, 0, 1]);
  // The column that was left out has another name by now.
  const before = planned(
    { name: 't', oid: 1, columns: { secret: 'text', open: 'text' } },
    rulesOf({ '*': { exclude: ['secret'] } }),
  );
  expect(hasColumns(named('shown'), tables, before)).toBe(false);
});

/** A table as the bookkeeping gives it back. */
const stored = (made: TargetTable): StoredTable => ({
  oid: made.source.oid,
  targetName: made.name,
  state: 'streaming',
  snapshotLsn: null,
  schema: made.source,
  columns: new Map(made.columns.map(({ source, name, conversion }) => [source.attnum, { name, type: conversion.sql }])),
});

describe('a table that the target has', () => {
  const spec: TableSpec = { ...table('orders', 'sales'), columns: { ...columns, ID: 'text', secret: 'text' } };
  const rules = rulesOf({ 'sales.*': { name: 'mine', exclude: ['secret'], types: { total: 'DOUBLE' } } });

  it('is what it was made as', () => {
    const [made] = plan([table('mine'), spec], rules).toReversed();
    if (!made) throw new Error('not planned');
    expect(made.name).toBe('mine_2');
    const same = ({ columns: kept, ...rest }: TargetTable) => ({
      ...rest,
      columns: kept.map(({ conversion, ...column }) => ({ ...column, type: conversion.sql })),
    });
    expect(same(restoreTable(stored(made), rules))).toEqual(same(made));
  });

  it('keeps its names, whatever the configuration calls it now', () => {
    const made = planned(spec, rules);
    const renamed = rulesOf({ 'sales.*': { name: 'other', exclude: ['secret'], types: { total: 'DOUBLE' } } });
    const restored = restoreTable(stored(made), renamed);
    expect(restored.name).toBe('mine');
    expect(restored.columns.map(({ name }) => name)).toEqual(['id', 'name', 'total', 'ID_2']);
    // A name was given once: to ID when another column was there, say.
    const columns = new Map(
      [...stored(made).columns].map(([attnum, column]) => [attnum, { ...column, name: `c${attnum}` }]),
    );
    expect(restoreTable({ ...stored(made), columns }, rules).columns.map(({ name }) => name)).toEqual([
      'c1',
      'c2',
      'c3',
      'c4',
    ]);
  });

  it.each<[string, TableOptions, string]>([
    [
      'another type',
      { exclude: ['secret'], types: { total: 'BIGINT' } },
      'sales.orders.total is DOUBLE in the target, but BIGINT',
    ],
    ['no type', { exclude: ['secret'] }, 'sales.orders.total is DOUBLE in the target, but DECIMAL(10,2)'],
    [
      'more columns excluded',
      { exclude: ['secret', 'name'], types: { total: 'DOUBLE' } },
      'sales.orders.name is in the target, but excluded',
    ],
    [
      'fewer columns excluded',
      { types: { total: 'DOUBLE' } },
      'sales.orders.secret is not in the target, but not excluded',
    ],
  ])('is refused with %s', (_, options, sentence) => {
    const made = stored(planned(spec, rules));
    expect(() => restoreTable(made, rulesOf({ 'sales.*': options }))).toThrowError(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining(sentence) }),
    );
  });
});
