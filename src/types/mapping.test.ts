import { describe, expect, test } from 'vitest';
import type { Column, ColumnType } from '../core/schema.js';
import { planColumns } from './columns.js';
import { conversionFor, fallbackNote } from './mapping.js';

const PLAIN = { inKey: false, indexed: false };

function type(base: string, typmod = -1, rest: Partial<ColumnType> = {}): ColumnType {
  return { oid: 0, typmod, name: base, base, baseTypmod: typmod, kind: 'b', builtin: true, ...rest };
}

const varchar = (size: number): ColumnType => type('varchar', size + 4);
const MOOD = type('mood', -1, { kind: 'e', builtin: false });
const VECTOR = type('vector', 3, { builtin: false });

describe('the type of a column', () => {
  test.each<[ColumnType, string]>([
    [varchar(20), 'VARCHAR(20)'],
    [varchar(16_374), 'VARCHAR(16374)'],
    [varchar(16_375), 'LONGTEXT'],
    [type('text'), 'LONGTEXT'],
    [MOOD, 'VARCHAR(255)'],
    [VECTOR, 'LONGTEXT'],
    [type('int4', -1, { builtin: false }), 'LONGTEXT'],
    [type('int2vector'), 'LONGTEXT'],
    [type('_vector', -1, { builtin: false, element: VECTOR, delimiter: ',' }), 'JSON'],
  ])('%o', (column, sql) => {
    expect(conversionFor(column, PLAIN).sql).toBe(sql);
  });

  test('in a key it has a limited length, and cannot be NULL', () => {
    const key = { inKey: true, indexed: true };
    expect(conversionFor(type('text'), key).sql).toBe('VARCHAR(4000)');
    expect(conversionFor(type('bytea'), key).sql).toBe('VARBINARY(4000)');
    expect(conversionFor(type('jsonb'), key).sql).toBe('VARCHAR(4000)');
    expect(conversionFor(varchar(20), key).sql).toBe('VARCHAR(20)');
    expect(conversionFor(type('float8'), PLAIN).nullable).toBe(true);
    expect(conversionFor(type('float8'), key).nullable).toBe(false);
    expect(conversionFor(type('text'), key).isExact?.('x'.repeat(4_000))).toBe(true);
    expect(conversionFor(type('text'), key).isExact?.('x'.repeat(4_001))).toBe(false);
    expect(conversionFor(type('bytea'), key).isExact?.(`\\x${'00'.repeat(4_000)}`)).toBe(true);
    expect(conversionFor(type('bytea'), key).isExact?.(`\\x${'00'.repeat(4_001)}`)).toBe(false);
  });

  test('too long for an index entry, an indexed one is long text', () => {
    expect(conversionFor(varchar(4_001), { inKey: false, indexed: true }).sql).toBe('LONGTEXT');
    expect(conversionFor(varchar(4_000), { inKey: false, indexed: true }).sql).toBe('VARCHAR(4000)');
  });

  test('a unique index can be made where every value is exact', () => {
    for (const base of ['int4', 'int8', 'uuid', 'text', 'inet', 'time']) {
      expect(conversionFor(type(base), PLAIN).isExact, base).toBeNull();
    }
  });
});

