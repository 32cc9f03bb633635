import { describe, expect, it } from 'vitest';
import { schemaOf, type TableSpec, targetOf } from '../../test/support/tables.js';
import type { RelationEvent } from '../core/change.js';
import { parsePattern } from '../core/patterns.js';
import { lsn } from '../core/position.js';
import { keyAttnums, type TableSchema } from '../core/schema.js';
import { Relations } from './relations.js';

const AT = lsn(0x16b3748n);
const ORDERS: TableSpec = {
  name: 'orders',
  oid: 1,
  columns: { id: 'integer', code: 'text', total: 'numeric(10,2)' },
  key: ['id'],
  unique: [['code'], ['id', 'code']],
};

/** What pgoutput announces of a table: key columns are those of the replica identity. */
function announced(schema: TableSchema, what: Partial<RelationEvent> = {}): RelationEvent {
  const key = schema.replicaIdentity === 'n' ? [] : keyAttnums(schema);
  return {
    kind: 'relation',
    oid: schema.oid,
    schema: schema.schema,
    name: schema.name,
    replicaIdentity: schema.replicaIdentity,
    columns: schema.columns.map(({ attnum, name, type }) => ({
      name,
      typeOid: type.oid,
      typmod: type.typmod,
      key: schema.replicaIdentity === 'f' || key.includes(attnum),
    })),
    ...what,
  };
}

const relationsOf = (...specs: TableSpec[]): Relations =>
  new Relations(
    new Map(specs.map((spec) => [spec.oid ?? 0, { table: targetOf(spec), snapshotLsn: lsn(7n) }])),
    (_, name) => name !== 'hidden',
  );

describe('a relation that is as it was', () => {
  it.each<[string, TableSpec]>([
    ['with a primary key', ORDERS],
    ['with a key in another order than its columns', { ...ORDERS, key: ['total', 'id'] }],
    ['with an identity index', { ...ORDERS, identity: 'i', identityIndex: 1 }],
    ['with whole old rows', { ...ORDERS, identity: 'f' }],
    ['without identity', { ...ORDERS, identity: 'n' }],
    ['without a key', { name: 'log', oid: 1, columns: { what: 'text' } }],
    ['without a key, with whole old rows', { name: 'log', oid: 1, columns: { what: 'text' }, identity: 'f' }],
    ['with a deferrable key', { ...ORDERS, deferrable: true }],
  ])('%s is bound to its table', (_, spec) => {
    const relations = relationsOf(spec);
    relations.announce(announced(schemaOf(spec)), AT);
    relations.announce(announced(schemaOf(spec)), AT);
    const binding = relations.get(1);
    expect(binding?.table.name).toBe(spec.name);
    expect(binding?.snapshotLsn).toBe(7n);
    const cells = ['1', null, '2.00'];
    expect(binding?.row(cells)).toBe(cells);
  });
});

