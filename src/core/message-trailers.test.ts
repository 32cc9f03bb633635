import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batch, counts, position, schemaCommit, transaction } from '../../test/support/messages.js';
import {
  authorOf,
  commitMessage,
  readSchemaMessage,
  schemaMessage,
  snapshotMessage,
  stepMessage,
  subjectOf,
  trailer,
} from './message.js';
import { formatLsn, lsn } from './position.js';

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
