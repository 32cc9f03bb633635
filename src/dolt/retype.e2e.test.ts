import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Alteration, type AlteredTables, createAlteredTables } from '../../test/support/altered-tables.js';
import { rowsAfter } from '../core/rows-after.js';
import type { TargetTable } from '../core/target.js';

// Postgres changes types, with and without USING; Dolt must hold what Postgres then shows, whichever way it takes.

/** Values by type, at the edges of what other types hold. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  boolean: ['t', 'f'],
  smallint: ['0', '-7', '32767'],
  integer: ['0', '1', '-7', '40000', '2147483647'],
  bigint: ['1', '-7', '9223372036854775807'],
  oid: ['0', '7', '4294967295'],
  numeric: ['0', '1', '1.0', '1.50', '-7.25', '0.001', '12345678901234567890.5', 'NaN', '1e-40'],
  'numeric(10,2)': ['0', '1.1', '-7.25', '12345678.99', 'NaN'],
  'numeric(12,2)': ['0', '1.1', '1234567890.99'],
  'numeric(12,4)': ['1.1', '7.1234'],
  'numeric(70,2)': ['1.1', '9e67'],
  real: ['0', '1.1', '-7', '1e-20', 'NaN', 'Infinity', '-0'],
  'double precision': ['0', '1.1', '-7', '1e300', 'NaN', '-Infinity', '-0'],
  money: ['1.10', '-1234.5'],
  text: ['', 'a', ' 1 ', '1', '1.50', 't', 'sad', '2020-01-01', "it's", 'ünï', 'longer than five', '{1,2}', '\\x00'],
  'character varying': ['', 'a', 'abc   ', '7', 'sad'],
  'character varying(5)': ['', 'a', 'abc  ', '7', 'sad'],
  'character varying(20)': ['', 'a', 'abc  ', '7', 'sad'],
  'character(5)': ['a', 'abc', '7', 'sad'],
  '"char"': ['a', '7', ''],
  name: ['a', 'sad'],
  uuid: ['00000000-0000-0000-0000-00000000000A'],
  bytea: ['\\x', '\\x00ff'],
  'bit(4)': ['0101'],
  'bit varying': ['', '01', '010101'],
  'bit varying(6)': ['', '01', '010101'],
  date: ['2020-02-29', 'infinity', '0044-03-15 BC'],
  'time without time zone': ['12:34:56.789', '24:00:00'],
  'time(1) without time zone': ['12:34:56.7'],
  'time with time zone': ['12:34:56.789+02'],
  'timestamp without time zone': ['2020-01-01 12:34:56.123456', 'infinity', '0044-03-15 12:00 BC'],
  'timestamp(3) without time zone': ['2020-01-01 12:34:56.123', '-infinity'],
  'timestamp with time zone': ['2020-01-01 12:34:56.123456+02', 'infinity'],
  interval: ['1 day 02:03:04.567', '-1 year'],
  'interval(1)': ['1 day 02:03:04.5'],
  inet: ['10.0.0.1', '10.0.0.0/8'],
  cidr: ['10.0.0.0/8', '10.0.0.1/32'],
  json: ['{"b":1,  "a":1.0}', '1'],
  jsonb: ['{"b":1,  "a":1.0}', '1'],
  'integer[]': ['{}', '{1,NULL}', '[0:1]={1,2}'],
  'bigint[]': ['{1,9007199254740993}'],
  'text[]': ['{}', '{1,2}', '{"a b",NULL}'],
  'character varying(3)[]': ['{}', '{1,2}'],
  'numeric[]': ['{1.50,2}'],
  mood: ['sad', 'ok'],
  feeling: ['sad', 'new'],
  'mood[]': ['{sad}'],
  price: ['1.10', '7'],
  words: ['sad', '7'],
  pair: ['(1,sad)'],
  int4range: ['[1,5)'],
  point: ['(1,2)'],
};

const TYPES = Object.keys(VALUES);

/** Whether Postgres takes a value in a way, as it takes it for a column of the new type. */
const SETUP = `
  create type mood as enum ('sad', 'ok'); create type feeling as enum ('new', 'sad');
  create domain price as numeric(10,2); create domain words as text; create type pair as (a int, b mood);
  create function casts(value text, source text, target text, way text) returns boolean language plpgsql as $$
  begin
    execute format('insert into %I select %s from (select %L::%s as c) given', 'of ' || target, way, value, source);
    return true;
  exception when others then return false;
  end $$`;

/** What may stand after USING, if anything. */
const WAYS = ['c', 'c::TYPE', 'c::text::TYPE'];

let tables: AlteredTables;
beforeAll(async () => {
  tables = await createAlteredTables();
  await tables.source.sql(SETUP);
  for (const type of TYPES) await tables.source.sql(`create table ${quoteName(`of ${type}`)} (c ${type})`);
});
afterAll(() => tables[Symbol.asyncDispose]());

