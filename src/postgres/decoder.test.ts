import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlainEvent, type PlainRowEvent, plainEvent } from '../../test/support/plain-events.js';
import { type Cell, UNCHANGED } from '../core/row.js';
import { Wal2DoltError } from '../errors.js';
import { decodeMessage } from './decoder.js';

const decodeHex = (...hex: string[]): PlainEvent =>
  plainEvent(decodeMessage(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex')));

/** Messages written by hand from the protocol's documentation, with what they must mean. */
const GOLDEN: readonly [name: string, hex: string, event: PlainEvent][] = [
  [
    'begin at 2026-11-21 12:00:00.123456, xid above 2^31',
    '42 00000001 0AB3C0F8 000303C6DE6B7240 FFFFFFFE',
    { kind: 'begin', finalLsn: 0x1_0ab3_c0f8n as never, commitTime: 1_795_262_400_123_456n, xid: 4_294_967_294 },
  ],
  [
    'commit before 2000, LSN above 2^63',
    '43 00 FFFFFFFFFFFFFFF0 FFFFFFFFFFFFFFFF FFFFFFFFFFFFFFFF',
    {
      kind: 'commit',
      commitLsn: 0xffff_ffff_ffff_fff0n as never,
      endLsn: 0xffff_ffff_ffff_ffffn as never,
      commitTime: 946_684_799_999_999n,
    },
  ],
  ['origin', '4F 000000000000002A 6E6F646520C3A900', { kind: 'origin', lsn: 42n as never, name: 'node é' }],
  [
    'relation',
    '52 80004001 7075626C696300 4F72646572202200 64 0002 01 696400 00000014 FFFFFFFF 00 6E00 000006A4 000A0006',
    {
      kind: 'relation',
      oid: 0x8000_4001,
      schema: 'public',
      name: 'Order "',
      replicaIdentity: 'd',
      columns: [
        { name: 'id', typeOid: 20, typmod: -1, key: true },
        { name: 'n', typeOid: 1700, typmod: 655_366, key: false },
      ],
    },
  ],
  [
    'relation without columns',
    '52 00004001 7300 7400 6E 0000',
    { kind: 'relation', oid: 16_385, schema: 's', name: 't', replicaIdentity: 'n', columns: [] },
  ],
  ['type', '59 90000001 7300 6D6F6F6400', { kind: 'type', oid: 0x9000_0001, schema: 's', name: 'mood' }],
  ['type of pg_catalog', '59 00000001 00 7800', { kind: 'type', oid: 1, schema: 'pg_catalog', name: 'x' }],
  [
    'insert: text, empty text, null, unchanged',
    '49 F0000001 4E 0004 74 00000005 C3A9E282AC 74 00000000 6E 75',
    { kind: 'insert', oid: 0xf000_0001, row: ['é€', '', null, UNCHANGED] },
  ],
  [
    'update without an old row',
    '55 00000001 4E 0001 74 00000001 37',
    { kind: 'update', oid: 1, old: null, row: ['7'] },
  ],
  [
    'update with an old key',
    '55 00000001 4B 0002 74 00000001 36 6E 4E 0002 74 00000001 37 75',
    { kind: 'update', oid: 1, old: { full: false, row: ['6', null] }, row: ['7', UNCHANGED] },
  ],
  [
    'update with the full old row',
    '55 00000001 4F 0001 74 00000001 36 4E 0001 74 00000001 37',
    { kind: 'update', oid: 1, old: { full: true, row: ['6'] }, row: ['7'] },
  ],
  [
    'delete by key',
    '44 00000001 4B 0002 74 00000001 36 6E',
    { kind: 'delete', oid: 1, old: { full: false, row: ['6', null] } },
  ],
  [
    'delete by full row',
    '44 00000001 4F 0001 74 00000001 36',
    { kind: 'delete', oid: 1, old: { full: true, row: ['6'] } },
  ],
  [
    'truncate of two tables, restart identity',
    '54 00000002 02 00000001 FFFFFFFF',
    { kind: 'truncate', oids: [1, 4_294_967_295], cascade: false, restartIdentity: true },
  ],
  [
    'truncate cascade',
    '54 00000001 01 00000009',
    { kind: 'truncate', oids: [9], cascade: true, restartIdentity: false },
  ],
  [
    'logical message, transactional',
    '4D 01 0000000000000010 61626300 00000004 F09F9982',
    { kind: 'message', transactional: true, lsn: 16n as never, prefix: 'abc', content: '🙂' },
  ],
  [
    "someone's binary logical message, not transactional",
    '4D 00 0000000000000010 61626300 00000002 FF00',
    { kind: 'message', transactional: false, lsn: 16n as never, prefix: 'abc', content: '\uFFFD\0' },
  ],
];

describe('decodeMessage', () => {
  it.each(GOLDEN)('reads %s', (_name, hex, event) => {
    expect(decodeHex(hex)).toEqual(event);
  });

  it.each(GOLDEN)('refuses %s cut off anywhere, and with a byte too many', (_name, hex) => {
    const message = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    for (let length = 0; length < message.length; length++) {
      // A larger buffer behind the view, as on the wire: reading on would find bytes.
      expect(() => decodeMessage(message.subarray(0, length)), `${length} bytes`).toThrow(protocolError());
    }
    expect(() => decodeMessage(Buffer.concat([message, Buffer.from([0])]))).toThrow(
      protocolError(/goes on after its end/),
    );
  });

  it.each([
    ['an unknown message', '53 00000001', /unknown message 'S'/],
    ['a message of streamed transactions', '63 00', /unknown message 'c'/],
    ['an unprintable tag', '07', /unknown message 0x07/],
    ['a binary value', '49 00000001 4E 0001 62 00000001 37', /column 1 has the format 'b'/],
    ['an insert of an old row', '49 00000001 4B 0001 6E', /expected a new row/],
    ['a delete of a new row', '44 00000001 4E 0001 6E', /expected an old row/],
    ['an update with two old rows', '55 00000001 4B 0001 6E 4B 0001 6E', /expected a new row/],
    ['an unknown replica identity', '52 00004001 7300 7400 78 0000', /replica identity 'x'/],
    ['a value of 4 GB in 14 bytes', '49 00000001 4E 0001 74 FFFFFFFF 37', /4294967295 bytes are announced/],
    ['invalid UTF-8 in a value', '49 00000001 4E 0001 74 00000002 61FF', /not valid UTF-8/],
    ['a surrogate in UTF-8', '49 00000001 4E 0001 74 00000003 EDA080', /not valid UTF-8/],
    ['a character that is cut off', '49 00000001 4E 0001 74 00000002 E282', /not valid UTF-8/],
    ['a replacement character beside invalid UTF-8', '49 00000001 4E 0001 74 00000004 EFBFBDFF', /not valid UTF-8/],
    [
      'half a character that the length before it would complete',
      `49 00000001 4E 0001 74 000000C3 80${'61'.repeat(194)}`,
      /UTF-8/,
    ],
    [
      'invalid UTF-8 behind a long value',
      `49 00000001 4E 0002 74 00000080 ${'61'.repeat(128)} 74 00000001 FF`,
      /UTF-8/,
    ],
    ['invalid UTF-8 in a name', '59 00000001 FF00 7800', /not valid UTF-8/],
  ])('refuses %s', (_name, hex, reason) => {
    expect(() => decodeHex(hex)).toThrow(protocolError(reason));
  });

  it('says where it failed, but no value', () => {
    const thrown = caught(() => decodeHex('49 00000001 4E 0002 74 00000006 736563726574 78'));
    expect(thrown.message).toBe(
      "pgoutput message 'I' of 20 bytes, at byte 20: column 2 has the format 'x', only text was asked for",
    );
  });

  it('keeps the replacement character where it is the value', () => {
    expect(decodeHex('49 00000001 4E 0001 74 00000004 EFBFBD61')).toMatchObject({ row: ['\uFFFDa'] });
  });

  it('keeps a byte order mark', () => {
    expect(decodeHex('49 00000001 4E 0001 74 00000004 EFBBBF61')).toMatchObject({ row: ['\uFEFFa'] });
  });

  it('holds nothing of the buffer, which is overwritten later', () => {
    const message = Buffer.from('4900000001 4E 0001 74 00000003 616263'.replaceAll(' ', ''), 'hex');
    const event = decodeMessage(message);
    message.fill(0x7a);
    expect(plainEvent(event)).toMatchObject({ row: ['abc'] });
  });

  it('reads every row that can be written', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.string({ minLength: 300 }),
    );
    const cell: fc.Arbitrary<Cell> = fc.oneof(text, fc.constant(null), fc.constant<Cell>(UNCHANGED));
    const row = fc.array(cell, { maxLength: 20 });
    const oid = fc.nat({ max: 0xffff_ffff });
    const old = fc.option(fc.record({ full: fc.boolean(), row }), { nil: null });
    fc.assert(
      fc.property(oid, old, row, fc.boolean(), (table, before, after, isDelete) => {
        const event: Extract<PlainRowEvent, { kind: 'update' | 'delete' }> =
          isDelete && before
            ? { kind: 'delete', oid: table, old: before }
            : { kind: 'update', oid: table, old: before, row: after };
        const message = encodeRow(event);
        expect(plainEvent(decodeMessage(message))).toEqual(event);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws anything but its own error, whatever it is given', () => {
    const tags = fc.constantFrom(...Buffer.from('BCORYIUDTMS'));
    fc.assert(
      fc.property(tags, fc.uint8Array({ maxLength: 60 }), (tag, bytes) => {
        try {
          decodeMessage(Buffer.from([tag, ...bytes]));
        } catch (error) {
          expect(error).toBeInstanceOf(Wal2DoltError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function caught(run: () => unknown): Wal2DoltError {
  try {
    run();
  } catch (error) {
    if (error instanceof Wal2DoltError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const protocolError = (message: RegExp = /pgoutput message/): unknown =>
  expect.objectContaining({ code: 'E_SOURCE_PROTOCOL', message: expect.stringMatching(message) });

function encodeRow(event: Extract<PlainRowEvent, { kind: 'update' | 'delete' }>): Buffer {
  const parts = [Buffer.from(event.kind === 'update' ? 'U' : 'D'), uint(4, event.oid)];
  if (event.old) parts.push(Buffer.from(event.old.full ? 'O' : 'K'), encodeTuple(event.old.row));
  if (event.kind === 'update') parts.push(Buffer.from('N'), encodeTuple(event.row));
  return Buffer.concat(parts);
}

function encodeTuple(row: readonly Cell[]): Buffer {
  const cells = row.flatMap((cell) => {
    if (cell === null) return [Buffer.from('n')];
    if (cell === UNCHANGED) return [Buffer.from('u')];
    const bytes = Buffer.from(cell);
    return [Buffer.from('t'), uint(4, bytes.length), bytes];
  });
  return Buffer.concat([uint(2, row.length), ...cells]);
}

function uint(size: number, value: number): Buffer {
  const buffer = Buffer.alloc(size);
  buffer.writeUIntBE(value, 0, size);
  return buffer;
}
