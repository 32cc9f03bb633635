import type { Conversion } from '../core/target.js';
import { conversion, unreadable, WORD_BYTES } from './conversion.js';
import { FLOAT4_DIGITS, floatText } from './float.js';

const VECTOR = /^\[-?\d+(?:\.\d+)?(?:e[+-]\d+)?(?:,-?\d+(?:\.\d+)?(?:e[+-]\d+)?)*\]$/;

/**
 * pgvector's vector in Dolt's own type. Another number of dimensions becomes NULL; -0 becomes 0.
 * Source: https://github.com/pgvector/pgvector (its text is float4's)
 */
export function vector(dimensions: number): Conversion {
  const isExact = (text: string): boolean => text.split(',').length === dimensions && !/-0[,\]]/.test(text);
  return conversion({
    sql: `VECTOR(${dimensions})`,
    literal: (text) => {
      if (!VECTOR.test(text)) throw unreadable('vector', text);
      const elements = text.slice(1, -1).split(',');
      if (elements.length !== dimensions) return 'NULL';
      // Dolt compares with the largest float before rounding to one, and so refuses 3.4028235e+38.
      return `string_to_vector('[${elements.map((element) => Math.fround(Number(element))).join(',')}]')`;
    },
    isExact,
    read: (column) => `vector_to_string(${column})`,
    restore: (value) => `[${(JSON.parse(value) as number[]).map((x) => floatText(x, FLOAT4_DIGITS)).join(',')}]`,
    comparable: false,
    nullable: true,
    declaredBytes: WORD_BYTES,
  });
}
