import type { Conversion } from '../core/target.js';
import { endOfDigits, isDigit, type WriteText } from './bytes-of-text.js';
import { conversion, LONG_BYTES } from './conversion.js';
import { decimalText, largestDouble } from './float.js';
import { escapeString } from './text.js';

/*
 * Dolt keeps every JSON number as a double, sorts keys in its own way, and prints in its own way. So a document comes
 * back by printing it as Postgres prints jsonb; only its numbers may not be what they were.
 */

/** A JSON value. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * As Postgres prints jsonb: keys by length in bytes, then by bytes; numbers as numeric, without an exponent.
 * Source: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/utils/adt/jsonb_util.c (lengthCompareJsonbStringValue)
 */
export function jsonbText(document: Json): string {
  // Not recursive: Postgres and Dolt take documents that are nested deeper than our stack.
  const open: { readonly members: readonly Member[]; at: number; readonly end: string }[] = [];
  const begin = (value: Json): string => {
    if (typeof value === 'number') return decimalText(value);
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    if (isArray(value)) {
      open.push({ members: value.map((item) => ['', item]), at: 0, end: ']' });
      return '[';
    }
    open.push({ members: sortedMembers(value), at: 0, end: '}' });
    return '{';
  };
  let text = begin(document);
  for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
    const member = inner.members[inner.at];
    if (member) {
      text += (inner.at > 0 ? ', ' : '') + member[0] + begin(member[1]);
      inner.at += 1;
    } else {
      text += inner.end;
      open.pop();
    }
  }
  return text;
}

type Member = readonly [label: string, value: Json];

function sortedMembers(object: { readonly [key: string]: Json }): Member[] {
  return Object.entries(object)
    .map(([key, value]) => ({ key, bytes: Buffer.from(key), value }))
    .sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes))
    .map(({ key, value }) => [`${JSON.stringify(key)}: `, value]);
}

const isArray = (value: object): value is readonly Json[] => Array.isArray(value);

const restoreJsonb = (value: string): string => jsonbText(JSON.parse(value));

const NUMBER_OR_QUOTE = /"|-?\d[\d.]*(?:[eE][-+]?\d+)?/g;

/** The numbers of a JSON text, and where they begin. What looks like one inside of a string is none. */
function* numbersIn(text: string): Iterable<{ readonly number: string; readonly at: number }> {
  const pattern = new RegExp(NUMBER_OR_QUOTE);
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match[0] === '"') pattern.lastIndex = endOfString(text, match.index + 1);
    else yield { number: match[0], at: match.index };
  }
}

/** Position after the quote that ends a JSON string: the first one with an even number of backslashes before it. */
function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote;
    while (text[before - 1] === '\\') before -= 1;
    if ((quote - before) % 2 === 0) return quote + 1;
  }
  return text.length;
}

const QUOTE = 0x22;
const POINT = 0x2e;
const ZERO = 0x30;
const LARGE_E = 0x45;
const BACKSLASH = 0x5c;
const SMALL_E = 0x65;

const DOUBTFUL_LENGTH = 16;

/** At least 16 characters (15 digits always survive), or a decimal that ends in zero. Most documents have neither. */
const DOUBTFUL = /\d[\d.]{15}|\.\d*0(?!\d)/;

function isExactJsonb(text: string): boolean {
  if (!DOUBTFUL.test(text)) return true;
  for (const { number } of numbersIn(text)) {
    const value = Number(number);
    if (!Number.isFinite(value) || decimalText(value) !== number) return false;
  }
  return true;
}

/** Dolt refuses a document with a number beyond the doubles, so such a number becomes the largest one. */
const TOO_LARGE = /\d{309}|[eE]\+?\d{3}/;

function nearestDocument(text: string): string {
  if (!TOO_LARGE.test(text)) return text;
  let nearest = '';
  let done = 0;
  for (const { number, at } of numbersIn(text)) {
    if (Number.isFinite(Number(number))) continue;
    nearest += text.slice(done, at) + largestDouble(number);
    done = at + number.length;
  }
  return nearest + text.slice(done);
}

/** What has no doubtful number, nor one with an exponent, which jsonb does not print. */
const writeJsonb: WriteText = (text, start, end, sql) => {
  for (let at = start; at < end; ) {
    const byte = text[at] as number; // below the end
    if (byte === QUOTE) at = afterString(text, at + 1, end);
    else if (!isDigit(byte)) at += 1;
    else {
      const point = endOfDigits(text, at, end);
      const stop = text[point] === POINT ? endOfDigits(text, point + 1, end) : point;
      if (stop - at >= DOUBTFUL_LENGTH || (stop > point && text[stop - 1] === ZERO)) return false;
      if (text[stop] === POINT || text[stop] === SMALL_E || text[stop] === LARGE_E) return false;
      at = stop;
    }
  }
  sql.string(text, start, end);
  return true;
};

function afterString(text: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** A JSON column; `read` casts it to text, which is UTF-8 whatever the client makes of Dolt's JSON type. */
export const jsonColumn = (
  parts: Pick<Conversion, 'literal' | 'isExact' | 'restore'> & Partial<Conversion>,
): Conversion =>
  conversion({
    ...parts,
    sql: 'JSON',
    read: (column) => `cast(${column} as char)`,
    // A JSON column never equals a string.
    equals: (column, literal) => `${column} <=> cast(${literal} as json)`,
    comparable: false,
    declaredBytes: LONG_BYTES,
  });

export const jsonb: Conversion = jsonColumn({
  literal: (text) => escapeString(nearestDocument(text)),
  isExact: isExactJsonb,
  write: writeJsonb,
  restore: restoreJsonb,
});

/** Half of a surrogate pair, which json may hold and Dolt replaces: whole pairs are not printed as escapes. */
const LONE_SURROGATE = /\\ud[89a-f]/;

/** json in a JSON column, by choice: exact where the text happens to be what Postgres would print as jsonb. */
export const jsonAsJson: Conversion = jsonColumn({
  literal: (text) => escapeString(nearestDocument(text)),
  isExact: (text) => {
    try {
      return isExactJsonb(text) && restoreJsonb(text) === text && !LONE_SURROGATE.test(text);
    } catch {
      return false;
    }
  },
  restore: restoreJsonb,
});
