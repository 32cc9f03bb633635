import type { Conversion } from '../core/target.js';
import { writeHex } from './bytes-of-text.js';
import { conversion, LONG_BYTES, unreadable } from './conversion.js';

const HEX = /^\\x(?:[0-9a-f]{2})*$/;

/** bytea as bytea_output=hex prints it. `limit`: bytes that the column holds; longer ones are not exact, and cut. */
export function bytes(sql: string, limit: number | null): Conversion {
  const fits = (text: string): boolean => limit === null || text.length <= 2 + 2 * limit;
  return conversion({
    sql,
    literal: (text) => {
      if (!HEX.test(text)) throw unreadable('bytea', text);
      return `x'${limit === null ? text.slice(2) : text.slice(2, 2 + 2 * limit)}'`;
    },
    isExact: limit === null ? null : fits,
    write: writeHex(limit),
    read: (column) => `hex(${column})`,
    restore: (value) => `\\x${value.toLowerCase()}`,
    declaredBytes: sql.startsWith('VARBINARY') ? (limit ?? 0) : LONG_BYTES,
  });
}
