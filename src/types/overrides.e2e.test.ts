import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTypeServers, type TypeServers } from '../../test/support/type-servers.js';
import { conversionFor } from './mapping.js';

let servers: TypeServers;
beforeAll(async () => {
  servers = await startTypeServers();
});
afterAll(() => servers[Symbol.asyncDispose]());

interface OverrideCase {
  readonly type: string;
  readonly override: string;
  readonly exact: readonly string[];
  /** Expression, and what is restored. */
  readonly inexact?: readonly (readonly [expression: string, restored: string | null])[];
}

const CASES: readonly OverrideCase[] = [
  {
    type: 'numeric',
    override: 'decimal( 12 , 2 )',
    exact: ['1.10', '0.00', '-9999999999.99', "'NaN'"],
    inexact: [
      ['1.1', '1.10'],
      ['5', '5.00'],
      ['1.005', '1.01'],
      ['-1.005', '-1.01'],
      ['9999999999.995', '9999999999.99'],
    ],
  },
  {
    type: 'numeric(10,2)',
    override: 'DECIMAL(38,10)',
    exact: ['1.10', '0', '-99999999.99', "'NaN'"],
  },
  {
    type: 'numeric(10,2)',
    override: 'INT',
    exact: ['5', '-99999999', '0'],
    inexact: [
      ['1.5', '2.00'],
      ['-1.49', '-1.00'],
      ["'NaN'", null],
    ],
  },
  {
    type: 'numeric(10,2)',
    override: 'DOUBLE',
    exact: ['1.10', '0', '-99999999.99', '0.01'],
    inexact: [["'NaN'", null]],
  },
  {
    type: 'numeric',
    override: 'DOUBLE',
    exact: ['1.1', '0', '1e20', '1e-7', '-123456789.125'],
    inexact: [
      ['1.10', '1.1'],
      ['9007199254740993', '9007199254740992'],
      ['1e400', `17976931348623157${'0'.repeat(292)}`],
      ['-1e400', `-17976931348623157${'0'.repeat(292)}`],
      ['1e-400', '0'],
      ["'-Infinity'", `-17976931348623157${'0'.repeat(292)}`],
      ["'NaN'", null],
    ],
  },
  { type: 'bigint', override: 'DECIMAL(21,2)', exact: ['9223372036854775807', "'-9223372036854775808'", '0'] },
  {
    type: 'bigint',
    override: 'int',
    exact: ['2147483647', '-2147483648'],
    inexact: [
      ['2147483648', '2147483647'],
      ['-2147483649', '-2147483648'],
    ],
  },
  { type: 'bigint', override: 'bigint unsigned', exact: ['9223372036854775807', '0'], inexact: [['-1', '0']] },
  {
    type: 'bigint',
    override: 'DOUBLE',
    exact: ['9007199254740992', '-5', '1000000000000000000'],
    inexact: [['9007199254740993', '9007199254740992']],
  },
  { type: 'integer', override: 'bigint', exact: ['2147483647', '-2147483648'] },
  { type: 'smallint', override: 'TINYINT', exact: ['127', '-128'], inexact: [['128', '127']] },
  {
    type: 'double precision',
    override: 'DECIMAL(20,6)',
    exact: ['0', '1.5', '-0.000001', '1e13', '123456.789'],
    inexact: [
      ['1e-7', '0'],
      ['1e20', '100000000000000'],
      ["'NaN'", null],
      ["'Infinity'", '100000000000000'],
      ["'-0'", '0'],
    ],
  },
  { type: 'real', override: 'INT', exact: ['5', '-16777216'], inexact: [['1.5', '2']] },
  {
    type: 'text',
    override: 'VARCHAR(3)',
    exact: ["''", "'abc'", "'😀😀😀'", "'   '"],
    inexact: [
      ["'abcd'", 'abc'],
      ["'😀😀😀😀'", '😀😀😀'],
    ],
  },
  { type: 'text', override: 'char(3)', exact: ["''", "'a '", "'abc'", "'   '"], inexact: [["'abcd'", 'abc']] },
  {
    type: 'text',
    override: 'TINYTEXT',
    exact: ["repeat('x', 255)", "repeat('é', 127)"],
    inexact: [
      ["repeat('x', 256)", 'x'.repeat(255)],
      ["repeat('é', 128)", 'é'.repeat(127)],
    ],
  },
  {
    type: 'text',
    override: 'text',
    exact: ["repeat('x', 65535)"],
    inexact: [["repeat('x', 65536)", 'x'.repeat(65_535)]],
  },
  { type: 'text', override: 'mediumtext', exact: ["repeat('x', 100000)"] },
  { type: 'text', override: 'varchar(16374)', exact: ["repeat('😀', 16374)"] },
  {
    type: 'bytea',
    override: 'VARBINARY(4)',
    exact: ["'\\x'", "'\\x00ff0000'"],
    inexact: [["'\\x0011223344'", '\\x00112233']],
  },
  { type: 'bytea', override: 'TINYBLOB', exact: ["decode(repeat('ab', 255), 'hex')"] },
  {
    type: 'bytea',
    override: 'VARCHAR(10)',
    exact: ["'\\x00ff'"],
    inexact: [["'\\x0011223344'", '\\x00112233']],
  },
  {
    type: 'json',
    override: 'JSON',
    exact: [`'{"a": 1, "bb": [1.5, "x", null]}'`, `'[]'`, `'"\\u0000"'`],
    inexact: [
      [`'{"a":1}'`, '{"a": 1}'],
      [`'{"bb": 1, "a": 2}'`, '{"a": 2, "bb": 1}'],
      [`'{"a": 1, "a": 2}'`, '{"a": 2}'],
      [`'[1e5, 1E400]'`, `[100000, 17976931348623157${'0'.repeat(292)}]`],
      [`'"\\ud800"'`, '"\ufffd"'],
      [`'"\\u00e9"'`, '"é"'],
    ],
  },
  { type: 'uuid', override: 'VARCHAR(36)', exact: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"] },
  {
    type: 'timestamp',
    override: 'VARCHAR(32)',
    exact: ["'infinity'", "'4714-11-24 00:00:00 BC'", "'2024-01-01 10:00:00.1'"],
  },
  { type: 'jsonb', override: 'LONGTEXT', exact: [`'[1.10, 9007199254740993, 1e400]'`] },
];

test.each(CASES)('$type as $override', async ({ type, override, exact, inexact = [] }) => {
  const { type: column, texts } = await servers.print(type, [...exact, ...inexact.map(([expression]) => expression)]);
  const conversion = conversionFor(column, { inKey: false, indexed: false, override });
  const restored = await servers.store(conversion, texts);
  expect(restored).toEqual([...texts.slice(0, exact.length), ...inexact.map(([, nearest]) => nearest)]);
  expect(texts.map((text) => conversion.isExact?.(text) ?? true)).toEqual(texts.map((_, i) => i < exact.length));
});

test('VECTOR for the type of pgvector', async () => {
  // The extension prints its elements as float4, so Postgres can print them without it.
  const floats = await servers.reprint('real', [
    '1',
    '0.1',
    '-2.5',
    '1e6',
    '1e-5',
    '3.4028235e38',
    '1e-45',
    '16777217',
  ]);
  const vectors = floats.map((float, i) => `[${float},0,${floats[(i + 1) % floats.length]}]`);
  const type = {
    oid: 1,
    typmod: 3,
    name: 'vector(3)',
    base: 'vector',
    baseTypmod: 3,
    kind: 'b',
    builtin: false,
  } as const;
  const conversion = conversionFor(type, { inKey: false, indexed: false, override: 'VECTOR(3)' });
  const texts = [...vectors, '[1,2]', '[-0,1,2]'];

  const table = servers.tableName();
  expect(await servers.store(conversion, texts, table)).toEqual([...vectors, null, '[0,1,2]']);
  expect(texts.map((text) => conversion.isExact?.(text))).toEqual(texts.map((_, i) => i < vectors.length));
  for (const [id, text] of vectors.entries()) {
    const found = await servers.rows(
      `select id from ${table} where ${conversion.equals('c', conversion.literal(text))}`,
    );
    expect(found).toEqual([[String(id)]]);
  }
});
