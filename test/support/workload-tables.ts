import { type TypeValues, valuesOf } from './type-values.js';
import { type Column, column, type Kind, OPERATIONS, pick, type WorkloadTable } from './workload-operations.js';

/** Those that stand twice happen twice as often. */
const KEYED: readonly Kind[] = [
  ...([
    'insert',
    'insert',
    'insert',
    'update',
    'update',
    'updateOne',
    'updateOne',
    'same',
    'nothing',
    'remove',
    'move',
  ] as const),
  ...([
    'chainUp',
    'chainUp',
    'chainDown',
    'chainDown',
    'swap',
    'swap',
    'swap',
    'replace',
    'replace',
    'truncate',
  ] as const),
];
const TRADES: readonly Kind[] = ['exchange', 'exchange', 'exchange', 'exchange', 'swap', 'swap', 'swap', 'swap'];
const KEYLESS: readonly Kind[] = [
  ...(['insert', 'insert', 'insert', 'double', 'double', 'update', 'update', 'updateOne', 'same'] as const),
  ...(['remove', 'remove', 'removeOne', 'removeOne', 'truncate', 'truncateBetween'] as const),
];

interface Definition {
  readonly name: string;
  /** Columns and constraints beside `i`, and what follows the list. */
  readonly columns: string;
  readonly options?: string;
  readonly after?: string;
  readonly key?: readonly Column[];
  readonly values: readonly Column[];
  readonly limit?: number;
  readonly operations: readonly Kind[];
  readonly alsoChanges?: string;
}

function table({
  name,
  columns,
  options = '',
  after = '',
  key = [],
  values,
  limit = 10_000,
  operations,
  alsoChanges,
}: Definition): WorkloadTable {
  return {
    name,
    create: `create table ${name} (i int not null, ${columns}) ${options}; ${after}`,
    key,
    values,
    limit,
    operations: operations.map((kind) => OPERATIONS[kind]),
    changes: alsoChanges === undefined ? [name] : [name, alsoChanges],
  };
}

const number = pick('numeric', [
  '0',
  '1.10',
  '-1.1',
  'NaN',
  'Infinity',
  '1e100',
  '0.00',
  '12345678901234567890.123456789',
  null,
]);
const float = pick('float8', ['0', '-0', 'NaN', '-Infinity', '1e308', '0.1', '5e-324', null]);
const json = pick('jsonb', [
  '{"a": 9007199254740993}',
  '{"b": [1.0, 2.50], "a": null}',
  '[]',
  '1e400',
  '"🎉"',
  'null',
  null,
]);
const moment = pick('timestamptz', [
  'infinity',
  '-infinity',
  '0044-03-15 12:00:00+00 BC',
  '2026-11-21 12:00:00.000001+05:30',
  '294276-01-01 00:00:00+00',
  null,
]);
const text = pick('text', ['', ' ', "it's", 'back\\slash', 'line\nbreak', '🎉 e\u0301', 'x', null]);
const bytes = pick('bytea', ['\\x', '\\x00', '\\x00ff27225c0a', null]);
const list = pick('int[]', ['{}', '{1,NULL,3}', '{{1,2},{3,4}}', '[0:1]={7,8}', null]);
const humour = pick('humour', ['sad', "it's", 'ÄRGER', null]);
/** Never given before: for columns that must be unique. */
const fresh = (): string => `nextval('fresh')::int`;
/** 10 kB that are stored out of line; every third one is short, or NULL. */
const large = (i: string): string =>
  `case abs(${i}) % 3 when 0 then null when 1 then 'short' else repeat(md5((${i})::text), 300) end`;
const region = pick('text', ['eu', 'us', 'asia', 'africa']);

