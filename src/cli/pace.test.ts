import { expect, it } from 'vitest';
import { formatLsn, lsn } from '../core/position.js';
import type { SourceStatus } from '../sync/status.js';
import { type Pace, PaceMeter } from './pace.js';

const SLOT = { state: 'ok', sentence: '', active: true, confirmedFlushLsn: null, retainedBytes: null, safeBytes: null };

/** Looks at `[second, WAL written, lag]`, null where a side did not answer. */
function pacesOf(...looks: readonly ([number, number, number] | null)[]): (Pace | null)[] {
  const meter = new PaceMeter();
  return looks.map((look) => {
    if (look === null) return meter.add({ time: '2026-11-22T00:00:00.000Z', source: { error: 'down' }, lag: null });
    const [second, written, bytes] = look;
    const source: SourceStatus = { walPosition: formatLsn(lsn(BigInt(written))), slot: SLOT, ddl: 'relations' };
    return meter.add({ time: new Date(second * 1000).toISOString(), source, lag: { bytes, seconds: 0 } });
  });
}

const MB = 1024 * 1024;

it('is of two looks: what was written, and what of it was applied', () => {
  expect(pacesOf([0, 0, 0], [2, 10 * MB, 6 * MB])).toEqual([
    null,
    {
      writtenBytesPerSecond: 5 * MB,
      appliedBytesPerSecond: 2 * MB,
      lagIs: 'growing',
      secondsToCatchUp: null,
    },
  ]);
});

it('tells when the lag is caught up, if it shrinks', () => {
  expect(pacesOf([0, 0, 100 * MB], [2, 2 * MB, 90 * MB])[1]).toEqual({
    writtenBytesPerSecond: MB,
    appliedBytesPerSecond: 6 * MB,
    lagIs: 'shrinking',
    secondsToCatchUp: 18,
  });
});

it('is over a minute, and forgets what is older', () => {
  const [, second, , last] = pacesOf(
    [0, 0, 0],
    [50, 50 * MB, 50 * MB],
    [59, 50 * MB, 20 * MB],
    [111, 50 * MB, 20 * MB],
  );
  expect(second?.lagIs).toBe('growing');
  expect(last).toMatchObject({ writtenBytesPerSecond: 0, appliedBytesPerSecond: 0, lagIs: 'steady' });
});

it('takes what an idle server writes for no trend', () => {
  expect(pacesOf([0, 0, 0], [2, 200, 200])[1]).toMatchObject({ lagIs: 'steady', secondsToCatchUp: null });
});

it('begins anew after a look without an answer, and at another server', () => {
  expect(pacesOf([0, 10, 0], null, [4, 30, 0], [6, 20, 0])).toEqual([null, null, null, null]);
});
