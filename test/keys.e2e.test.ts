import { describe, it } from 'vitest';
import { expectFollowed, type Settings } from './support/followed.js';
import { createPostgresDatabase } from './support/postgres.js';

const asText = (type: string): Settings => ({ types: { [type]: 'VARCHAR(300)' } });

/** Pairs that are one value to Postgres, so one key, but not one text. */
const EQUAL: readonly { type: string; pairs: readonly (readonly [string, string])[]; settings?: Settings }[] = [
  { type: 'citext', pairs: [['Foo', 'fOO']] },
  {
    type: 'numeric',
    pairs: [
      ['1.0', '1.00'],
      ['0', '0.000'],
    ],
    settings: asText('numeric'),
  },
  { type: 'float8', pairs: [['0', '-0']], settings: asText('double precision') },
  { type: 'text collate loose', pairs: [['é', 'E\u0301']] },
  {
    type: 'interval',
    pairs: [
      ['1 mon', '30 days'],
      ['24:00', '1 day'],
    ],
  },
  { type: 'jsonb', pairs: [['{"a": 2.0}', '{"a": 2.00}']] },
  { type: 'numeric[]', pairs: [['{1.0}', '{1.00}']] },
  { type: 'numrange', pairs: [['[1.0,2)', '[1.00,2.0)']] },
  { type: 'pair', pairs: [['(1.0,b)', '(1.00,b)']] },
];

describe('a key that changes to an equal value', () => {
  it.each(EQUAL)('of type $type has the new text in Dolt, and is found by it', async ({ type, pairs, settings }) => {
    await using source = await createPostgresDatabase();
    await source.sql(`create extension citext; create type pair as (a numeric, b text);
      create collation loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
      create table t (k ${type} primary key, n int, big text); alter table t alter big set storage external`);
    const of = type.includes(' ') ? 'text' : type;
    const steps = pairs.flatMap(([a, b]) => [
      `insert into t values ('${a}', 1, repeat('long', 2000))`,
      `update t set k = '${b}' where k = '${a}'::${of}`,
      `update t set n = 2 where k = '${a}'::${of}`,
      `update t set k = '${a}', n = 3 where k = '${b}'::${of}`,
      `delete from t where k = '${b}'::${of}`,
      `insert into t values ('${b}', 4, repeat('long', 2000))`,
      `insert into t values ('${a}', 5) on conflict (k) do update set k = excluded.k`,
    ]);
    await expectFollowed(source, [...steps, 'delete from t', 'begin', ...steps, 'commit'], settings);
  });
});

/** Keys that are neighbours, and those that a comparison as another type would mix up. */
const NEAR: readonly [string, string][] = [
  [
    'float8',
    `(array[n, n / 10.0::float8, 9007199254740992 + 2 * n, n * 123456789012345678::float8, pow(10::float8, n - 200)])[1 + n % 5]`,
  ],
  ['bigint', `(array[n, 9007199254740990 + n, n - 9223372036854775807])[1 + n % 3]`],
  [
    'numeric(40,10)',
    `case when n < 5 then 'NaN' else (array[n, 99999999999999999999 + n / 1e10, n / 10.0, n * 1e20])[1 + n % 4] end`,
  ],
  ['time', `time '12:00' + n * interval '1 microsecond' + n % 5 * interval '2 hours'`],
  [
    'text',
    `(array[chr(n + 32), chr(n + 32) || ' ', 'A' || chr(768 + n), normalize('A' || chr(768 + n), nfc)])[1 + n % 4]`,
  ],
  ['bytea', `(array[decode(md5(n::text), 'hex'), decode(lpad(to_hex(n), 8, '0'), 'hex')])[1 + n % 2]`],
];

describe('many keys of one type', () => {
  it.each(NEAR)('%s are told apart', async (type, key) => {
    await using source = await createPostgresDatabase();
    await source.sql(`
      create table t (k ${type} primary key, n int); create table u (id int primary key, k ${type} unique);
      create table several (a text, k ${type}, z int, primary key (z, k, a));
      create table rows (k ${type}); alter table rows replica identity full;
      insert into t select distinct on (k) (${key})::${type} as k, n from generate_series(1, 250) n;
      insert into u select n, k from t; insert into several select n % 3, k, n % 5 from t; insert into rows select k from t`);
    await expectFollowed(source, [
      'update t set n = -n where n % 3 = 0',
      'delete from t where n % 3 = 1',
      'update u set id = id + 10000',
      'update u set k = null where id % 4 = 0',
      `delete from several where z = 2`,
      `update several set a = 'b' where z = 3`,
      'delete from rows where ctid in (select ctid from rows limit 100)',
      'insert into rows select k from rows limit 50',
    ]);
  });
});
