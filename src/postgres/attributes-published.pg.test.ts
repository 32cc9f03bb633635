import { describe, expect, it } from 'vitest';
import { LOOK, type Step, told } from '../../test/support/announced.js';
import { postgresVersion } from '../../test/support/postgres.js';

const ROW = 'insert into t default values';

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
      'carries its root, whose last column was dropped and one of another type added',
      'create table t (id int, a text) partition by list (id); create table t1 partition of t for values in (1); create publication pub for all tables with (publish_via_partition_root)',
      [`begin; alter table t drop a; alter table t add a int; ${row}; commit`],
      ['1 id integer, 3 a integer'],
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
      ['1 id integer, 2 a text'],
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