describe('a relation that changed', () => {
  const schema = schemaOf(ORDERS);
  const columns = announced(schema).columns;
  const [id, code, total] = columns;
  if (!id || !code || !total) throw new Error('three columns');

  it.each<[string, Partial<RelationEvent>, string]>([
    ['name', { name: 'sales' }, 'it was called public.orders'],
    ['schema', { schema: 'old' }, 'it was called public.orders'],
    ['column name', { columns: [id, { ...code, name: 'sku' }, total] }, 'the column code is now sku'],
    ['first column', { columns: [code, total] }, 'the column id is gone'],
    ['columns before others', { columns: [id, { ...code, name: 'note' }, code, total] }, 'the column note is new'],
    ['last column', { columns: [id, code] }, 'the column total is gone'],
    ['more columns', { columns: [...columns, { ...code, name: 'note' }] }, 'the column note is new'],
    [
      'type',
      { columns: [id, code, { ...total, typeOid: 701, typmod: -1 }] },
      'the type of column total (was numeric(10,2)) changed',
    ],
    [
      'type modifier',
      { columns: [id, code, { ...total, typmod: total.typmod + 1 }] },
      'the type of column total (was numeric(10,2)) changed',
    ],
    ['key', { columns: [{ ...id, key: false }, { ...code, key: true }, total] }, 'its key changed'],
    ['key, which is gone', { columns: [{ ...id, key: false }, code, total] }, 'its key changed'],
    ['wider key', { columns: [id, { ...code, key: true }, total] }, 'its key changed'],
  ])('%s stops the stream, and says so', (_, what, sentence) => {
    const relations = relationsOf(ORDERS);
    expect(() => relations.announce(announced(schema, what), AT)).toThrowError(
      expect.objectContaining({ code: 'E_SCHEMA_CHANGED', message: expect.stringContaining(sentence) }),
    );
    expect(() => relations.announce(announced(schema, what), AT)).toThrow(/orders|sales/);
    expect(() => relations.announce(announced(schema, what), AT)).toThrow('commits at 0/16B3748');
  });

  it('replica identity stops the stream where the rows are found by another key then', () => {
    const byIndex: TableSpec = { ...ORDERS, identity: 'i' };
    const full = announced(schemaOf({ ...ORDERS, identity: 'f' }));
    expect(() => relationsOf(ORDERS).announce(full, AT)).not.toThrow();
    expect(() => relationsOf(byIndex).announce(full, AT)).toThrow('the replica identity changed');
    // The rows of a new identity index are marked, whatever the catalog said.
    expect(() => relationsOf(ORDERS).announce(announced(schemaOf(byIndex)), AT)).toThrow('its key changed');
  });
});

describe('a relation that is not in the target', () => {
  it('stops the stream at its first row if it is selected, and else is left out', () => {
    const relations = relationsOf(ORDERS);
    const other = (name: string) => announced(schemaOf({ name, oid: 2, columns: { id: 'integer' } }));
    relations.announce(other('log'), AT);
    expect(() => relations.get(2)).toThrowError(
      expect.objectContaining({ code: 'E_SCHEMA_CHANGED', message: expect.stringContaining('public.log') }),
    );
    relations.announce(other('orders'), AT);
    expect(() => relations.get(2)).toThrow('dropped (or renamed), and a new one created');
    relations.announce(other('hidden'), AT);
    expect(relations.get(2)).toBeNull();
  });

  it('can have no rows before it was announced', () => {
    const relations = relationsOf(ORDERS);
    for (const oid of [1, 2]) {
      expect(() => relations.get(oid)).toThrowError(expect.objectContaining({ code: 'E_SOURCE_PROTOCOL' }));
    }
  });
});

it('excluded columns are cut out of every row', () => {
  const spec: TableSpec = {
    name: 'people',
    oid: 1,
    columns: { password: 'text', id: 'integer', note: 'text', name: 'text' },
    key: ['id'],
  };
  const options = [{ pattern: parsePattern('people'), options: { exclude: ['password', 'note'] } }];
  const rules = { tables: { selection: [], options }, tableName: '{schema}__{table}', types: new Map() };
  const table = targetOf(spec, rules);
  const relations = new Relations(new Map([[1, { table, snapshotLsn: lsn(0n) }]]), () => true);
  relations.announce(announced(schemaOf(spec)), AT);
  const binding = relations.get(1);
  expect(binding?.row(['s3cret', '1', 'x', null])).toEqual(['1', null]);
  expect(binding?.oldRow({ full: false, row: [null, '1', null, null] })).toEqual({ full: false, row: ['1', null] });
  expect(binding?.oldRow({ full: true, row: ['s3cret', '1', 'x', 'Ann'] })).toEqual({ full: true, row: ['1', 'Ann'] });
  // What is excluded still tells that the table changed.
  const renamed = announced(
    schemaOf({ ...spec, columns: { secret: 'text', id: 'integer', note: 'text', name: 'text' } }),
  );
  expect(() => relations.announce(renamed, AT)).toThrow('the column password is now secret');
});
