import type { Conversion } from '../core/target.js';

/*
 * Texts looked at as bytes, since most values are copied from Postgres to Dolt as they are: what is not found simple here
 * is looked at as a string.
 */

export type WriteText = NonNullable<Conversion['write']>;

const MINUS = 0x2d;
const POINT = 0x2e;
export const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** As a SQL string, verbatim; of at most so many bytes, and so as many characters. */
export const writeString =
  (atMost = Number.POSITIVE_INFINITY): WriteText =>
  (text, start, end, sql) => {
    if (end - start > atMost) return false;
    sql.string(text, start, end);
    return true;
  };

/** An integer of at most 20 digits. */
export const writeInteger: WriteText = (text, start, end, sql) => {
  const digits = text[start] === MINUS ? start + 1 : start;
  const length = end - digits;
  if (length < 1 || length > 20 || endOfDigits(text, digits, end) !== end) return false;
  sql.copy(text, start, end);
  return true;
};

/** A number without a sign: at most so many digits, then decimals as `fits` has it, which is told how many there are and the last one. */
export const writeUnsigned =
  (wholeDigits: number, fits: (decimals: number, last: number | undefined) => boolean): WriteText =>
  (text, start, end, sql) => {
    const point = endOfDigits(text, start, end);
    const decimals = Math.max(end - point - 1, 0);
    if (point === start || point - start > wholeDigits) return false;
    if (point < end && (decimals === 0 || text[point] !== POINT || endOfDigits(text, point + 1, end) !== end))
      return false;
    if (!fits(decimals, text[end - 1])) return false;
    sql.copy(text, start, end);
    return true;
  };

const ZERO = 0x30;
const NINE = 0x39;

/** As a SQL string, without the `offset` it ends with: `0000-00-00` stands for digits, then the other characters. A fraction of up to six digits may follow. */
export function writeShape(shape: string, hasFraction: boolean, offset = ''): WriteText {
  const wanted = Buffer.from(shape);
  const tail = Buffer.from(offset);
  return (text, start, end, sql) => {
    const stop = end - tail.length;
    const fixed = start + wanted.length;
    if (stop < fixed) return false;
    for (let i = 0; i < wanted.length; i += 1) {
      const byte = text[start + i] as number; // below the end
      const want = wanted[i] as number;
      if (want === ZERO ? byte < ZERO || byte > NINE : byte !== want) return false;
    }
    for (let i = 0; i < tail.length; i += 1) if (text[stop + i] !== tail[i]) return false;
    if (fixed < stop) {
      const digits = stop - fixed - 1;
      if (!hasFraction || text[fixed] !== POINT || digits < 1 || digits > 6) return false;
      if (endOfDigits(text, fixed + 1, stop) !== stop) return false;
    }
    sql.string(text, start, stop);
    return true;
  };
}

export function endOfDigits(text: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(text[at])) at += 1;
  return at;
}

/** A float of few digits that comes back as it was from the double that is nearest: no sign, no exponent, nothing to round. */
export const writeFewDigits =
  (wholeDigits: number): WriteText =>
  (text, start, end, sql) => {
    const point = endOfDigits(text, start, end);
    const whole = point - start;
    if (whole === 0 || whole > wholeDigits || (text[start] === ZERO && whole > 1)) return false;
    if (point < end) {
      const decimals = end - point - 1;
      if (text[point] !== POINT || decimals === 0 || whole + decimals > MAX_EXACT_DIGITS) return false;
      if (endOfDigits(text, point + 1, end) !== end || text[end - 1] === ZERO) return false;
      if (text[start] === ZERO && text[point + 1] === ZERO) return false;
    }
    sql.copy(text, start, end);
    return true;
  };

/** DBL_DIG: as many always survive in a double. */
const MAX_EXACT_DIGITS = 15;

/** bytea_output=hex as a hexadecimal literal. */
export const writeHex =
  (limit: number | null): WriteText =>
  (text, start, end, sql) => {
    const length = end - start - 2;
    if (length < 0 || length % 2 !== 0 || (limit !== null && length > 2 * limit)) return false;
    if (text[start] !== 0x5c || text[start + 1] !== 0x78) return false;
    for (let i = start + 2; i < end; i += 1) {
      const byte = text[i] as number; // below the end
      if (!isDigit(byte) && (byte < 0x61 || byte > 0x66)) return false;
    }
    sql.byte(0x78);
    sql.byte(0x27);
    sql.copy(text, start + 2, end);
    sql.byte(0x27);
    return true;
  };

/** `t` and `f` as 1 and 0. */
export const writeBoolean: WriteText = (text, start, end, sql) => {
  if (end !== start + 1 || (text[start] !== 0x74 && text[start] !== 0x66)) return false;
  sql.byte(text[start] === 0x74 ? 0x31 : ZERO);
  return true;
};
