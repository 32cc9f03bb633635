import { describe, expect, it } from 'vitest';
import { planned, rulesOf, type TableSpec, typeOf } from '../../test/support/tables.js';
import type { TableSchema } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import { replanTable } from './tables.js';

const columns = { id: 'integer', name: 'text', total: 'numeric(10,2)' };
const table = (name: string, schema = 'public'): TableSpec => ({ schema, name, columns, key: ['id'] });
describe('a table whose source changed', () => {
  const spec: TableSpec = {
    ...table('orders', 'sales'),
    columns: { id: 'integer', name: 'text', total: 'numeric(10,2)', ID: 'text', secret: 'text' },
  };
  const rules = rulesOf({ 'sales.*': { exclude: ['secret'], types: { total: 'DOUBLE' } } });
  const before = planned(spec, rules);
  const { source } = before;
  const replan = (change: Partial<TableSchema>, own = rules, taken: readonly string[] = []): TargetTable =>
    replanTable(before, { ...source, ...change }, own, taken);
  const rename = (names: Readonly<Record<string, string>>): TableSchema['columns'] =>
    source.columns.map((column) => ({ ...column, name: names[column.name] ?? column.name }));
  const names = ({ columns: made }: TargetTable): string[] => made.map(({ name }) => name);
  const added = (attnum: number, name: string): TableSchema['columns'][number] => ({
    attnum,
    name,
    type: typeOf('text'),
    notNull: false,
    defaultExpression: null,
    identity: '',
    generated: '',
  });

  it('keeps its name as long as its source does, whatever it would be called now', () => {
    const other = rulesOf({ 'sales.*': { name: 'mine', exclude: ['secret'], types: { total: 'DOUBLE' } } });
    expect(replan({ comment: 'new' }, other).name).toBe('sales__orders');
    expect(replan({ comment: 'new' }, rules, ['sales__orders']).name).toBe('sales__orders');
  });

  it('has the name of its new one, beside others', () => {
    expect(replan({ name: 'items' }).name).toBe('sales__items');
    expect(replan({ schema: 'public' }).name).toBe('orders');
    expect(replan({ schema: 'public' }, rules, ['Orders', 'orders_2']).name).toBe('orders_3');
  });

  it('has no other names of columns, but of those that are renamed', () => {
    expect(names(before)).toEqual(['id', 'name', 'total', 'ID_2']);
    expect(names(replan({ columns: rename({ name: 'title' }) }))).toEqual(['id', 'title', 'total', 'ID_2']);
    // The suffix stays, though the name is free by now; and goes with the name.
    expect(names(replan({ columns: rename({ id: 'nr' }) }))).toEqual(['nr', 'name', 'total', 'ID_2']);
    expect(names(replan({ columns: rename({ ID: 'Nr' }) }))).toEqual(['id', 'name', 'total', 'Nr']);
    expect(names(replan({ columns: rename({ name: 'TOTAL' }) }))).toEqual(['id', 'TOTAL_2', 'total', 'ID_2']);
  });

  it('may exchange names of columns', () => {
    const swapped = replan({ columns: rename({ id: 'name', name: 'id' }) });
    expect(names(swapped)).toEqual(['name', 'id', 'total', 'ID_2']);
    expect(swapped.columns.map(({ source: { attnum } }) => attnum)).toEqual([1, 2, 3, 4]);
    expect(swapped.key).toEqual([0]);
  });

  it('leaves out what it left out, also under another name, and has what it had', () => {
    const hidden = replan({ columns: rename({ secret: 'open' }) });
    expect(names(hidden)).toEqual(['id', 'name', 'total', 'ID_2']);
    // The name that is excluded is that of a column that is there.
    const exposed = replan({ columns: rename({ secret: 'open', name: 'secret' }) });
    expect(names(exposed)).toEqual(['id', 'secret', 'total', 'ID_2']);
    expect(names(replan({}, rulesOf({ 'sales.*': { types: { total: 'DOUBLE' } } })))).toEqual(names(before));
  });

  it('has new columns, except those that the configuration excludes', () => {
    const more = replan({ columns: [...source.columns, added(6, 'more'), added(8, 'NAME')] });
    expect(names(more)).toEqual(['id', 'name', 'total', 'ID_2', 'more', 'NAME_2']);
    expect(more.columns.map(({ sourcePosition }) => sourcePosition)).toEqual([0, 1, 2, 3, 5, 6]);
    const without = rulesOf({ 'sales.*': { exclude: ['secret', 'more'], types: { total: 'DOUBLE' } } });
    expect(names(replan({ columns: [...source.columns, added(6, 'more')] }, without))).toEqual(names(before));
    // A column that is dropped and added is a new one.
    const again = [...source.columns.filter(({ name }) => name !== 'name'), added(6, 'name')];
    expect(names(replan({ columns: again }))).toEqual(['id', 'total', 'ID_2', 'name']);
  });

  it('has the types that the configuration gives by the names that columns have now', () => {
    const types = (made: TargetTable): string[] => made.columns.map(({ conversion }) => conversion.sql);
    expect(types(before)[2]).toBe('DOUBLE');
    expect(types(replan({ columns: rename({ total: 'sum' }) }))[2]).toBe('DECIMAL(10,2)');
    expect(
      types(
        replan(
          { columns: rename({ total: 'sum', ID: 'total' }) },
          rulesOf({ 'sales.*': { exclude: ['secret'], types: { total: 'VARCHAR(9)' } } }),
        ),
      ),
    ).toEqual(['INT', 'LONGTEXT', 'DECIMAL(10,2)', 'VARCHAR(9)']);
  });

  it('is refused without a column, and without the columns that identify its rows', () => {
    const refused = (change: Partial<TableSchema>): unknown => {
      try {
        return replan(change).name;
      } catch (error) {
        return error;
      }
    };
    const code = { code: 'E_CONFIG' };
    expect(refused({ columns: source.columns.slice(4), indexes: [] })).toMatchObject(code);
    const bySecret = source.indexes.map((index) => ({ ...index, attnums: [5] }));
    expect(refused({ indexes: bySecret })).toMatchObject(code);
    expect(refused({ indexes: bySecret, replicaIdentity: 'f' })).toBe('sales__orders');
  });
});