describe('overrides', () => {
  test.each<[ColumnType, string]>([
    [type('text'), 'varchar ( 100 )'],
    [type('text'), 'TEXT'],
    [type('int4'), 'bigint'],
    [type('int4'), 'varchar(11)'],
    [type('int8'), 'bigint unsigned'],
    [type('numeric'), 'decimal(38, 10)'],
    [type('numeric'), 'DOUBLE'],
    [type('jsonb'), 'json'],
    [type('json'), 'json'],
    [type('bytea'), 'varbinary(16)'],
    [type('timestamptz'), 'datetime(6)'],
    [type('bool'), 'tinyint(1)'],
    [type('_int4', -1, { element: type('int4'), delimiter: ',' }), 'longtext'],
    [VECTOR, 'vector(3)'],
  ])('%o: %s is accepted', (column, override) => {
    const { sql } = conversionFor(column, { ...PLAIN, override });
    expect(sql).toBe(override.toUpperCase().replaceAll(' ', '').replace('UNSIGNED', ' UNSIGNED'));
  });

  test.each<[ColumnType, string]>([
    [type('text'), 'INT'],
    [type('text'), 'JSON'],
    [type('text'), 'LONGBLOB'],
    [type('text'), 'VARCHAR'],
    [type('text'), 'VARCHAR(0)'],
    [type('text'), 'VARCHAR(16375)'],
    [type('text'), 'CHAR(256)'],
    [type('text'), 'VARCHAR(10,2)'],
    [type('text'), "ENUM('a')"],
    [type('text'), 'VECTOR(3)'],
    [type('numeric'), 'DECIMAL'],
    [type('numeric'), 'DECIMAL(66,2)'],
    [type('numeric'), 'DECIMAL(40,31)'],
    [type('numeric'), 'DECIMAL(2,3)'],
    [type('numeric'), 'FLOAT'],
    [type('numeric'), 'DATE'],
    [type('int4', -1, { builtin: false }), 'INT'],
    [type('timestamptz'), 'TIMESTAMP'],
    [type('timestamptz'), 'DATETIME'],
    [type('money'), 'DOUBLE'],
    [MOOD, 'INT'],
    [type('uuid'), 'BINARY(16)'],
    [type('int4'), 'INT; DROP TABLE x'],
  ])('%o: %s is refused', (column, override) => {
    expect(() => conversionFor(column, { ...PLAIN, override })).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  });

  test.each(['LONGTEXT', 'TEXT'])('%s is refused in a key', (override) => {
    const options = { inKey: true, indexed: true, override };
    expect(() => conversionFor(type('text'), options)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  });
});

describe('the columns of a table', () => {
  const column = (columnType: ColumnType, attnum: number): Column => ({
    attnum,
    name: `c${attnum}`,
    type: columnType,
    notNull: false,
    defaultExpression: null,
    identity: '',
    generated: '',
  });
  interface Options {
    readonly inKey?: boolean;
    readonly indexed?: boolean;
    readonly override?: string;
  }
  const plan = (...columns: readonly (readonly [ColumnType, Options?])[]): string[] =>
    planColumns(
      columns.map(([columnType, options], i) => ({ column: column(columnType, i + 1), ...PLAIN, ...options })),
    ).map(({ sql }) => sql);
  const KEY = { inKey: true };

  test('the largest VARCHAR columns give way, indexed ones and keys last', () => {
    expect(plan([varchar(10_000)], [varchar(100)], [varchar(12_000)], [varchar(10_000)])).toEqual([
      'LONGTEXT',
      'VARCHAR(100)',
      'LONGTEXT',
      'VARCHAR(10000)',
    ]);
    expect(
      plan(
        [varchar(4_000), KEY],
        [varchar(4_000), { indexed: true }],
        ...Array<[ColumnType]>(3).fill([varchar(4_000)]),
      ),
    ).toEqual(['VARCHAR(4000)', 'VARCHAR(4000)', 'LONGTEXT', 'VARCHAR(4000)', 'VARCHAR(4000)']);
  });

  test('what the configuration chose does not give way', () => {
    expect(plan([type('text'), { override: 'VARCHAR(10000)' }], [varchar(8_000)])).toEqual([
      'VARCHAR(10000)',
      'LONGTEXT',
    ]);
    const three: [ColumnType, Options][] = Array(3).fill([type('text'), { override: 'VARCHAR(8000)' }]);
    expect(() => plan(...three)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  });

  test('text columns share the bytes of a key, and short ones keep their length', () => {
    const text = type('text');
    expect(plan([text, KEY])).toEqual(['VARCHAR(4000)']);
    expect(plan([text, KEY], [text, KEY])).toEqual(['VARCHAR(4000)', 'VARCHAR(4000)']);
    expect(plan([text, KEY], [type('int8'), KEY], [text, KEY], [varchar(20), KEY], [text, KEY])).toEqual([
      'VARCHAR(2659)',
      'BIGINT',
      'VARCHAR(2659)',
      'VARCHAR(20)',
      'VARCHAR(2660)',
    ]);
    expect(plan([varchar(16_000), KEY])).toEqual(['VARCHAR(8000)']);
    expect(() => plan([text, { ...KEY, override: 'VARCHAR(9000)' }])).toThrow(
      expect.objectContaining({ code: 'E_CONFIG' }),
    );
  });

  test('an error names the column', () => {
    expect(() => plan([type('text')], [type('bool'), { override: 'JSON' }])).toThrow(/column c2: .*JSON.*bool/);
  });
});

test.each<[ColumnType, string | null]>([
  [type('text'), null],
  [type('json'), null],
  [MOOD, null],
  [type('pair', -1, { kind: 'c', builtin: false }), 'composite'],
  [type('int4range', -1, { kind: 'r' }), 'range'],
  [type('int4multirange', -1, { kind: 'm' }), 'range'],
  [type('point'), 'geometric'],
  [type('hstore', -1, { builtin: false }), 'extension'],
  [type('_hstore', -1, { builtin: false, element: type('hstore', -1, { builtin: false }), delimiter: ',' }), null],
])('check says of %o: %s', (column, words) => {
  const note = fallbackNote(column);
  if (words === null) expect(note).toBeNull();
  else expect(note).toContain(words);
});
