import { describe, expect, it } from 'vitest';
import { PlainChanges } from '../../test/support/plain-changes.js';
import { targetOf } from '../../test/support/tables.js';
import { KeyedChanges } from '../core/coalesce.js';
import { UNCHANGED } from '../core/row.js';
import type { TargetTable } from '../core/target.js';
import { halves, type KeyedRows, type NetRows, netRows, sortedByKey } from './net-rows.js';

const NUMBERED = { name: 'numbered', columns: { id: 'integer', v: 'text' }, key: ['id'] };
const numbered = targetOf(NUMBERED);
const lettered = targetOf({ ...NUMBERED, oid: 2, name: 'lettered', columns: { id: 'text', v: 'text' } });

/** Rows with the keys 1 to `count`, every other one deleted, not in the order of the key. */
function changes(table: TargetTable, count: number): PlainChanges {
  const made = new PlainChanges(table);
  for (let i = 0; i < count; i += 1) {
    const row = [String(((i * 7919) % count) + 1), 'v'];
    if (i % 2 === 0) made.insert(row);
    else made.delete({ full: true, row });
  }
  return made;
}

const keysOf = (rows: readonly unknown[]): string[][] =>
  // None of them is of a keyless table.
  (rows as KeyedRows[]).map(({ changes, entries }) => [...entries].map((entry) => changes.key(entry).join()));

const rowsOf = (...all: readonly PlainChanges[]): NetRows[] => netRows(all.map(({ net }) => net));

describe('what two connections write at the same time', () => {
  it('is, of each table, the first half of the keys and the second', () => {
    const rows = rowsOf(changes(numbered, 1_501), changes(lettered, 1_000));
    const [first = [], second = []] = halves(rows) ?? [];
    expect(keysOf(first).map(({ length }) => length)).toEqual([751, 500]);
    expect(keysOf(second).map(({ length }) => length)).toEqual([750, 500]);
    const together = keysOf(first).map((keys, i) => [...keys, ...(keysOf(second)[i] ?? [])]);
    expect(together).toEqual([
      Array.from({ length: 1_501 }, (_, i) => String(i + 1)),
      Array.from({ length: 1_000 }, (_, i) => String(i + 1)).sort(),
    ]);
  });

  it('is nothing where there are few rows', () => {
    expect(halves(rowsOf(changes(numbered, 1_999)))).toBeNull();
    expect(halves(rowsOf(changes(numbered, 2_000)))).not.toBeNull();
  });

  it('is soon enough where rows are changed in place, with a statement each', () => {
    const partial = new PlainChanges(numbered);
    for (let i = 0; i < 100; i += 1) partial.update(null, [String(i), UNCHANGED]);
    expect(keysOf(halves(rowsOf(partial))?.flat() ?? []).map(({ length }) => length)).toEqual([50, 50]);
    const few = new PlainChanges(numbered);
    for (let i = 0; i < 99; i += 1) few.update(null, [String(i), UNCHANGED]);
    expect(halves(rowsOf(few))).toBeNull();
  });

  const partial = changes(numbered, 3_000);
  partial.update({ full: false, row: ['5000', null] }, ['5001', UNCHANGED]);
  const emptied = changes(numbered, 10);
  emptied.truncate();
  for (let i = 0; i < 3_000; i += 1) emptied.insert([String(i), 'v']);
  const keyless = new PlainChanges(targetOf({ name: 'same', columns: { v: 'text' } }));
  for (let i = 0; i < 3_000; i += 1) keyless.insert(['v']);
  const unique = targetOf({ ...NUMBERED, unique: [['v']] });

  it.each([
    ['rows that are changed in place get other keys', partial],
    ['all rows go first', emptied],
    ['there is no key', keyless],
    ['values of a unique index may change hands', changes(unique, 3_000)],
  ])('is never of a table where %s', (_, alone) => {
    expect(halves(rowsOf(alone))).toBeNull();
    const [first, second] = halves(rowsOf(alone, changes(lettered, 3_000))) ?? [];
    expect(first?.map(({ table }) => table.name)).toEqual(['lettered', alone.net.table.name]);
    expect(second?.map(({ table }) => table.name)).toEqual(['lettered']);
  });
});

it('the keys of a table are sorted as Dolt stores them: numbers by value, texts by their characters', () => {
  const table = targetOf({ name: 't', columns: { id: 'bigint', code: 'text' }, key: ['code', 'id'] });
  const made = new PlainChanges(table);
  for (const [code, id] of ['b 1', 'a 10', 'a 9', 'B 1', 'a -1'].map((key) => key.split(' '))) {
    made.insert([id ?? '', code ?? '']);
  }
  const { net } = made;
  if (!(net instanceof KeyedChanges)) throw new Error('it has a key');
  expect([...sortedByKey(net)].map((entry) => net.key(entry).join())).toEqual(['B,1', 'a,-1', 'a,9', 'a,10', 'b,1']);
});
