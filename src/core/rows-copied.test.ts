import { describe, expect, it } from 'vitest';
import { numbered } from '../../test/support/numbered-tables.js';
import { BEFORE, by, PARTITIONED, QUIET, REWRITTEN, retyped } from '../../test/support/rows-after.js';
import { type DiffHints, rowsAfter } from './rows-after.js';
import type { ColumnType } from './schema.js';
import type { TargetTable } from './target.js';

describe('rows are copied', () => {
  const left = numbered({ 1: 'id integer' }, { unpublished: ['secret'] });
  const hidden = { ...BEFORE, columns: BEFORE.columns.slice(0, 1) };

  it.each<[string, TargetTable, TargetTable, DiffHints]>([
    ['where an expression made values', BEFORE, BEFORE, by('alter table t alter v type text using upper(v)')],
    [
      'where an expression cast values',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'v integer' }),
      by('alter table t alter v type int using length(v)'),
    ],
    ['where what wrote them anew is not known', BEFORE, BEFORE, REWRITTEN],
    ['where what wrote them anew is another command', BEFORE, BEFORE, by('select migrate()')],
    [
      'where the type of partitions changed by what is not known',
      PARTITIONED,
      numbered({ 1: 'id integer', 2: 'v integer' }, { kind: 'p', partitions: [5, 6] }),
      QUIET,
    ],
    [
      'where a new column has a value in each row',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'v text', 3: { name: 'z', type: 'real', defaultExpression: 'random()' } }),
      by('alter table t add z real default random()'),
    ],
    [
      'where a new column is an identity',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'v text', 3: { name: 'z', type: 'integer', identity: 'a' } }),
      by('alter table t add z int generated always as identity'),
    ],
    [
      'where a new column may have the default of a domain',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'v text', 3: 'z price' }),
      by('alter table t add z price'),
    ],
    [
      'where the partitions may have a value for a new column',
      PARTITIONED,
      numbered(
        { 1: 'id integer', 2: 'v text', 3: { name: 'z', type: 'integer', defaultExpression: '5' } },
        { kind: 'p', partitions: [5, 6] },
      ),
      QUIET,
    ],
    [
      'where a generated column is generated anew',
      numbered({ 1: 'id integer', 2: { name: 'v', type: 'integer', generated: 's', defaultExpression: 'id + 1' } }),
      numbered({ 1: 'id integer', 2: { name: 'v', type: 'integer', generated: 's', defaultExpression: 'id + 2' } }),
      by('alter table t alter v set expression as (id + 2)'),
    ],
    [
      'where a partition came with rows',
      PARTITIONED,
      numbered({ 1: 'id integer', 2: 'v text' }, { kind: 'p', partitions: [5, 6, 7] }),
      QUIET,
    ],
    [
      'where a partition left and came back',
      numbered(
        { 1: 'id integer', 2: 'v text' },
        {
          kind: 'p',
          partitions: [5, 6],
          leaves: [
            [50, '700'],
            [60, '700 701'],
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
            [60, '702 701'],
          ],
        },
      ),
      QUIET,
    ],
    [
      'where a partition left',
      PARTITIONED,
      numbered({ 1: 'id integer', 2: 'v text' }, { kind: 'p', partitions: [5] }),
      QUIET,
    ],
    [
      'where the row filter is another',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'v text' }, { rowFilter: 'id > 0' }),
      QUIET,
    ],
    ['where a column is published that was not', left, numbered({ 1: 'id integer', 2: 'secret text' }), QUIET],
    [
      'where a column is published that was not, by another name',
      left,
      numbered({ 1: 'id integer', 2: 'open text' }),
      QUIET,
    ],
    ['where a column is replicated that was left out', hidden, BEFORE, QUIET],
    [
      'where a composite type has other attributes',
      retyped(BEFORE, { kind: 'c', attributes: [] }),
      retyped(BEFORE, { kind: 'c', attributes: [{ attnum: 1, type: BEFORE.columns[0]?.source.type as ColumnType }] }),
      QUIET,
    ],
  ])('%s', (_, before, after, hints) => {
    expect(rowsAfter(before, after, hints)).toEqual({ kind: 'copied', because: expect.any(String) });
  });
});
