import { describe, expect, it } from 'vitest';
import { liveness, SilenceDetector } from './liveness.js';

describe('liveness', () => {
  it.each([
    [60_000, { tickMs: 36_000, silentTicks: 4 }],
    [2_000, { tickMs: 1_200, silentTicks: 4 }],
    [1, { tickMs: 100, silentTicks: 1 }],
    [0, { tickMs: 10_000, silentTicks: 12 }],
  ])('of wal_sender_timeout %d', (timeout, expected) => {
    expect(liveness(timeout)).toEqual(expected);
  });

  it('speaks before the server gives up, and gives up after it did', () => {
    for (const timeout of [200, 1_000, 60_000, 86_400_000]) {
      const { tickMs, silentTicks } = liveness(timeout);
      expect(tickMs).toBeGreaterThan(timeout / 2);
      expect(tickMs).toBeLessThan(timeout);
      expect(tickMs * silentTicks).toBeGreaterThanOrEqual(2 * timeout);
    }
  });
});

describe('SilenceDetector', () => {
  const ticks = (detector: SilenceDetector, count: number, listening = true): boolean[] =>
    Array.from({ length: count }, () => detector.tick(listening));

  it('finds silence after the limit of ticks without a byte', () => {
    expect(ticks(new SilenceDetector(3), 4)).toEqual([false, false, false, true]);
  });

  it('begins again with every byte', () => {
    const detector = new SilenceDetector(3);
    ticks(detector, 3);
    detector.heard();
    expect(ticks(detector, 4)).toEqual([false, false, false, true]);
  });

  it('does not count while we do not read', () => {
    const detector = new SilenceDetector(3);
    ticks(detector, 3);
    expect(ticks(detector, 10, false)).not.toContain(true);
    expect(ticks(detector, 4)).toEqual([false, false, false, true]);
  });
});
