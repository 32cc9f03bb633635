import { describe, expect, it } from 'vitest';
import { numbered } from '../../test/support/numbered-tables.js';
import { BEFORE, by, PARTITIONED, QUIET, retyped } from '../../test/support/rows-after.js';
import { type DiffHints, rowsAfter } from './rows-after.js';
import type { TargetTable } from './target.js';

describe('rows are kept', () => {
  it.each<[string, TargetTable, TargetTable, DiffHints]>([
    ['where nothing is told of them', BEFORE, numbered({ 1: 'id integer', 2: 'w text' }), QUIET],
    ['where a column is gone', BEFORE, numbered({ 1: 'id integer' }), QUIET],
    ['where a new column is NULL', BEFORE, numbered({ 1: 'id integer', 2: 'v text', 3: 'z integer' }), QUIET],
    [
      'where a new column has one value',
      BEFORE,
      numbered({
        1: 'id integer',
        2: 'v text',
        3: { name: 'z', type: 'integer', missing: '5', defaultExpression: '5' },
      }),
      QUIET,
    ],
    [
      'where a column is wider',
      BEFORE,
      numbered({ 1: 'id bigint', 2: 'v text' }),
      by('alter table t alter id type bigint'),
    ],
    ['where they were written anew as they are', BEFORE, BEFORE, by('alter table t set unlogged')],
    [
      'where a new column is NULL, all rows being written anew',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'v text', 3: 'z integer' }),
      by('alter table t add z int, set unlogged'),
    ],
    [
      'where a partition is new and empty',
      PARTITIONED,
      numbered({ 1: 'id integer', 2: 'v text' }, { kind: 'p', partitions: [5, 6, 7] }),
      { ...QUIET, createdPartitions: new Set([7]) },
    ],
    [
      'where partitions have other files',
      numbered(
        { 1: 'id integer', 2: 'v text' },
        {
          kind: 'p',
          partitions: [5, 6],
          leaves: [
            [50, '700'],
            [60, '700'],
          ],
        },
      ),
      numbered(
        { 1: 'id integer', 2: 'v text' },
        {
          kind: 'p',
          partitions: [5, 6],
          leaves: [
            [50, '700'],
            [61, '700'],
          ],
        },
      ),
      QUIET,
    ],
    [
      'where a column of all partitions is wider',
      PARTITIONED,
      numbered({ 1: 'id bigint', 2: 'v text' }, { kind: 'p', partitions: [6, 5] }),
      QUIET,
    ],
    ['where their key is another', BEFORE, numbered({ 1: 'id integer', 2: 'v text' }, { key: [] }), QUIET],
    [
      'where a generated column is written otherwise',
      numbered({ 1: 'id integer', 2: { name: 'v', type: 'integer', generated: 's', defaultExpression: 'id + 1' } }),
      numbered({ 1: 'i integer', 2: { name: 'v', type: 'integer', generated: 's', defaultExpression: 'i + 1' } }),
      QUIET,
    ],
  ])('%s', (_, before, after, hints) => {
    expect(rowsAfter(before, after, hints)).toEqual({ kind: 'kept' });
  });
});

describe('rows are converted', () => {
  const cast = (attnum: number, from: string, to: string, byText = false) => ({ attnum, from, to, byText });

  it.each<[string, TargetTable, TargetTable, DiffHints, ReturnType<typeof cast>[]]>([
    [
      'where the command casts',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'v integer' }),
      by('alter table t alter v type int using v::int'),
      [cast(2, 'text', 'integer')],
    ],
    [
      'where it casts by way of text',
      numbered({ 1: 'id integer', 2: 'v boolean' }),
      numbered({ 1: 'id integer', 2: 'v mood' }),
      by('alter table t alter v type mood using v::text::mood'),
      [cast(2, 'boolean', 'mood', true)],
    ],
    [
      'where a renamed column was cast before',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'w integer' }),
      by('alter table t alter v type int; alter table t rename v to w'),
      [cast(2, 'text', 'integer')],
    ],
    [
      'where Postgres did not have to write them anew',
      numbered({ 1: 'id integer', 2: 'v timestamp without time zone' }),
      numbered({ 1: 'id integer', 2: 'v timestamp with time zone' }),
      QUIET,
      [cast(2, 'timestamp without time zone', 'timestamp with time zone')],
    ],
    [
      'where the text stays and its column in Dolt does not',
      numbered({ 1: 'id integer', 2: 'v numeric(10,2)' }),
      numbered({ 1: 'id integer', 2: 'v numeric' }),
      QUIET,
      [],
    ],
    [
      'where a new column has a value that is not exact',
      BEFORE,
      numbered({
        1: 'id integer',
        2: 'v text',
        3: { name: 'z', type: 'numeric', missing: '1.50', defaultExpression: '1.50' },
      }),
      QUIET,
      [],
    ],
    [
      'where a text becomes a key, and so is limited',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'v text' }, { key: [2] }),
      QUIET,
      [],
    ],
    [
      'where the command casts all partitions',
      PARTITIONED,
      numbered({ 1: 'id integer', 2: 'v integer' }, { kind: 'p', partitions: [5, 6] }),
      { rewritten: false, command: 'alter table t alter v type int using v::int' },
      [cast(2, 'text', 'integer')],
    ],
  ])('%s', (_, before, after, hints, casts) => {
    const rows = rowsAfter(before, after, hints);
    const made = rows.kind === 'converted' ? rows.casts : null;
    expect(made?.map(({ attnum, from, to, byText }) => cast(attnum, from.name, to.name, byText))).toEqual(casts);
  });

  it('where labels of an enum have other names', () => {
    const labels = (...names: string[]) => ({ labels: names.map((label, i) => ({ oid: 70 + i, label })) });
    const moods = numbered({ 1: 'id integer', 2: 'v mood' });
    const before = retyped(moods, labels('sad', 'ok'));
    expect(rowsAfter(before, retyped(moods, labels('sad', 'ok', 'new')), QUIET)).toEqual({ kind: 'kept' });
    expect(rowsAfter(before, retyped(moods, labels('ok', 'sad')), QUIET)).toEqual({
      kind: 'converted',
      casts: [],
      relabelled: [
        {
          attnum: 2,
          labels: new Map([
            ['sad', 'ok'],
            ['ok', 'sad'],
          ]),
        },
      ],
    });
  });
});
