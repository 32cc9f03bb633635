import type { Conversion } from '../core/target.js';
import { writeShape } from './bytes-of-text.js';
import { conversion, unreadable, WORD_BYTES } from './conversion.js';

/*
 * Dolt holds 0001-01-01 to 9999-12-31. What Postgres has beyond that (BC, five-digit years, infinity) is stored as the
 * nearest end of the range. Reads go through date_format, since Dolt prints the year 44 as `44`.
 */

/**
 * One end of the range for what is beyond it. `rest` is the pattern of what follows the year, as DateStyle=ISO prints
 * it: any other text is not of the type, and must not silently become the end of the range.
 */
function beyond(type: string, rest: string, first: string, last: string): (text: string) => string {
  const early = new RegExp(`^(?:-infinity|\\d{4,7}${rest} BC)$`);
  const late = new RegExp(`^(?:infinity|\\d{5,7}${rest})$`);
  return (text) => {
    if (early.test(text)) return first;
    if (late.test(text)) return last;
    throw unreadable(type, text);
  };
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const beyondDate = beyond('date', '-\\d\\d-\\d\\d', "'0001-01-01'", "'9999-12-31'");

export const date: Conversion = conversion({
  sql: 'DATE',
  literal: (text) => (DATE.test(text) ? `'${text}'` : beyondDate(text)),
  isExact: (text) => DATE.test(text),
  write: writeShape('0000-00-00', false),
  read: (column) => `date_format(${column}, '%Y-%m-%d')`,
  declaredBytes: WORD_BYTES,
});

/** With a time zone Postgres adds `+00`; Dolt refuses an offset, and its DATETIME knows no zone. */
function datetime(type: string, offset: string): Conversion {
  const rest = `-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,6})?${offset.replace('+', '\\+')}`;
  const exact = new RegExp(`^\\d{4}${rest}$`);
  const nearest = beyond(type, rest, "'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'");
  return conversion({
    sql: 'DATETIME(6)',
    literal: (text) => (exact.test(text) ? `'${text.slice(0, text.length - offset.length)}'` : nearest(text)),
    isExact: (text) => exact.test(text),
    write: writeShape('0000-00-00 00:00:00', true, offset),
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
  literal: (text) => `cast(${timeWord(text)} as time(6))`,
  word: timeWord,
  write: writeShape('00:00:00', true),
  restore: withoutZeroFraction,
  declaredBytes: 16,
});

function timeWord(text: string): string {
  if (!TIME.test(text)) throw unreadable('time', text);
  return `'${text}'`;
}

function withoutZeroFraction(value: string): string {
  return value.includes('.') ? value.replace(/\.?0+$/, '') : value;
}
