import type { Conversion } from '../core/target.js';
import { conversion, unreadable, WORD_BYTES } from './conversion.js';

/*
 * Dolt holds 0001-01-01 to 9999-12-31. What Postgres has beyond that (BC, five-digit years, infinity) is stored as the
 * nearest end of the range. Reads go through date_format, since Dolt prints the year 44 as `44`.
 */

/** DateStyle=ISO, TimeZone=UTC: year of at least four digits, fraction without trailing zeros, BC at the end. */
const BEYOND = /^(?:(-?)infinity|\d{4,7}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d{1,6})?(?:\+00)?)?( BC)?)$/;

function beyond(type: string, text: string, first: string, last: string): string {
  const match = BEYOND.exec(text);
  if (!match) throw unreadable(type, text);
  return match[1] || match[2] ? first : last;
}

const DATE = /^\d{4}-\d\d-\d\d$/;

export const date: Conversion = conversion({
  sql: 'DATE',
  literal: (text) => (DATE.test(text) ? `'${text}'` : beyond('date', text, "'0001-01-01'", "'9999-12-31'")),
  isExact: (text) => DATE.test(text),
  read: (column) => `date_format(${column}, '%Y-%m-%d')`,
  declaredBytes: WORD_BYTES,
});

/** With a time zone Postgres adds `+00`; Dolt refuses an offset, and its DATETIME knows no zone. */
function datetime(type: string, offset: string): Conversion {
  const exact = new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,6})?${offset.replace('+', '\\+')}$`);
  return conversion({
    sql: 'DATETIME(6)',
    literal: (text) =>
      exact.test(text)
        ? `'${text.slice(0, text.length - offset.length)}'`
        : beyond(type, text, "'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'"),
    isExact: (text) => exact.test(text),
    read: (column) => `date_format(${column}, '%Y-%m-%d %H:%i:%s.%f')`,
    restore: (value) => withoutZeroFraction(value) + offset,
    declaredBytes: WORD_BYTES,
  });
}

export const timestamp: Conversion = datetime('timestamp', '');
export const timestamptz: Conversion = datetime('timestamptz', '+00');

const TIME = /^\d\d:\d\d:\d\d(?:\.\d{1,6})?$/;

/** 00:00:00 to 24:00:00. `IN ('…')` never matches a TIME column in Dolt 2.2; with a cast it does. */
export const time: Conversion = conversion({
  sql: 'TIME(6)',
  literal: (text) => {
    if (!TIME.test(text)) throw unreadable('time', text);
    return `cast('${text}' as time(6))`;
  },
  restore: withoutZeroFraction,
  declaredBytes: 16,
});

function withoutZeroFraction(value: string): string {
  return value.includes('.') ? value.replace(/\.?0+$/, '') : value;
}
