import type { PostgresDatabase } from './postgres.js';

/** A Postgres type with values at its edges, as Postgres reads them. */
export interface TypeValues {
  readonly type: string;
  /** Values that the column's Dolt type holds. */
  readonly exact: readonly string[];
  /** Values for which Dolt has only the nearest one, or none: they may not be in a key. */
  readonly inexact?: readonly string[];
  /** False where Postgres itself has no btree order, and so no key, for the type. */
  readonly keyable?: false;
  /** Without the extension the type does not exist. */
  readonly extension?: string;
  /** What makes the type, run once in the database. */
  readonly setup?: string;
}

const LONG = 'lang und länger, '.repeat(400);
const TEXTS = [
  '',
  ' ',
  'plain',
  ' blanks around  ',
  "it's",
  '"quoted"',
  'back\\slash \\n \\\\',
  'line\nbreak\r\ntab\tend',
  '\u0001\u001f\u007f',
  'ünïcödé ß',
  'e\u0301 is not é',
  '日本語',
  '🎉👩‍👩‍👧‍👦',
  'عربى',
  '%_?#-- /* */ ; $1',
  'NULL',
  'null',
  '\\N',
  '{}',
];

const NUMBERS: readonly TypeValues[] = [
  { type: 'boolean', exact: ['t', 'f'] },
  { type: 'smallint', exact: ['-32768', '-1', '0', '32767'] },
  { type: 'integer', exact: ['-2147483648', '0', '7', '2147483647'] },
  { type: 'bigint', exact: ['-9223372036854775808', '0', '9007199254740993', '9223372036854775807'] },
  { type: 'oid', exact: ['0', '2147483648', '4294967295'] },
  { type: 'xid8', exact: ['0', '18446744073709551615'] },
  { type: 'xid', exact: ['0', '4294967295'], keyable: false },
  {
    type: 'numeric',
    exact: ['0', '1', '-1', '1.5', '-0.000001', '12345678901234567890123456789012345', `0.${'1'.repeat(30)}`],
    inexact: [
      'NaN',
      'Infinity',
      '-Infinity',
      '1.0',
      '1.50',
      '0.00',
      '100.000',
      `1e-31`,
      `1e100`,
      `-${'9'.repeat(1000)}`,
      `${'7'.repeat(300)}.${'3'.repeat(700)}`,
      `0.${'0'.repeat(999)}1`,
    ],
  },
  { type: 'numeric(12,2)', exact: ['0', '1.10', '-1.1', '9999999999.99'], inexact: ['NaN'] },
  { type: 'numeric(65,30)', exact: ['0', `${'9'.repeat(35)}.${'9'.repeat(30)}`, '-1'], inexact: ['NaN'] },
  { type: 'numeric(66,2)', exact: ['0.5', `${'9'.repeat(63)}`], inexact: [`${'9'.repeat(64)}.99`] },
  {
    type: 'numeric(1000,500)',
    exact: ['0', '1.5'],
    inexact: [`${'9'.repeat(500)}.${'9'.repeat(500)}`, `1e-31`, 'NaN'],
  },
  { type: 'numeric(3,-2)', exact: ['0', '99900', '-100'], inexact: ['NaN'] },
  { type: 'numeric(3,5)', exact: ['0', '0.00999', '-0.00001'], inexact: ['NaN'] },
  {
    type: 'real',
    exact: [
      '0',
      '1.1',
      '-3.4028235e38',
      '1e-45',
      '1.17549435e-38',
      '16777217',
      '1000000',
      '123456',
      '0.0001',
      '0.00001',
    ],
    inexact: ['NaN', 'Infinity', '-Infinity', '-0'],
  },
  {
    type: 'double precision',
    exact: [
      '0',
      '1.1',
      '1e308',
      '-1.7976931348623157e308',
      '5e-324',
      '2.2250738585072014e-308',
      '0.1',
      '1e15',
      '123456789012345.6',
      '1e-5',
    ],
    inexact: ['NaN', 'Infinity', '-Infinity', '-0'],
  },
  { type: 'money', exact: ['0', '-1.05', '1234567.89', '-92233720368547758.08', '92233720368547758.07'] },
];

