import { describe, expect, it } from 'vitest';
import { readRetypings } from './alter-command.js';

const of = (command: string, column = 'c', type = 'integer', table = 't') =>
  readRetypings(command, [table])?.of(column, type) ?? null;

describe('a column whose values were cast', () => {
  it.each([
    ['without USING', 'alter table t alter c type int'],
    ['in other words', 'ALTER TABLE ONLY public.t ALTER COLUMN c SET DATA TYPE integer;'],
    [
      'with what is not about types',
      'alter table if exists t * add x int, alter c type int, drop y, alter z set default 1',
    ],
    ['with commas and parentheses of other actions', 'alter table t add check (f(a, b) > 0), alter c type int'],
    ['USING itself', 'alter table t alter c type int using c'],
    ['USING its cast', 'alter table t alter c type int using c::int'],
    ['USING its cast, in parentheses', 'alter table t alter c type int using ((c)::integer)'],
    ['USING its cast, in words', 'alter table t alter c type int using cast(c as int4)'],
    ['USING its cast, quoted', 'alter table "t" alter "c" type int using "c" :: pg_catalog.int4'],
    ['USING its cast, with remarks', 'alter table t -- ; drop table t\n alter /* c /* d */ */ c type int using c::int'],
    ['in a script', `begin; set search_path = 'x'; alter table t alter c type int; commit`],
    ['beside another table', 'alter table u alter c type int using f(c); alter table t alter c type int'],
    ['beside another column', 'alter table t alter d type text using f(d), alter c type int using c::int'],
    ['after a comment with quotes', '-- it\'s\n/* " */ alter table t alter c type int'],
    [
      'beside a function',
      `create function f() returns int language sql as $f$ select ';' $f$; alter table t alter c type int`,
    ],
  ])('%s', (_, command) => {
    expect(of(command)).toBe('cast');
  });

  it.each([
    ['numeric(10,2)', 'alter table t alter c type decimal(10, 2) using c::numeric(10,2)'],
    ['timestamp with time zone', 'alter table t alter c type timestamptz using c::timestamp with time zone'],
    ['timestamp(3) without time zone', 'alter table t alter c type timestamp(3) using c::timestamp(3)'],
    ['character varying(20)', 'alter table t alter c type varchar(20) using c::varchar(20)'],
    ['public.mood', 'alter table t alter c type mood using c::mood'],
    ['public."Mood"', 'alter table t alter c type public."Mood" using c::public."Mood"'],
    ['integer[]', 'alter table t alter c type int[] using c::int[]'],
    ['double precision', 'alter table t alter c type float8 using c::double precision'],
  ])('to %s', (type, command) => {
    expect(of(command, 'c', type)).toBe('cast');
  });

  it('with a name that has to be quoted', () => {
    const command = 'alter table "My ""t" alter "My, c" type int using "My, c"::int';
    expect(of(command, 'My, c', 'integer', 'My "t')).toBe('cast');
  });

  it('by way of text', () => {
    const type = 'public.mood_new';
    expect(of('alter table t alter c type mood_new using c::text::mood_new', 'c', type)).toBe('by text');
    expect(of('alter table t alter c type mood_new using cast(c::varchar as mood_new)', 'c', type)).toBe('by text');
  });
});

describe('what can not be told is unknown', () => {
  it.each([
    ['an expression', 'alter table t alter c type int using c::int + 1'],
    ['a function', 'alter table t alter c type int using length(c)'],
    ['a cast of an expression', 'alter table t alter c type int using (c || d)::int'],
    ['another column', 'alter table t alter c type int using d::int'],
    ['a value', `alter table t alter c type int using '1'`],
    ['another column of the same name', 'alter table t alter c type int using "C"::int'],
    ['a qualified column', 'alter table t alter c type int using t.c::int'],
    ['a cast to another type', 'alter table t alter c type int using c::bigint'],
    ['a cast by another type', 'alter table t alter c type int using c::numeric::int'],
    ['a cast that cuts', 'alter table t alter c type int using c::varchar(2)::int'],
    ['a time zone', `alter table t alter c type timestamptz using c at time zone 'UTC'`],
    ['a collation', 'alter table t alter c type int using c collate "C"'],
    ['a cast in a CASE', 'alter table t alter c type int using case when true then c::int end'],
    ['another column that is altered', 'alter table t alter d type int'],
    ['twice, in two ways', 'alter table t alter c type int using f(c); alter table t alter c type int'],
  ])('%s', (_, command) => {
    expect(of(command)).toBe('unknown');
  });

  it.each([
    ['another table', 'alter table u alter c type int'],
    ['a function that does it', 'select migrate()'],
    ['a function beside it', 'alter table t alter c type int; select migrate()'],
    ['a block', 'do $$ begin alter table t alter c type int using c::int; end $$'],
    ['a procedure', 'call migrate()'],
    ['a prepared statement', 'execute migrate'],
    ['a statement that is not closed', 'alter table t alter c type int using "c'],
    [
      'a string by the settings of the session',
      `comment on table t is 'a\\'; alter table t alter c type int using f(c) --'`,
    ],
    ['names in Unicode escapes', 'alter table t alter c type int using u&"\\0063"'],
    ['a text that was cut', 'alter table t alter c type int; alter table t alter c type bigint; ...'],
    ['nothing', ''],
  ])('of %s nothing', (_, command) => {
    expect(of(command)).toBeNull();
  });

  it('of any column, where one is converted by an expression', () => {
    expect(readRetypings('alter table t alter c type text using upper(c)', ['t'])?.plain).toBe(false);
    expect(readRetypings('alter table t alter c type text using c, alter d type int', ['t'])?.plain).toBe(true);
    expect(readRetypings('alter table t set logged', ['t'])?.plain).toBe(true);
    expect(readRetypings('alter table t set access method heap', ['t'])?.plain).toBe(true);
  });

  it('of any column, where what it says is no reason to write rows anew, or another table may be the reason', () => {
    expect(readRetypings('alter table t add exclude using gist (c with &&)', ['t'])?.plain).toBe(false);
    const parent = 'alter table parent alter c type int using c + 1';
    expect(readRetypings(`${parent}; alter table t alter id set statistics 50`, ['t'])?.plain).toBe(false);
    expect(readRetypings(`${parent}; alter table t alter id type bigint`, ['t'])?.plain).toBe(false);
  });
});
