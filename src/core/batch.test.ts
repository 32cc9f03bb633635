import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlainChanges } from '../../test/support/plain-changes.js';
import { targetOf } from '../../test/support/tables.js';
import { Batch, type CommitPolicy } from './batch.js';
import { KeyedChanges, KeylessChanges } from './coalesce.js';
import { lsn, type Position } from './position.js';
import { Tuple } from './tuple.js';

const NO_LIMIT: CommitPolicy = { maxTransactions: 1e9, maxDelay: 1e9, maxRows: 1e9, maxBytes: 1e9 };
const orders = targetOf({ name: 'orders', oid: 1, columns: { id: 'integer', what: 'text' }, key: ['id'] });
const log = targetOf({ name: 'log', oid: 2, columns: { what: 'text' } });

const batchOf = (policy: Partial<CommitPolicy> = {}): Batch => new Batch({ ...NO_LIMIT, ...policy });
const position = (n: number): Position => ({ endLsn: lsn(BigInt(n)), commitTime: BigInt(n) * 1000n, xid: n });

let lastId = 0;
/** What a row takes in memory whose text has 10 bytes. */
const ROW_BYTES = 72;
/** What a table takes besides. */
const TABLE_BYTES = 2048;
/** Rows whose text has so many bytes. */
function insert(batch: Batch, rows: number, bytes = 10): void {
  for (let row = 0; row < rows; row += 1)
    batch.changesOf(orders).insert(Tuple.of([String(++lastId), 'x'.repeat(bytes)]));
}

function transaction(batch: Batch, n: number, rows: number, atMs = 0, bytes = 10): void {
  insert(batch, rows, bytes);
  batch.commit(position(n), null, atMs);
}

describe('a batch is due', () => {
  it('by the number of its transactions', () => {
    const batch = batchOf({ maxTransactions: 2 });
    transaction(batch, 1, 1);
    expect(batch.due(0)).toBeNull();
    transaction(batch, 2, 1);
    expect(batch.due(0)).toBe('transactions');
  });

  it('by the number of its rows, all tables together', () => {
    const batch = batchOf({ maxRows: 3 });
    transaction(batch, 1, 2);
    expect(batch.due(0)).toBeNull();
    batch.changesOf(log).insert(Tuple.of(['x']));
    batch.commit(position(2), null, 0);
    expect(batch.due(0)).toBe('rows');
  });

  it('by the bytes of what its transactions say of themselves', () => {
    const batch = batchOf({ maxBytes: 1000 });
    insert(batch, 1);
    batch.commit(position(1), { content: 'x'.repeat(1000) }, 0);
    expect(batch.due(0)).toBe('bytes');
  });

  it('by the bytes of its rows, spilled ones included', () => {
    const batch = batchOf({ maxBytes: 2 * TABLE_BYTES + 10 * ROW_BYTES });
    insert(batch, 6);
    expect(batch.mustSpill).toBe(false);
    batch.spill();
    insert(batch, 4);
    batch.commit(position(1), null, 0);
    expect(batch.mustSpill).toBe(false);
    expect(batch.due(0)).toBe('bytes');
  });

  it('by its bytes, and is oversized where a huge row made it much more', () => {
    const batch = batchOf({ maxBytes: 3000 });
    insert(batch, 1, 8 << 20);
    expect(batch.isOversized).toBe(false);
    insert(batch, 1, 1000);
    batch.commit(position(1), null, 0);
    expect(batch.isOversized).toBe(true);
    expect(batch.due(0)).toBe('bytes');
    batch.close('bytes');
    expect(batch.isOversized).toBe(false);
  });

  it('by the time since its first transaction', () => {
    const batch = batchOf({ maxDelay: 1000 });
    transaction(batch, 1, 1, 5_000);
    transaction(batch, 2, 1, 5_900);
    expect(batch.due(5_999)).toBeNull();
    expect(batch.remaining(5_200)).toBe(800);
    expect(batch.remaining(6_000)).toBe(0);
    expect(batch.remaining(9_000)).toBe(0);
    expect(batch.due(6_000)).toBe('delay');
  });

  it('by a cut, whatever else, and by the first reason given', () => {
    const batch = batchOf({ maxTransactions: 1 });
    transaction(batch, 1, 1);
    batch.cut('tag');
    batch.cut('until');
    expect(batch.due(0)).toBe('tag');
  });

  it('never while it is empty', () => {
    const batch = batchOf({ maxTransactions: 0, maxDelay: 0, maxRows: 0, maxBytes: 0 });
    batch.cut('shutdown');
    expect(batch.due(1e12)).toBeNull();
    expect(batch.remaining(1e12)).toBe(Number.POSITIVE_INFINITY);
  });

  it('never inside a transaction', () => {
    const batch = batchOf({ maxTransactions: 1, maxDelay: 0, maxRows: 1, maxBytes: 1 });
    transaction(batch, 1, 1);
    expect(batch.due(0)).toBe('transactions');
    insert(batch, 1);
    batch.cut('tag');
    expect(batch.due(1e9)).toBeNull();
    expect(batch.remaining(1e9)).toBe(Number.POSITIVE_INFINITY);
    batch.commit(position(2), null, 0);
    expect(batch.due(0)).toBe('tag');
  });
});