const CHARACTERS: readonly TypeValues[] = [
  // An index entry of Postgres is limited, so the long ones are kept apart.
  { type: 'text', exact: [...TEXTS, 'x'.repeat(2_000)] },
  {
    type: 'text[]',
    exact: ['{}', ...TEXTS.map((text) => `{${quoteItem(text)},NULL,plain}`)],
    inexact: ['[0:1]={a,b}'],
  },
  { type: 'varchar', exact: TEXTS },
  { type: 'varchar(40)', exact: [...TEXTS, '🎉'.repeat(40)] },
  { type: 'varchar(20000)', exact: ['', LONG.slice(0, 2_000)] },
  { type: 'char(5)', exact: ['', 'a', ' a', 'abcde', '🎉🎉', 'é'] },
  { type: 'char(300)', exact: ['', 'a'] },
  { type: 'name', exact: ['', 'x', 'é'.repeat(31), 'a b"c'] },
  { type: '"char"', exact: ['a', ' ', '', '\\377', "'"] },
  { type: 'uuid', exact: ['00000000-0000-0000-0000-000000000000', 'ffffffff-FFFF-ffff-ffff-ffffffffffff'] },
  { type: 'bytea', exact: ['\\x', '\\x00', '\\x00ff00', '\\x27225c0a0d', `\\x${'00ff10'.repeat(500)}`] },
  { type: 'bit(1)', exact: ['0', '1'] },
  { type: 'bit(80)', exact: ['0'.repeat(80), '10'.repeat(40)] },
  { type: 'varbit', exact: ['', '0', '0000', '1'.repeat(300)] },
  { type: 'varbit(9)', exact: ['', '000000001'] },
  {
    type: 'mood',
    exact: ['', 'so lala', "it's", 'ÄRGER', '🎉'],
    setup: `create type mood as enum ('', 'so lala', 'it''s', 'ÄRGER', '🎉')`,
  },
  { type: 'mood[]', exact: ['{}', `{"",NULL,"so lala",it's,🎉}`] },
];

/** Too long for any index of Postgres. */
const LARGE: readonly TypeValues[] = [
  { type: 'text', exact: [LONG.repeat(40), '"\\'.repeat(50_000)], keyable: false },
  { type: 'varchar(60000)', exact: [LONG.slice(0, 6_000), '🎉'.repeat(30_000)], keyable: false },
  { type: 'bytea', exact: [`\\x${'00ff5c27'.repeat(80_000)}`], keyable: false },
  {
    type: 'jsonb',
    exact: [JSON.stringify({ a: LONG.repeat(20), b: Array.from({ length: 3_000 }, (_, i) => i) })],
    keyable: false,
  },
  { type: 'int[]', exact: [`{${Array.from({ length: 5_000 }, (_, i) => i - 2_500).join()}}`], keyable: false },
];

const TIMES: readonly TypeValues[] = [
  {
    type: 'date',
    exact: ['0001-01-01', '0044-03-15', '1582-10-10', '1970-01-01', '2024-02-29', '9999-12-31'],
    inexact: ['infinity', '-infinity', '4713-01-01 BC', '0001-12-31 BC', '10000-01-01', '5874897-12-31'],
  },
  { type: 'time', exact: ['00:00:00', '12:34:56.000001', '23:59:59.999999', '24:00:00'] },
  { type: 'time(2)', exact: ['12:34:56.70', '00:00:00.05'] },
  { type: 'timetz', exact: ['00:00:00+00', '24:00:00-15:59:59', '12:34:56.789+05:30'] },
  {
    type: 'timestamp',
    exact: [
      '0001-01-01 00:00:00',
      '0099-12-31 23:59:59.1',
      '1969-12-31 23:59:59.999999',
      '2026-03-29 02:30:00',
      '9999-12-31 23:59:59.999999',
    ],
    inexact: [
      'infinity',
      '-infinity',
      '4713-11-24 00:00:00 BC',
      '0044-03-15 12:00:00.000001 BC',
      '10000-01-01 00:00:00',
      '294276-12-31 23:59:59.999999',
    ],
  },
  { type: 'timestamp(0)', exact: ['2026-01-01 00:00:00.5', '1999-12-31 23:59:58'], inexact: ['-infinity'] },
  {
    type: 'timestamptz',
    exact: [
      '0001-01-01 00:00:00+00',
      '2026-11-21 12:00:00.1+05:30',
      '1883-11-18 12:03:58-04:56:02',
      '9999-12-31 23:59:59.999999+00',
    ],
    inexact: [
      'infinity',
      '-infinity',
      '0044-03-15 12:00:00+00 BC',
      '9999-12-31 23:59:59-01',
      '294276-12-31 23:59:59+00',
    ],
  },
  {
    type: 'interval',
    exact: [
      '0',
      '1 mon',
      '-1 year -2 mons +3 days -04:05:06.789',
      '178000000 years',
      '-178000000 years',
      '-178000000 years -11 mons -2147483648 days -2562047788:00:54.775807',
      '00:00:00.000001',
      '-00:00:00.5',
      '1 day -00:00:01',
    ],
  },
];

