import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClosedBatch, TableCounts, TransactionRecord } from './batch.js';
import {
  authorOf,
  commitMessage,
  isPart,
  partMessage,
  readSchemaMessage,
  type SchemaCommit,
  schemaMessage,
  snapshotMessage,
  stepMessage,
  subjectOf,
  trailer,
} from './message.js';
import { formatLsn, lsn, type Position } from './position.js';

const position: Position = { endLsn: lsn(0x16b3748n), commitTime: 1_795_262_400_123_456n, xid: 771 };

const transaction = (xid: number, context: TransactionRecord['context'] = null): TransactionRecord => ({
  ...position,
  xid,
  rows: 1,
  context,
});
const counts = (name: string, what: Partial<TableCounts> = {}): TableCounts => ({
  name,
  inserted: 0,
  updated: 0,
  deleted: 0,
  truncated: false,
  copied: false,
  ...what,
});
const batch = (what: Partial<ClosedBatch>): ClosedBatch => ({
  reason: 'delay',
  transactions: [transaction(771)],
  rows: 1,
  counts: [counts('orders', { inserted: 1 })],
  changes: [],
  tag: null,
  ...what,
});

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

const schemaCommit = (what: Partial<SchemaCommit>): SchemaCommit => ({
  ...position,
  tag: 'ALTER TABLE',
  command: 'ALTER TABLE orders ADD COLUMN note text',
  changes: ['orders: column note added (text)'],
  user: 'ann',
  part: false,
  ...what,
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

  it('does not give a password away', () => {
    const command = `CREATE ROLE bob PASSWORD 'h1dden';\nCREATE TABLE t (id int)`;
    expect(schemaMessage(schemaCommit({ command }))).not.toContain('h1dden');
  });
});

