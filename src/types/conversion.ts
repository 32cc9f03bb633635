import type { Conversion } from '../core/target.js';
import { Wal2DoltError } from '../errors.js';

type Parts = Pick<Conversion, 'sql' | 'literal' | 'declaredBytes'> & Partial<Conversion>;

const identity = (value: string): string => value;

/** A conversion from what is special about it: the rest is exact, read as it is, restored as it is and indexable. */
export function conversion(parts: Parts): Conversion {
  return {
    isExact: null,
    read: identity,
    restore: identity,
    equals: (column, literal) => `${column} <=> ${literal}`,
    comparable: true,
    nullable: false,
    word: parts.literal,
    write: null,
    ...parts,
  };
}

/** `Conversion.word` of numbers that may have a sign and a fraction. A whole number is one word with its sign (and -0 is zero only so). */
export const numberWord =
  (literal: (text: string) => string) =>
  (text: string): string => {
    const number = literal(text);
    return number.startsWith('-') && /[.e]/.test(number) ? `'${number}'` : number;
  };

/** For a text that is not of its type. The value itself may be a secret, so the message does not show it. */
export function unreadable(type: string, text: string): Wal2DoltError {
  return new Wal2DoltError('E_VALUE', `a value of ${text.length} characters is not what Postgres prints for ${type}`);
}

/** Bytes that most types count in a declared row; measured against Dolt 2.2 for each type that has its own number. */
export const WORD_BYTES = 8;

/** The same for what Dolt keeps out of the row: long text, long bytes, JSON. */
export const LONG_BYTES = 20;
