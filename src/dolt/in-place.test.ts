import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KeyedEntry, keyText } from '../core/coalesce.js';
import { type Row, UNCHANGED } from '../core/row.js';
import { Tuple } from '../core/tuple.js';
import { type InPlace, inPlace, orderInPlace } from './in-place.js';

/** Rows are [id, u, v, long]; u alone is unique, and u with v. */
const UNIQUE = [[1], [1, 2]];
type Cells = readonly [id: string, u: string | null, v: string | null];

function change(before: Cells, after: Row): InPlace {
  const [id, u, v] = before;
  const entry: KeyedEntry = { key: [String(after[0])], existed: true, row: Tuple.of(after), base: [id] };
  return inPlace(
    UNIQUE,
    entry,
    new Map([
      [1, u],
      [2, v],
    ]),
  );
}
const idsOf = (rows: readonly InPlace[]): string[] => rows.map(({ from }) => from[0] ?? '');

describe('a row', () => {
  it.each<[string, Cells, Row, number, number]>([
    ['that keeps key and unique values', ['1', 'a', 'b'], ['1', 'a', 'b', UNCHANGED], 0, 0],
    ['of which no unique value was sent', ['1', 'a', 'b'], ['1', UNCHANGED, UNCHANGED, 'x'], 0, 0],
    ['of which the key changes', ['1', 'a', 'b'], ['2', 'a', UNCHANGED, UNCHANGED], 1, 1],
    ['of which both unique values change', ['1', 'a', 'b'], ['1', 'c', UNCHANGED, UNCHANGED], 2, 2],
    ['of which one of two unique values changes', ['1', 'a', 'b'], ['1', UNCHANGED, 'c', UNCHANGED], 1, 1],
    ['that gives unique values up', ['1', 'a', 'b'], ['1', null, 'b', UNCHANGED], 2, 0],
    ['that gets some', ['1', null, null], ['1', 'a', 'b', UNCHANGED], 0, 2],
    ['that had NULL in one of two', ['1', 'a', null], ['1', 'c', UNCHANGED, UNCHANGED], 1, 1],
  ])('%s', (_, before, after, releases, acquires) => {
    const made = change(before, after);
    expect(made.from).toEqual([before[0]]);
    expect([made.releases.length, made.acquires.length]).toEqual([releases, acquires]);
  });
});

describe('the order', () => {
  it('of a chain begins at its end, however long it is', () => {
    const count = 20_000;
    const rows = Array.from({ length: count }, (_, i) =>
      change([String(i), null, null], [String(i + 1), null, null, UNCHANGED]),
    );
    const { ordered, rewritten } = orderInPlace(rows);
    expect(rewritten).toEqual([]);
    expect(idsOf(ordered)).toEqual(Array.from({ length: count }, (_, i) => String(count - 1 - i)));
  });

  it('of a circle takes one row out of it', () => {
    const rows = [
      change(['1', 'a', null], ['1', 'b', null, UNCHANGED]),
      change(['2', 'b', null], ['2', 'c', null, UNCHANGED]),
      change(['3', 'c', null], ['3', 'a', null, UNCHANGED]),
    ];
    const { ordered, rewritten } = orderInPlace(rows);
    expect(rewritten).toHaveLength(1);
    expect(ordered).toHaveLength(2);
  });

  it('is of no matter to rows that have nothing to do with each other', () => {
    const rows = ['1', '2', '3'].map((id) => change([id, id, null], [id, UNCHANGED, UNCHANGED, 'x']));
    expect(orderInPlace(rows)).toEqual({ ordered: rows, rewritten: [] });
  });

  it('lets Dolt accept every row, whatever changes hands', () => {
    const value = fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
    const table = fc.uniqueArray(fc.tuple(fc.constantFrom('1', '2', '3', '4', '5', '6'), value, value), {
      comparator: clashes,
      maxLength: 6,
    });
    // Two states of the same rows, at random: row n of one becomes row n of the other.
    fc.assert(
      fc.property(fc.noBias(table), fc.noBias(table), (befores, afters) => {
        const pairs = befores.flatMap((before, n) => {
          const after = afters[n];
          return after ? [{ before, after }] : [];
        });
        const rows = pairs.map(({ before, after }) =>
          change(before, [
            after[0],
            ...([1, 2] as const).map((i) => (before[i] === after[i] ? UNCHANGED : after[i])),
            UNCHANGED,
          ]),
        );
        const { ordered, rewritten } = orderInPlace(rows);
        expect([...ordered, ...rewritten].sort(byFrom)).toEqual([...rows].sort(byFrom));

        // As the writer does it: what is rewritten goes first and comes last.
        const held = new Map<string, Cells>(pairs.map(({ before }) => [before[0], before]));
        const after = new Map<string, Cells>(pairs.map(({ before, after: then }) => [before[0], then]));
        for (const { from } of rewritten) held.delete(keyText(from));
        for (const { from } of [...ordered, ...rewritten]) {
          const now = after.get(keyText(from));
          if (!now) throw new Error('no such row');
          held.delete(keyText(from));
          expect([...held.values()].filter((other) => clashes(other, now))).toEqual([]);
          held.set(keyText(from), now);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('rewrites no more than it must', () => {
    const swap = (n: number): InPlace[] => [
      change([`${n}a`, `${n}x`, null], [`${n}a`, `${n}y`, null, UNCHANGED]),
      change([`${n}b`, `${n}y`, null], [`${n}b`, `${n}x`, null, UNCHANGED]),
    ];
    expect(orderInPlace([1, 2, 3].flatMap(swap)).rewritten).toHaveLength(3);
  });
});

/** Two rows that can not be in the table at once. */
function clashes(one: Cells, other: Cells): boolean {
  return one[0] === other[0] || (one[1] !== null && one[1] === other[1]);
}

const byFrom = (a: InPlace, b: InPlace): number => (keyText(a.from) < keyText(b.from) ? -1 : 1);
