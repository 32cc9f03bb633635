import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlainChanges, type PlainEntry } from '../../test/support/plain-changes.js';
import { contentOf, type HistorySpec, histories, type ModelRow, tell } from '../../test/support/row-changes.js';
import { type TableSpec, targetOf } from '../../test/support/tables.js';
import { KeyedChanges, KeylessChanges, keyText } from './coalesce.js';
import { Contradiction } from './contradiction.js';
import { KeyedTuples } from './keyed-tuples.js';
import { type Row, UNCHANGED } from './row.js';
import { Tuple } from './tuple.js';
import { TupleMemory } from './tuple-memory.js';

const COLUMNS = { id: 'integer', line: 'text', what: 'text', note: 'text' } as const;
const VALUES: HistorySpec['values'] = [
  ['1', '2', '3', '11'],
  ['', '1', 'A'],
  ['x', 'y', 'z', null],
  ['long', 'longer', null],
];

const specOf = (table: Omit<TableSpec, 'name' | 'columns'>, unique: HistorySpec['unique'] = []): HistorySpec => ({
  table: targetOf({ name: 't', columns: COLUMNS, ...table }),
  values: VALUES,
  unique,
  toast: [1, 3],
});

const KEYED = {
  'one key column': specOf({ key: ['id'] }),
  'two key columns, one stored out of line': specOf({ key: ['line', 'id'] }),
  'a key, and whole old rows': specOf({ key: ['id', 'line'], identity: 'f' }),
  'an identity index beside the primary key': specOf({ key: ['id'], unique: [['line']], identity: 'i' }, [[0]]),
  'a unique column': specOf({ key: ['id'], unique: [['what']] }, [[2]]),
};

const KEYLESS = {
  'no key': specOf({ identity: 'f' }),
  'a deferrable key': specOf({ key: ['id'], deferrable: true, identity: 'f' }),
};

