import { describe, expect, it } from 'vitest';
import { findTables, tableNames } from './named-tables.js';

const table = (...names: readonly string[]) => ({
  id: names[0],
  names: names.map((text) => {
    const [schema = '', name = ''] = text.split('/');
    return { schema, name };
  }),
});
const TABLES = [
  table('public/orders', 'public/purchases'),
  table('sales/items'),
  table('public/Odd.name'),
  ...['a', 'b', 'c'].map((name) => table(`archive/${name}_1999`)),
];

const found = (...words: readonly string[]) => findTables(tableNames(words), TABLES).map(({ id }) => id);

describe('tables that are named', () => {
  it('are found by any of their names, each once', () => {
    expect(found('orders')).toEqual(['public/orders']);
    expect(found('sales.items', 'public.purchases', 'orders')).toEqual(['public/orders', 'sales/items']);
    expect(found('public."Odd.name"')).toEqual(['public/Odd.name']);
    expect(found()).toEqual([]);
  });

  it.each([
    ['items', 'items: no such table is replicated; did you mean sales.items?'],
    ['sales.itmes', 'sales.itmes: no such table is replicated; did you mean sales.items?'],
    ['public.Orders', 'public.Orders: no such table is replicated; did you mean public.orders?'],
    [
      'nothing_like_it',
      'nothing_like_it: no such table is replicated; those that are: archive.a_1999, archive.b_1999, archive.c_1999, and 4 more',
    ],
    ['a.b.c', 'a.b.c: expected table or schema.table, got "a.b.c"'],
    ['public.*', 'public.*: the name of one table is expected'],
  ])('%s is none of them', (word, message) => {
    expect(() => found('orders', word)).toThrow(expect.objectContaining({ code: 'E_CONFIG', message }));
  });

  it('are all told, where several are none', () => {
    expect(() => found('x', 'orders', 'y')).toThrow(/^2 problems in the configuration\n {2}x: [^\n]*\n {2}y: /);
    expect(() => findTables(tableNames(['x']), [])).toThrow('x: no table is replicated yet');
  });
});
