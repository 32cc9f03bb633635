import { describe, expect, it } from 'vitest';
import { columnsOf, inferAll, LOOK, type Step, type Story } from '../../test/support/announced.js';
import { postgresVersion } from '../../test/support/postgres.js';
import { keyAttnums } from '../core/schema.js';

const P = 'create table t (id int default 1, a text, b int)';
const ROW = 'insert into t default values';

/** Of each announcement what the table's columns are, or why that is not known. */
async function told(story: Story): Promise<string[]> {
  const { stored, inferred } = await inferAll(story);
  let table = stored;
  return inferred.map((found) => {
    if (found.kind === 'ambiguous') return found.why;
    if (found.kind === 'unchanged') return 'unchanged';
    table = found.schema;
    return `${columnsOf(table)}${found.rewritten ? ', rewritten' : ''}`;
  });
}

describe('a table that is announced is', () => {
  it.each<[string, Step[], string[]]>([
    ['as it was', [ROW, 'analyze t', ROW], ['unchanged', 'unchanged']],
    ['with a column more', ['alter table t add c text', ROW], ['1 id integer, 2 a text, 3 b integer, 4 c text']],
    [
      'with one that has a value in older rows',
      [`alter table t add c text not null default 'x'`, ROW],
      ['1 id integer, 2 a text, 3 b integer, 4 c text!'],
    ],
    ['with a column less', ['alter table t drop a', ROW], ['1 id integer, 3 b integer']],
    ['with a column renamed', ['alter table t rename a to c', ROW], ['1 id integer, 2 c text, 3 b integer']],
    [
      'with other types',
      ['alter table t alter a type varchar(9), alter b type bigint', ROW],
      ['1 id integer, 2 a character varying(9), 3 b bigint, rewritten'],
    ],
    [
      'with a type that needs no new file',
      ['alter table t alter a type varchar', ROW],
      ['1 id integer, 2 a character varying, 3 b integer'],
    ],
    [
      'with two names swapped',
      ['begin; alter table t rename a to x; alter table t rename b to a; alter table t rename x to b; commit', ROW],
      ['1 id integer, 2 b text, 3 a integer'],
    ],
    [
      'with a column dropped and added again',
      ['alter table t drop a; alter table t add a text', ROW],
      ['1 id integer, 3 b integer, 4 a text'],
    ],
    [
      'with its last column dropped and one of another length added',
      ['alter table t drop b; alter table t add b text', ROW],
      ['1 id integer, 2 a text, 4 b text'],
    ],
    [
      'with its last column dropped and added again',
      ['alter table t drop b; alter table t add b int', LOOK, ROW],
      ['1 id integer, 2 a text, 4 b integer'],
    ],
    [
      'with its last column dropped and added again later',
      [ROW, LOOK, LOOK, 'alter table t drop b; alter table t add b int'],
      ['unchanged'],
    ],
    [
      'with its last column dropped and added again, nobody knows when',
      [ROW, 'alter table t drop b; alter table t add b int', ROW],
      [
        'public.t: the table was changed again since, or it is not known when, so that the column b may be the former b or a new column',
      ],
    ],
    [
      'announced again for each change',
      [ROW, 'alter table t add c int', ROW, 'alter table t drop a', ROW],
      ['unchanged', '1 id integer, 2 a text, 3 b integer, 4 c integer', '1 id integer, 3 b integer, 4 c integer'],
    ],
    [
      'changed inside of a transaction',
      [`begin; ${ROW}; alter table t rename a to c; ${ROW}; commit`],
      ['unchanged', '1 id integer, 2 c text, 3 b integer'],
    ],
    [
      'changed inside of a subtransaction',
      [`begin; ${ROW}; savepoint s; alter table t drop b; alter table t add b int; ${ROW}; release s; commit`],
      [
        'public.t: the table was changed again since, or it is not known when, so that the column b may be the former b or a new column',
      ],
    ],
    [
      'as it was before a change that was rolled back',
      [`begin; alter table t drop b; ${ROW}; rollback`, ROW],
      ['unchanged'],
    ],
    [
      'altered later',
      [ROW, 'alter table t drop a; alter table t rename b to c; alter table t add d int'],
      ['unchanged'],
    ],
    ['dropped later', [ROW, 'drop table t'], ['unchanged']],
    [
      'altered and dropped later',
      ['alter table t rename a to c', ROW, 'drop table t'],
      ['public.t: its columns changed and the table was dropped since, so what they were is not known'],
    ],
    [
      'with a column that is gone again',
      ['alter table t add c int', ROW, 'alter table t drop c'],
      ['public.t: the column c is new and by now gone again, so what it shows in older rows is not known'],
    ],
    // Its file is another one from now on.
    ['emptied', [ROW, LOOK, 'truncate t', ROW], ['1 id integer, 2 a text, 3 b integer', 'unchanged', 'unchanged']],
    ['packed', [ROW, 'vacuum full t', ROW], ['1 id integer, 2 a text, 3 b integer', 'unchanged']],
    [
      'written anew with the same columns',
      [ROW, 'alter table t alter b type int using -b', ROW],
      ['1 id integer, 2 a text, 3 b integer, rewritten', 'unchanged'],
    ],
    [
      'written anew, also where that column is gone later',
      [`alter table t alter b type int using -b`, ROW, 'alter table t drop b'],
      ['1 id integer, 2 a text, 3 b integer, rewritten'],
    ],
    [
      'written anew for a column that is announced later',
      [LOOK, ROW, LOOK, 'alter table t add c float default random()', ROW],
      [
        '1 id integer, 2 a text, 3 b integer, rewritten',
        '1 id integer, 2 a text, 3 b integer, 4 c double precision, rewritten',
      ],
    ],
    ['renamed', ['alter table t rename to u', 'insert into u default values'], ['1 id integer, 2 a text, 3 b integer']],
  ])('%s', async (_, steps, expected) => {
    expect(await told({ create: P, steps })).toEqual(expected);
  });
});

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

