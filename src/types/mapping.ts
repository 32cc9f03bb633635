import type { ColumnType } from '../core/schema.js';
import type { Conversion } from '../core/target.js';
import { Wal2DoltError } from '../errors.js';
import { array } from './array.js';
import { bytes } from './bytes.js';
import { date, time, timestamp, timestamptz } from './datetime.js';
import { decimal, MAX_PRECISION, MAX_SCALE } from './decimal.js';
import { type DoltType, MAX_VARCHAR, normalizeType, parseDoltType } from './dolt-type.js';
import { double, FLOAT4_DIGITS, FLOAT8_DIGITS } from './float.js';
import { jsonAsJson, jsonb } from './json.js';
import { boolean, integer, money, type NumberForm, numberAs } from './number.js';
import { boundedText, byteLimitedText, limitedText, longText, uuid } from './text.js';
import { vector } from './vector.js';

/** Where a column stands, and what the configuration wants it to be (a Dolt column type). */
export interface ColumnOptions {
  readonly inKey: boolean;
  readonly indexed: boolean;
  readonly override?: string | undefined;
}

/** A key of one text column; Postgres refuses a btree entry beyond 2,704 bytes, unless it can compress it. */
const KEY_CHARACTERS = 4_000;
const KEY_BYTES = 4_000;

/** The table: one row per type of Postgres that is not kept as its text in LONGTEXT. By pg_type.typname. */
const ROWS: Readonly<Record<string, Conversion | ((type: ColumnType) => Conversion)>> = {
  bool: boolean,
  int2: integer('SMALLINT'),
  int4: integer('INT'),
  int8: integer('BIGINT'),
  oid: integer('BIGINT UNSIGNED'),
  xid: integer('BIGINT UNSIGNED'),
  cid: integer('BIGINT UNSIGNED'),
  xid8: integer('BIGINT UNSIGNED'),
  numeric: (type) => numeric(type.baseTypmod),
  float4: double('real', FLOAT4_DIGITS),
  float8: double('double precision', FLOAT8_DIGITS),
  money,
  date,
  time,
  timestamp,
  timestamptz,
  bytea: bytes('LONGBLOB', null),
  jsonb,
  varchar: (type) => sizedText(type.baseTypmod - VARHDRSZ),
  bpchar: (type) => sizedText(type.baseTypmod - VARHDRSZ),
  bit: (type) => sizedText(type.baseTypmod),
  varbit: (type) => sizedText(type.baseTypmod),
  name: boundedText(64),
  // Types whose longest text is known: it fits with room to spare.
  char: boundedText(4),
  timetz: boundedText(32),
  interval: boundedText(80),
  inet: boundedText(50),
  cidr: boundedText(50),
  macaddr: boundedText(17),
  macaddr8: boundedText(23),
  pg_lsn: boundedText(17),
  uuid,
};

/** Numbers that may be kept in another number type, and how Postgres prints them. */
const NUMBERS: Readonly<Record<string, (type: ColumnType) => NumberForm>> = {
  int2: () => ({ scale: 0 }),
  int4: () => ({ scale: 0 }),
  int8: () => ({ scale: 0 }),
  oid: () => ({ scale: 0 }),
  xid: () => ({ scale: 0 }),
  cid: () => ({ scale: 0 }),
  xid8: () => ({ scale: 0 }),
  numeric: (type) => ({ scale: type.baseTypmod < 0 ? null : Math.max(0, numericScale(type.baseTypmod)) }),
  float4: () => ({ digits: FLOAT4_DIGITS }),
  float8: () => ({ digits: FLOAT8_DIGITS }),
};

/**
 * How a column of this type is kept in Dolt.
 *
 * @throws Wal2DoltError E_CONFIG where the override makes no sense for the type, or for a key.
 */
export function conversionFor(type: ColumnType, options: ColumnOptions): Conversion {
  const chosen = choose(type, options);
  // An inexact value stops the stream in a key, so no NULL gets there.
  return options.inKey && chosen.nullable ? { ...chosen, nullable: false } : chosen;
}

function choose(type: ColumnType, { inKey, indexed, override }: ColumnOptions): Conversion {
  const standard = standardFor(type);
  if (override === undefined) {
    if (inKey) return isLong(standard) ? keyFor(type) : standard;
    // An index entry is limited, so a longer VARCHAR is indexed as long text is: by a prefix.
    return indexed && isText(standard) && standard.declaredBytes > 4 * KEY_CHARACTERS ? longText : standard;
  }
  const wanted = normalizeType(override);
  const chosen = wanted === standard.sql ? standard : convert(type, wanted);
  if (chosen === null) throw refusal(type, override, 'values of this type cannot be kept in it');
  if (inKey && isLong(chosen))
    throw refusal(type, override, 'a key needs a type of limited length, such as VARCHAR(100)');
  return chosen;
}

