import { describe, expect, it } from 'vitest';
import { targetOf } from '../../test/support/tables.js';
import { groupTables, isSmall } from './copy-tables.js';

const MB = 1 << 20;

/** Names in the order of the groups, of tables with these sizes in bytes. */
function grouped(bytes: Readonly<Record<string, number>>): string[][] {
  const tables = Object.keys(bytes).map((name, i) =>
    targetOf({ name, oid: i + 1, columns: { id: 'integer' }, key: ['id'] }),
  );
  const sizes = new Map(tables.map((table) => [table.source.oid, { rows: null, bytes: bytes[table.name] ?? 0 }]));
  return groupTables(tables, sizes).map((group) => group.map(({ name }) => name));
}

describe('groupTables', () => {
  it('begins with the largest, each alone, and takes small ones together', () => {
    expect(grouped({ tiny: 100, large: 50 * MB, middle: 5 * MB, small: MB, larger: 90 * MB, less: 2 * MB })).toEqual([
      ['larger'],
      ['large'],
      ['middle'],
      ['less', 'small', 'tiny'],
    ]);
  });

  it('ends a group that is large enough, by bytes or by tables', () => {
    expect(grouped({ a: 3 * MB, b: 2 * MB, c: 2 * MB, d: MB })).toEqual([['a'], ['b', 'c'], ['d']]);
    const many = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`t${i}`, 8192]));
    expect(grouped(many).map((group) => group.length)).toEqual([100, 100, 50]);
    expect(grouped({})).toEqual([]);
  });
});

it('takes a table of unknown size for small', () => {
  const table = targetOf({ name: 't', oid: 7, columns: { id: 'integer' }, key: ['id'] });
  expect(isSmall(table, new Map())).toBe(true);
  expect(isSmall(table, new Map([[7, { rows: 1, bytes: 4 * MB }]]))).toBe(false);
});
