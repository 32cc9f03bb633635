import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LongMessages } from './long-messages.js';

const LONG = 40;

/** A message of so many bytes, code and length included. */
function message(length: number, code = 'd'): Buffer {
  const bytes = Buffer.alloc(length, length % 251);
  bytes.write(code);
  bytes.writeUInt32BE(length - 1, 1);
  return bytes;
}

/** What comes out when the bytes come in pieces that end at the cuts. */
function pass(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const passed: Buffer[] = [];
  const messages = new LongMessages((piece) => passed.push(piece), LONG);
  let start = 0;
  for (const end of [...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b)) {
    if (end > start) messages.push(Buffer.from(bytes.subarray(start, end)));
    start = end;
  }
  return passed;
}

/** Where each of them ends. */
function ends(pieces: readonly Buffer[]): number[] {
  let at = 0;
  return pieces.map(({ length }) => {
    at += length;
    return at;
  });
}

function raise(): never {
  throw new Error('no message ends there');
}

describe('LongMessages', () => {
  it('passes all bytes on in order, and a long message that comes in pieces as one', () => {
    const lengths = fc.oneof(fc.integer({ min: 5, max: 12 }), fc.integer({ min: LONG - 2, max: 3 * LONG }));
    fc.assert(
      fc.property(
        fc.array(lengths, { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (all, cuts) => {
          const sent = all.map((length) => message(length));
          const passed = pass(Buffer.concat(sent), cuts);
          expect(Buffer.concat(passed)).toEqual(Buffer.concat(sent));
          const borders = ends(passed);
          for (const [i, end] of ends(sent).entries()) {
            const { length } = sent[i] ?? raise();
            // Each is inside of one piece: where it is, no piece ends.
            if (length >= LONG) expect(borders.filter((at) => at > end - length && at < end)).toEqual([]);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps nothing back of short messages but a cut-off header, and copies none of them', () => {
    const passed: Buffer[] = [];
    const messages = new LongMessages((piece) => passed.push(piece), LONG);
    const bytes = Buffer.concat([message(10), message(20)]);
    messages.push(bytes.subarray(0, 13));
    expect(Buffer.concat(passed)).toEqual(message(10));
    messages.push(bytes.subarray(13, 20));
    expect(Buffer.concat(passed)).toEqual(bytes.subarray(0, 20));
    messages.push(bytes.subarray(20));
    expect(Buffer.concat(passed)).toEqual(bytes);
    expect(passed.at(-1)?.buffer).toBe(bytes.buffer);
  });

  it('gives a long message memory of its own, of its size', () => {
    const sent = [message(10), message(2 * LONG), message(10)];
    const passed = pass(Buffer.concat(sent), [20, 50, 80, 95]);
    const long = passed.find((piece) => piece.length === 2 * LONG);
    expect(long).toEqual(sent[1]);
    expect(long?.buffer.byteLength).toBe(2 * LONG);
  });
});
