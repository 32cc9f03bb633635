import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from '../core/row.js';
import type { Tuple } from '../core/tuple.js';
import { Wal2DoltError } from '../errors.js';
import { CopyTextParser } from './copy-text.js';

/** What Postgres writes: CopyAttributeOutText in src/backend/commands/copyto.c. */
function copyText(rows: readonly (readonly (string | null)[])[]): Buffer {
  const escapes: Record<string, string> = {
    '\b': 'b',
    '\f': 'f',
    '\n': 'n',
    '\r': 'r',
    '\t': 't',
    '\v': 'v',
    '\\': '\\',
  };
  const cell = (value: string | null): string =>
    value === null ? '\\N' : [...value].map((c) => (escapes[c] ? `\\${escapes[c]}` : c)).join('');
  return Buffer.from(rows.map((row) => `${row.map(cell).join('\t')}\n`).join(''));
}

/** Feeds the bytes cut at the given offsets, in one buffer that is overwritten each time, as a socket's may be. */
function parse(columns: number, bytes: Uint8Array, cuts: readonly number[]): Row[] {
  const parser = new CopyTextParser(columns);
  const shared = Buffer.alloc(bytes.length);
  const rows: Tuple[] = [];
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    shared.fill(0x78);
    shared.set(bytes.subarray(start, end));
    rows.push(...parser.push(shared.subarray(0, end - start)));
    start = end;
  }
  parser.end();
  return rows.map((row) => row.cells());
}

const NASTY = [
  ['', null, '\\N', 'N', '\\', '\\\\', '\\.', 'a\tb', '\n', '\r\n', '\b\f\v', '😀 é 漢\u0301', '\\n', 'x\\'],
  [null, null, null, null, null, null, null, null, null, null, null, null, null, null],
  ['a', 'b', 'c', '', '', '', '', '', '', '', '', '', '', '\\t\t'],
  // A bytea, and what only begins like one.
  ['\\x', '\\x00ff', '\\x00\\', '\\\\x00', '\\é', '', '', '', '', '', '', '', '', ''],
];

describe('CopyTextParser', () => {
  it('reads every escape, cut at every offset', () => {
    const bytes = copyText(NASTY);
    for (let cut = 0; cut <= bytes.length; cut++) expect(parse(14, bytes, [cut])).toEqual(NASTY);
    expect(parse(14, bytes, [...bytes.keys()])).toEqual(NASTY);
  });

  it('reads any rows in any pieces', () => {
    const value = fc.option(
      fc.oneof(
        fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
        fc.string({ unit: fc.constantFrom('\\', 'N', '\n', '\t', '.', 'é', '😀') }),
      ),
    );
    const table = fc
      .integer({ min: 1, max: 5 })
      .chain((columns) => fc.array(fc.array(value, { minLength: columns, maxLength: columns }), { maxLength: 8 }));
    fc.assert(
      fc.property(table, fc.array(fc.nat(300), { maxLength: 12 }), (rows, offsets) => {
        const bytes = copyText(rows);
        const cuts = offsets.map((offset) => Math.min(offset, bytes.length)).sort((a, b) => a - b);
        expect(parse(rows[0]?.length ?? 1, bytes, cuts)).toEqual(rows);
      }),
      { numRuns: 500 },
    );
  });

  it('reads long cells and large rows among small ones, in any pieces', () => {
    const unit = fc.constantFrom(
      'x',
      'xyz é',
      '\\',
      '\t',
      '\n',
      'x'.repeat(150),
      'y'.repeat(199),
      'z'.repeat(200),
      'a'.repeat(70_000),
    );
    const cell = fc.option(fc.array(unit, { maxLength: 5 }).map((parts) => parts.join('')));
    const rows = fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { maxLength: 30 });
    fc.assert(
      fc.property(rows, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }), (some, shares) => {
        const bytes = copyText(some);
        const cuts = shares.map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b);
        expect(parse(3, bytes, cuts)).toEqual(some);
      }),
      { numRuns: 200 },
    );
  });

  it('takes a character after a backslash that is no escape as itself, as COPY documents', () => {
    expect(parse(1, Buffer.from('\\a\\😀\\"\n'), [])).toEqual([['a😀"']]);
  });

  it('tells an empty text from no columns', () => {
    expect(parse(0, Buffer.from('\n\n\n'), [1])).toEqual([[], [], []]);
    expect(parse(1, Buffer.from('\n\n'), [])).toEqual([[''], ['']]);
    expect(parse(3, Buffer.alloc(0), [])).toEqual([]);
  });

  it('hands out a row as soon as it is complete', () => {
    const parser = new CopyTextParser(2);
    const push = (text: string): Row[] => parser.push(Buffer.from(text)).map((row) => row.cells());
    expect(push('1\ta\n2\t')).toEqual([['1', 'a']]);
    expect(parser.waiting).toBe(2);
    expect(push('b')).toEqual([]);
    expect(parser.waiting).toBe(3);
    expect(push('\n')).toEqual([['2', 'b']]);
    expect(parser.waiting).toBe(0);
  });

  it('joins a huge row once: a 32 MB row in 1 kB pieces takes no quadratic time', () => {
    const parser = new CopyTextParser(1);
    const piece = Buffer.alloc(1024, 'x');
    const started = process.cpuUsage(); // whatever else the machine does
    for (let i = 0; i < 32 * 1024; i++) expect(parser.push(piece).length).toBe(0);
    const [row] = parser.push(Buffer.from('\n'));
    expect(row?.cell(0)).toHaveLength(32 * 1024 * 1024);
    const { user, system } = process.cpuUsage(started);
    expect((user + system) / 1000).toBeLessThan(5000);
  });

  it('lets a large row go without what came before and after it', () => {
    const parser = new CopyTextParser(1);
    const large = `${'x'.repeat(9_000_000)}\n`;
    const rows = parser.push(Buffer.from(`before\n${large}after\nlast\n`));
    const [before, row, after, last] = rows;
    expect(rows.map(({ size }) => size)).toEqual([13, 9_000_007, 12, 11]);
    expect(new Set([before, row, after].map((one) => one?.bytes)).size).toBe(3);
    expect(last?.bytes).toBe(after?.bytes);
    expect(row?.bytes.length).toBeLessThan(9_000_000 + 2 * (4 << 20));
    expect(Math.max(before?.bytes.length ?? 0, after?.bytes.length ?? 0)).toBeLessThan(300_000);
  });

  it('refuses what is no COPY text', () => {
    const code = (columns: number, bytes: Uint8Array): unknown => {
      try {
        return parse(columns, bytes, []);
      } catch (error) {
        return error instanceof Wal2DoltError ? error.code : error;
      }
    };
    expect(code(2, Buffer.from('1\n'))).toBe('E_SOURCE_PROTOCOL');
    expect(code(2, Buffer.from('1\t2\t3\n'))).toBe('E_SOURCE_PROTOCOL');
    expect(code(0, Buffer.from('1\n'))).toBe('E_SOURCE_PROTOCOL');
    expect(code(1, Buffer.from('1\n2'))).toBe('E_SOURCE_PROTOCOL');
    expect(code(1, Buffer.from('1\né').subarray(0, 3))).toBe('E_SOURCE_PROTOCOL');
  });
});
