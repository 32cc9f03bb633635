import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PlainChanges, type PlainOldRow } from '../../test/support/plain-changes.js';
import { contentOf } from '../../test/support/row-changes.js';
import { createTargetTables, type TargetTables } from '../../test/support/target-tables.js';
import { type Row, UNCHANGED } from '../core/row.js';
import { Tuple } from '../core/tuple.js';

const old = (...row: Row): PlainOldRow => ({ full: false, row });

describe.each(['alone', 'together'] as const)('statements that go %s:', (how) => {
  let target: TargetTables;
  beforeAll(async () => {
    target = await createTargetTables(how);
  });
  afterAll(() => target[Symbol.asyncDispose]());

  describe('a batch', () => {
    it('of more rows than one statement takes, each of its kinds', async () => {
      const table = await target.create({
        columns: { id: 'integer', code: 'character varying(100)', amount: 'numeric', long: 'text' },
        key: ['id'],
        unique: [['code']],
      });
      const rows = new Map<number, string[]>();
      for (let id = 1; id <= 2_600; id += 1) rows.set(id, [String(id), `code ${id}`, `${id}.50`, 'x'.repeat(500)]);
      await target.change(table, (net) => {
        for (const row of rows.values()) net.insert(row);
      });
      expect(await target.rowsOf(table)).toEqual(contentOf([...rows.values()]));

      const cell = (id: number, i: number): string => rows.get(id)?.[i] ?? '';
      await target.change(table, (net) => {
        // More keys than one DELETE takes.
        for (let id = 301; id <= 1_400; id += 1) {
          net.delete(old(String(id), null, null, null));
          rows.delete(id);
        }
        // A chain of keys that has to be gone through from its end.
        for (let id = 2_600; id > 2_480; id -= 1) {
          net.update(old(String(id), null, null, null), [String(id + 1), cell(id, 1), UNCHANGED, UNCHANGED]);
          rows.set(id + 1, [String(id + 1), cell(id, 1), cell(id, 2), cell(id, 3)]);
          rows.delete(id);
        }
        // Swaps of unique values, of which one row each has to be read and written whole.
        for (let id = 1; id <= 240; id += 2) {
          const [mine, other] = [cell(id, 1), cell(id + 1, 1)];
          net.update(null, [String(id), 'parked', UNCHANGED, UNCHANGED]);
          net.update(null, [String(id + 1), mine, UNCHANGED, UNCHANGED]);
          net.update(null, [String(id), other, UNCHANGED, UNCHANGED]);
          rows.set(id, [String(id), other, cell(id, 2), cell(id, 3)]);
          rows.set(id + 1, [String(id + 1), mine, cell(id + 1, 2), cell(id + 1, 3)]);
        }
      });
      expect(await target.rowsOf(table)).toEqual(contentOf([...rows.values()]));
    });

    it('counts copies of a row, whether its values are exact or not', async () => {
      const table = await target.create({ columns: { a: 'integer', amount: 'numeric' }, identity: 'f' });
      const copies = (row: Row, count: number): Row[] => Array.from({ length: count }, () => row);
      const [exact, inexact, other]: Row[] = [
        ['1', '1.5'],
        ['1', '1.50'],
        ['1', '1.500'],
      ];
      if (!exact || !inexact || !other) throw new Error('three rows');
      await target.change(table, (net) => {
        for (const row of [...copies(exact, 3), ...copies(inexact, 700), ...copies(other, 2)]) net.insert(row);
      });
      await target.change(table, (net) => {
        for (const row of copies(inexact, 699)) net.delete({ full: true, row });
        net.delete({ full: true, row: exact });
      });
      expect(await target.rowsOf(table)).toEqual(contentOf([exact, exact, inexact, other, other]));
      await target.change(table, (net) => {
        net.update({ full: true, row: other }, inexact);
        net.update({ full: true, row: exact }, other);
      });
      expect(await target.rowsOf(table)).toEqual(contentOf([exact, inexact, inexact, other, other]));
    });

    it('of several tables is written as a whole', async () => {
      const columns = { id: 'integer', what: 'text' };
      const [one, two] = [await target.create({ columns, key: ['id'] }), await target.create({ columns })];
      const nets = [one, two].map((table) => {
        const net = new PlainChanges(table);
        net.truncate();
        net.insert(['1', table.name]);
        return net;
      });
      await target.write(nets);
      expect([await target.rowsOf(one), await target.rowsOf(two)]).toEqual([
        [`["1","${one.name}"]`],
        [`["1","${two.name}"]`],
      ]);
    });
  });

  describe('what can not be', () => {
    const keyed = () =>
      target.create({ columns: { id: 'numeric', code: 'text', long: 'text' }, key: ['id'], unique: [['code']] });

    it.each<[string, (net: PlainChanges) => void]>([
      ['is deleted', (net) => net.delete(old('2', null, null))],
      ['is written anew', (net) => net.update(null, ['2', 'b', 'long'])],
      ['is updated in place', (net) => net.update(null, ['2', UNCHANGED, 'long'])],
      ['is updated in place, a unique value too', (net) => net.update(null, ['2', 'b', UNCHANGED])],
      ['moves in place', (net) => net.update(old('2', null, null), ['3', 'b', UNCHANGED])],
    ])('a row that is not there %s', async (_, tellIt) => {
      const table = await keyed();
      await target.change(table, (net) => net.insert(['1', 'a', 'long']));
      await expect(target.change(table, tellIt)).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
      expect(await target.rowsOf(table)).toEqual(['["1","a","long"]']);
    });

    it('a copy too many is deleted from a table without a key', async () => {
      const table = await target.create({ columns: { a: 'text' }, identity: 'f' });
      await target.change(table, (net) => net.insert(['x']));
      const twice = target.change(table, (net) => {
        for (const row of [['x'], ['x']]) net.delete({ full: true, row });
      });
      await expect(twice).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
    });

    it.each<[string, (net: PlainChanges) => void]>([
      ['is inserted', (net) => net.insert(['1.50', 'b', 'long'])],
      ['is deleted', (net) => net.delete(old('1.50', null, null))],
      ['comes in place of another', (net) => net.update(old('1', null, null), ['1.50', 'a', UNCHANGED])],
      ['comes for another', (net) => net.update(old('1', null, null), ['1.50', 'a', 'long'])],
    ])('a key that Dolt can not hold exactly %s', async (_, tellIt) => {
      const table = await keyed();
      await target.change(table, (net) => net.insert(['1', 'a', 'long']));
      await expect(target.change(table, tellIt)).rejects.toMatchObject({
        code: 'E_VALUE_IN_KEY',
        message: expect.stringContaining(
          `public.${table.name}.id (numeric): the key value 1.50 does not fit DECIMAL(65,30)`,
        ),
      });
      expect(await target.rowsOf(table)).toEqual(['["1","a","long"]']);
    });
  });

  it('says of a row that is longer than a statement can be which table it is in', async () => {
    const table = await target.create({ columns: { id: 'integer', a: 'text', b: 'text' }, key: ['id'] });
    // Half of what a string can hold, less than Postgres can.
    const half = 'x'.repeat(2 ** 28);
    const insert = target.change(table, (net) => net.insert(['1', half, half]));
    await expect(insert).rejects.toMatchObject({
      code: 'E_ROW_TOO_LARGE',
      message: expect.stringContaining(table.source.name),
    });
    await target.change(table, (net) => net.insert(['1', 'a', 'b']));
    expect(await target.rowsOf(table)).toEqual(contentOf([['1', 'a', 'b']]));
  });
});

it('a copied row has a key that Dolt can not hold exactly', async () => {
  await using target = await createTargetTables('alone');
  const table = await target.create({ columns: { id: 'numeric', code: 'text', long: 'text' }, key: ['id'] });
  const writer = await target.writer();
  await writer.insert(table, [Tuple.of(['1', 'a', null])]);
  await expect(writer.insert(table, [Tuple.of(['2.0', 'b', null])])).rejects.toMatchObject({
    code: 'E_VALUE_IN_KEY',
  });
  expect(await target.rowsOf(table)).toEqual(['["1","a",null]']);
});
