import type { ColumnType } from '../core/schema.js';
import type { Conversion } from '../core/target.js';
import { unreadable } from './conversion.js';
import { doubleLiteral, FLOAT4_DIGITS, FLOAT8_DIGITS, floatText, isExactFloat } from './float.js';
import { jsonColumn } from './json.js';
import { escapeString } from './text.js';

/** How an element is written in JSON, and back. */
interface Element {
  readonly toJson: (text: string) => string;
  readonly isExact: ((text: string) => boolean) | null;
  readonly toText: (value: string | number | boolean) => string;
}

const AS_STRING: Element = { toJson: (text) => JSON.stringify(text), isExact: null, toText: String };
const AS_INTEGER: Element = {
  toJson: (text) => {
    if (!/^-?\d{1,10}$/.test(text)) throw unreadable('integer', text);
    return text;
  },
  isExact: null,
  toText: String,
};
const AS_BOOLEAN: Element = {
  toJson: (text) => {
    if (text !== 't' && text !== 'f') throw unreadable('boolean', text);
    return text === 't' ? 'true' : 'false';
  },
  isExact: null,
  toText: (value) => (value === true ? 't' : 'f'),
};
const asFloat = (digits: number): Element => ({
  toJson: (text) => {
    const literal = doubleLiteral(text, 'float');
    return literal === 'NULL' ? 'null' : literal;
  },
  isExact: (text) => isExactFloat(text, digits),
  toText: (value) => floatText(Number(value), digits),
});

/** All other numbers are strings, since JSON in Dolt has doubles only. */
const ELEMENTS: Readonly<Record<string, Element>> = {
  bool: AS_BOOLEAN,
  int2: AS_INTEGER,
  int4: AS_INTEGER,
  float4: asFloat(FLOAT4_DIGITS),
  float8: asFloat(FLOAT8_DIGITS),
};

/** An array as a JSON array, of arrays where it has more dimensions. Lower bounds other than 1 are not exact. */
export function array(element: ColumnType, delimiter: string): Conversion {
  const form = (element.builtin ? ELEMENTS[element.base] : undefined) ?? AS_STRING;
  const { isExact } = form;
  return jsonColumn({
    literal: (text) => escapeString(arrayToJson(text, delimiter, form.toJson)),
    isExact: (text) => {
      if (text.startsWith('[')) return false;
      let exact = true;
      if (isExact) {
        arrayToJson(text, delimiter, (item) => {
          exact &&= isExact(item);
          return '0';
        });
      }
      return exact;
    },
    restore: (value) => arrayText(JSON.parse(value), delimiter, form.toText),
  });
}

/** `[2:3][-1:0]=`, printed where a lower bound is not 1. */
const BOUNDS = /^(?:\[-?\d+:-?\d+\])+=/;

/**
 * What array_out prints -> JSON. `{` opens a dimension, elements are quoted where they need it, with backslashes before
 * quotes and backslashes; a bare NULL is a null.
 * Source: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function arrayToJson(text: string, delimiter: string, element: (text: string) => string): string {
  const malformed = (): Error => unreadable('an array', text);
  let json = '';
  let depth = 0;
  let at = text.startsWith('[') ? (BOUNDS.exec(text)?.[0].length ?? 0) : 0;
  if (text[at] !== '{') throw malformed();
  do {
    const character = text[at];
    if (character === '{') {
      json += '[';
      depth += 1;
      at += 1;
    } else if (character === '}') {
      json += ']';
      depth -= 1;
      at += 1;
    } else if (character === delimiter) {
      json += ',';
      at += 1;
    } else if (character === '"') {
      const end = closingQuote(text, at + 1);
      if (end < 0) throw malformed();
      const quoted = text.slice(at + 1, end);
      json += element(quoted.includes('\\') ? quoted.replace(/\\(.)/gs, '$1') : quoted);
      at = end + 1;
    } else {
      const end = bareEnd(text, at, delimiter);
      if (end < 0) throw malformed();
      const bare = text.slice(at, end);
      json += bare === 'NULL' ? 'null' : element(bare);
      at = end;
    }
  } while (depth > 0);
  if (at !== text.length) throw malformed();
  return json;
}

function closingQuote(text: string, from: number): number {
  const first = text.indexOf('"', from);
  if (!text.slice(from, first).includes('\\')) return first;
  for (let end = from; end < text.length; end += 1) {
    if (text[end] === '"') return end;
    if (text[end] === '\\') end += 1;
  }
  return -1;
}

function bareEnd(text: string, from: number, delimiter: string): number {
  for (let end = from; end < text.length; end += 1) if (text[end] === delimiter || text[end] === '}') return end;
  return -1;
}

type Items = readonly (Items | string | number | boolean | null)[];

/** JSON -> what array_out prints. */
export function arrayText(
  items: Items,
  delimiter: string,
  element: (value: string | number | boolean) => string,
): string {
  const texts = items.map((item) => {
    if (item === null) return 'NULL';
    if (typeof item === 'object') return arrayText(item, delimiter, element);
    return quoteElement(element(item), delimiter);
  });
  return `{${texts.join(delimiter)}}`;
}

/** Source: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/utils/adt/arrayfuncs.c (array_out) */
function quoteElement(text: string, delimiter: string): string {
  const bare = text !== '' && !/["\\{} \t\n\r\v\f]/.test(text) && !text.includes(delimiter) && !/^null$/i.test(text);
  return bare ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}
