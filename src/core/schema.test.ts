import { expect, it } from 'vitest';
import { schemaOf, type TableSpec } from '../../test/support/tables.js';
import { keyAttnums, qualifiedName } from './schema.js';

const columns = { a: 'integer', b: 'integer', c: 'integer' };
const keyOf = (table: Partial<TableSpec>): readonly number[] => keyAttnums(schemaOf({ name: 't', columns, ...table }));

it.each<[string, Partial<TableSpec>, readonly number[]]>([
  ['the primary key', { key: ['b'], unique: [['a']] }, [2]],
  ['the primary key in its own order', { key: ['c', 'a'] }, [3, 1]],
  ['the primary key, beside REPLICA IDENTITY FULL', { key: ['a'], identity: 'f' }, [1]],
  ['the primary key, beside REPLICA IDENTITY NOTHING', { key: ['a'], identity: 'n' }, [1]],
  [
    'the index of the replica identity',
    { key: ['a'], unique: [['b'], ['c', 'b']], identity: 'i', identityIndex: 1 },
    [3, 2],
  ],
  ['nothing where the primary key is deferrable', { key: ['a'], deferrable: true, unique: [['b']] }, []],
  ['nothing where there is only a unique index', { unique: [['b']] }, []],
  ['nothing at all', { identity: 'f' }, []],
])('rows are identified by %s', (_, table, key) => {
  expect(keyOf(table)).toEqual(key);
});

it('a key of which a column is not published is none', () => {
  const schema = schemaOf({ name: 't', columns, key: ['a', 'b'] });
  expect(keyAttnums({ ...schema, columns: schema.columns.slice(1) })).toEqual([]);
  expect(keyAttnums({ ...schema, columns: schema.columns.slice(0, 2) })).toEqual([1, 2]);
});

it('an index over an expression is no key', () => {
  const schema = schemaOf({ name: 't', columns, key: ['a'] });
  expect(keyAttnums({ ...schema, indexes: schema.indexes.map((index) => ({ ...index, attnums: null })) })).toEqual([]);
});

it('a table is named with its schema', () => {
  expect(qualifiedName({ schema: 'sales', name: 'Orders' })).toBe('sales.Orders');
  expect(qualifiedName({ schema: 'public', name: 'Odd."Name' })).toBe('public."Odd.""Name"');
});