const DOCUMENTS: readonly TypeValues[] = [
  {
    type: 'json',
    exact: [
      'null',
      '{"b": 1,   "a":2, "a" : 3}',
      '[1.10, 1e400, 9007199254740993, -0.0]',
      '"\\ud83c\\udf89 \\u0000 <&>"',
      '"\\ud800"',
      '""',
    ],
    keyable: false,
  },
  {
    type: 'jsonb',
    exact: [
      'null',
      'true',
      '0',
      '-1.5',
      '""',
      '{}',
      '[]',
      '{"": {"": [null, false, {}]}}',
      '{"bb": 1, "a": 2, "ccc": 3, "ä": 4, "10": 5, "9": 6, "__proto__": 7}',
      '"\\u0001 \\b\\f\\n\\r\\t \\"quoted\\" \\\\ / \\u007f 🎉 e\u0301 \u2028 <&>"',
      '9007199254740992',
      '0.1',
      '1e-7',
      '{"a": 123456789012345, "b": [1, [2, [3, [4]]]]}',
      `"it's 9007199254740993, or 1.0"`,
    ],
    inexact: [
      '9007199254740993',
      '{"a": [1.0, 2]}',
      '-1.50',
      '12345678901234567890.5',
      '1e400',
      '{"x": -1e1000}',
      '0.0',
      '1e-400',
      '18446744073709551615',
    ],
  },
  { type: 'jsonb[]', exact: ['{}', '{"{\\"a\\": [1.0, 9007199254740993]}",NULL,"null"}'] },
  { type: 'json[]', exact: ['{"{\\"b\\":  1.0}"}'], keyable: false },
  { type: 'xml', exact: ['', '<a b="c">&lt;ü</a>', '<!-- x --><r/>'], keyable: false },
  { type: 'jsonpath', exact: ['$', '$."a"[*] ? (@ > 1.50)'], keyable: false },
  { type: 'tsvector', exact: ['', "'a':1A,2 'it''s':3 'ü'"] },
  { type: 'tsquery', exact: ['', "'a' & !'b' <2> ('c':*A | 'd\\\\e')"] },
];

const ARRAYS: readonly TypeValues[] = [
  {
    type: 'int[]',
    exact: ['{}', '{1,NULL,-2147483648}', '{{1,2},{3,NULL}}', '{{{1}},{{2}}}', '{NULL}'],
    inexact: ['[0:1]={1,2}', '[-3:-2][2:3]={{1,2},{3,4}}'],
  },
  { type: 'smallint[]', exact: ['{}', '{-32768,32767}'] },
  { type: 'bigint[]', exact: ['{9223372036854775807,9007199254740993,NULL}'] },
  { type: 'boolean[]', exact: ['{t,f,NULL}', '{{t},{f}}'] },
  { type: 'numeric[]', exact: ['{1.10,NaN,Infinity,-0.00,1e400}', '{}'] },
  { type: 'real[]', exact: ['{1.1,-3.4028235e38,1e-45}'], inexact: ['{NaN}', '{1,-0}', '{{Infinity},{1}}'] },
  { type: 'double precision[]', exact: ['{1.1,5e-324,1e308}'], inexact: ['{1,NaN,-Infinity}'] },
  { type: 'timestamptz[]', exact: ['{"infinity","0044-03-15 12:00:00+00 BC","2026-11-21 12:00:00.1+05:30",NULL}'] },
  { type: 'date[]', exact: ['{-infinity,10000-01-01}'] },
  { type: 'bytea[]', exact: ['{"\\\\x00ff",NULL,"\\\\x"}'] },
  { type: 'uuid[]', exact: ['{00000000-0000-0000-0000-000000000000}'] },
  { type: 'varchar(10)[]', exact: ['{"a,b","c\\"d",NULL,"NULL",""}'] },
  { type: 'char(3)[]', exact: ['{a,"",NULL}'] },
  { type: 'inet[]', exact: ['{::1/64,10.0.0.0/8}'] },
  { type: 'interval[]', exact: ['{"1 day",-00:00:01}'] },
  { type: 'box[]', exact: ['{(1,1),(0,0);(2,2),(1,1)}', '{NULL}'], keyable: false },
  { type: 'point[]', exact: ['{"(1,2)","(NaN,-0)"}'], keyable: false },
  { type: 'int4range[]', exact: ['{"[1,5)",empty,"(,)"}'] },
  { type: 'int2vector', exact: ['', '1 2 3'], keyable: false },
  { type: 'oidvector', exact: ['', '0 4294967295'] },
];

