import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byteLimitedText, escapeString, limitedText } from './text.js';

/** What the server reads: https://dev.mysql.com/doc/refman/8.0/en/string-literals.html */
function readLiteral(literal: string): string {
  expect(literal).toMatch(/^'(?:[^'\\\0]|\\.)*'$/s);
  return literal.slice(1, -1).replace(/\\(.)/gs, (_, character: string) => (character === '0' ? '\0' : character));
}

test('a literal is read as the text it was made of, and ends where it should', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("'", '\\', '\0', '"', '\n', 'a', '0', '😀', '%') }), (text) => {
      expect(readLiteral(escapeString(text))).toBe(text);
    }),
  );
});

test('a text of no special characters is only quoted', () => {
  expect(escapeString('plain "text"\n\t\x1a%_')).toBe('\'plain "text"\n\t\x1a%_\'');
  expect(escapeString('')).toBe("''");
});

test('a limited text counts characters, not UTF-16 units', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 10 }), (text, size) => {
      const { isExact, literal } = limitedText('VARCHAR', size);
      const characters = [...text];
      expect(isExact?.(text)).toBe(characters.length <= size);
      expect(readLiteral(literal(text))).toBe(characters.slice(0, size).join(''));
    }),
  );
});

test('a text limited in bytes is cut between characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.integer({ min: 1, max: 20 }), (text, size) => {
      const { isExact, literal } = byteLimitedText('TEXT', size);
      const kept = readLiteral(literal(text));
      expect(isExact?.(text)).toBe(Buffer.byteLength(text) <= size);
      expect(text.startsWith(kept)).toBe(true);
      expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(size);
      const next = [...text][[...kept].length];
      if (next !== undefined) expect(Buffer.byteLength(kept + next)).toBeGreaterThan(size);
    }),
  );
});