interface Retype {
  readonly to: string;
  readonly using: string;
  readonly values: readonly string[];
}

/** To every other type: in the first way that Postgres takes for a value, with the values for which it does. */
async function retypesOf(from: string): Promise<Retype[]> {
  const rows = await tables.source.sql<{ value: string; to: string; way: string }>(
    `select value, target as to, way from unnest($2::text[]) target, unnest($3::text[]) way, unnest($1::text[]) value
     where casts(value, $4, target, replace(way, 'TYPE', target))`,
    [VALUES[from], TYPES, WAYS, from],
  );
  return TYPES.flatMap((to): Retype[] => {
    const way = WAYS.find((some) => rows.some((row) => row.to === to && row.way === some));
    if (way === undefined) return [];
    const values = rows.filter((row) => row.to === to && row.way === way).map(({ value }) => value);
    return [{ to, using: way === 'c' ? '' : `using ${way.replace('TYPE', () => to)}`, values }];
  });
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
let count = 0;

/** A column for each of the changes, and a key. */
async function retype(from: string, retypes: readonly Retype[]) {
  count += 1;
  const name = `retyped_${count}`;
  const columns = retypes.map((_, i) => `c${i} ${from}`);
  const rows = Array.from({ length: Math.max(...retypes.map(({ values }) => values.length)) }, (_, row) => {
    const cells = retypes.map(({ values }) => (values[row] === undefined ? 'null' : quote(values[row] ?? '')));
    return `(${[row, ...cells].join(', ')})`;
  });
  const table = await tables.create(
    name,
    `create table ${name} (id int primary key, ${columns.join(', ')}); insert into ${name} values ${rows.join(', ')};
     do $$ begin create index on ${name} (c0); exception when others then null; end $$`,
  );
  const actions = retypes.map(
    ({ to, using }, i) => `alter c${i} type ${to} ${using.replace('using c::', `using c${i}::`)}`,
  );
  return table.alter(`alter table ${name} ${actions.join(', ')}`);
}

/** What Dolt's own ALTER does exactly, beside leaving a type as it is. */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  smallint: ['integer', 'bigint'],
  integer: ['bigint'],
  'numeric(10,2)': ['numeric(12,2)', 'price'],
  price: ['numeric(10,2)', 'numeric(12,2)'],
  text: ['character varying', 'mood', 'feeling', 'words'],
  words: ['text', 'character varying', 'mood', 'feeling'],
  'character varying': ['text', 'mood', 'feeling', 'words'],
  'character varying(5)': ['text', 'character varying', 'character varying(20)', 'mood', 'feeling', 'words'],
  'character varying(20)': ['text', 'character varying', 'mood', 'feeling', 'words'],
  mood: ['text', 'character varying', 'feeling', 'words'],
  feeling: ['text', 'character varying', 'mood', 'words'],
  uuid: ['text', 'character varying', 'words'],
  json: ['text', 'character varying', 'words'],
  'bit varying(6)': ['bit varying'],
  'time(1) without time zone': ['time without time zone'],
  'timestamp(3) without time zone': ['timestamp without time zone'],
  'interval(1)': ['interval'],
  'bigint[]': ['text[]'],
  'numeric[]': ['text[]'],
  'text[]': ['mood[]'],
  'character varying(3)[]': ['text[]', 'mood[]'],
  'mood[]': ['text[]'],
};
const byOrder = (a: string, b: string): number => TYPES.indexOf(a) - TYPES.indexOf(b);

/** Whether one of the columns alone might be left to Dolt. */
function mayBeKept({ before, after, hints }: Alteration, column: number): boolean {
  const only = (table: TargetTable): TargetTable => ({
    ...table,
    columns: table.columns.filter((_, i) => i === 0 || i === column + 1),
  });
  return rowsAfter(only(before), only(after), { ...hints, rewritten: false }).kind === 'kept';
}

describe.each(TYPES)('from %s', (from) => {
  it('to all types that it can be cast to', async () => {
    const retypes = await retypesOf(from);
    expect(retypes.length).toBeGreaterThan(2);
    const all = await retype(from, retypes);
    expect(all.differences).toEqual([]);
    expect(all.rows.kind).not.toBe('copied');

    const kept: string[] = [];
    for (const [i, one] of retypes.entries()) {
      if (!mayBeKept(all, i)) continue;
      const alone = await retype(from, [one]);
      expect(alone.differences, `to ${one.to}`).toEqual([]);
      if (alone.rows.kind === 'kept') kept.push(one.to);
    }
    expect(kept).toEqual([from, ...(KEPT[from] ?? [])].sort(byOrder));
  });
});
