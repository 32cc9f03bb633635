import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  alter,
  announce,
  type Change,
  EMPTY_MODEL,
  readAttributes,
  sentAttnums,
  store,
  TYPES,
} from '../../test/support/attribute-model.js';
import { type AnnouncementTime, deduceLineage, type Lineage } from './lineage.js';

/*
 * Histories of a table, stored at their beginning, announced in the middle and read at their end: from that either the
 * attributes are found that the model knows, or it is said that they are not known, and they are among what they may be.
 */

const name = fc.constantFrom('a', 'b', 'c', 'd');
const type = fc.constantFrom(...TYPES);
const which = fc.nat(5);
const change = fc.oneof<fc.Arbitrary<Change>[]>(
  fc.record({
    kind: fc.constant('add'),
    name,
    type,
    as: fc.constantFrom('plain', 'plain', 'filled', 'stored', 'virtual'),
  }),
  fc.record({ kind: fc.constantFrom('drop', 'drop', 'drop expression', 'set statistics'), which }),
  fc.record({ kind: fc.constant('rename'), which, name }),
  fc.record({ kind: fc.constant('retype'), which, type, rewritten: fc.boolean() }),
);

/** Commands, some of which are of a subtransaction. */
const transaction = fc.array(fc.record({ change, nested: fc.boolean() }), { maxLength: 3 });
type Transaction = readonly { readonly change: Change; readonly nested: boolean }[];

const history = fc.record({
  before: fc.array(change, { minLength: 2, maxLength: 7 }),
  listed: fc.option(fc.subarray([1, 2, 3, 4, 5]), { freq: 6 }),
  earlier: fc.array(transaction, { maxLength: 2 }),
  own: fc.tuple(transaction, transaction),
  later: fc.array(transaction, { maxLength: 2 }),
  // Whoever begins first need not end first.
  xids: fc.shuffledSubarray([10n, 20n, 30n, 40n, 50n], { minLength: 5 }),
  epoch: fc.constantFrom(0n, 5n << 32n, (6n << 32n) - 30n),
  /** How far away the horizons are from the closest that they may be, if they are known. */
  settled: fc.option(fc.nat(30)),
  unbegun: fc.option(fc.nat(30)),
});

it('the lineage is found, or told to be unknown, whatever the history', () => {
  const counts = { known: 0, ambiguous: 0 };
  const check = fc.property(history, ({ before, listed, earlier, own, later, xids, epoch, settled, unbegun }) => {
    let model = EMPTY_MODEL;
    const run = (changes: Transaction, xid: bigint): void => {
      for (const { change, nested } of changes) model = alter(model, change, nested ? xid + 3n : xid) ?? model;
    };
    const [announcing = 0n, ...others] = xids.map((xid) => epoch + 1000n + xid);
    run(
      before.map((change) => ({ change, nested: false })),
      epoch + 500n,
    );
    if (listed) model = { ...model, list: listed.filter((attnum) => sentAttnums(model).includes(attnum)) };
    const stored = store(model);
    for (const [i, changes] of earlier.entries()) run(changes, others[i] ?? 0n);
    run(own[0], announcing);
    const [truth, columns] = [sentAttnums(model), announce(model)];
    run(own[1], announcing);
    for (const [i, changes] of later.entries()) run(changes, others[i + 2] ?? 0n);

    const unended = [announcing, ...later.map((_, i) => others[i + 2] ?? 0n)];
    const begun = [announcing, ...earlier.map((_, i) => others[i] ?? 0n)];
    const time: AnnouncementTime = {
      xid: Number(BigInt.asUintN(32, announcing)),
      settledXid: settled === null ? null : unended.reduce((a, b) => (a < b ? a : b)) - BigInt(settled),
      unbegunXid: unbegun === null ? null : begun.reduce((a, b) => (a > b ? a : b)) + 4n + BigInt(unbegun),
    };
    const lineage = deduceLineage(stored, columns, readAttributes(model), time);
    counts[lineage.kind]++;
    expect(lineage).toSatisfy((found: Lineage) =>
      found.kind === 'known'
        ? found.attnums.join() === truth.join()
        : truth.every((attnum, i) => found.candidates[i]?.includes(attnum)),
    );
  });
  fc.assert(check, { numRuns: 5000 });
  expect(counts.known).toBeGreaterThan(2000);
  expect(counts.ambiguous).toBeGreaterThan(50);
});
