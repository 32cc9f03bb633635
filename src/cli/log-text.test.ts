import { expect, it } from 'vitest';
import type { ChangeKind, SchemaChange } from '../history/schema-difference.js';
import type { SchemaLogEntry } from '../history/schema-log.js';
import { describeChange, formatLog, formatSchemaLog } from './log-text.js';

const change = (kind: ChangeKind, what: Partial<SchemaChange> = {}): SchemaChange => ({
  table: 'public.orders',
  kind,
  name: null,
  from: null,
  to: null,
  ...what,
});

const entry = (what: Partial<SchemaLogEntry>): SchemaLogEntry => ({
  commit: 'a'.repeat(32),
  time: '2026-11-22T00:00:00.123456Z',
  lsn: '0/300',
  xid: 703,
  user: 'ann',
  author: 'wal2dolt',
  tag: 'ALTER TABLE',
  message: 'ALTER TABLE: alter table orders',
  completeIn: null,
  changes: [],
  ...what,
});

it('tells of a part of a transaction where the whole of it is', () => {
  expect(formatSchemaLog([entry({ completeIn: 'b'.repeat(32) })]).split('\n')[1]).toBe(
    `  commit ${'a'.repeat(32)}, complete in ${'b'.repeat(32)}, 0/300, transaction 703, by ann`,
  );
});

it('leaves out what is not known', () => {
  expect(formatSchemaLog([entry({ lsn: null, xid: null, user: null })]).split('\n')[1]).toBe(
    `  commit ${'a'.repeat(32)}, by wal2dolt`,
  );
  expect(formatSchemaLog([])).toBe('');
});

it('stays readable, however much changed', () => {
  const changes = Array.from({ length: 5_000 }, (_, i) => change('comment', { to: `line\n${i} ${'x'.repeat(9_000)}` }));
  const lines = formatSchemaLog([entry({ changes })]).split('\n');
  expect(lines).toHaveLength(43);
  expect(lines.at(-1)).toBe('    and 4960 more (--json has all)');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(300);
});

it.each<[SchemaChange, string]>([
  [change('column_default', { name: 'v', from: '1' }), 'column v: no default, was 1'],
  [change('key', { from: '', to: '(id)' }), 'key (id), was none'],
  [change('index_dropped', { name: 'i', from: 'CREATE INDEX i …' }), 'index i dropped, was CREATE INDEX i …'],
  [change('constraint_added', { name: 'c', to: 'CHECK (v > 0)' }), 'constraint c added: CHECK (v > 0)'],
  [change('constraint_changed', { name: 'c', from: 'A', to: 'B' }), 'constraint c: B, was A'],
  [change('comment', { from: 'old' }), 'no comment, was old'],
  [change('row_filter', { to: '(id > 1)' }), 'row filter (id > 1), was none'],
  [change('partitions', { from: '2', to: '3' }), 'partitions 3, were 2'],
  [change('dolt_column_type', { name: 'v', from: 'INT', to: 'BIGINT' }), 'column v: BIGINT in Dolt, was INT'],
  [change('dolt_column_renamed', { name: 'V', from: 'V', to: 'V_2' }), 'column V: V_2 in Dolt, was V'],
])('%j is told as: %s', (given, text) => {
  expect(describeChange(given)).toBe(text);
});

it('lists commits in columns', () => {
  const commit = { commit: 'c1', time: 't', author: 'a', message: 'm' };
  expect(
    formatLog([
      { ...commit, lsn: '0/16B3748' },
      { ...commit, lsn: null },
    ]),
  ).toBe('c1  t  0/16B3748  m\nc1  t             m');
});
