import { describe, expect, it } from 'vitest';
import { batch, counts, position, schemaCommit, transaction } from '../../test/support/messages.js';
import {
  authorOf,
  commitMessage,
  isPart,
  partMessage,
  schemaMessage,
  stepMessage,
  subjectOf,
  trailer,
} from './message.js';

describe('the message of a commit', () => {
  it('stays far below what Dolt can store, whatever the contexts say', () => {
    const huge = 'x'.repeat(5_000_000);
    const context = { author: huge, message: huge, content: huge };
    const one = commitMessage(batch({ transactions: [transaction(7, context)], tag: huge }), position);
    const many = commitMessage(
      batch({ transactions: Array.from({ length: 100 }, (_, i) => transaction(i, context)), tag: huge }),
      position,
    );
    for (const message of [one, many]) {
      expect(message.length).toBeLessThan(200_000);
      expect(message).toContain('(5000000 characters)');
      expect(trailer(message, 'Lsn')).toBe('0/16B3748');
    }
    expect(authorOf(huge)?.length).toBeLessThan(300);
  });

  it('is a line, then trailers', () => {
    const message = commitMessage(
      batch({
        transactions: [transaction(7), transaction(8), transaction(9)],
        rows: 120,
        counts: [counts('orders', { inserted: 100, updated: 20 }), counts('log', { truncated: true, deleted: 3 })],
        reason: 'rows',
      }),
      position,
    );
    expect(message).toBe(
      [
        '3 transactions, 120 rows, orders +100 ~20, log emptied -3, to 0/16B3748',
        '',
        'Lsn: 0/16B3748',
        'Xids: 7 8 9',
        'Commit-Time: 2026-11-21T12:00:00.123456Z',
        'Transactions: 3',
        'Rows: 120',
        'Reason: rows',
      ].join('\n'),
    );
  });

  it('is what a single transaction said, and then the line', () => {
    const context = { content: '{}', message: '  Close the books\n\nfor October \n', author: 'Ann' };
    const message = commitMessage(batch({ transactions: [transaction(7, context)], tag: 'october' }), position);
    expect(message.split('\n\n').slice(0, -1)).toEqual([
      'Close the books',
      'for October',
      '1 transaction, 1 row, orders +1, to 0/16B3748',
    ]);
    expect(trailer(message, 'Tag')).toBe('october');
  });

  it('lists what several transactions said, each by its number', () => {
    const message = commitMessage(
      batch({
        transactions: [
          transaction(7, { content: '{"author":"Ann","message":"one"}', author: 'Ann', message: 'one' }),
          transaction(8),
          transaction(9, { content: 'as it came' }),
          transaction(10, { content: '{"author":"Bob"}', author: 'Bob' }),
        ],
      }),
      position,
    );
    expect(message.split('\n\n')[1]).toBe('7: Ann: one\n9: as it came\n10: Bob: {"author":"Bob"}');
  });

  it('does without an empty message', () => {
    for (const message of ['', ' \n ']) {
      const context = { content: '{}', message };
      expect(commitMessage(batch({ transactions: [transaction(7, context)] }), position)).toMatch(/^1 transaction, /);
    }
  });

  it('is the same where the first transactions were spilled', () => {
    const all = Array.from({ length: 130 }, (_, i) => transaction(i, i % 2 === 0 ? { content: `context ${i}` } : null));
    const [first, last] = [all.slice(0, 120), all.slice(120)];
    const told = first.filter(({ context }) => context !== null);
    const spilled = {
      count: first.length,
      xids: first.slice(0, 50).map(({ xid }) => xid),
      contextCount: told.length,
      contexts: told.slice(0, 50),
    };
    expect(commitMessage(batch({ spilled, transactions: last }), position)).toBe(
      commitMessage(batch({ transactions: all }), position),
    );
  });

  it('stays short, however much there is', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => i);
    const message = commitMessage(
      batch({
        transactions: many.map((xid) => transaction(xid, { content: `context ${xid}` })),
        counts: many.map((i) => counts(`table_with_a_name_of_some_length_${i}`, { inserted: i })),
      }),
      position,
    );
    expect(message.length).toBeLessThan(4_000);
    expect(message).toContain('19992 more tables');
    expect(message).toContain('and 19950 more');
    expect(trailer(message, 'Xids')).toBe(`${many.slice(0, 50).join(' ')} and 19950 more`);
    expect(trailer(message, 'Transactions')).toBe('20000');
  });
});

describe('the message of a schema change', () => {
  it('is tag and command, what changed, then trailers', () => {
    expect(schemaMessage(schemaCommit({ part: true }))).toBe(
      [
        'ALTER TABLE: ALTER TABLE orders ADD COLUMN note text',
        '',
        'orders: column note added (text)',
        '',
        'Lsn: 0/16B3748',
        'Ddl: ALTER TABLE',
        'Xid: 771',
        'Ddl-User: ann',
        'Commit-Time: 2026-11-21T12:00:00.123456Z',
        'Part-Of: 771',
      ].join('\n'),
    );
  });

  it('counts its transaction, where that has nothing else', () => {
    const message = schemaMessage(schemaCommit({}));
    expect(['Transactions', 'Rows', 'Reason', 'Part-Of'].map((name) => trailer(message, name))).toEqual([
      '1',
      '0',
      'ddl',
      null,
    ]);
  });

  it('has the whole command, where that is more than its first line', () => {
    const command = '-- for the shop\nALTER TABLE orders\n  ADD COLUMN note text,\n\n  DROP COLUMN old;\n';
    expect(schemaMessage(schemaCommit({ command })).split('\n\n').slice(0, -1)).toEqual([
      'ALTER TABLE: ALTER TABLE orders',
      'orders: column note added (text)',
      '-- for the shop\nALTER TABLE orders\n  ADD COLUMN note text,',
      '  DROP COLUMN old;',
    ]);
    expect(schemaMessage(schemaCommit({ command: ' ', changes: [] }))).toMatch(/^ALTER TABLE\n\nLsn: /);
    const context = { content: '', message: ' Ticket 4711 ' };
    expect(schemaMessage(schemaCommit({ changes: [] }), context)).toMatch(/^Ticket 4711\n\nALTER TABLE: /);
  });

  it('stays far below what Dolt can store, and its first line short', () => {
    const huge = 'x'.repeat(5_000_000);
    const changes = Array.from({ length: 10_000 }, () => huge.slice(0, 1_000));
    const message = schemaMessage(schemaCommit({ tag: huge, command: huge, user: huge, changes }));
    expect(message.length).toBeLessThan(50_000);
    expect(subjectOf(message).length).toBeLessThan(300);
    expect(message).toContain('\nand 9900 more\n');
    expect(trailer(message, 'Lsn')).toBe('0/16B3748');
  });
});

describe('the message of a part of a transaction', () => {
  it('says where the target stands, which is before the transaction', () => {
    expect(partMessage('rows before transaction 9 changed the schema', position, 9)).toBe(
      'rows before transaction 9 changed the schema\n\nLsn: 0/16B3748\nPart-Of: 9',
    );
  });

  it('is told from that of a state of the source', () => {
    expect(isPart(partMessage('rows', position, 9))).toBe(true);
    expect(isPart(schemaMessage(schemaCommit({ part: true })))).toBe(true);
    expect(isPart(schemaMessage(schemaCommit({})))).toBe(false);
    expect(isPart(commitMessage(batch({}), position))).toBe(false);
    expect(isPart(stepMessage('no longer followed: t', position))).toBe(false);
    expect(isPart('bookkeeping of wal2dolt')).toBe(false);
  });
});