describe('of a table that is announced, the publication', () => {
  const PLAIN = 'create table t (id int primary key, a text, b int, c int)';
  const row = 'insert into t (id) values (1)';

  it.each<[string, string, Step[], string[]]>([
    ['lists the columns', `${PLAIN}; create publication pub for table t (id, b)`, [row], ['unchanged']],
    [
      'lists columns that are renamed',
      `${PLAIN}; create publication pub for table t (id, b)`,
      ['alter table t rename b to a2; alter table t rename a to b', row],
      ['1 id integer!, 3 a2 integer'],
    ],
    [
      'lists columns, and there are new ones',
      `${PLAIN}; create publication pub for table t (id, b)`,
      ['alter table t add d int; alter table t drop c', row],
      ['1 id integer!, 3 b integer'],
    ],
    [
      'lists other columns, nobody knows since when',
      `${PLAIN}; create publication pub for table t (id, b)`,
      ['alter publication pub set table t (id, c)', row],
      ['1 id integer!, 4 c integer, rewritten'],
    ],
    [
      'does not carry it later',
      `${PLAIN}; create publication pub for table t`,
      ['alter table t rename a to d', row, 'alter publication pub drop table t'],
      ['1 id integer!, 2 d text, 3 b integer, 4 c integer'],
    ],
    [
      'was dropped later',
      `${PLAIN}; create publication pub for table t`,
      ['alter table t rename a to d', row, 'drop publication pub'],
      ['1 id integer!, 2 d text, 3 b integer, 4 c integer'],
    ],
    [
      'carries its root',
      'create table t (id int, a text) partition by list (id); create table t1 partition of t for values in (1); create publication pub for all tables with (publish_via_partition_root)',
      ['alter table t add b int', row],
      ['1 id integer, 2 a text, 3 b integer'],
    ],
    [
      'carries its root, whose partitions are written anew',
      'create table t (id int, a text) partition by list (id); create table t1 partition of t for values in (1); create publication pub for all tables with (publish_via_partition_root)',
      ['alter table t alter a type text using a || a', row],
      ['1 id integer, 2 a text, rewritten'],
    ],
    [
      'carries its root, whose partition was emptied',
      'create table t (id int, a text) partition by list (id); create table t1 partition of t for values in (1); create publication pub for all tables with (publish_via_partition_root)',
      ['truncate t1', row],
      ['unchanged'],
    ],
    [
      'carries its root, which has a new column with a value',
      'create table t (id int, a text) partition by list (id); create table t1 partition of t for values in (1); create publication pub for all tables with (publish_via_partition_root)',
      ['alter table t add b float default random()', row],
      ['1 id integer, 2 a text, 3 b double precision, rewritten'],
    ],
  ])('%s', async (_, create, steps, expected) => {
    expect(await told({ create, steps })).toEqual(expected);
  });
});

