import type { Conversion } from '../core/target.js';
import { writeBoolean, writeInteger } from './bytes-of-text.js';
import { conversion, numberWord, unreadable, WORD_BYTES } from './conversion.js';
import { decimal, decimalBytes, nearestInteger, withoutTrailingZeros, withScale } from './decimal.js';
import { decimalText, doubleLiteral, floatText } from './float.js';

const INTEGER = /^-?\d{1,20}$/;

/** An integer in a Dolt type that holds all of its values. */
export const integer = (sql: string): Conversion =>
  conversion({
    sql,
    literal: (text) => {
      if (!INTEGER.test(text)) throw unreadable(sql, text);
      return text;
    },
    write: writeInteger,
    declaredBytes: WORD_BYTES,
  });

export const boolean: Conversion = conversion({
  sql: 'TINYINT(1)',
  literal: (text) => {
    if (text === 't') return '1';
    if (text === 'f') return '0';
    throw unreadable('boolean', text);
  },
  write: writeBoolean,
  restore: (value) => (value === '0' ? 'f' : 't'),
  declaredBytes: WORD_BYTES,
});

const MONEY = /^-?\$\d{1,3}(?:,\d{3})*\.\d\d$/;

/** money as lc_monetary=C prints it: `-$1,234.56`. */
export const money: Conversion = conversion({
  sql: 'DECIMAL(19,2)',
  literal: moneyLiteral,
  word: numberWord(moneyLiteral),
  restore: (value) => {
    const grouped = value.replace(/(?<=\d)(?=(?:\d{3})+\.)/g, ',');
    return grouped.startsWith('-') ? `-$${grouped.slice(1)}` : `$${grouped}`;
  },
  declaredBytes: 19,
});

function moneyLiteral(text: string): string {
  if (!MONEY.test(text)) throw unreadable('money', text);
  return text.replace(/[$,]/g, '');
}

/** How Postgres prints a type's numbers: with so many decimals (null: as the value came), or as a float of so many digits. */
export type NumberForm = { readonly scale: number | null } | { readonly digits: number };

/** A Dolt number type that the configuration may choose instead. */
export type NumberTarget =
  | { readonly kind: 'integer'; readonly sql: string; readonly min: bigint; readonly max: bigint }
  | { readonly kind: 'decimal'; readonly sql: string; readonly precision: number; readonly scale: number }
  | { readonly kind: 'double'; readonly sql: 'DOUBLE' };

/** Numbers in another number type than their own: what does not come back as it was is not exact. */
export function numberAs(target: NumberTarget, form: NumberForm): Conversion {
  if (target.kind === 'decimal' && 'scale' in form) {
    // DECIMAL(12,2) for a bare numeric says that its values have two decimals.
    return decimal(target.precision, target.scale, form.scale ?? target.scale);
  }
  const restore = (value: string): string => {
    if ('digits' in form) return floatText(Number(value), form.digits);
    const plain = target.kind === 'double' ? decimalText(Number(value)) : value;
    return form.scale === null ? withoutTrailingZeros(plain) : withScale(plain, form.scale);
  };
  const nearest = nearestIn(target);
  const literal = (text: string): string => nearest('digits' in form ? withoutExponent(text) : text);
  return conversion({
    sql: target.sql,
    literal,
    word: target.kind === 'integer' ? literal : numberWord(literal),
    isExact: (text) => {
      const value = literal(text);
      return value !== 'NULL' && restore(target.kind === 'double' ? String(Number(value)) : value) === text;
    },
    restore,
    nullable: true,
    declaredBytes: target.kind === 'decimal' ? decimalBytes(target.precision) : WORD_BYTES,
  });
}

function nearestIn(target: NumberTarget): (text: string) => string {
  switch (target.kind) {
    case 'double':
      return (text) => doubleLiteral(text, target.sql);
    case 'integer':
      return nearestInteger(target.sql, 0, target.max, target.min);
    case 'decimal':
      return nearestInteger(target.sql, target.scale, 10n ** BigInt(target.precision) - 1n);
  }
}

const withoutExponent = (text: string): string => (text.includes('e') ? decimalText(Number(text)) : text);
