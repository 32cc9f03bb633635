import { describe, expect, it } from 'vitest';
import { targetOf } from '../../test/support/tables.js';
import { UNCHANGED } from '../core/change.js';
import { KeyedChanges, KeylessChanges } from '../core/coalesce.js';
import type { TargetTable } from '../core/target.js';
import { halves, type KeyedRows, netRows } from './net-rows.js';

const NUMBERED = { name: 'numbered', columns: { id: 'integer', v: 'text' }, key: ['id'] };
const numbered = targetOf(NUMBERED);
const lettered = targetOf({ ...NUMBERED, oid: 2, name: 'lettered', columns: { id: 'text', v: 'text' } });

/** Rows with the keys 1 to `count`, every other one deleted, not in the order of the key. */
function changes(table: TargetTable, count: number): KeyedChanges {
  const made = new KeyedChanges(table);
  for (let i = 0; i < count; i += 1) {
    const row = [String(((i * 7919) % count) + 1), 'v'];
    if (i % 2 === 0) made.insert(row);
    else made.delete({ full: true, row });
  }
  return made;
}

const keysOf = (rows: readonly unknown[]): string[][] =>
  // None of them is of a keyless table.
  (rows as KeyedRows[]).map(({ entries }) => entries.map(({ key }) => key.join()));

describe('what two connections write at the same time', () => {
  it('is, of each table, the first half of the keys and the second', () => {
    const rows = netRows([changes(numbered, 1_501), changes(lettered, 1_000)]);
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
    expect(halves(netRows([changes(numbered, 1_999)]))).toBeNull();
    expect(halves(netRows([changes(numbered, 2_000)]))).not.toBeNull();
  });

  const partial = changes(numbered, 3_000);
  partial.update(null, ['5000', UNCHANGED]);
  const emptied = changes(numbered, 10);
  emptied.truncate();
  for (let i = 0; i < 3_000; i += 1) emptied.insert([String(i), 'v']);
  const keyless = new KeylessChanges(targetOf({ name: 'same', columns: { v: 'text' } }));
  for (let i = 0; i < 3_000; i += 1) keyless.insert(['v']);
  const unique = targetOf({ ...NUMBERED, unique: [['v']] });

  it.each([
    ['rows are changed in place', partial],
    ['all rows go first', emptied],
    ['there is no key', keyless],
    ['values of a unique index may change hands', changes(unique, 3_000)],
  ])('is never of a table where %s', (_, alone) => {
    expect(halves(netRows([alone]))).toBeNull();
    const [first, second] = halves(netRows([alone, changes(lettered, 3_000)])) ?? [];
    expect(first?.map(({ table }) => table.name)).toEqual(['lettered', alone.table.name]);
    expect(second?.map(({ table }) => table.name)).toEqual(['lettered']);
  });
});
