import type { Conversion } from '../core/target.js';
import { writeFewDigits } from './bytes-of-text.js';
import { conversion, numberWord, unreadable, WORD_BYTES } from './conversion.js';

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
  const text = digits === FLOAT8_DIGITS && size > Number.MAX_SAFE_INTEGER ? insideDigits(size) : size.toExponential();
  const [mantissa = '', exponent = ''] = text.split('e');
  return `${value < 0 ? '-' : ''}${mantissa}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`;
}

/**
 * The shortest digits that are nearer to this (positive) double than to any other. JavaScript also takes those that lie in the middle
 * of two, such as 1e23; Postgres does not, and prints 9.999999999999999e+22. Below 2^53 the middle has too many digits.
 * Source: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/common/d2s.c (acceptBounds)
 */
function insideDigits(value: number): string {
  const exact = BigInt(value);
  let text = value.toExponential();
  for (let digits = text.indexOf('e') - 1; isMiddle(BigInt(withoutExponent(text)), exact) && digits < 17; digits += 1) {
    text = value.toExponential(digits);
  }
  return text;
}

/** Whether the mirror image of a double at this point is a double too: its neighbour then, since nothing is nearer. */
function isMiddle(point: bigint, double: bigint): boolean {
  const mirrored = 2n * point - double;
  return point !== double && Number.isFinite(Number(mirrored)) && BigInt(Number(mirrored)) === mirrored;
}

/** A finite number as Postgres prints a numeric: the shortest digits, never an exponent. */
export const decimalText = (value: number): string => withoutExponent(String(value));

function withoutExponent(text: string): string {
  const at = text.indexOf('e');
  if (at < 0) return text;
  const exponent = Number(text.slice(at + 1));
  const sign = text.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = text.slice(sign.length, at).split('.');
  const digits = whole + fraction;
  return exponent < 0
    ? `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
    : `${sign}${digits}${'0'.repeat(exponent - fraction.length)}`;
}

const FINITE = /^-?\d+(?:\.\d+)?(?:e[+-]\d+)?$/;

/** Whether a float's text comes back from a double: not NaN, an infinity or -0, which Dolt does not have. */
export const isExactFloat = (text: string, digits: number): boolean =>
  FINITE.test(text) && Number.isFinite(Number(text)) && floatText(Number(text), digits) === text;

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
export function double(type: string, digits: number): Conversion {
  const literal = (text: string): string => doubleLiteral(text, type);
  return conversion({
    sql: 'DOUBLE',
    literal,
    word: numberWord(literal),
    write: writeFewDigits(digits),
    isExact: (text) => isExactFloat(text, digits),
    restore: (value) => floatText(Number(value), digits),
    nullable: true,
    declaredBytes: WORD_BYTES,
  });
}
