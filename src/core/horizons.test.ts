import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Horizons } from './horizons.js';
import { lsn } from './position.js';

const horizon = (at: bigint, xmin: bigint, xmax: bigint, running: readonly bigint[] = []) => ({
  ...{ lsn: lsn(at), xmin, xmax, running },
});

it('knows what had ended by the looks around a place', () => {
  const horizons = new Horizons();
  expect(horizons.at(lsn(100n), 1)).toMatchObject({ settledXid: null, unendedXid: null });
  horizons.add(horizon(100n, 10n, 12n));
  horizons.add(horizon(200n, 20n, 22n));
  horizons.add(horizon(300n, 30n, 32n));
  expect(horizons.at(lsn(99n), 1)).toMatchObject({ settledXid: null, unendedXid: 22n });
  expect(horizons.at(lsn(100n), 1)).toMatchObject({ settledXid: 10n, unendedXid: 22n });
  expect(horizons.at(lsn(150n), 1)).toMatchObject({ settledXid: 10n, unendedXid: 32n });
  expect(horizons.at(lsn(250n), 1)).toMatchObject({ settledXid: 20n, unendedXid: null });
});

it('knows nothing by a look that does not show its own end yet, though the commit is in the WAL', () => {
  const horizons = new Horizons();
  horizons.add(horizon(100n, 20n, 20n));
  horizons.add(horizon(100n, 20n, 20n));
  horizons.add(horizon(200n, 20n, 23n, [20n]));
  horizons.add(horizon(300n, 24n, 24n));
  expect(horizons.at(lsn(90n), 17)).toMatchObject({ unendedXid: 20n });
  expect(horizons.at(lsn(90n), 20)).toMatchObject({ unendedXid: 24n });
  expect(horizons.at(lsn(200n), 24)).toMatchObject({ unendedXid: null });
});

it('is never wrong, however many looks there were, and when they were', () => {
  /**
   * Transactions by their xids, that begin, commit, and are seen to have ended some time after that, in an order of events; a
   * look takes its snapshot, and then the place.
   */
  const event = fc.oneof(
    fc.constant('begin' as const),
    fc.nat(5).map((which) => ({ commit: which })),
    fc.nat(5).map((which) => ({ end: which })),
    fc.nat(2).map((delay) => ({ look: delay })),
  );
  const check = fc.property(fc.array(event, { maxLength: 60 }), fc.nat(20), (events, which) => {
    const horizons = new Horizons();
    const running: bigint[] = [];
    const commits = new Map<bigint, bigint>();
    const ends = new Map<bigint, bigint>();
    let [next, completed, now, free] = [100n, 99n, 0n, 0n];
    for (const event of events) {
      now += 1n;
      if (event === 'begin') running.push(next++);
      else if ('commit' in event) {
        const xid = running.filter((one) => !commits.has(one))[event.commit];
        if (xid !== undefined) commits.set(xid, now);
      } else if ('end' in event) {
        const xid = running.filter((one) => commits.has(one))[event.end];
        if (xid === undefined) continue;
        running.splice(running.indexOf(xid), 1);
        ends.set(xid, now);
        if (xid > completed) completed = xid;
      } else if (now > free) {
        // Nothing happens meanwhile that the test would have to undo: a place that is read later is only larger.
        free = now + BigInt(event.look);
        const xmax = completed + 1n;
        const xmin = running.reduce((a, b) => (a < b ? a : b), xmax);
        horizons.add(
          horizon(
            free,
            xmin,
            xmax,
            running.filter((xid) => xid < xmax),
          ),
        );
      }
    }
    const [own, place] = [...commits][which % Math.max(commits.size, 1)] ?? [0n, 0n];
    const { settledXid, unendedXid } = horizons.at(lsn(place), Number(own));
    for (const [xid, commit] of commits) {
      if (settledXid !== null && xid < settledXid) expect(commit).toBeLessThanOrEqual(place);
      if (unendedXid === null || xid < unendedXid) continue;
      // Another one that was over when the transaction wrote its row, which is before its commit.
      const over = xid !== own && (ends.get(xid) ?? place) < place;
      expect([xid === own, over]).toEqual([false, false]);
    }
  });
  fc.assert(check, { numRuns: 5000 });
});

it('forgets some rather than to grow for ever', () => {
  const horizons = new Horizons();
  for (let i = 1n; i <= 10_000n; i++) horizons.add(horizon(i * 10n, i, i + 1n));
  const { settledXid, unendedXid } = horizons.at(lsn(50_000n), 1);
  expect(settledXid).toBeGreaterThan(4900n);
  expect(settledXid).toBeLessThanOrEqual(5000n);
  expect(unendedXid).toBeGreaterThan(5000n);
  expect(unendedXid).toBeLessThan(5100n);
});

it('knows the transactions whose commits the stream has shown, the last ten thousand', () => {
  const horizons = new Horizons();
  for (let xid = 1; xid <= 10_001; xid += 1) horizons.ended(xid);
  const { seen } = horizons.at(lsn(100n), 1);
  expect([seen.has(1), seen.has(2), seen.has(10_001), seen.has(10_002)]).toEqual([false, true, true, false]);
});

it('forgets what the stream has shown, where that is read again', () => {
  const horizons = new Horizons();
  horizons.ended(7);
  expect(horizons.at(lsn(100n), 1).seen.has(7)).toBe(true);
  horizons.startOver();
  expect(horizons.at(lsn(100n), 1).seen.has(7)).toBe(false);
});

it('takes no account of a look beside which another one was taken', async () => {
  const horizons = new Horizons();
  let answer = (_: ReturnType<typeof horizon>): void => {};
  const slow = horizons.look(() => new Promise((resolve) => (answer = resolve)));
  expect(await horizons.look(async () => horizon(200n, 20n, 22n))).not.toBeNull();
  // Its snapshot is of a time before that place, and says nothing of what came later.
  answer(horizon(100n, 10n, 12n));
  expect(await slow).toBeNull();
  expect(horizons.at(lsn(150n), 1)).toMatchObject({ settledXid: null, unendedXid: null });
});
