import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cell, type Row, UNCHANGED } from './row.js';
import { isTooLong, Tuple } from './tuple.js';
import { TupleMemory } from './tuple-memory.js';

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 200 }), fc.constant(''));
const cell: fc.Arbitrary<Cell> = fc.oneof(
  { weight: 4, arbitrary: text },
  fc.constant(null),
  fc.constant<Cell>(UNCHANGED),
);
const cells: fc.Arbitrary<Row> = fc.array(cell, { minLength: 1, maxLength: 12 });

describe('a tuple', () => {
  it('has the cells that it was made of', () => {
    fc.assert(
      fc.property(cells, (row) => {
        const tuple = Tuple.of(row);
        expect(tuple.cells()).toEqual(row);
        expect(row.map((_, i) => tuple.cell(i))).toEqual(row);
        expect(tuple.cell(row.length)).toBeNull();
        expect(tuple.length).toBe(row.length);
        expect(tuple.isComplete).toBe(!row.includes(UNCHANGED));
      }),
    );
  });

  it('over another one takes from it what it does not know', () => {
    const over = Tuple.of(['1', UNCHANGED, null, UNCHANGED]).over(Tuple.of(['2', 'a', 'b', UNCHANGED]));
    expect(over.cells()).toEqual(['1', 'a', null, UNCHANGED]);
    expect(over.isComplete).toBe(false);
    expect(over.over(Tuple.of(['2', 'x', 'y', 'z'])).isComplete).toBe(true);
  });

  it('has the same text and hash of a cell only where the cell is the same', () => {
    const few = fc.array(fc.constantFrom<Cell>('', 'a', 'aa', 'b', null, UNCHANGED), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(few, few, fc.nat(2), (one, other, i) => {
        const [a, b] = [Tuple.of(one), Tuple.of(other)];
        const same = typeof one[i] === 'string' && one[i] === other[i];
        expect(a.hasSameText(i, b)).toBe(same);
        expect(typeof a.hashCell(i, 7)).toBe(typeof one[i] === 'string' ? 'number' : 'object');
        if (same) expect(a.hashCell(i, 7)).toBe(b.hashCell(i, 7));
        expect(a.text === b.text).toBe(one.every((cell, n) => cell === other[n]));
      }),
    );
  });
});

it('a tuple with fewer cells than another has nothing behind them, whatever is there in memory', () => {
  const memory = new TupleMemory();
  const long = memory.keep(Tuple.of(['1', 'same']));
  const short = memory.replace(long, Tuple.of(['1']));
  const other = Tuple.of(['1', 'same']);
  expect([short.hasSameText(1, other), other.hasSameText(1, short), short.hashCell(1, 7)]).toEqual([
    false,
    false,
    null,
  ]);
});

it('a text that is longer than a string can be is told from other errors', () => {
  const thrown = (make: () => unknown): unknown => {
    try {
      return make();
    } catch (error) {
      return error;
    }
  };
  expect(isTooLong(thrown(() => 'x'.repeat(2 ** 30)))).toBe(true);
  expect(isTooLong(thrown(() => Buffer.alloc(2 ** 29).toString('latin1')))).toBe(true);
  // A tuple that is damaged, which is our defect.
  expect(isTooLong(thrown(() => Buffer.alloc(1).readUInt32BE(0)))).toBe(false);
});

describe('the memory of tuples', () => {
  it('keeps each as it was, whatever is kept or replaced beside it, and what it was copied from changes', () => {
    const long = fc.integer({ min: 0, max: 9_000 }).map((length) => 'x'.repeat(length));
    const rows = fc.array(fc.tuple(fc.array(fc.oneof(text, long), { minLength: 1, maxLength: 3 }), fc.nat(9)), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(rows, (all) => {
        const memory = new TupleMemory();
        const kept: { row: Row; tuple: Tuple }[] = [];
        for (const [row, which] of all) {
          const sent = Tuple.of(row);
          const before = kept[which];
          if (before) kept[which] = { row, tuple: memory.replace(before.tuple, sent) };
          else kept.push({ row, tuple: memory.keep(sent) });
          // One of a size worth it is kept in the memory that it came in.
          if (kept.every(({ tuple }) => tuple.bytes !== sent.bytes)) sent.bytes.fill(0x7a, sent.start, sent.end);
        }
        for (const { row, tuple } of kept) expect(tuple.cells()).toEqual(row);
      }),
    );
  });

  it('counts what it gave away, and takes the place of what is replaced where it fits', () => {
    const memory = new TupleMemory();
    const first = memory.keep(Tuple.of(['a'.repeat(20)]));
    expect(memory.taken).toBe(32);
    const second = memory.replace(first, Tuple.of(['b'.repeat(25)]));
    expect(memory.taken).toBe(32);
    expect([second.bytes, second.start]).toEqual([first.bytes, first.start]);
    const third = memory.replace(second, Tuple.of(['c'.repeat(26)]));
    expect(memory.taken).toBe(96);
    expect(third.start).not.toBe(first.start);
  });
});
