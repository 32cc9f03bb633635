import type { Conversion } from '../core/target.js';
import { type WriteText, writeUnsigned } from './bytes-of-text.js';
import { conversion, numberWord, unreadable } from './conversion.js';

/** Dolt's largest DECIMAL. */
export const MAX_PRECISION = 65;
export const MAX_SCALE = 30;

const DIGIT_ZERO = 0x30;

const NUMERIC = /^(-?)(\d+)(?:\.(\d+))?$/;

/**
 * DECIMAL(precision, scale) for a number that Postgres prints with `textScale` decimals (`1.10` as numeric(10,2)), or,
 * where that is null, with as many as the value came with: a bare numeric keeps trailing zeros, which a DECIMAL does
 * not, so they are cut when read and a text that has them is not exact. Dolt's DECIMAL holds NaN, as Postgres' does.
 */
export function decimal(precision: number, scale: number, textScale: number | null): Conversion {
  const sql = `DECIMAL(${precision},${scale})`;
  const exact = exactPattern(precision - scale, scale, textScale);
  const nearest = nearestInteger(sql, scale, 10n ** BigInt(precision) - 1n);
  const literal = (text: string): string => (exact.test(text) ? text : text === 'NaN' ? "'NaN'" : nearest(text));
  return conversion({
    sql,
    literal,
    word: scale === 0 ? literal : numberWord(literal),
    write: writeExact(precision - scale, scale, textScale),
    isExact: (text) => exact.test(text) || text === 'NaN',
    restore: (value) => {
      if (value === 'NaN') return value;
      return textScale === null ? withoutTrailingZeros(value) : withScale(value, textScale);
    },
    declaredBytes: decimalBytes(precision),
  });
}

/** Bytes that a DECIMAL declares: one a digit, at most 30 (measured). */
export const decimalBytes = (precision: number): number => Math.min(precision, 30);

function exactPattern(wholeDigits: number, scale: number, textScale: number | null): RegExp {
  const whole = wholeDigits > 0 ? `\\d{1,${wholeDigits}}` : '0';
  const fraction =
    textScale === null
      ? scale > 0
        ? `(?:\\.\\d{0,${scale - 1}}[1-9])?`
        : ''
      : textScale === 0
        ? ''
        : textScale <= scale
          ? `\\.\\d{${textScale}}`
          : `\\.\\d{${scale}}0{${textScale - scale}}`;
  return new RegExp(`^-?${whole}${fraction}$`);
}

/** The unsigned numbers of `exactPattern`; null where it is of a rare kind. */
function writeExact(wholeDigits: number, scale: number, textScale: number | null): WriteText | null {
  if (wholeDigits === 0 || (textScale ?? 0) > scale) return null;
  if (textScale !== null) return writeUnsigned(wholeDigits, (decimals) => decimals === textScale);
  return writeUnsigned(wholeDigits, (decimals, last) => decimals === 0 || (decimals <= scale && last !== DIGIT_ZERO));
}

/**
 * Any numeric's text -> the literal of the value with `scale` decimals that is nearest and not beyond `max` (or `min`)
 * units of the last decimal; halves are rounded away from zero as Postgres does. NULL for NaN.
 */
export function nearestInteger(type: string, scale: number, max: bigint, min: bigint = -max): (text: string) => string {
  return (text) => {
    if (text === 'NaN') return 'NULL';
    if (text === 'Infinity') return point(max, scale);
    if (text === '-Infinity') return point(min, scale);
    const parts = NUMERIC.exec(text);
    if (!parts) throw unreadable(type, text);
    const [, sign, whole = '', fraction = ''] = parts;
    if (whole.length > MAX_PRECISION) return point(sign ? min : max, scale);
    const digits = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'));
    const rounded = (fraction[scale] ?? '0') >= '5' ? digits + 1n : digits;
    const value = sign ? -rounded : rounded;
    return point(value > max ? max : value < min ? min : value, scale);
  };
}

function point(units: bigint, scale: number): string {
  const sign = units < 0n ? '-' : '';
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  const at = digits.length - scale;
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, at)}.${digits.slice(at)}`;
}

export const withoutTrailingZeros = (value: string): string =>
  value.includes('.') ? value.replace(/\.?0+$/, '') : value;

/** The value with exactly `scale` decimals: cut (what is cut is zeros where the text was exact) or padded. */
export function withScale(value: string, scale: number): string {
  const [whole = '', fraction = ''] = value.split('.');
  return scale === 0 ? whole : `${whole}.${fraction.slice(0, scale).padEnd(scale, '0')}`;
}