describe('the message of a part of a transaction', () => {
  it('says where the target stands, which is before the transaction', () => {
    expect(partMessage('rows of transaction 9 before it changed the schema', position, 9)).toBe(
      'rows of transaction 9 before it changed the schema\n\nLsn: 0/16B3748\nPart-Of: 9',
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

/** Texts that try to pass for trailers. */
const malicious = fc.oneof(
  fc.string(),
  fc
    .array(
      fc.constantFrom(
        'Lsn: F/FFFFFFFF',
        'Rows: 9',
        'Tag: evil',
        'Reason: evil',
        'Ddl: evil',
        'Xid: 9',
        'Part-Of: 9',
        'Ddl-User: evil',
        '\n',
        '\n\n',
        '\r\n',
        ' ',
        '\u2028',
        'x',
      ),
    )
    .map((parts) => parts.join('')),
);

describe('trailers', () => {
  it('say what was told, whatever transactions, tables and tags say', () => {
    const context = fc.record({ content: malicious, message: malicious, author: malicious });
    fc.assert(
      fc.property(
        fc.array(fc.option(context), { minLength: 1, maxLength: 3 }),
        malicious,
        fc.option(malicious),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (contexts, table, tag, end) => {
          const last = { ...position, endLsn: lsn(end) };
          const message = commitMessage(
            batch({
              transactions: contexts.map((said, i) => transaction(i + 7, said)),
              rows: 42,
              counts: [counts(table)],
              tag,
            }),
            last,
          );
          expect(trailer(message, 'Lsn')).toBe(formatLsn(last.endLsn));
          expect(trailer(message, 'Xids')).toBe(contexts.map((_, i) => i + 7).join(' '));
          expect(trailer(message, 'Commit-Time')).toBe('2026-11-21T12:00:00.123456Z');
          expect(trailer(message, 'Transactions')).toBe(String(contexts.length));
          expect(trailer(message, 'Rows')).toBe('42');
          expect(trailer(message, 'Reason')).toBe('delay');
          expect(trailer(message, 'Tag')?.trim() ?? '').toBe((tag ?? '').replaceAll(/\s+/g, ' ').trim());
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of a schema change say what was told, whatever command, changes and user say', () => {
    fc.assert(
      fc.property(
        malicious,
        malicious,
        fc.array(malicious, { maxLength: 3 }),
        malicious,
        fc.boolean(),
        (tag, command, changes, user, part) => {
          const message = schemaMessage(schemaCommit({ tag, command, changes, user, part }));
          const plain = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
          expect(readSchemaMessage(message)).toEqual({ tag: plain(tag), xid: 771, user: plain(user) || null, part });
          expect(trailer(message, 'Lsn')).toBe('0/16B3748');
          expect(trailer(message, 'Commit-Time')).toBe('2026-11-21T12:00:00.123456Z');
          expect(trailer(message, 'Reason')).toBe(part ? null : 'ddl');
          expect(trailer(message, 'Xids')).toBeNull();
          expect(subjectOf(message).startsWith(plain(tag))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
    expect(readSchemaMessage(commitMessage(batch({}), position))).toBeNull();
  });

  it('of a snapshot and of the steps to it', () => {
    const message = snapshotMessage(position, 1, 5_000);
    expect(message).toMatch(/^snapshot of 1 table, 5000 rows, at 0\/16B3748\n\n/);
    expect(trailer(message, 'Lsn')).toBe('0/16B3748');
    expect(trailer(message, 'Reason')).toBe('snapshot');
    expect(trailer(message, 'Xids')).toBeNull();
    expect(trailer(stepMessage('copied x\n\nLsn: 0/1', position), 'Lsn')).toBe('0/16B3748');
  });

  it('are only read from the last paragraph', () => {
    expect(trailer('Lsn: 0/1', 'Lsn')).toBe('0/1');
    expect(trailer('Lsn: 0/1\n\ntext', 'Lsn')).toBeNull();
    expect(trailer('text\n\nLsn: 0/1\n\n', 'Lsn')).toBe('0/1');
    expect(trailer('text\n\nNot-Lsn: 0/1', 'Lsn')).toBeNull();
    expect(trailer('', 'Lsn')).toBeNull();
  });
});

describe('an author', () => {
  it.each([
    ['Ann <ann@example.org>', 'Ann <ann@example.org>'],
    ['  Ann\n Lee  <ann@example.org> ', 'Ann Lee <ann@example.org>'],
    ['Ann<ann@example.org>', 'Ann <ann@example.org>'],
    ['Ann', 'Ann <unknown>'],
    ['ann@example.org', 'ann@example.org <ann@example.org>'],
    ['<ann@example.org>', 'ann@example.org <ann@example.org>'],
    ['Ann Lee ann@example.org', 'Ann Lee ann@example.org <unknown>'],
    ['Ann <>', 'Ann <unknown>'],
    ['Ann < >', 'Ann <unknown>'],
    ['Ann (Sales) <ann@example.org>', 'Ann [Sales] <ann@example.org>'],
    ['Ann <ann@example.org> <bob@example.org>', 'Ann ann@example.org bob@example.org <unknown>'],
    ['Ann <ann', 'Ann ann <unknown>'],
    ["Ånn O'Neill \\ 🍕 <a@b>", "Ånn O'Neill \\ 🍕 <a@b>"],
  ])('%j is %s', (given, author) => {
    expect(authorOf(given)).toBe(author);
  });

  it.each([undefined, '', '  ', '<>', '<<>>', ' < > '])('%j is none', (given) => {
    expect(authorOf(given)).toBeNull();
  });

  it('is always as Dolt takes it', () => {
    // See ParseAuthor of Dolt: https://github.com/dolthub/dolt/blob/main/go/cmd/dolt/cli/arg_parser_helpers.go
    const anyAuthor = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', ' ', '<', '>', '(', ')', '@', '\n') }),
    );
    fc.assert(
      fc.property(anyAuthor, (given) => {
        const author = authorOf(given);
        if (author === null) expect(given.replaceAll(/[<>\s]/g, '')).toBe('');
        else expect(author).toMatch(/^[^)<>\s](?:[^)<>\n]*[^)<>\s])? <[^)<>\s](?:[^)<>\n]*[^)<>\s])?>$/);
      }),
      { numRuns: 500 },
    );
  });
});