const COMPOUNDS: readonly TypeValues[] = [
  {
    type: 'pair',
    setup: `create type pair as (n int, t text)`,
    exact: ['(1,a)', '(,)', '(2,"")', '(3,"it\'s ""quoted"", \\\\ and (more)")', '(4,"line\nbreak 🎉")'],
  },
  { type: 'pair[]', exact: ['{}', '{"(1,a)",NULL,"(2,\\"x,y\\")"}'] },
  {
    type: 'nest',
    setup: `create type nest as (p pair, ps pair[], d numeric)`,
    exact: ['("(1,""a, """"b"""" c"")","{""(2,x)"",NULL}",1.50)', '(,,)'],
  },
  { type: 'positive', setup: `create domain positive as int check (value > 0)`, exact: ['1', '2147483647'] },
  { type: 'price', setup: `create domain price as numeric(10,2)`, exact: ['1.10', '-0.01'], inexact: ['NaN'] },
  { type: 'amount', setup: `create domain amount as price check (value <> 3)`, exact: ['1.10'], inexact: ['NaN'] },
  { type: 'label', setup: `create domain label as varchar(8)`, exact: ['', ' x ', '🎉🎉🎉🎉🎉🎉🎉🎉'] },
  {
    type: 'numbers',
    setup: `create domain numbers as int[]`,
    exact: ['{}', '{{1,2},{3,NULL}}'],
    inexact: ['[5:6]={1,2}'],
  },
  { type: 'positive[]', exact: ['{1,NULL,2147483647}', '{}'] },
  { type: 'price[]', exact: ['{1.10,NaN}'] },
  { type: 'numbers[]', exact: ['{"{1,2}",NULL,"[0:0]={7}"}'] },
  { type: 'document', setup: `create domain document as jsonb`, exact: ['{"b": 1, "aa": [true]}'], inexact: ['1.0'] },
  { type: 'int4range', exact: ['empty', '(,)', '[1,5)', '(,5)', '[-2147483648,)'] },
  { type: 'int8range', exact: ['empty', '[-9223372036854775808,9223372036854775807)'] },
  { type: 'numrange', exact: ['empty', '(1.10,Infinity]', '[NaN,]', '[1,1]'] },
  { type: 'daterange', exact: ['empty', '[-infinity,infinity]', '[2026-01-01,2026-02-01)', '(,)'] },
  { type: 'tsrange', exact: ['["2026-01-01 00:00:00","2026-01-01 00:00:00.000001"]', '(,)'] },
  { type: 'tstzrange', exact: ['["0044-03-15 12:00:00+00 BC",infinity)', 'empty'] },
  {
    type: 'textrange',
    setup: `create type textrange as range (subtype = text)`,
    exact: ['["a, b","c""d\\\\")', '["",)', 'empty'],
  },
  { type: 'int4multirange', exact: ['{}', '{[1,3),[5,)}'] },
  { type: 'nummultirange', exact: ['{}', '{[1.0,2.50],(3,)}'] },
  { type: 'tstzmultirange', exact: ['{}', '{["2026-01-01 00:00:00+00","2026-01-02 00:00:00+00")}'] },
];

