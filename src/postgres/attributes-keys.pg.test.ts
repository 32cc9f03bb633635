import { describe, expect, it } from 'vitest';
import { inferAll, LOOK, type Step, type Story, told } from '../../test/support/announced.js';
import { postgresVersion } from '../../test/support/postgres.js';
import { keyAttnums } from '../core/schema.js';

describe('a column is NOT NULL', () => {
  it.each<[string, string, Step[], string]>([
    ['as it was', 'a int not null', [], 'unchanged'],
    ['as long as it is', 'a int not null', ['alter table t alter a drop not null', LOOK], '1 a integer'],
    ['since before', 'a int', ['alter table t alter a set not null', LOOK], '1 a integer!'],
    ['since nobody knows when', 'a int', ['alter table t alter a set not null'], 'unchanged'],
    ['still, where nobody knows if always', 'a int not null', ['alter table t rename a to b'], '1 b integer!'],
    ['as the new key', 'a int', ['alter table t add primary key (a)'], '1 a integer!'],
    [
      'where it is new and older rows have a value',
      'a int',
      [`alter table t add b int not null default 1`],
      '1 a integer, 2 b integer!',
    ],
    [
      'where it is new and older rows may have none',
      'a int',
      [`alter table t add b int not null`],
      '1 a integer, 2 b integer',
    ],
  ])('%s', async (_, columns, steps, expected) => {
    const row = 'do $$ begin insert into t select 1, 2; exception when others then insert into t select 1; end $$';
    expect(await told({ create: `create table t (${columns})`, steps: [...steps, row] })).toEqual([expected]);
  });

  it.runIf(postgresVersion() >= 18)('for new rows only', async () => {
    const create = 'create table t (id int primary key, a int); insert into t values (1)';
    const constraint = 'alter table t add constraint n not null a not valid';
    const row = 'insert into t values (2, 2)';
    expect(await told({ create, steps: [constraint, LOOK, row] })).toEqual(['unchanged']);
    const later = ['delete from t where id = 1', 'alter table t validate constraint n'];
    expect(await told({ create, steps: [constraint, LOOK, row, ...later] })).toEqual(['unchanged']);
  });
});

describe('a table that is announced', () => {
  /** Its key, and its indexes: name, U for unique, attnums. */
  async function indexes(story: Story): Promise<string[]> {
    const { stored, inferred } = await inferAll(story);
    let table = stored;
    return inferred.map((found) => {
      if (found.kind === 'ambiguous') return found.why;
      if (found.kind === 'changed') table = found.schema;
      const each = table.indexes.map(
        ({ name, unique, attnums }) => ` ${name}:${unique ? 'U' : ''}${attnums?.join('+')}`,
      );
      return `[${keyAttnums(table).join()}]${each.join('')}`;
    });
  }

  it.each<[string, string, Step[], string]>([
    ['has its key', 'a int, b int, primary key (b, a)', [], '[2,1] t_pkey:U2+1'],
    ['has a new key', 'a int not null, b int', ['alter table t add primary key (a)'], '[1] t_pkey:U1'],
    ['has lost its key', 'a int primary key, b int', ['alter table t drop constraint t_pkey'], '[]'],
    [
      'has lost its key only later',
      'a int primary key, b int',
      ['ROW', 'alter table t drop constraint t_pkey'],
      '[1] t_pkey:U1',
    ],
    ['gets a key only later', 'a int, b int', ['ROW', 'alter table t add primary key (a)'], '[] t_pkey:1'],
    [
      'gets another key only later',
      'a int primary key, b int',
      ['ROW', 'alter table t drop constraint t_pkey, add primary key (b)'],
      '[1] t_pkey:U1',
    ],
    [
      'had another key for a moment',
      'a int, b int',
      ['alter table t add constraint k primary key (b, a)', 'ROW', 'alter table t drop constraint k'],
      '[1,2] t_pkey:U1+2',
    ],
    [
      'has another key',
      'a int primary key, b int',
      ['alter table t drop constraint t_pkey, add primary key (b, a)'],
      '[2,1] t_pkey:U2+1',
    ],
    [
      'has a key that may be violated',
      'a int, b int',
      ['alter table t add primary key (a) deferrable', LOOK],
      '[] t_pkey:U1',
    ],
    [
      'has whole old rows and its key',
      'a int primary key, b int',
      [LOOK, 'alter table t replica identity full'],
      '[1] t_pkey:U1',
    ],
    [
      'has whole old rows and maybe a key',
      'a int, b int',
      ['alter table t add primary key (a); alter table t replica identity full'],
      '[] t_pkey:1',
    ],
    [
      'has no identity and maybe no key',
      'a int primary key, b int',
      ['alter table t replica identity nothing', 'ROW', 'alter table t drop constraint t_pkey'],
      '[]',
    ],
    [
      'has an identity',
      'a int not null unique, b int',
      ['alter table t replica identity using index t_a_key'],
      '[1] t_a_key:U1',
    ],
    [
      'has an identity until later',
      'a int primary key, b int not null unique',
      ['alter table t replica identity using index t_b_key', 'ROW', 'alter table t replica identity default'],
      '[2] t_b_key:U2 t_pkey:U1',
    ],
    [
      'has an identity whose index is gone later',
      'a int, b int not null',
      ['create unique index u on t (b); alter table t replica identity using index u', 'ROW', 'drop index u'],
      '[2] t_identity:U2',
    ],
    [
      'has an identity without its index',
      'a int primary key, b int not null unique',
      [LOOK, 'alter table t replica identity using index t_b_key; alter table t drop constraint t_b_key'],
      '[1] t_pkey:U1',
    ],
    [
      'has a key with a column that may not be sent',
      'a int, b int, g int generated always as (a) stored, primary key (a, g)',
      ['ROW', 'alter table t drop constraint t_pkey, add primary key (b)'],
      '[] t_pkey:U1+3',
    ],
    ['has a new unique index', 'a int, b int', ['create unique index u on t (a)', LOOK], '[] u:U1'],
    ['has a unique index, nobody knows since when', 'a int, b int', ['create unique index u on t (a)'], '[] u:1'],
    ['has a unique index that it had', 'a int unique, b int', [], '[] t_a_key:U1'],
    ['has a new index', 'a int, b int', ['create index i on t (b)'], '[] i:2'],
    [
      'has no index of later columns',
      'a int, b int',
      ['ROW', 'alter table t add c int; create index i on t (c)'],
      '[]',
    ],
    ['has no index that is gone', 'a int, b int unique', ['ROW', 'alter table t drop constraint t_b_key'], '[]'],
  ])('%s', async (_, columns, steps, expected) => {
    const row = 'insert into t values (1, 2)';
    const done = steps.includes('ROW') ? steps.map((step): Step => (step === 'ROW' ? row : step)) : [...steps, row];
    expect(await indexes({ create: `create table t (${columns})`, steps: done })).toEqual([expected]);
  });
});
