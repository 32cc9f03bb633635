import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ColumnType } from '../core/schema.js';
import { array, arrayText, arrayToJson } from './array.js';

const type = (base: string, builtin = true): ColumnType => ({
  oid: 0,
  typmod: -1,
  name: base,
  base,
  baseTypmod: -1,
  kind: 'b',
  builtin,
});

/** The JSON inside of a literal. */
const json = (base: string, text: string, builtin = true): unknown => {
  const literal = array(type(base, builtin), ',').literal(text);
  return JSON.parse(literal.slice(1, -1).replace(/\\(.)/gs, '$1'));
};

const text = fc.string({ unit: fc.constantFrom(...'ab"\\{},; \t\n\v\fNULnul', 'é', '😀', '\u00a0', '\u2028') });
const element = fc.option(text);
const dimensions = fc.oneof(
  fc.array(element),
  fc.array(fc.array(element, { minLength: 2, maxLength: 2 }), { minLength: 1 }),
  fc.array(fc.array(fc.array(element, { minLength: 1, maxLength: 1 }), { minLength: 2, maxLength: 2 }), {
    minLength: 1,
  }),
);

test.each([',', ';'])('what is printed is read as the same items, delimited by %s', (delimiter) => {
  fc.assert(
    fc.property(dimensions, (items) => {
      const printed = arrayText(items, delimiter, String);
      expect(JSON.parse(arrayToJson(printed, delimiter, JSON.stringify))).toEqual(items);
    }),
    { numRuns: 500 },
  );
});

test('elements are quoted where Postgres quotes them', () => {
  const items = ['a', '', 'NULL', 'null', 'nulls', 'a b', 'a,b', 'a;b', '"', '\\', '{', '}', '\t', '\u00a0', null];
  expect(arrayText(items, ',', String)).toBe(
    '{a,"","NULL","null",nulls,"a b","a,b",a;b,"\\"","\\\\","{","}","\t",\u00a0,NULL}',
  );
  expect(arrayText(['(1,2),(3,4)', 'a;b'], ';', String)).toBe('{(1,2),(3,4);"a;b"}');
});

describe('elements', () => {
  test.each([
    [
      'int4',
      '{{1,2},{NULL,-4}}',
      [
        [1, 2],
        [null, -4],
      ],
    ],
    ['int2', '{}', []],
    ['bool', '{t,f,NULL}', [true, false, null]],
    ['float8', '{1.5,1e+15,-1e-05,NULL}', [1.5, 1e15, -1e-5, null]],
    ['float8', '{NaN,Infinity,-Infinity}', [null, Number.MAX_VALUE, -Number.MAX_VALUE]],
    ['int8', '{9007199254740993}', ['9007199254740993']],
    ['numeric', '{1.10,NaN}', ['1.10', 'NaN']],
    ['text', '{"NULL",NULL,"a \\"b\\"",1,t}', ['NULL', null, 'a "b"', '1', 't']],
    ['text', '[2:3]={a,b}', ['a', 'b']],
    ['text', '[-1:0][5:5]={{a},{"[1:2]={"}}', [['a'], ['[1:2]={']]],
  ])('%s%s', (base, written, items) => {
    expect(json(base, written)).toEqual(items);
  });

  test("a user's own type of a known name is not the known one", () => {
    expect(json('int4', '{1,2}', false)).toEqual(['1', '2']);
  });
});

test.each([
  ['int4', '{1,2}', true],
  ['int4', '[0:1]={1,2}', false],
  ['float8', '{1.5,NULL}', true],
  ['float8', '{1.5,NaN}', false],
  ['float8', '{{-0},{1}}', false],
  ['float4', '{1e+06}', true],
  ['text', '{NaN,-0}', true],
  ['numeric', '{NaN}', true],
])('%s%s is exact: %s', (base, written, exact) => {
  expect(array(type(base), ',').isExact?.(written)).toBe(exact);
});

test.each(['', '1', '{', '{1', '{1}}', '{1}x', '{"a}', '[1:2]', '[a]={1}', '{"a\\"}'])('%j is refused', (malformed) => {
  expect(() => array(type('text'), ',').literal(malformed)).toThrow(expect.objectContaining({ code: 'E_VALUE' }));
});

test.each([
  ['int4', '{1.5}'],
  ['int4', "{1'}"],
  ['bool', '{true}'],
  ['float8', '{x}'],
])('%s%s is refused', (base, written) => {
  expect(() => array(type(base), ',').literal(written)).toThrow(expect.objectContaining({ code: 'E_VALUE' }));
});

test('a large array takes a time in proportion', () => {
  const many = `{${Array.from({ length: 300_000 }, (_, i) => `"a ${i}"`).join(',')}}`;
  const started = process.cpuUsage(); // whatever else the machine does
  expect(array(type('text'), ',').literal(many).length).toBeGreaterThan(many.length);
  const { user, system } = process.cpuUsage(started);
  expect((user + system) / 1000).toBeLessThan(3_000);
});
