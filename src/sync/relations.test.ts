import { describe, expect, it } from 'vitest';
import { schemaOf, type TableSpec, targetOf } from '../../test/support/tables.js';
import type { RelationEvent } from '../core/change.js';
import { parsePattern } from '../core/patterns.js';
import { lsn } from '../core/position.js';
import type { Row } from '../core/row.js';
import { keyAttnums, type TableSchema } from '../core/schema.js';
import { Tuple } from '../core/tuple.js';
import { type Binding, Mismatch, Relations } from './relations.js';

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
    specs.map((spec) => ({ table: targetOf(spec), snapshotLsn: lsn(7n) })),
    (_, name) => name !== 'hidden',
  );

/** The table of a relation as it was announced; it must fit. */
function bound(relations: Relations, relation: RelationEvent): Binding {
  relations.announce(relation);
  const found = relations.get(relation.oid);
  if (found === null || found instanceof Mismatch) throw new Error(`not bound: ${found?.difference}`);
  return found;
}

/** What is different about a relation as it was announced; null where it is of no interest. */
function mismatch(relations: Relations, relation: RelationEvent): string | null {
  relations.announce(relation);
  const found = relations.get(relation.oid);
  if (found === null) return null;
  if (found instanceof Mismatch) return found.difference;
  throw new Error('it fits');
}

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
    bound(relations, announced(schemaOf(spec)));
    const binding = bound(relations, announced(schemaOf(spec)));
    expect(binding.table.name).toBe(spec.name);
    expect(binding.snapshotLsn).toBe(7n);
    const sent = Tuple.of(['1', null, '2.00']);
    expect(binding.row(sent)).toBe(sent);
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
  ])('%s is told', (_, what, sentence) => {
    expect(mismatch(relationsOf(ORDERS), announced(schema, what))).toContain(sentence);
  });

  it('replica identity is told where the rows are found by another key then', () => {
    const byIndex: TableSpec = { ...ORDERS, identity: 'i' };
    const full = announced(schemaOf({ ...ORDERS, identity: 'f' }));
    bound(relationsOf(ORDERS), full);
    expect(mismatch(relationsOf(byIndex), full)).toBe('the replica identity changed');
    // The rows of a new identity index are marked, whatever the catalog said.
    expect(mismatch(relationsOf(ORDERS), announced(schemaOf(byIndex)))).toBe('its key changed');
  });

  it('fits again when the target has followed', () => {
    const relations = relationsOf(ORDERS);
    const renamed: TableSpec = { ...ORDERS, name: 'sales' };
    expect(mismatch(relations, announced(schemaOf(renamed)))).toBe('it was called public.orders');
    relations.set({ table: targetOf(renamed), snapshotLsn: lsn(8n) });
    expect(relations.get(1)).toMatchObject({ snapshotLsn: 8n });
  });

  it('has the name that was told, until it is announced again', () => {
    const relations = relationsOf(ORDERS);
    bound(relations, announced(schemaOf(ORDERS)));
    relations.set({ table: targetOf({ ...ORDERS, name: 'sales' }), snapshotLsn: lsn(8n) });
    expect(relations.get(1)).toMatchObject({ snapshotLsn: 8n });
    expect(mismatch(relations, announced(schemaOf(ORDERS)))).toBe('it was called public.sales');
    relations.keepName(1);
    expect(relations.get(1)).toMatchObject({ snapshotLsn: 8n });
  });

  it('is left out once the table left, until it is announced again', () => {
    const relations = relationsOf(ORDERS);
    bound(relations, announced(schemaOf(ORDERS)));
    relations.delete(1);
    expect(relations.get(1)).toBeNull();
    expect(mismatch(relations, announced(schemaOf(ORDERS)))).toBe('the table is new');
  });
});

describe('a relation that is not in the target', () => {
  it('is told where it is selected, and else is left out', () => {
    const relations = relationsOf(ORDERS);
    const other = (name: string) => announced(schemaOf({ name, oid: 2, columns: { id: 'integer' } }));
    expect(mismatch(relations, other('log'))).toBe('the table is new');
    expect(mismatch(relations, other('orders'))).toContain('dropped (or renamed), and a new one created');
    expect(mismatch(relations, other('hidden'))).toBeNull();
    relations.announce(other('log'));
    relations.ignore(2);
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
  const relations = new Relations([{ table, snapshotLsn: lsn(0n) }], () => true);
  const binding = bound(relations, announced(schemaOf(spec)));
  const oldRow = (full: boolean, ...cells: Row): [boolean, Row] => {
    const old = binding.oldRow({ full, row: Tuple.of(cells) });
    return [old.full, old.row.cells()];
  };
  expect(binding.row(Tuple.of(['s3cret', '1', 'x', null])).cells()).toEqual(['1', null]);
  expect(oldRow(false, null, '1', null, null)).toEqual([false, ['1', null]]);
  expect(oldRow(true, 's3cret', '1', 'x', 'Ann')).toEqual([true, ['1', 'Ann']]);
  // What is excluded still tells that the table changed.
  const renamed = announced(
    schemaOf({ ...spec, columns: { secret: 'text', id: 'integer', note: 'text', name: 'text' } }),
  );
  expect(mismatch(relations, renamed)).toBe('the column password is now secret');
});

it('tells by which partition the first row came', () => {
  const relations = relationsOf();
  const announce = (...oids: number[]): void => {
    for (const oid of oids) relations.announce({ ...announced(schemaOf(ORDERS)), oid });
  };
  announce(7, 8);
  expect([relations.cameBy(7), relations.cameBy(7)]).toEqual([8, null]);
  announce(7, 9);
  expect(relations.cameBy(7)).toBe(9);
  announce(8);
  expect(relations.cameBy(8)).toBeNull();
  announce(7, 8); // of a TRUNCATE
  relations.cameBy(0);
  expect(relations.cameBy(7)).toBeNull();
});
