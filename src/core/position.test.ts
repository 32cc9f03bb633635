import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Acknowledgeable, formatLsn, formatMicros, LSN_ZERO, lsn, maxLsn, parseLsn, parseMicros } from './position.js';

const anyLsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(lsn);

describe('an LSN', () => {
  it.each([
    ['0/0', 0n, '0/0'],
    ['0/16B3748', 0x16b3748n, '0/16B3748'],
    ['00000001/00000000', 0x1_0000_0000n, '1/0'],
    ['a/b', 0xa_0000_000bn, 'A/B'],
    ['FFFFFFFF/FFFFFFFF', 2n ** 64n - 1n, 'FFFFFFFF/FFFFFFFF'],
  ])('%s is read', (text, value, printed) => {
    expect(parseLsn(text)).toBe(value);
    expect(formatLsn(parseLsn(text))).toBe(printed);
  });

  it('is printed so that it can be read', () => {
    fc.assert(fc.property(anyLsn, (value) => parseLsn(formatLsn(value)) === value));
  });

  it.each(['', '0', '0/', '/0', '0/0/0', ' 0/0', '0/0\n', '0x1/0', '100000000/0', '0/-1', 'G/0', '1.5/0'])(
    '%j is none',
    (text) => {
      expect(() => parseLsn(text)).toThrow(TypeError);
    },
  );

  it('is compared as the number that it is, not as its text', () => {
    const [low, high] = [parseLsn('9/0'), parseLsn('10/0')];
    expect(maxLsn(low, high)).toBe(high);
    expect(maxLsn(high, low)).toBe(high);
  });
});

describe('a time in microseconds', () => {
  it.each([
    [0n, '1970-01-01T00:00:00.000000Z'],
    [1n, '1970-01-01T00:00:00.000001Z'],
    [-1n, '1969-12-31T23:59:59.999999Z'],
    [-1000n, '1969-12-31T23:59:59.999000Z'],
    [-1001n, '1969-12-31T23:59:59.998999Z'],
    [946_684_800_000_000n, '2000-01-01T00:00:00.000000Z'],
    [1_795_262_400_123_456n, '2026-11-21T12:00:00.123456Z'],
    [-62_135_596_800_000_000n, '0001-01-01T00:00:00.000000Z'],
    [253_402_300_799_999_999n, '9999-12-31T23:59:59.999999Z'],
  ])('%s is printed', (micros, text) => {
    expect(formatMicros(micros)).toBe(text);
  });

  it('comes back as it was, with the Z and without', () => {
    const years = { min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }; // 0001 to 9999
    fc.assert(
      fc.property(fc.bigInt(years), (micros) => {
        const text = formatMicros(micros);
        expect(parseMicros(text)).toBe(micros);
        expect(parseMicros(text.slice(0, -1))).toBe(micros);
      }),
    );
  });

  it('that no commit can have is brought to the nearest', () => {
    const epoch = 946_684_800_000_000n;
    expect(formatMicros(2n ** 63n - 1n + epoch)).toBe('9999-12-31T23:59:59.999999Z');
    expect(formatMicros(-(2n ** 63n) + epoch)).toBe('0001-01-01T00:00:00.000000Z');
  });

  it('may come without a fraction', () => {
    expect(parseMicros('2026-11-21T12:00:00Z')).toBe(1_795_262_400_000_000n);
    expect(parseMicros('2026-11-21T12:00:00')).toBe(1_795_262_400_000_000n);
  });
});

describe('what may be acknowledged', () => {
  it('is the start, then what is durable, then what was sent while nothing was pending', () => {
    const acknowledgeable = new Acknowledgeable(lsn(100n));
    expect(acknowledgeable.current).toBe(100n);
    acknowledgeable.durable(lsn(150n));
    expect(acknowledgeable.current).toBe(150n);
    acknowledgeable.idle(lsn(400n));
    expect(acknowledgeable.current).toBe(400n);
    acknowledgeable.durable(lsn(300n));
    expect(acknowledgeable.current).toBe(400n);
    acknowledgeable.durable(lsn(500n));
    expect(acknowledgeable.current).toBe(500n);
  });

  it('never goes back, and never beyond what it was told', () => {
    const told = fc.record({ durable: fc.boolean(), at: anyLsn });
    fc.assert(
      fc.property(anyLsn, fc.array(told), (start, all) => {
        const acknowledgeable = new Acknowledgeable(start);
        let highest = start;
        for (const { durable, at } of all) {
          if (durable) acknowledgeable.durable(at);
          else acknowledgeable.idle(at);
          highest = maxLsn(highest, at);
          expect(acknowledgeable.current).toBe(highest);
        }
      }),
    );
    expect(new Acknowledgeable(LSN_ZERO).current).toBe(LSN_ZERO);
  });
});
