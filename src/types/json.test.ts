import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonAsJson, jsonb, jsonbText } from './json.js';

test('keys are ordered by length in bytes and then by bytes', () => {
  expect(jsonbText({ b: 1, aa: 2, a: 3, é: 4, '': 5, ａ: 6, '😀': 7, zzzz: 8, '10': 9, '9': 10 })).toBe(
    '{"": 5, "9": 10, "a": 3, "b": 1, "10": 9, "aa": 2, "é": 4, "ａ": 6, "zzzz": 8, "😀": 7}',
  );
  expect(jsonbText(JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}'))).toBe(
    '{"toString": 3, "__proto__": 1, "constructor": 2}',
  );
});

test('a document is the same after printing, however its keys were ordered', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (document) => {
      // -0 has no text of its own in jsonb
      const text = jsonbText(document as never);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(document)));
      expect(jsonb.restore(JSON.stringify(document))).toBe(text);
    }),
  );
});

test('nesting deeper than the stack is printed', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a": ', '}'],
  ] as const) {
    const text = `${open.repeat(100_000)}1${close.repeat(100_000)}`;
    expect(jsonb.restore(text)).toBe(text);
  }
});

describe('exactness of numbers', () => {
  test.each([
    ['[0, -1, 1.5, 123456789012345, 0.00001]', true],
    ['[100000000000000000000, 0.0000001]', true],
    ['9007199254740992', true],
    ['9007199254740993', false],
    ['1.10', false],
    ['1.0', false],
    ['[0.1, {"a": [1, 2.50]}]', false],
    ['0.12345678901234567', false],
    ['0.1234567890123456', true],
    [`1${'0'.repeat(400)}`, false],
    [`0.${'0'.repeat(400)}1`, false],
    ['"1.10"', true],
    ['{"1.10": "9007199254740993"}', true],
    ['{"a\\"": "\\\\", "1.10\\\\\\"": 1.5}', true],
    ['{"a\\\\": 1.10}', false],
    ['["\\"1.5\\"", 1.50]', false],
  ])('%s: %s', (text, exact) => {
    expect(jsonb.isExact?.(text)).toBe(exact);
  });

  test('a document is exact just when its text survives JavaScript numbers', () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => jsonbText(value)),
      fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
      fc.tuple(fc.integer(), fc.stringMatching(/^\d{1,20}$/)).map(([whole, fraction]) => `${whole}.${fraction}`),
    );
    const item = fc.oneof(
      number,
      fc.oneof(number, fc.string()).map((text) => JSON.stringify(text)),
    );
    fc.assert(
      fc.property(fc.array(item), (items) => {
        const text = `[${items.join(', ')}]`;
        expect(jsonb.isExact?.(text)).toBe(jsonb.restore(text) === text);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('a number beyond the doubles becomes the largest one, in numbers only', () => {
  const huge = `1${'0'.repeat(309)}`;
  expect(jsonb.literal(`{"${huge}": [${huge}, -${huge}, "${huge}", 1.5]}`)).toBe(
    `'{"${huge}": [1.7976931348623157e308, -1.7976931348623157e308, "${huge}", 1.5]}'`,
  );
  expect(jsonAsJson.literal('[1e400, -1E+999, 1e-999, 1e300]')).toBe(
    "'[1.7976931348623157e308, -1.7976931348623157e308, 1e-999, 1e300]'",
  );
});

test('a string of millions of escapes is stepped over', () => {
  expect(jsonb.isExact?.(`{"n": 1.5, "s": "${'\\"1.10'.repeat(2_000_000)}"}`)).toBe(true);
});

test.each([
  ['{"a": 1, "bb": [true, null]}', true],
  ['{"a":1}', false],
  ['{"b": 1, "a": 2}', false],
  ['{"a": 1, "a": 1}', false],
  ['"\\ud83d\\ude00"', false],
  ['"\\ud800"', false],
  ['"\\u0000"', true],
  ['1e5', false],
])('json in a JSON column: %s is exact: %s', (text, exact) => {
  expect(jsonAsJson.isExact?.(text)).toBe(exact);
});