describe.each(Object.entries(KEYED))('net changes of a table with %s', (_, spec) => {
  it('come to the rows that the changes come to, wherever they are cut', () => {
    fc.assert(
      fc.property(histories(spec, 60), (pieces) => {
        let rows = new Map<string, ModelRow>();
        for (const { changes, after } of pieces) {
          const net = new PlainChanges(spec.table);
          tell(net, changes);
          rows = applied(rows, net);
          expect(contentOf([...rows.values()])).toEqual(contentOf(after));
          expect(net.net.counts).toEqual(countsOf(changes));
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe.each(Object.entries(KEYLESS))('net changes of a table with %s', (_, spec) => {
  it('come to the rows that the changes come to, wherever they are cut', () => {
    fc.assert(
      fc.property(histories(spec, 60), (pieces) => {
        let rows: string[] = [];
        for (const { changes, after } of pieces) {
          const net = new PlainChanges(spec.table);
          tell(net, changes);
          rows = withCopies(net.net.truncated ? [] : rows, net);
          expect(rows).toEqual(contentOf(after));
          expect(net.net.counts).toEqual(countsOf(changes));
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** What a writer may rely on, and what it makes of it: rows by key, of which every partial row takes its rest from one before. */
function applied(before: ReadonlyMap<string, ModelRow>, net: PlainChanges): Map<string, ModelRow> {
  const start = net.net.truncated ? new Map<string, ModelRow>() : before;
  const after = new Map(start);
  for (const entry of net.entries()) {
    const text = keyText(entry.key);
    expect(entry.existed).toBe(start.has(text));
    expect(entry.existed || entry.row !== null).toBe(true);
    after.delete(text);
  }
  const bases = new Set<string>();
  for (const { row, base, key } of net.entries()) {
    if (row === null) continue;
    expect(base === null).toBe(!row.includes(UNCHANGED));
    expect(net.net.table.key.map((i) => row[i])).toEqual(key);
    const rest = base === null ? undefined : start.get(keyText(base));
    if (base !== null) {
      expect(rest).toBeDefined();
      expect(bases).not.toContain(keyText(base));
      bases.add(keyText(base));
    }
    after.set(
      keyText(key),
      row.map((cell, i) => (cell === UNCHANGED ? (rest?.[i] ?? null) : cell)),
    );
  }
  return after;
}

function withCopies(before: readonly string[], net: PlainChanges): string[] {
  const after = [...before];
  const seen = new Set<string>();
  for (const { row, delta } of net.copies()) {
    const [text = ''] = contentOf([row]);
    expect(delta).not.toBe(0);
    if (delta < 0) {
      expect(seen).not.toContain(text);
      expect(before.filter((other) => other === text).length).toBeGreaterThanOrEqual(-delta);
      for (let copy = 0; copy > delta; copy -= 1) after.splice(after.indexOf(text), 1);
    } else for (let copy = 0; copy < delta; copy += 1) after.push(text);
    seen.add(text);
  }
  return after.sort();
}

function countsOf(changes: readonly { readonly kind: string }[]): object {
  const count = (kind: string): number => changes.filter((change) => change.kind === kind).length;
  return { inserted: count('insert'), updated: count('update'), deleted: count('delete') };
}

describe('one key', () => {
  const other = targetOf({ name: 'o', oid: 9, columns: { id: 'integer', a: 'text' }, key: ['id'] });
  const entryOf = (net: PlainChanges, id: string): PlainEntry | undefined =>
    net.entries().find(({ key }) => keyText(key) === id);
  const table = targetOf({ name: 't', columns: { id: 'integer', a: 'text', b: 'text' }, key: ['id'] });
  const key = (id: string): { full: false; row: Row } => ({ full: false, row: [id, null, null] });

  it('that comes and goes leaves nothing to write', () => {
    const net = new PlainChanges(table);
    net.insert(['1', 'a', 'b']);
    net.update(null, ['1', 'a2', UNCHANGED]);
    net.delete(key('1'));
    expect(net.entries()).toEqual([]);
  });

  it('that goes and comes again is one row, which was there before', () => {
    const net = new PlainChanges(table);
    net.delete(key('1'));
    net.insert(['1', 'a', 'b']);
    expect(net.entries()).toEqual([{ key: ['1'], existed: true, row: ['1', 'a', 'b'], base: null }]);
  });

  it('keeps unsent cells apart until they are sent', () => {
    const net = new PlainChanges(table);
    net.update(null, ['1', 'a', UNCHANGED]);
    net.update(key('1'), ['2', UNCHANGED, UNCHANGED]);
    expect(entryOf(net, '1')).toEqual({ key: ['1'], existed: true, row: null, base: null });
    expect(entryOf(net, '2')).toEqual({ key: ['2'], existed: false, row: ['2', 'a', UNCHANGED], base: ['1'] });
    net.update(null, ['2', UNCHANGED, 'b']);
    expect(entryOf(net, '2')).toEqual({ key: ['2'], existed: false, row: ['2', 'a', 'b'], base: null });
  });

  it('stored out of line is UNCHANGED in the new row, and comes with the old one', () => {
    const net = new PlainChanges(table);
    net.update(key('1'), [UNCHANGED, 'a', UNCHANGED]);
    expect(net.entries()).toEqual([{ key: ['1'], existed: true, row: ['1', 'a', UNCHANGED], base: ['1'] }]);
  });

  it('of thousands, with rows of all sizes, is found again, beside those of another table in the same memory', () => {
    const memory = new TupleMemory();
    const one = new PlainChanges(new KeyedChanges(table, memory));
    const two = new PlainChanges(new KeyedChanges(other, memory));
    const expected = new Map<string, string>();
    const text = (n: number): string => 'x'.repeat((n * 7919) % (n % 50 === 0 ? 9_000 : 60));
    for (let n = 0; n < 3_000; n += 1) {
      const id = String((n * 31) % 1_700);
      const value = `${n}${text(n)}`;
      if (!expected.has(id)) one.insert([id, value, null]);
      else one.update(null, [id, value, UNCHANGED]);
      two.insert([String(n), value]);
      expected.set(id, value);
    }
    expect(one.entries().map(({ key, row }) => [key[0], row?.[1], row?.[2]])).toEqual(
      [...expected].map(([id, value]) => [id, value, null]),
    );
    expect(two.entries().map(({ row }) => row?.[1])).toEqual(Array.from({ length: 3_000 }, (_, n) => `${n}${text(n)}`));
  });

  it('that is changed again and again takes the memory of one', () => {
    const memory = new TupleMemory();
    const net = new PlainChanges(new KeyedChanges(table, memory));
    net.update(null, ['1', 'aaaa', 'b']);
    const { taken } = memory;
    for (let n = 0; n < 1_000; n += 1) net.update(null, ['1', `a${n % 7}`, 'b']);
    expect(memory.taken).toBe(taken);
    expect(net.entries().map(({ row }) => row)).toEqual([['1', 'a5', 'b']]);
  });

  it('with a partial row takes more than its bytes', () => {
    const memory = new TupleMemory();
    const net = new PlainChanges(new KeyedChanges(table, memory));
    const before = memory.taken;
    net.update(null, ['1', 'a', UNCHANGED]);
    net.update(null, ['1', 'b', UNCHANGED]);
    expect(memory.taken - before).toBeGreaterThan(450);
    expect(memory.taken - before).toBeLessThan(700);
  });

  it('is another one although its hash is the same', () => {
    const tuples = new KeyedTuples(table, new TupleMemory(), 0x811c9dc5);
    const [one, two] = [Tuple.of(['10139599', 'a', 'b']), Tuple.of(['10322382', 'a', 'b'])];
    expect(one.hashCell(0, 0x811c9dc5)).toBe(two.hashCell(0, 0x811c9dc5));
    expect([tuples.add(one, 1), tuples.add(two, 2)]).toEqual([0, 1]);
    expect([tuples.find(one), tuples.find(two)]).toEqual([0, 1]);
    expect([tuples.bits(0), tuples.bits(1)]).toEqual([1, 2]);
  });

  it('stays where it is when it is sent as old and new alike', () => {
    const net = new PlainChanges(table);
    net.update(key('1'), ['1', 'a', 'b']);
    expect(net.entries()).toEqual([{ key: ['1'], existed: true, row: ['1', 'a', 'b'], base: null }]);
  });

  it.each<[string, (net: PlainChanges) => void]>([
    ['inserted twice', (net) => [net.insert(['1', 'a', 'b']), net.insert(['1', 'a', 'b'])]],
    [
      'taken over from a row that is still there',
      (net) => [net.insert(['1', 'a', 'b']), net.update(key('2'), ['1', 'a', 'b'])],
    ],
    ['deleted twice', (net) => [net.delete(key('1')), net.delete(key('1'))]],
    ['updated after it was deleted', (net) => [net.delete(key('1')), net.update(null, ['1', 'a', 'b'])]],
    ['updated after it moved', (net) => [net.update(key('1'), ['2', 'a', 'b']), net.update(null, ['1', 'a', 'b'])]],
    [
      'updated after it came and went',
      (net) => [net.insert(['1', 'a', 'b']), net.delete(key('1')), net.update(null, ['1', 'a', 'b'])],
    ],
    [
      'deleted after it came and went',
      (net) => [net.insert(['1', 'a', 'b']), net.delete(key('1')), net.delete(key('1'))],
    ],
    [
      'moved after it came and went',
      (net) => [net.insert(['1', 'a', 'b']), net.delete(key('1')), net.update(key('1'), ['2', 'a', UNCHANGED])],
    ],
    ['updated after a TRUNCATE', (net) => [net.truncate(), net.update(null, ['1', 'a', 'b'])]],
    ['deleted after a TRUNCATE', (net) => [net.insert(['1', 'a', 'b']), net.truncate(), net.delete(key('1'))]],
    ['missing in a new row', (net) => net.insert([null, 'a', 'b'])],
    ['missing in an old row', (net) => net.delete({ full: true, row: [null, 'a', 'b'] })],
    ['not sent at all', (net) => net.update(null, [UNCHANGED, 'a', 'b'])],
  ])('is refused when %s', (_, tellIt) => {
    expect(() => tellIt(new PlainChanges(table))).toThrow(Contradiction);
  });
});

describe('a keyless table', () => {
  const table = targetOf({ name: 't', columns: { a: 'text', b: 'text' }, identity: 'f' });

  it('that is only appended to keeps the order, and copies apart', () => {
    const net = new PlainChanges(table);
    for (const row of [
      ['2', 'x'],
      ['1', 'x'],
      ['2', 'x'],
    ])
      net.insert(row);
    expect(net.copies()).toEqual([
      { row: ['2', 'x'], delta: 1 },
      { row: ['1', 'x'], delta: 1 },
      { row: ['2', 'x'], delta: 1 },
    ]);
  });

  it('counts what its rows take, appended or counted, and holds none of what they came in', () => {
    const memory = new TupleMemory();
    const net = new KeylessChanges(table, memory);
    const sent = Tuple.of(['1', 'x'.repeat(300)]);
    net.insert(sent);
    const appended = memory.taken;
    expect(appended).toBeGreaterThan(400);
    net.delete({ full: true, row: Tuple.of(['2', 'y']) });
    net.insert(Tuple.of(['3', 'z']));
    expect(memory.taken).toBeGreaterThan(2 * appended);
    sent.bytes.fill(0x7a, sent.start, sent.end);
    expect(new PlainChanges(net).copies().map(({ row }) => row[0])).toEqual(['1', '2', '3']);
  });

  it('takes rows for the same only where every cell is', () => {
    const net = new PlainChanges(table);
    const rows: Row[] = [
      ['', null],
      [null, ''],
      ['t', null],
      [null, 't'],
      ['a', 't'],
      ['at', null],
      [null, null],
      ['', ''],
    ];
    for (const row of rows) net.delete({ full: true, row });
    for (const row of rows) net.insert(row);
    expect(net.copies()).toEqual([]);
    for (const row of rows) net.delete({ full: true, row });
    expect(net.copies().map(({ delta }) => delta)).toEqual(rows.map(() => -1));
  });

  it('refuses what came without the whole old row', () => {
    const net = new PlainChanges(table);
    expect(() => net.update(null, ['1', 'x'])).toThrow(Contradiction);
    expect(() => net.update({ full: false, row: ['1', null] }, ['1', 'x'])).toThrow(Contradiction);
    expect(() => net.delete({ full: true, row: ['1', UNCHANGED] })).toThrow(Contradiction);
  });
});

it('keys have the same text only where all their values are the same', () => {
  const part = fc.string({ unit: fc.constantFrom('a', ',', '\u0001', '"'), maxLength: 3 });
  fc.assert(
    fc.property(fc.tuple(part, part), fc.tuple(part, part), (left, right) => {
      expect(keyText(left) === keyText(right)).toBe(left[0] === right[0] && left[1] === right[1]);
    }),
    { numRuns: 1_000 },
  );
});