const ADDRESSES_AND_SHAPES: readonly TypeValues[] = [
  {
    type: 'inet',
    exact: [
      '0.0.0.0/0',
      '10.1.2.3',
      '10.1.2.3/8',
      '::',
      '::1/128',
      'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/127',
    ],
  },
  { type: 'cidr', exact: ['0.0.0.0/0', '10.0.0.0/8', '::/0', '2001:db8::/32'] },
  { type: 'macaddr', exact: ['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff'] },
  { type: 'macaddr8', exact: ['00:00:00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff:ff:ff'] },
  { type: 'pg_lsn', exact: ['0/0', '16/B374D848', 'FFFFFFFF/FFFFFFFF'] },
  { type: 'pg_snapshot', exact: ['10:20:10,14,15'], keyable: false },
  { type: 'tid', exact: ['(0,1)', '(4294967295,65535)'] },
  { type: 'regclass', exact: ['pg_class', '4294967295'] },
  { type: 'regtype', exact: ['numeric', 'timestamp with time zone'] },
  { type: 'point', exact: ['(0,0)', '(-0,1e308)', '(NaN,Infinity)'], keyable: false },
  { type: 'line', exact: ['{1,-1,0}'], keyable: false },
  { type: 'lseg', exact: ['[(0,0),(1.5,-2)]'], keyable: false },
  { type: 'box', exact: ['(1,1),(0,0)'], keyable: false },
  { type: 'path', exact: ['[(0,0),(1,1)]', '((0,0),(1,1),(1,0))'], keyable: false },
  { type: 'polygon', exact: ['((0,0),(1,1),(1,0))'], keyable: false },
  { type: 'circle', exact: ['<(0.1,0),5e-324>'], keyable: false },
];

const EXTENSIONS: readonly TypeValues[] = [
  { type: 'hstore', extension: 'hstore', exact: ['', '"a"=>"1", "b"=>NULL', '"q\\"x"=>"it\'s \\\\"'] },
  { type: 'citext', extension: 'citext', exact: ['', 'Straße', 'FOO', "it's 🎉"] },
  { type: 'citext[]', extension: 'citext', exact: ['{Foo,NULL,"b,c"}'] },
  { type: 'ltree', extension: 'ltree', exact: ['', 'Top.Science.Astronomy'] },
  { type: 'cube', extension: 'cube', exact: ['(1, 2, 3)', '(0),(1)'] },
  { type: 'isbn', extension: 'isn', exact: ['978-0-11-000222-4'] },
  { type: 'seg', extension: 'seg', exact: ['1.50 .. 2', '<3'] },
  { type: 'vector(3)', extension: 'vector', exact: ['[1,2.5,-3]'] },
];

/** By name, as a test shows them. Types of a group may be made from ones before them in the same group. */
export const TYPE_GROUPS: Readonly<Record<string, readonly TypeValues[]>> = {
  numbers: NUMBERS,
  characters: CHARACTERS,
  'large values': LARGE,
  times: TIMES,
  documents: DOCUMENTS,
  arrays: ARRAYS,
  'composites, domains and ranges': COMPOUNDS,
  'addresses and shapes': ADDRESSES_AND_SHAPES,
  extensions: EXTENSIONS,
};

export const valuesOf = (type: TypeValues): readonly string[] => [...type.exact, ...(type.inexact ?? [])];

/** `'it''s'::text`; NULL for null. */
export function sqlLiteral(value: string | null, type: string): string {
  return value === null ? `null::${type}` : `'${value.replaceAll("'", "''")}'::${type}`;
}

/** Makes the types of a group, and returns those that this Postgres has. */
export async function createTypes(source: PostgresDatabase, group: readonly TypeValues[]): Promise<TypeValues[]> {
  const found: TypeValues[] = [];
  for (const type of group) {
    if (type.extension !== undefined && !(await hasExtension(source, type.extension))) continue;
    if (type.type === 'xml' && !(await hasXml(source))) continue;
    if (type.setup !== undefined) await source.sql(type.setup);
    found.push(type);
  }
  return found;
}

async function hasExtension(source: PostgresDatabase, name: string): Promise<boolean> {
  const known = await source.sql('select from pg_available_extensions where name = $1', [name]);
  if (known.length === 0) return false;
  await source.sql(`create extension if not exists "${name}"`);
  return true;
}

/** Postgres can be built without libxml. */
const hasXml = (source: PostgresDatabase): Promise<boolean> =>
  source.sql(`select xmlparse(content '<a/>')`).then(
    () => true,
    () => false,
  );

/** An element of an array's text. */
function quoteItem(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
