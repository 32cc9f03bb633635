import type { Conversion } from '../core/target.js';
import { conversion, unreadable, WORD_BYTES } from './conversion.js';

/** Decimal exponent from which Postgres writes a float with an exponent: DBL_DIG and FLT_DIG. */
export const FLOAT8_DIGITS = 15;
export const FLOAT4_DIGITS = 6;

/** The largest double, for what is beyond it. */
const LARGEST_DOUBLE = '1.7976931348623157e308';

/**
 * A finite number as Postgres prints a float with extra_float_digits=3: the shortest digits, and an exponent of at least
 * two digits where it is below -4 or from `digits` on.
 * Source: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/common/d2s.c (to_chars)
 */
export function floatText(value: number, digits: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 10 ** digits) return String(value);
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  return `${mantissa}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`;
}

/** A finite number as Postgres prints a numeric: the shortest digits, never an exponent. */
export function decimalText(value: number): string {
  const text = String(value);
  const at = text.indexOf('e');
  if (at < 0) return text;
  const exponent = Number(text.slice(at + 1));
  const sign = value < 0 ? '-' : '';
  const [whole = '', fraction = ''] = text.slice(sign.length, at).split('.');
  const digits = whole + fraction;
  return exponent < 0
    ? `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
    : `${sign}${digits}${'0'.repeat(exponent - fraction.length)}`;
}

const FINITE = /^-?\d+(?:\.\d+)?(?:e[+-]\d+)?$/;

/**
 * Whether a float's text comes back from a double: not NaN, an infinity or -0, which Dolt does not have. Postgres and
 * JavaScript choose other shortest digits for a few numbers at the edge of their interval; those are not exact either.
 */
export const isExactFloat = (text: string, digits: number): boolean =>
  FINITE.test(text) && floatText(Number(text), digits) === text;

/**
 * The double nearest to any number's text, NULL for NaN. Bare: Dolt takes a quoted '' for zero, and a quoted number that
 * is too large for an infinity.
 */
export function doubleLiteral(text: string, type: string): string {
  if (FINITE.test(text)) return text.length < 300 || Number.isFinite(Number(text)) ? text : largestDouble(text);
  if (text === 'NaN') return 'NULL';
  if (text === 'Infinity' || text === '-Infinity') return largestDouble(text);
  throw unreadable(type, text);
}

/** The double farthest from zero, with the sign of the number. */
export const largestDouble = (text: string): string => `${text.startsWith('-') ? '-' : ''}${LARGEST_DOUBLE}`;

/** float4 and float8: both are DOUBLE, since Dolt's FLOAT refuses the largest float4 and misses rows in comparisons. */
export const double = (type: string, digits: number): Conversion =>
  conversion({
    sql: 'DOUBLE',
    literal: (text) => doubleLiteral(text, type),
    isExact: (text) => isExactFloat(text, digits),
    restore: (value) => floatText(Number(value), digits),
    nullable: true,
    declaredBytes: WORD_BYTES,
  });