describe('transactions', () => {
  it('without rows leave no trace', () => {
    const batch = batchOf();
    expect(batch.commit(position(1), { content: 'x' }, 0)).toBe(true);
    expect(batch.isEmpty).toBe(true);
    expect(batch.remaining(0)).toBe(Number.POSITIVE_INFINITY);
    insert(batch, 1);
    expect(batch.isEmpty).toBe(false);
    expect(batch.transactionCount).toBe(0);
    expect(batch.commit(position(2), null, 0)).toBe(false);
    expect(batch.commit(position(3), null, 0)).toBe(true);
    expect(batch.close('delay').transactions.map(({ xid }) => xid)).toEqual([2]);
  });

  it('keep their rows and what they said of themselves', () => {
    const batch = batchOf();
    insert(batch, 2);
    batch.commit(position(1), { content: '{}', author: 'Ann' }, 0);
    transaction(batch, 2, 3);
    const closed = batch.close('rows', 'v1');
    expect(closed.transactions).toEqual([
      { ...position(1), rows: 2, context: { content: '{}', author: 'Ann' } },
      { ...position(2), rows: 3, context: null },
    ]);
    expect(closed).toMatchObject({ reason: 'rows', rows: 5, tag: 'v1' });
  });

  it('of one batch come to one row a key', () => {
    const batch = batchOf();
    batch.changesOf(orders).insert(Tuple.of(['1', 'a']));
    batch.commit(position(1), null, 0);
    batch.changesOf(orders).update(null, Tuple.of(['1', 'b']));
    batch.commit(position(2), null, 0);
    const { changes, counts, rows } = batch.close('rows');
    expect(changes).toHaveLength(1);
    const [net] = changes;
    expect(net && new PlainChanges(net).entries()).toEqual([
      { key: ['1'], existed: false, row: ['1', 'b'], base: null },
    ]);
    expect(counts).toEqual([{ name: 'orders', inserted: 1, updated: 1, deleted: 0, truncated: false, copied: false }]);
    expect(rows).toBe(2);
  });
});

describe('what is worth writing while more is collected', () => {
  const many = (batch: Batch): void => insert(batch, 5, 1 << 20);

  it('is enough of rows that came or went', () => {
    const batch = batchOf();
    insert(batch, 3, 1 << 20);
    expect(batch.isWorthWriting).toBe(false);
    many(batch);
    expect(batch.isWorthWriting).toBe(true);
    batch.spill();
    expect(batch.isWorthWriting).toBe(false);
  });

  it('is nothing where rows are updated, in any table, since they may be again', () => {
    const batch = batchOf();
    many(batch);
    const row = Tuple.of(['x']);
    batch.changesOf(log).update({ full: true, row }, row);
    batch.updated();
    expect(batch.isWorthWriting).toBe(false);
    batch.spill();
    many(batch);
    expect(batch.isWorthWriting).toBe(true);
  });
});

