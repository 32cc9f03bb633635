import fc from 'fast-check';
import { expect, it } from 'vitest';
import { escapeString } from '../types/text.js';
import { SqlBytes } from './sql-bytes.js';

/** Around where pieces end, and where the first memory does. */
const lengths = fc.oneof(fc.nat(450), fc.integer({ min: 3_600, max: 4_500 }), fc.integer({ min: 8_000, max: 9_000 }));
/** Long stretches of nothing special, and what is escaped between them. */
const text = fc
  .array(fc.tuple(lengths, fc.constantFrom('', "'", '\\', '\0', "''''", 'é', '😀', '\\\\\\')), { maxLength: 5 })
  .map((parts) => parts.map(([length, special]) => 'x'.repeat(length) + special).join(''));

it('what is written is there, whatever its length and where the memory ends', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, fc.constantFrom('string', 'text', 'copy')), { maxLength: 6 }), (parts) => {
      const sql = new SqlBytes();
      let expected = '';
      for (const [part, how] of parts) {
        const bytes = Buffer.from(`before${part}after`);
        const [start, end] = [6, bytes.length - 5];
        if (how === 'string') sql.string(bytes, start, end);
        else if (how === 'text') sql.text(part);
        else sql.copy(bytes, start, end);
        sql.byte(0x2c);
        expected += `${how === 'string' ? escapeString(part) : part},`;
      }
      expect(sql.length).toBe(Buffer.byteLength(expected));
      expect(sql.bytes.toString()).toBe(expected);
      sql.clear();
      expect(sql.bytes.toString()).toBe('');
    }),
    { numRuns: 500 },
  );
});

it('a huge text is whole, with quotes in it or without', () => {
  const plain = Buffer.alloc(50 << 20, 'x');
  const quoted = Buffer.alloc(50 << 20, `'${'x'.repeat(100_000)}`);
  const all = Buffer.alloc(8 << 20, "'");
  for (const [bytes, escaped] of [
    [plain, 0],
    [quoted, Math.ceil(quoted.length / 100_001)],
    [all, all.length],
  ] as const) {
    const sql = new SqlBytes();
    sql.string(bytes, 0, bytes.length);
    expect(sql.length).toBe(bytes.length + escaped + 2);
  }
});
