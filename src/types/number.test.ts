import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal, nearestInteger } from './decimal.js';
import { decimalText, floatText, isExactFloat } from './float.js';
import { boolean, integer, money, type NumberForm, type NumberTarget, numberAs } from './number.js';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('floats', () => {
  test.each([
    [100_000, '100000', '100000'],
    [1e6, '1e+06', '1000000'],
    [123456.7, '123456.7', '123456.7'],
    [1234567, '1.234567e+06', '1234567'],
    [1e14, '1e+14', '100000000000000'],
    [1e15, '1e+15', '1e+15'],
    [1e21, '1e+21', '1e+21'],
    [0.0001, '0.0001', '0.0001'],
    [0.00001, '1e-05', '1e-05'],
    [-1.5e-7, '-1.5e-07', '-1.5e-07'],
    [5e-324, '5e-324', '5e-324'],
    [-0, '0', '0'],
  ])('%d as float4 and as float8', (value, float4, float8) => {
    expect(floatText(value, 6)).toBe(float4);
    expect(floatText(value, 15)).toBe(float8);
  });

  test('the text of a float is read as the same float', () => {
    fc.assert(fc.property(finite, (value) => Number(floatText(value, 15)) === value));
  });

  test('a numeric text has no exponent and is the same number', () => {
    fc.assert(
      fc.property(finite, (value) => {
        expect(decimalText(value)).toMatch(/^-?(0|[1-9]\d*)(\.\d*[1-9])?$/);
        expect(Number(decimalText(value))).toBe(value + 0);
      }),
    );
    expect(decimalText(1e21)).toBe('1000000000000000000000');
    expect(decimalText(-1.5e-7)).toBe('-0.00000015');
  });

  test.each(['NaN', 'Infinity', '-Infinity', '-0', '0.10', '1e5', '', 'x', '1.7976931348623157e+309'])(
    '%s is not exact',
    (text) => {
      expect(isExactFloat(text, 15)).toBe(false);
    },
  );
});

/** A numeric as Postgres prints it: units of 10^-scale. */
const point = (units: bigint, scale: number): string => {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return units < 0n ? `-${text}` : text;
};
const units = (digits: number) => fc.bigInt({ min: -(10n ** BigInt(digits)) + 1n, max: 10n ** BigInt(digits) - 1n });
const abs = (value: bigint): bigint => (value < 0n ? -value : value);

describe('decimals', () => {
  test('the nearest value is never more than half a unit away, and away from zero when it is just half', () => {
    fc.assert(
      fc.property(units(30), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 6 }), (value, from, to) => {
        const nearest = nearestInteger('DECIMAL', to, 10n ** 40n)(point(value, from));
        const found = BigInt(nearest.replace('.', '')) * 10n ** 12n;
        const wanted = value * 10n ** BigInt(12 - from + to);
        const unit = 10n ** 12n;
        expect(2n * abs(found - wanted)).toBeLessThanOrEqual(unit);
        if (2n * abs(found - wanted) === unit) expect(abs(found)).toBeGreaterThan(abs(wanted));
      }),
    );
  });

  test('what is exact is written as it is, and restored from what a DECIMAL prints', () => {
    fc.assert(
      fc.property(
        units(20),
        fc.integer({ min: 0, max: 8 }),
        fc.constantFrom(null, 0, 2, 6, 8),
        (value, scale, textScale) => {
          const text = point(value, textScale ?? scale);
          const { isExact, literal, restore } = decimal(24, 6, textScale);
          if (!isExact?.(text)) return;
          expect(literal(text)).toBe(text);
          const [whole, fraction = ''] = text.split('.');
          expect(restore(`${whole}.${fraction.slice(0, 6).padEnd(6, '0')}`)).toBe(text);
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    [10, 2, 2, '1.10', true],
    [10, 2, 2, '99999999.99', true],
    [10, 2, 2, '100000000.00', false],
    [10, 2, 2, '1.1', false],
    [65, 30, null, '1.1', true],
    [65, 30, null, '1.10', false],
    [65, 30, null, '1.0', false],
    [65, 30, null, `${'9'.repeat(35)}.${'9'.repeat(30)}`, true],
    [65, 30, null, `1${'0'.repeat(35)}`, false],
    [65, 30, null, `0.${'0'.repeat(30)}1`, false],
    [65, 30, 40, `0.1${'0'.repeat(39)}`, true],
    [65, 30, 40, `0.${'0'.repeat(39)}1`, false],
    [5, 0, 0, '99000', true],
    [3, 3, 3, '0.999', true],
    [3, 3, 3, '1.000', false],
    [10, 2, 2, 'NaN', true],
  ])('DECIMAL(%d,%d) of %s decimals holds %s: %s', (precision, scale, textScale, text, exact) => {
    expect(decimal(precision, scale, textScale).isExact?.(text)).toBe(exact);
  });

  test.each(['', ' ', '1.', '.5', '1e5', "1'", '0x1', 'nan', '1,5', '--1'])('%j is refused', (text) => {
    expect(() => decimal(10, 2, 2).literal(text)).toThrow(expect.objectContaining({ code: 'E_VALUE' }));
  });
});

test.each([integer('BIGINT'), boolean, money].map((conversion) => [conversion.sql, conversion] as const))(
  '%s refuses what is not of its type',
  (_, { literal }) => {
    for (const text of ['', ' 1', '1.5', "1'", '1 or 1', 'true', '1,000.00', '$1.2', '$,1.00']) {
      expect(() => literal(text), text).toThrow(expect.objectContaining({ code: 'E_VALUE' }));
    }
  },
);

test('money is grouped as Postgres groups it', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (cents) => {
      const value = point(cents, 2);
      const text = money.restore(value);
      expect(text.replace(/[$,]/g, '')).toBe(value);
      expect(text).toMatch(/^-?\$\d{1,3}(,\d{3})*\.\d\d$/);
      expect(money.literal(text)).toBe(value);
    }),
  );
});

describe('numbers in another type', () => {
  const INT: NumberTarget = { kind: 'integer', sql: 'INT', min: -(2n ** 31n), max: 2n ** 31n - 1n };
  const DOUBLE: NumberTarget = { kind: 'double', sql: 'DOUBLE' };

  test('an integer is exact in its range only', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 33n), max: 2n ** 33n }), (value) => {
        const { isExact, literal } = numberAs(INT, { scale: 0 });
        const fits = value >= -(2n ** 31n) && value < 2n ** 31n;
        expect(isExact?.(String(value))).toBe(fits);
        if (!fits) expect(literal(String(value))).toBe(value < 0n ? '-2147483648' : '2147483647');
      }),
    );
  });

  test.each<[NumberTarget, NumberForm, string, boolean]>([
    [INT, { scale: 2 }, '5.00', true],
    [INT, { scale: 2 }, '5.10', false],
    [INT, { scale: null }, '5', true],
    [INT, { scale: null }, '5.0', false],
    [INT, { digits: 15 }, '5', true],
    [INT, { digits: 15 }, '1e+20', false],
    [DOUBLE, { scale: 0 }, '9007199254740993', false],
    [DOUBLE, { scale: 2 }, '1.10', true],
    [DOUBLE, { scale: null }, 'NaN', false],
  ])('%o %o %s: %s', (target, form, text, exact) => {
    expect(numberAs(target, form).isExact?.(text)).toBe(exact);
  });
});
