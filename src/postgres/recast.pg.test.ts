import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPostgresDatabase, type PostgresDatabase, postgresVersion } from '../../test/support/postgres.js';
import type { ColumnType } from '../core/schema.js';
import { readTables } from './catalog.js';
import { connectSource } from './client.js';
import { recast } from './recast.js';

/** A session as wal2dolt has them, and types as the catalog describes them. */
class Recasting implements AsyncDisposable {
  readonly source: PostgresDatabase;
  readonly #client: pg.Client;

  private constructor(source: PostgresDatabase, client: pg.Client) {
    this.source = source;
    this.#client = client;
  }

  static async create(scene = ''): Promise<Recasting> {
    const source = await createPostgresDatabase();
    await source.sql(`create publication p for all tables; ${scene}`);
    return new Recasting(source, await connectSource(source.url, 'test'));
  }

  async typeOf(name: string): Promise<ColumnType> {
    await this.source.sql(`create table typed (v ${name})`);
    const [table] = (await readTables(this.#client, 'p')).filter((table) => table.name === 'typed');
    await this.source.sql('drop table typed');
    const type = table?.columns[0]?.type;
    if (!type) throw new Error(`no type ${name}`);
    return type;
  }

  async cast(
    [from, to]: readonly [from: string, to: string],
    texts: readonly string[],
    settings: Readonly<Record<string, string>> = {},
    byText = false,
  ): Promise<(string | null)[]> {
    const cast = { from: await this.typeOf(from), to: await this.typeOf(to), byText };
    return recast(this.#client, cast, settings, texts);
  }

  /** What a table has after ALTER … TYPE in a session with these settings, printed as our sessions print. */
  async altered(
    [from, to]: readonly [from: string, to: string],
    texts: readonly string[],
    settings: Readonly<Record<string, string>>,
    using: string,
  ): Promise<(string | null)[]> {
    const ours = await connectSource(this.source.url, 'test');
    const theirs = await this.source.client();
    await ours.query(`create table public.altered (n int, v ${from})`);
    await ours.query(
      `insert into public.altered select n, v::${from} from unnest($1::text[]) with ordinality u (v, n)`,
      [texts],
    );
    for (const [name, value] of Object.entries(settings)) {
      await theirs.query('select set_config($1, $2, false)', [name, value]);
    }
    await theirs.query(`alter table public.altered alter v type ${to} using ${using}`);
    const { rows } = await ours.query('select v from public.altered order by n');
    await ours.query('drop table public.altered');
    await ours.end();
    await theirs.end();
    return rows.map(({ v }) => v);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
    await this.source[Symbol.asyncDispose]();
  }
}

const TOKYO = { TimeZone: 'Asia/Tokyo' };
const GERMAN = { DateStyle: 'German, DMY' };
const DMY = { DateStyle: 'ISO, DMY', TimeZone: 'UTC' };
const ODD = {
  DateStyle: 'SQL, DMY',
  IntervalStyle: 'iso_8601',
  TimeZone: 'America/New_York',
  extra_float_digits: '0',
  bytea_output: 'escape',
};

type Case = readonly [
  from: string,
  to: string,
  settings: Readonly<Record<string, string>>,
  texts: readonly string[],
  made: readonly string[],
  byText?: boolean,
];

const CASES: readonly Case[] = [
  ['integer', 'text', {}, ['1', '-7'], ['1', '-7']],
  ['text', 'integer', {}, [' 12 ', '-0'], ['12', '0']],
  ['boolean', 'text', {}, ['t', 'f'], ['true', 'false']],
  ['text', 'boolean', {}, ['yes', 'off'], ['t', 'f']],
  ['boolean', 'integer', {}, ['t'], ['1']],
  ['numeric', 'numeric(6,2)', {}, ['1.005', '-9999.994', 'NaN'], ['1.01', '-9999.99', 'NaN']],
  ['numeric(8,4)', 'numeric(5,-2)', {}, ['149.5000', '150.0000'], ['100', '200']],
  ['double precision', 'integer', {}, ['2.5', '-1.5'], ['2', '-2']],
  ['double precision', 'text', { extra_float_digits: '0' }, ['0.30000000000000004'], ['0.3']],
  ['double precision', 'numeric', { extra_float_digits: '0' }, ['0.30000000000000004'], ['0.3']],
  ['double precision', 'double precision', ODD, ['0.30000000000000004'], ['0.30000000000000004']],
  [
    'double precision',
    'numeric(20,18)',
    { extra_float_digits: '0' },
    ['0.30000000000000004'],
    ['0.300000000000000000'],
    true,
  ],
  ['text', 'character(5)', {}, ['ab', 'abcdef '.slice(0, 5)], ['ab   ', 'abcde']],
  ['character(5)', 'text', {}, ['ab   '], ['ab']],
  ['character(5)', 'character varying(5)', {}, ['ab   '], ['ab']],
  ['character varying', 'character varying(2)', {}, ['ab  '], ['ab']],
  ['text', 'date', DMY, ['02/03/2020', '2020-03-02'], ['2020-03-02', '2020-03-02']],
  ['text', 'date', { DateStyle: 'ISO, MDY' }, ['02/03/2020'], ['2020-02-03']],
  ['date', 'text', GERMAN, ['2020-03-02', '0044-03-15 BC', 'infinity'], ['02.03.2020', '15.03.0044 BC', 'infinity']],
  ['date', 'timestamp without time zone', GERMAN, ['2020-03-02'], ['2020-03-02 00:00:00'], true],
  [
    'timestamp without time zone',
    'timestamp with time zone',
    TOKYO,
    ['2020-03-02 00:00:00'],
    ['2020-03-01 15:00:00+00'],
  ],
  [
    'timestamp with time zone',
    'timestamp without time zone',
    TOKYO,
    ['2020-03-02 00:00:00+00'],
    ['2020-03-02 09:00:00'],
  ],
  ['timestamp with time zone', 'text', ODD, ['2020-07-02 00:00:00+00'], ['01/07/2020 20:00:00 EDT']],
  ['timestamp with time zone', 'date', ODD, ['2020-07-02 00:00:00+00'], ['2020-07-01']],
  ['interval', 'text', ODD, ['-1 days +02:00:00', '1 year 2 mons'], ['P-1DT2H', 'P1Y2M']],
  ['interval', 'interval hour', ODD, ['1 day 02:30:00'], ['1 day 02:00:00']],
  ['bytea', 'text', ODD, ['\\x61ff'], ['a\\377']],
  ['integer[]', 'text[]', {}, ['{1,NULL,-3}', '[2:3]={1,2}', '{}'], ['{1,NULL,-3}', '[2:3]={1,2}', '{}']],
  ['text[]', 'integer[]', {}, ['{{1,2},{3,4}}'], ['{{1,2},{3,4}}']],
  ['text[]', 'date[]', DMY, ['{02/03/2020,NULL}'], ['{2020-03-02,NULL}']],
  ['public.mood', 'text', {}, ['so so', 'it"s'], ['so so', 'it"s']],
  ['text', 'public.mood', {}, ['so so'], ['so so']],
  ['public.mood', 'public.other', {}, ['so so'], ['so so'], true],
  ['public.mood[]', 'text[]', {}, ['{"so so",NULL}'], ['{"so so",NULL}']],
  ['text', '"odd schema"."Name"', {}, ['5'], ['5']],
  ['text', 'public.pair', {}, ['(,)', '(1,"a b")'], ['(,)', '(1,"a b")']],
  ['json', 'jsonb', {}, ['{"b": 1, "a" : [1.0]}'], ['{"a": [1.0], "b": 1}']],
  ['int4range', 'text', {}, ['[1,3)'], ['[1,3)']],
  ['text', 'name', {}, ['a  b '], ['a  b ']],
  ['money', 'numeric', {}, ['-$1,234.50'], ['-1234.50']],
  ['inet', 'text', {}, ['10.0.0.1'], ['10.0.0.1/32']],
];

const SCENE = `create type mood as enum ('so so', 'it"s'); create type other as enum ('so so');
  create type pair as (a int, b text); create schema "odd schema"; create domain "odd schema"."Name" as int check (value > 0)`;

describe('values are cast as ALTER TABLE casts them', () => {
  let recasting: Recasting;
  beforeAll(async () => {
    recasting = await Recasting.create(SCENE);
  });
  afterAll(() => recasting[Symbol.asyncDispose]());

  it.each(
    CASES.map((one) => [`${one[0]} to ${one[1]}${one[5] ? ' by text' : ''} ${JSON.stringify(one[2])}`, one] as const),
  )('%s', async (_, [from, to, settings, texts, made, byText = false]) => {
    expect(await recasting.cast([from, to], texts, settings, byText)).toEqual(made);
    const using = byText ? `v::text::${to}` : `v::${to}`;
    expect(await recasting.altered([from, to], texts, settings, using)).toEqual(made);
  });
});

it('a cast may give NULL', async () => {
  await using recasting = await Recasting.create();
  const cast = recasting.cast(['jsonb', 'integer'], ['1', 'null']);
  if (postgresVersion() >= 18) expect(await cast).toEqual(['1', null]);
  else await expect(cast).rejects.toMatchObject({ code: 'E_SOURCE_QUERY' });
});

it('many values keep their order', async () => {
  await using recasting = await Recasting.create();
  const texts = Array.from({ length: 25_001 }, (_, i) => String((i * 7919) % 25_001));
  expect(await recasting.cast(['text', 'bigint'], texts)).toEqual(texts);
});

it('what can not be cast, and types that are gone, are errors, after which the session is as it was', async () => {
  await using recasting = await Recasting.create(`create type mood as enum ('a', 'b')`);
  const { source } = recasting;
  await expect(recasting.cast(['text', 'integer'], ['1', 'x'], TOKYO)).rejects.toMatchObject({
    code: 'E_SOURCE_QUERY',
    message: expect.stringContaining('invalid input syntax for type integer'),
  });
  await expect(recasting.cast(['text', 'numeric(3,1)'], ['1234'])).rejects.toMatchObject({ code: 'E_SOURCE_QUERY' });
  await expect(recasting.cast(['boolean', 'date'], ['t'])).rejects.toMatchObject({ code: 'E_SOURCE_QUERY' });

  const client = await connectSource(source.url, 'test');
  const text = await recasting.typeOf('text');
  const mood = await recasting.typeOf('mood');
  expect(await recast(client, { from: text, to: mood }, TOKYO, ['a'])).toEqual(['a']);
  await source.sql(`alter type mood rename value 'a' to 'c'`);
  await expect(recast(client, { from: text, to: mood }, TOKYO, ['a'])).rejects.toMatchObject({
    code: 'E_SOURCE_QUERY',
  });
  await source.sql('drop type mood');
  await expect(recast(client, { from: mood, to: text }, TOKYO, ['a'])).rejects.toMatchObject({
    code: 'E_SOURCE_QUERY',
    message: expect.stringContaining('mood'),
  });
  const { rows } = await client.query(
    `select current_setting('TimeZone') as zone, now() < statement_timestamp() as inside`,
  );
  expect(rows).toEqual([{ zone: 'UTC', inside: 'f' }]);
  await client.end();
});