/** Tables of the main session: every kind of identity. */
const SINGLE: readonly WorkloadTable[] = [
  table({
    name: 'items',
    columns: `id int primary key, v numeric, price numeric(12,2) default 1.50, f float8, j jsonb, at timestamptz, t text, total numeric generated always as (price * 2) stored`,
    key: [column('id', (i) => i)],
    values: [
      column('v', number),
      column('price', (i) => `((${i}) % 1000) / 8.0`),
      column('f', float),
      column('j', json),
      column('at', moment),
      column('t', text),
    ],
    operations: KEYED,
  }),
  table({
    name: 'sales.composite',
    columns: `a int, b text, c date, v numeric, m humour, primary key (b, a)`,
    key: [column('a', (i) => `(${i}) / 10`), column('b', (i) => `'x ' || ((${i}) % 10)`)],
    values: [column('c', (i) => `date '2026-01-01' + (${i}) % 9`), column('v', number), column('m', humour)],
    operations: KEYED,
  }),
  table({
    // Keys that differ in case and in trailing blanks only.
    name: 'texts',
    columns: `k text primary key, n int, b bytea`,
    key: [
      column(
        'k',
        (i) =>
          `(array['K','k','é','e\u0301'])[1 + (${i}) % 4] || ((${i}) / 8)::text || case when (${i}) % 8 > 3 then ' ' else '' end`,
      ),
    ],
    values: [column('n', (i) => i), column('b', bytes)],
    operations: KEYED,
  }),
  table({
    name: 'uuids',
    columns: `id uuid primary key, list int[], f float8`,
    key: [column('id', (i) => `md5((${i})::text)::uuid`)],
    values: [column('list', list), column('f', float)],
    limit: 1_000,
    operations: KEYED,
  }),
  table({
    name: 'stamps',
    columns: `at timestamp, n numeric(10,3), v text, primary key (at, n)`,
    key: [
      column('at', (i) => `timestamp '2026-01-01' + ((${i}) / 3) * interval '1.000001 seconds'`),
      column('n', (i) => `((${i}) % 3) / 8.0`),
    ],
    values: [column('v', text)],
    limit: 1_000,
    operations: KEYED,
  }),
  table({
    name: 'only_a_key',
    columns: `id bigint primary key`,
    key: [column('id', (i) => `(${i}) + 9007199254740993`)],
    values: [],
    limit: 500,
    operations: KEYED,
  }),
  table({
    // The stream brings the old values of the index, never those of the primary key.
    name: 'by_index',
    columns: `id int primary key, code varchar(20) not null, part int not null, v text, unique (part, code)`,
    after: `alter table by_index replica identity using index by_index_part_code_key`,
    key: [column('code', (i) => `'c' || (${i}) % 100`), column('part', (i) => `(${i}) / 100`)],
    values: [column('id', fresh), column('v', text)],
    limit: 1_000,
    operations: KEYED,
  }),
  table({
    name: 'uniques',
    columns: `id int primary key, u int unique, d int unique deferrable initially deferred, w text unique, body text, v int, unique (u, v)`,
    after: `alter table uniques alter body set storage external`,
    key: [column('id', (i) => i)],
    values: [
      column('u', fresh),
      column('d', fresh),
      column('w', (i) => `case when abs(${i}) % 3 = 0 then null else 'w' || ${fresh()} end`),
      column('body', large),
      column('v', (i) => i),
    ],
    limit: 60,
    operations: [...KEYED, ...TRADES, 'rotate', 'rotate', 'rotate'],
  }),
  table({
    name: 'big',
    columns: `id int primary key, u int unique, n int, body text, raw bytea`,
    after: `alter table big alter body set storage external, alter raw set storage external`,
    key: [column('id', (i) => i)],
    values: [
      column('n', (i) => i),
      column('u', fresh),
      column('body', large),
      column('raw', (i) => `decode(repeat(md5((${i})::text), 500), 'hex')`),
    ],
    limit: 40,
    operations: [...KEYED, ...TRADES],
  }),
  table({
    name: 'big_key',
    columns: `k text primary key, n int, body text`,
    after: `alter table big_key alter k set storage external, alter body set storage external`,
    key: [column('k', (i) => `rpad((${i})::text, 2200, 'key ')`)],
    values: [column('n', (i) => i), column('body', large)],
    limit: 30,
    operations: [...KEYED, 'swap', 'swap', 'swap', 'swap'],
  }),
  table({
    name: 'big_full',
    columns: `id int primary key, n int, body text`,
    after: `alter table big_full replica identity full; alter table big_full alter body set storage external`,
    key: [column('id', (i) => i)],
    values: [column('n', (i) => i), column('body', large)],
    limit: 40,
    operations: KEYED,
  }),
  table({
    name: 'keyless',
    columns: `n int, v numeric, at timestamptz, j jsonb`,
    after: `alter table keyless replica identity full`,
    values: [column('n', (i) => `abs(${i}) % 5`), column('v', number), column('at', moment), column('j', json)],
    limit: 300,
    operations: KEYLESS,
  }),
  table({
    name: 'keyless_large',
    columns: `n int, body text`,
    after: `alter table keyless_large replica identity full; alter table keyless_large alter body set storage external`,
    values: [column('n', (i) => i), column('body', large)],
    limit: 20,
    operations: KEYLESS,
  }),
  table({
    // Nothing identifies its rows, so Postgres refuses to change them.
    name: 'log',
    columns: `at timestamptz, what text, f float8`,
    values: [column('at', moment), column('what', text), column('f', float)],
    operations: ['insert', 'insert', 'insert', 'insert', 'insert', 'truncate'],
  }),
  table({
    name: 'deferred',
    columns: `id int primary key deferrable initially deferred, v text`,
    after: `alter table deferred replica identity full`,
    key: [column('id', (i) => i)],
    values: [column('v', text)],
    limit: 500,
    operations: [...KEYED, 'shift', 'shift', 'shift'],
  }),
  table({
    name: 'parts',
    columns: `gone int, id int, region text, v numeric, t text, primary key (id, region)`,
    options: `partition by list (region)`,
    // One partition has its columns in another order, one has partitions itself.
    after: `alter table parts drop gone;
      create table parts_eu (t text, v numeric, region text not null, extra int, id int not null, i int not null);
      alter table parts_eu drop extra;
      alter table parts attach partition parts_eu for values in ('eu');
      create table parts_us partition of parts for values in ('us');
      create table parts_asia partition of parts for values in ('asia') partition by hash (id);
      create table parts_asia_0 partition of parts_asia for values with (modulus 2, remainder 0);
      create table parts_asia_1 partition of parts_asia for values with (modulus 2, remainder 1);
      create table parts_rest partition of parts default`,
    key: [column('id', (i) => i)],
    values: [column('region', region), column('v', number), column('t', text)],
    limit: 1_000,
    operations: KEYED.filter((kind) => kind !== 'nothing'),
  }),
  table({
    name: 'parts_keyless',
    columns: `region text, n int`,
    options: `partition by list (region)`,
    after: `create table parts_keyless_eu partition of parts_keyless for values in ('eu', 'us');
      create table parts_keyless_rest partition of parts_keyless default;
      alter table parts_keyless replica identity full;
      alter table parts_keyless_eu replica identity full;
      alter table parts_keyless_rest replica identity full`,
    values: [column('region', region), column('n', (i) => `abs(${i}) % 3`)],
    limit: 100,
    operations: KEYLESS,
  }),
  table({
    name: 'parent',
    columns: `id int primary key, v text`,
    key: [column('id', (i) => i)],
    values: [column('v', text)],
    limit: 200,
    operations: [...KEYED.filter((kind) => !kind.startsWith('truncate')), 'truncateCascade'],
    alsoChanges: 'child',
  }),
  table({
    name: 'child',
    columns: `id int primary key, parent int references parent on delete cascade on update cascade, v numeric`,
    after: `create index on child (parent)`,
    key: [column('id', (i) => i)],
    values: [column('parent', (i) => `(select min(id) from parent where id >= (${i}) % 400)`), column('v', number)],
    limit: 200,
    operations: KEYED,
  }),
  table({
    name: 'counted',
    columns: `id int generated by default as identity primary key, v text`,
    values: [column('v', text)],
    limit: 200,
    operations: ['insert', 'insert', 'insert', 'update', 'remove', 'truncateRestart'],
  }),
  table({
    name: `odd."Ta""b\`le.🎉"`,
    columns: `"Key" int primary key, "key" text, "se'lect" numeric`,
    key: [column('"Key"', (i) => i)],
    values: [column('"key"', text), column(`"se'lect"`, number)],
    limit: 50,
    operations: KEYED,
  }),
];

