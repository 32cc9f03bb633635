import { expect, it } from 'vitest';
import { targetOf } from '../../test/support/tables.js';
import { type Lsn, lsn } from '../core/position.js';
import { parseTimelines } from '../core/timeline.js';
import type { StoredPosition, StoredTable } from '../dolt/bookkeeping.js';
import { requireSameSource } from './go-on.js';

const HISTORY = '1\t0/3000\tno recovery target specified\n2\t0/5000\tno recovery target specified\n';
const AT = { systemId: '7', database: 'shop', slot: 'wal2dolt', publication: 'wal2dolt' };
const NOW = { ...AT, timeline: { id: 3, start: lsn(0x5000n) } };
const timelines = parseTimelines(3, HISTORY);

const position = (id: number, start: bigint, endLsn: bigint): StoredPosition => ({
  endLsn: lsn(endLsn),
  commitTime: 0n,
  xid: 1,
  phase: 'streaming',
  source: { ...AT, timeline: { id, start: lsn(start) } },
});

const table = (snapshotLsn: Lsn | null): StoredTable => ({
  oid: 1,
  targetName: 't',
  state: 'streaming',
  snapshotLsn,
  schema: targetOf({ name: 't', columns: { id: 'integer' } }).source,
  columns: new Map(),
});

it.each([
  ['the timeline that the server is on', position(3, 0x5000n, 0x9000n), null],
  ['the one before it', position(2, 0x3000n, 0x4000n), 0x5000n],
  ['one before that, up to where it was left', position(1, 0n, 0x3000n), 0x3000n],
  ['one that it only just began', position(2, 0x3000n, 0x3000n), 0x5000n],
])('goes on from %s', (_what, from, end) => {
  expect(requireSameSource(from, [], NOW, timelines).end).toBe(end);
});

it.each([
  ['one byte beyond', position(1, 0n, 0x3001n), ['timeline 1 up to 0/3001', ' 1 bytes', 'at 0/3000']],
  [
    'beyond, though the server has written more by now',
    position(2, 0x3000n, 0x8000n),
    ['0/8000', ' 12288 bytes', '0/5000'],
  ],
])('refuses a position that is %s where its timeline was left', (_what, from, words) => {
  expect(() => requireSameSource(from, [], NOW, timelines)).toThrow(
    expect.objectContaining({
      code: 'E_SOURCE_BEHIND',
      message: expect.stringMatching(new RegExp(words.join('.*'))),
    }),
  );
});

it('refuses a table that was copied from a later state, though the position is before', () => {
  const from = position(1, 0n, 0x2000n);
  expect(requireSameSource(from, [table(lsn(0x3000n)), table(null)], NOW, timelines).end).toBe(0x3000n);
  expect(() => requireSameSource(from, [table(null), table(lsn(0x3008n))], NOW, timelines)).toThrow(
    expect.objectContaining({ code: 'E_SOURCE_BEHIND' }),
  );
});

it.each([
  ['a later timeline', position(4, 0x5000n, 0x5000n)],
  ['another one of the same number', position(2, 0x2000n, 0x2000n)],
  ['the same timeline of another server', { ...position(3, 0x5000n, 0x9000n), source: { ...NOW, systemId: '8' } }],
])('refuses %s', (_what, from) => {
  expect(() => requireSameSource(from, [], NOW, timelines)).toThrow(
    expect.objectContaining({ code: 'E_OTHER_SOURCE' }),
  );
});
