import type { Conversion } from '../core/target.js';
import { writeString } from './bytes-of-text.js';
import { conversion, LONG_BYTES } from './conversion.js';

const SPECIAL = /['\\\0]/;
const EACH_SPECIAL = /['\\\0]/g;
const ESCAPED: Readonly<Record<string, string>> = { "'": "\\'", '\\': '\\\\', '\0': '\\0' };
/** Escaped at once, a long text with many such characters takes many times its size. */
const PIECE = 1 << 20;

/**
 * A SQL string. Dolt honours backslash escapes in every sql_mode, so quotes and backslashes are what has to be escaped;
 * Postgres text has no NUL, but one must not end the statement either.
 */
export function escapeString(text: string): string {
  if (!SPECIAL.test(text)) return `'${text}'`;
  let escaped = '';
  for (let at = 0; at < text.length; at += PIECE) {
    escaped += text.slice(at, at + PIECE).replace(EACH_SPECIAL, (character) => ESCAPED[character] ?? character);
  }
  return `'${escaped}'`;
}

/** The text verbatim, of any length. */
export const longText: Conversion = conversion({
  sql: 'LONGTEXT',
  literal: escapeString,
  write: writeString(),
  declaredBytes: LONG_BYTES,
});

/** The text verbatim, where Postgres itself never prints more than `characters`. */
export const boundedText = (characters: number): Conversion =>
  conversion({
    sql: `VARCHAR(${characters})`,
    literal: escapeString,
    write: writeString(),
    declaredBytes: 4 * characters,
  });

/** A uuid, as Postgres prints it. */
export const uuid: Conversion = conversion({
  sql: 'CHAR(36)',
  literal: escapeString,
  write: writeString(),
  declaredBytes: 4 * 36,
});

/** The text verbatim; what is longer than the column is not exact, and cut. */
export function limitedText(type: 'VARCHAR' | 'CHAR', characters: number): Conversion {
  // A code point is one or two UTF-16 units, so only long texts have to be counted.
  const fits = (text: string): boolean => text.length <= characters || codePoints(text) <= characters;
  return conversion({
    sql: `${type}(${characters})`,
    literal: (text) => escapeString(fits(text) ? text : Array.from(text).slice(0, characters).join('')),
    isExact: fits,
    write: writeString(characters),
    declaredBytes: 4 * characters,
  });
}

/** TEXT and its kin, which count bytes. */
export function byteLimitedText(sql: string, bytes: number): Conversion {
  const fits = (text: string): boolean => text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes;
  return conversion({
    sql,
    literal: (text) => escapeString(fits(text) ? text : firstBytes(text, bytes)),
    isExact: fits,
    write: writeString(bytes),
    declaredBytes: LONG_BYTES,
  });
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** As many whole characters as fit. */
function firstBytes(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return text.slice(0, read);
}
