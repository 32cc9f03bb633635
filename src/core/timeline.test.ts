import { describe, expect, it } from 'vitest';
import { lsn } from './position.js';
import { findTimeline, ownAdvance, parseTimelines, sharedUpTo } from './timeline.js';

// As Postgres writes it, after a promotion, a recovery to a named restore point, and with the comment that it allows.
const HISTORY = `1\t0/3000148\tno recovery target specified

# a comment
2\t1/A0000F8\tat restore point "5\t0/1 and more"
`;

const timelines = parseTimelines(4, HISTORY);

describe('a timeline history', () => {
  it('has each timeline from where it began to where it was left', () => {
    expect(timelines).toEqual([
      { id: 1, start: 0n, end: 0x3000148n },
      { id: 2, start: 0x3000148n, end: 0x1_0a0000f8n },
      { id: 4, start: 0x1_0a0000f8n, end: null },
    ]);
    expect(parseTimelines(1, null)).toEqual([{ id: 1, start: 0n, end: null }]);
  });

  it.each(['1', '1\tzero\treason', 'x\t0/1\treason', '1\t0/1x\treason'])(
    'is not read with the line %j in it',
    (line) => {
      expect(() => parseTimelines(2, line)).toThrow(TypeError);
    },
  );

  it('has a timeline only where number and beginning are the same', () => {
    expect(findTimeline(timelines, { id: 2, start: lsn(0x3000148n) })?.end).toBe(0x1_0a0000f8n);
    expect(findTimeline(timelines, { id: 2, start: lsn(0x3000149n) })).toBeUndefined();
    expect(findTimeline(timelines, { id: 3, start: lsn(0x3000148n) })).toBeUndefined();
  });
});

it('what was reached is shared up to where the timeline was left, and that point itself', () => {
  expect(sharedUpTo(lsn(10n), lsn(9n))).toBe(9n);
  expect(sharedUpTo(lsn(10n), lsn(10n))).toBe(10n);
  expect(sharedUpTo(lsn(10n), lsn(11n))).toBe(10n);
  expect(sharedUpTo(null, lsn(11n))).toBe(11n);
});

it('what was acknowledged beyond where the timeline was left is not our advance of the slot', () => {
  expect(ownAdvance(lsn(10n), lsn(5n), lsn(20n))).toBe(10n);
  expect(ownAdvance(lsn(10n), lsn(5n), lsn(7n))).toBe(7n);
  expect(ownAdvance(null, lsn(5n), lsn(20n))).toBe(20n);
  expect(ownAdvance(null, lsn(5n), null)).toBe(5n);
  // Kept from before the position.
  expect(ownAdvance(lsn(10n), lsn(5n), lsn(3n))).toBe(5n);
});