function refusal(type: ColumnType, override: string, why: string): Wal2DoltError {
  return new Wal2DoltError('E_CONFIG', `the type ${override} for a column of type ${type.name}: ${why}`);
}

function standardFor(type: ColumnType): Conversion {
  if (type.kind === 'e') return boundedText(255);
  const row = type.builtin && type.kind === 'b' ? ROWS[type.base] : undefined;
  if (row !== undefined) return typeof row === 'function' ? row(type) : row;
  return type.element ? array(type.element, type.delimiter ?? ',') : longText;
}

const isText = (conversion: Conversion): boolean => conversion.sql.startsWith('VARCHAR');

/** What Dolt can have no key over. */
const isLong = (conversion: Conversion): boolean => /TEXT|BLOB|JSON|VECTOR/.test(conversion.sql);

const keyFor = (type: ColumnType): Conversion =>
  type.builtin && type.base === 'bytea'
    ? bytes(`VARBINARY(${KEY_BYTES})`, KEY_BYTES)
    : limitedText('VARCHAR', KEY_CHARACTERS);

/** The chosen Dolt type for the type's values; null where it cannot hold them. */
function convert(type: ColumnType, sql: string): Conversion | null {
  const target = parseDoltType(sql);
  return target === null ? null : convertTo(type, target);
}

function convertTo(type: ColumnType, target: DoltType): Conversion | null {
  const base = type.builtin ? type.base : null;
  switch (target.kind) {
    case 'characters':
      return limitedText(target.type, target.size);
    case 'text':
      return target.bytes === null ? longText : byteLimitedText(target.sql, target.bytes);
    case 'bytes':
      return base === 'bytea' ? bytes(target.sql, target.bytes) : null;
    case 'json':
      return base === 'json' ? jsonAsJson : null;
    case 'vector':
      return !type.builtin && type.base === 'vector' ? vector(target.dimensions) : null;
    default: {
      const form = base === null ? undefined : NUMBERS[base];
      return form ? numberAs(target, form(type)) : null;
    }
  }
}

/** Bytes that a varlena typmod counts beyond the declared length. */
const VARHDRSZ = 4;

/** A text of declared length; without one (a typmod of -1) it has no limit. */
const sizedText = (characters: number): Conversion =>
  characters > 0 && characters <= MAX_VARCHAR ? boundedText(characters) : longText;

/** Source: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/utils/adt/numeric.c (numeric_typmod_scale) */
const numericScale = (typmod: number): number => (((typmod - VARHDRSZ) & 0x7ff) ^ 0x400) - 0x400;
const numericPrecision = (typmod: number): number => ((typmod - VARHDRSZ) >> 16) & 0xffff;

/**
 * numeric(p,s) as DECIMAL. A negative scale adds digits before the point, and a scale beyond the precision leaves none
 * there. What has no declared size, or too much of it, gets the largest DECIMAL.
 */
function numeric(typmod: number): Conversion {
  if (typmod < 0) return decimal(MAX_PRECISION, MAX_SCALE, null);
  const scale = numericScale(typmod);
  const digits = numericPrecision(typmod) - Math.min(scale, 0);
  const kept = Math.min(Math.max(scale, 0), MAX_SCALE);
  return decimal(Math.min(Math.max(digits, kept), MAX_PRECISION), kept, Math.max(scale, 0));
}

const GEOMETRIC = new Set(['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle']);

/** For `check`: what a user should know about a type that is kept as the text that Postgres prints, else null. */
export function fallbackNote(type: ColumnType): string | null {
  const kept = `${type.name} is kept as LONGTEXT, as Postgres prints it`;
  if (type.kind === 'c') return `${kept} (a composite type: its fields are no columns in Dolt)`;
  if (type.kind === 'r' || type.kind === 'm') return `${kept} (a range: Dolt has no range operators)`;
  if (type.kind === 'e' || type.element) return null;
  if (type.kind === 'p') return `${kept} (a pseudo-type)`;
  if (!type.builtin) return `${kept} (a type of an extension, which Dolt does not have)`;
  return GEOMETRIC.has(type.base) ? `${kept} (a geometric type)` : null;
}