describe('the type of a column', () => {
  it.each<[string, string, Step[], string[]]>([
    [
      'was another between',
      'a int',
      ['alter table t alter a type uuid using null', 'ROW', 'alter table t alter a type bytea using null'],
      ['1 a uuid, rewritten'],
    ],
    [
      'was a domain between',
      'a int',
      ['create domain d as numeric(4,2); alter table t alter a type d', 'ROW', 'alter table t alter a type int'],
      ['1 a public.d, rewritten'],
    ],
    [
      'is gone',
      'a int',
      [`alter table t alter a type e using 'x'`, 'ROW', 'drop table t2'],
      ['1 a public.e, rewritten'],
    ],
    [
      'is gone and was another between',
      'a int',
      [`alter table t alter a type e using 'x'`, 'ROW', 'alter table t alter a type int using 1; drop type e cascade'],
      [expect.stringMatching(/^public.t: the type of the column a \(oid \d+\) was dropped since$/)],
    ],
    ['has other labels', 'a e', [`alter type e rename value 'x' to 'y'`, LOOK, 'ROW'], ['1 a public.e']],
    [
      'has other labels, nobody knows since when',
      'a e',
      ['ROW', `alter type e rename value 'x' to 'y'`],
      ['unchanged'],
    ],
    ['has more labels', 'a e[]', [`alter type e add value 'y'`, LOOK, 'ROW'], ['1 a public.e[]']],
    ['has other columns', 'a c', ['alter type c add attribute z int', LOOK, 'ROW'], ['1 a public.c']],
    ['has another name', 'a e', ['alter type e rename to f', LOOK, 'ROW'], ['1 a public.f']],
  ])('%s', async (_, columns, steps, expected) => {
    const create = `create type e as enum ('x'); create type c as (x e); create table t2 (); create table t (${columns})`;
    const done = steps.map((step): Step => (step === 'ROW' ? 'insert into t values (null)' : step));
    expect(await told({ create, steps: done })).toEqual(expected);
  });
});

describe.runIf(postgresVersion() >= 18)('a generated column', () => {
  const create = `create table t (id int default 1, g int generated always as (2) stored, v int generated always as (3));
    create publication pub for all tables with (publish_generated_columns = stored)`;

  it.each<[string, Step[], string[]]>([
    ['is announced', ['alter table t rename g to h', ROW], ['1 id integer, 2 h integer']],
    ['becomes a plain one', ['alter table t alter g drop expression', ROW], ['1 id integer, 2 g integer']],
    [
      'is written anew',
      ['alter table t alter g set expression as (id)', ROW],
      ['1 id integer, 2 g integer, rewritten'],
    ],
    [
      'is none',
      // As far as can be known, it may be the one that was there and not sent.
      ['alter table t drop v; alter table t add v int', LOOK, ROW],
      ['1 id integer, 2 g integer, 4 v integer, rewritten'],
    ],
    [
      'is added',
      ['alter table t add h int generated always as (id) stored', ROW],
      ['1 id integer, 2 g integer, 4 h integer, rewritten'],
    ],
  ])('%s', async (_, steps, expected) => {
    expect(await told({ create, steps })).toEqual(expected);
  });
});

it('a generated column that becomes a plain one shows what was never sent', async () => {
  const create = `create table t (id int default 1, g int generated always as (id) stored, b int);
    create publication pub for all tables`;
  expect(await told({ create, steps: ['alter table t alter g drop expression', ROW] })).toEqual([
    '1 id integer, 2 g integer, 3 b integer, rewritten',
  ]);
});
