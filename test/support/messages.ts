import { type ClosedBatch, NOTHING_SPILLED, type TableCounts, type TransactionRecord } from '../../src/core/batch.js';
import type { SchemaCommit } from '../../src/core/message.js';
import { lsn, type Position } from '../../src/core/position.js';

/*
 * What a commit's message is made of.
 */

export const position: Position = { endLsn: lsn(0x16b3748n), commitTime: 1_795_262_400_123_456n, xid: 771 };

export const transaction = (xid: number, context: TransactionRecord['context'] = null): TransactionRecord => ({
  ...position,
  xid,
  rows: 1,
  context,
});

export const counts = (name: string, what: Partial<TableCounts> = {}): TableCounts => ({
  name,
  inserted: 0,
  updated: 0,
  deleted: 0,
  truncated: false,
  copied: false,
  ...what,
});

export const batch = (what: Partial<ClosedBatch>): ClosedBatch => ({
  reason: 'delay',
  transactions: [transaction(771)],
  spilled: NOTHING_SPILLED,
  rows: 1,
  counts: [counts('orders', { inserted: 1 })],
  changes: [],
  tag: null,
  ...what,
});

export const schemaCommit = (what: Partial<SchemaCommit>): SchemaCommit => ({
  ...position,
  tag: 'ALTER TABLE',
  command: 'ALTER TABLE orders ADD COLUMN note text',
  changes: ['orders: column note added (text)'],
  user: 'ann',
  part: false,
  ...what,
});
