import { printsOtherwise } from './rewrites.js';
import type { ColumnType } from './schema.js';
import type { TargetColumn } from './target.js';

/*
 * Which type changes leave a value's text as it was, and which of those Dolt can carry out by itself. Both are lists of
 * what is known to be so; everything else is converted.
 */

/** Whether every value of the one type prints the same as the other. `rewritten`: Postgres wrote the rows anew. */
export function samePrint(from: ColumnType, to: ColumnType, rewritten: boolean): boolean {
  if (from.oid === to.oid && from.typmod === to.typmod) return !printsOtherwise(from, to); // whatever its name is
  if (from.kind !== to.kind && !(isTextual(from) && isTextual(to))) return false;
  if (from.element || to.element) {
    return from.element !== undefined && to.element !== undefined && samePrint(from.element, to.element, rewritten);
  }
  if (isTextual(from) && isTextual(to)) return fits(from, to);
  if (!from.builtin || !to.builtin) return from.base === to.base && from.kind === 'e' && to.kind === 'e';
  if (from.base !== to.base) {
    const [narrow, wide] = [INTEGERS.indexOf(from.base), INTEGERS.indexOf(to.base)];
    return (narrow >= 0 && wide > narrow) || (PRINTS_AS_TEXT.has(from.base) && isUnlimitedText(to));
  }
  return from.baseTypmod === to.baseTypmod || !rewritten || widens(from, to);
}

const INTEGERS = ['int2', 'int4', 'int8'];

/** Cast to text, their values are what they print; by no setting of the session. */
const PRINTS_AS_TEXT = new Set(['int2', 'int4', 'int8', 'numeric', 'uuid', 'json', 'jsonb']);

/** A value is the text itself. */
const isTextual = ({ base, builtin, kind }: ColumnType): boolean =>
  kind === 'e' || (builtin && (base === 'text' || base === 'varchar'));

const isUnlimitedText = (type: ColumnType): boolean =>
  isTextual(type) && type.kind !== 'e' && (type.base === 'text' || type.baseTypmod < 0);

/** A varchar(n) cuts blanks off the end of what is too long. */
const fits = (from: ColumnType, to: ColumnType): boolean =>
  to.kind === 'e' || isUnlimitedText(to) || (from.base === 'varchar' && from.builtin && widens(from, to));

/** Of one base type, the same or more room, in which old values print as before. */
function widens(from: ColumnType, to: ColumnType): boolean {
  if (to.baseTypmod < 0) return from.base !== 'bpchar' && from.base !== 'bit';
  if (from.baseTypmod < 0) return false;
  if (from.base === 'numeric') {
    const [a, b] = [numericSize(from), numericSize(to)];
    return a.scale === b.scale && a.precision <= b.precision;
  }
  return /^(varchar|varbit|time|timetz|timestamp|timestamptz)$/.test(from.base) && from.baseTypmod <= to.baseTypmod;
}

/** Source: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/utils/adt/numeric.c (numeric_typmod_scale) */
function numericSize({ baseTypmod }: ColumnType): { readonly precision: number; readonly scale: number } {
  const typmod = baseTypmod - 4;
  return { precision: (typmod >> 16) & 0xffff, scale: ((typmod & 0x7ff) ^ 0x400) - 0x400 };
}

/**
 * Whether what Dolt holds for every value of the column is, after a mere MODIFY, what the new column would hold: for types
 * that print the same. Measured against Dolt 2.2. `inKey`: only exact values are in a key.
 */
export function sameStored(from: TargetColumn, to: TargetColumn, inKey: boolean): boolean {
  const [before, after] = [from.conversion.sql, to.conversion.sql];
  const [type, newType] = [from.source.type, to.source.type];
  const bothNumeric = type.builtin && newType.builtin && type.base === 'numeric' && newType.base === 'numeric';
  if (bothNumeric && type.baseTypmod !== newType.baseTypmod) {
    // What has a declared size that DECIMAL has too is always exact.
    return type.baseTypmod >= 0 && newType.baseTypmod >= 0 && isOwnDecimal(from) && isOwnDecimal(to);
  }
  if (before === after) return formOf(type) === formOf(newType);
  const exact = from.conversion.isExact === null || inKey;
  if (!exact) return false;
  if (INTEGER_TYPES.includes(before)) return INTEGER_TYPES.indexOf(after) > INTEGER_TYPES.indexOf(before);
  const [old, now] = [characters(before), characters(after)];
  return old !== null && now !== null && (now >= old || to.conversion.isExact === null);
}

/** Kept in the same Dolt type, values print alike and are still not the same: a number has a scale, or none. */
const formOf = ({ base, element }: ColumnType): string =>
  element ? (JSON_FORMS[element.base] ?? 'string') : base === 'numeric' ? base : 'other';

/** Elements of arrays that are no strings in JSON. */
const JSON_FORMS: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int2: 'integer',
  int4: 'integer',
  float4: 'float',
  float8: 'double',
};

const INTEGER_TYPES = ['SMALLINT', 'INT', 'BIGINT'];

const isOwnDecimal = ({ conversion, source }: TargetColumn): boolean => {
  const { precision, scale } = numericSize(source.type);
  return conversion.sql === `DECIMAL(${precision},${scale})`;
};

/** How many a type of verbatim text holds; null for another type. */
function characters(sql: string): number | null {
  if (sql === 'LONGTEXT') return Number.POSITIVE_INFINITY;
  const size = /^(?:VAR)?CHAR\((\d+)\)$/.exec(sql)?.[1];
  return size === undefined ? null : Number(size);
}
