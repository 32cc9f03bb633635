import { MAX_PRECISION, MAX_SCALE } from './decimal.js';
import type { NumberTarget } from './number.js';

/** A Dolt column type as the configuration may name it. */
export type DoltType =
  | { readonly kind: 'characters'; readonly type: 'VARCHAR' | 'CHAR'; readonly size: number }
  | { readonly kind: 'text'; readonly sql: string; readonly bytes: number | null }
  | { readonly kind: 'bytes'; readonly sql: string; readonly bytes: number | null }
  | { readonly kind: 'json' }
  | { readonly kind: 'vector'; readonly dimensions: number }
  | NumberTarget;

/** Dolt refuses VARCHAR(16375): its 4 bytes a character are over the limit of a declared row. */
export const MAX_VARCHAR = 16_374;
const MAX_VARBINARY = 65_000;
const MAX_CHAR = 255;
const MAX_VECTOR = 16_383;

/** Bytes that a long type holds, null for 4 GB: Postgres has no longer value. */
const LONG_TYPES: Readonly<Record<string, number | null>> = {
  TINYTEXT: 255,
  TEXT: 65_535,
  MEDIUMTEXT: 16_777_215,
  LONGTEXT: null,
  TINYBLOB: 255,
  BLOB: 65_535,
  MEDIUMBLOB: 16_777_215,
  LONGBLOB: null,
};

const INTEGER_BITS: Readonly<Record<string, number>> = {
  TINYINT: 8,
  SMALLINT: 16,
  MEDIUMINT: 24,
  INT: 32,
  INTEGER: 32,
  BIGINT: 64,
};

/** Upper case, without blanks that say nothing: how column types are compared and written. */
export const normalizeType = (sql: string): string =>
  sql
    .trim()
    .toUpperCase()
    .replace(/\s*([(),])\s*/g, '$1')
    .replace(/\s+/g, ' ');

/** What a (normalized) column type means for us; null for a type that no Postgres type can be kept in. */
export function parseDoltType(sql: string): DoltType | null {
  const match = /^([A-Z]+)(?:\((\d+)(?:,(\d+))?\))?( UNSIGNED)?$/.exec(sql);
  if (!match) return null;
  const [, name = '', first, second, unsigned] = match;
  const size = first === undefined ? null : Number(first);
  const bits = INTEGER_BITS[name];
  if (bits !== undefined) return second === undefined ? integerType(sql, BigInt(bits), unsigned !== undefined) : null;
  if (unsigned !== undefined) return null;
  if (name === 'DECIMAL' || name === 'NUMERIC') return decimalType(size, Number(second ?? 0));
  if (second !== undefined) return null;
  if (size === null) {
    if (name === 'DOUBLE') return { kind: 'double', sql: 'DOUBLE' };
    if (name === 'JSON') return { kind: 'json' };
    const bytes = LONG_TYPES[name];
    return bytes === undefined ? null : { kind: name.endsWith('BLOB') ? 'bytes' : 'text', sql, bytes };
  }
  if (size === 0) return null;
  if (name === 'VARCHAR' && size <= MAX_VARCHAR) return { kind: 'characters', type: name, size };
  if (name === 'CHAR' && size <= MAX_CHAR) return { kind: 'characters', type: name, size };
  if (name === 'VARBINARY' && size <= MAX_VARBINARY) return { kind: 'bytes', sql, bytes: size };
  if (name === 'VECTOR' && size <= MAX_VECTOR) return { kind: 'vector', dimensions: size };
  return null;
}

function integerType(sql: string, bits: bigint, unsigned: boolean): DoltType {
  const half = 1n << (bits - 1n);
  return unsigned
    ? { kind: 'integer', sql, min: 0n, max: 2n * half - 1n }
    : { kind: 'integer', sql, min: -half, max: half - 1n };
}

function decimalType(precision: number | null, scale: number): DoltType | null {
  // Without a precision Dolt takes DECIMAL(10,0), which nobody means.
  if (precision === null || precision === 0) return null;
  return precision <= MAX_PRECISION && scale <= MAX_SCALE && scale <= precision
    ? { kind: 'decimal', sql: `DECIMAL(${precision},${scale})`, precision, scale }
    : null;
}