/** Tables that are emptied by one statement. */
const TOGETHER = ['items', 'sales.composite', 'keyless', 'big', 'parts'];

export const TABLES: readonly WorkloadTable[] = [
  ...SINGLE,
  {
    name: TOGETHER.join(', '),
    create: null,
    key: [],
    values: [],
    limit: 0,
    operations: [OPERATIONS.truncate, OPERATIONS.none, OPERATIONS.none],
    changes: TOGETHER,
  },
];

/**
 * Tables of a second session, whose transactions are open while others commit. Not emptied: a run that starts looks at
 * the tables, and would wait for the lock.
 */
export const LONG_TABLES: readonly WorkloadTable[] = [
  table({
    name: 'slow',
    columns: `id int primary key, v numeric, body text`,
    after: `alter table slow alter body set storage external`,
    key: [column('id', (i) => i)],
    values: [column('v', number), column('body', large)],
    limit: 50,
    operations: KEYED.filter((kind) => !kind.startsWith('truncate')),
  }),
  table({
    name: 'slow_keyless',
    columns: `v numeric, j jsonb`,
    after: `alter table slow_keyless replica identity full`,
    values: [column('v', number), column('j', json)],
    limit: 200,
    operations: KEYLESS.filter((kind) => !kind.startsWith('truncate')),
  }),
];

/** What has to be there before the tables. */
export const PRELUDE = `create schema sales; create schema odd; create sequence fresh;
  create type humour as enum ('sad', 'it''s', 'ÄRGER')`;

/** One table with a key and one without, with a column of each type. */
export function tablesOfTypes(types: readonly TypeValues[]): WorkloadTable[] {
  const values = types.map((type, n) => column(`c${n}`, pick(type.type, [...valuesOf(type), null])));
  const columns = types.map((type, n) => `c${n} ${type.type}`).join(', ');
  return [
    table({
      name: 'everything',
      columns: `id int primary key, ${columns}`,
      key: [column('id', (i) => i)],
      values,
      limit: 20,
      operations: KEYED,
    }),
    table({
      name: 'everything_keyless',
      columns,
      after: `alter table everything_keyless replica identity full`,
      values,
      limit: 10,
      operations: KEYLESS,
    }),
  ];
}