describe('what is spilled', () => {
  it('is handed over once, and counted with the rest', () => {
    const batch = batchOf({ maxBytes: 50 });
    insert(batch, 4);
    batch.changesOf(log).truncate();
    expect(batch.mustSpill).toBe(true);
    const spilled = batch.spill();
    expect(spilled.map(({ table }) => table.name)).toEqual(['orders', 'log']);
    expect(spilled[1]).toBeInstanceOf(KeylessChanges);
    expect(batch.mustSpill).toBe(false);
    expect(batch.isEmpty).toBe(false);
    expect(batch.spill()).toEqual([]);
    batch.changesOf(log).insert(Tuple.of(['x']));
    batch.commit(position(1), null, 0);
    const closed = batch.close('bytes');
    expect(closed.changes.map(({ table, truncated }) => [table.name, truncated])).toEqual([['log', false]]);
    expect(closed.counts).toEqual([
      { name: 'orders', inserted: 4, updated: 0, deleted: 0, truncated: false, copied: false },
      { name: 'log', inserted: 1, updated: 0, deleted: 0, truncated: true, copied: false },
    ]);
    expect(closed.rows).toBe(6);
  });

  it('of many transactions takes their records along, but the last, and remembers what their commit says of them', () => {
    const batch = batchOf();
    const context = { content: 'x'.repeat(1 << 20) };
    for (let n = 1; n <= 60; n += 1) {
      insert(batch, 1);
      expect(batch.mustSpill).toBe(n === 9);
      if (batch.mustSpill) expect(batch.spillTransactions().map(({ xid }) => xid)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      batch.commit(position(n), n <= 8 ? context : null, 0);
    }
    expect(batch.transactionCount).toBe(60);
    expect(batch.spillTransactions()).toHaveLength(52);
    const { transactions, spilled } = batch.close('copy');
    expect(transactions.map(({ xid }) => xid)).toEqual([60]);
    expect(spilled).toMatchObject({ count: 59, contextCount: 8 });
    expect(spilled.xids).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(spilled.contexts.map(({ xid }) => xid)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(spilled.contexts[0]?.context).toEqual({ content: '(1048576 characters)' });
    transaction(batch, 61, 1);
    expect(batch.close('delay').spilled.count).toBe(0);
  });

  it('of a batch is nothing to the next one', () => {
    const batch = batchOf({ maxBytes: TABLE_BYTES + 100, maxRows: 5 });
    transaction(batch, 1, 9);
    batch.cut('tag');
    batch.close('tag', 'v1');
    expect(batch.isEmpty).toBe(true);
    expect(batch.mustSpill).toBe(false);
    transaction(batch, 2, 1, 7);
    expect(batch.due(7)).toBeNull();
    expect(batch.close('delay')).toMatchObject({ rows: 1, tag: null, counts: [{ inserted: 1 }] });
  });
});

describe('a transaction that changed the schema', () => {
  it('counts although it has no rows, once', () => {
    const batch = batchOf();
    batch.changedSchema();
    expect(batch.isEmpty).toBe(false);
    expect(batch.isInTransaction).toBe(true);
    expect(batch.commit(position(1), null, 0)).toBe(false);
    expect(batch.isInTransaction).toBe(false);
    expect(batch.commit(position(2), null, 0)).toBe(true);
    expect(batch.close('ddl')).toMatchObject({ transactions: [{ xid: 1, rows: 0 }], rows: 0, counts: [], changes: [] });
  });

  it('ends its batch, but not before it ends itself', () => {
    const batch = batchOf();
    transaction(batch, 1, 1);
    insert(batch, 1);
    batch.changedSchema();
    insert(batch, 1);
    expect(batch.due(1e12)).toBeNull();
    expect(batch.remaining(1e12)).toBe(Number.POSITIVE_INFINITY);
    batch.commit(position(2), null, 0);
    expect(batch.due(0)).toBe('ddl');
    expect(batch.close('ddl').transactions.map(({ xid, rows }) => [xid, rows])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    transaction(batch, 3, 1);
    expect(batch.due(0)).toBeNull();
  });
});

it('a table that was copied again says so, beside what came on top', () => {
  const batch = batchOf();
  insert(batch, 2);
  batch.commit(position(1), null, 0);
  batch.copied('orders');
  batch.copied('veg');
  const zero = { inserted: 0, updated: 0, deleted: 0, truncated: false };
  expect(batch.close('copy').counts).toEqual([
    { ...zero, name: 'orders', inserted: 2, copied: true },
    { ...zero, name: 'veg', copied: true },
  ]);
});

it('whatever happens, nothing is lost, counted twice, or held beyond the limit', () => {
  const step = fc.constantFrom('row', 'row', 'row', 'commit', 'close');
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80 }),
      fc.integer({ min: TABLE_BYTES, max: TABLE_BYTES + 6 * ROW_BYTES }),
      (steps, maxBytes) => {
        const batch = batchOf({ maxBytes });
        let told = 0;
        let held = 0;
        let open = 0;
        let committed = 0;
        let handed = 0;
        let counted = 0;
        const take = (changes: readonly (KeyedChanges | KeylessChanges)[]): void => {
          for (const net of changes) if (net instanceof KeyedChanges) handed += net.numbers().length;
          held = 0;
        };
        for (const what of [...steps, 'commit', 'close']) {
          if (what === 'row') {
            insert(batch, 1);
            told += 1;
            open += 1;
            held += (held === 0 ? TABLE_BYTES : 0) + ROW_BYTES;
            expect(batch.mustSpill).toBe(held >= maxBytes);
            if (batch.mustSpill) take(batch.spill());
          } else if (what === 'commit') {
            expect(batch.commit(position(1), null, 0)).toBe(open === 0);
            committed += open;
            open = 0;
          } else if (open === 0) {
            const closed = batch.close('rows');
            take(closed.changes);
            counted += closed.counts.reduce((sum, { inserted }) => sum + inserted, 0);
            expect(closed.rows).toBe(committed);
            expect(closed.transactions.reduce((sum, { rows }) => sum + rows, 0)).toBe(committed);
            committed = 0;
          }
          expect(batch.isEmpty).toBe(open + committed === 0);
        }
        expect(handed).toBe(told);
        expect(counted).toBe(told);
      },
    ),
  );
});
