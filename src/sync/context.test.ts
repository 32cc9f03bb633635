import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseContext } from './context.js';

it.each([
  ['{"author":"Ann <ann@example.org>","message":"Close"}', { author: 'Ann <ann@example.org>', message: 'Close' }],
  ['{"author":"Ann"}', { author: 'Ann' }],
  ['{"message":"","ticket":7}', { message: '' }],
  ['{}', {}],
  ['{"author":7,"message":"Close"}', {}],
  ['{"author":null}', {}],
  ['{"author":{"author":"Ann"}}', {}],
  ['["author"]', {}],
  ['"Ann"', {}],
  ['null', {}],
  ['', {}],
  ['{"author":"Ann"', {}],
  ["Ann's own words", {}],
])('%j is kept as it came', (content, said) => {
  expect(parseContext(content)).toEqual({ ...said, content });
});

it('is never a reason to stop', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (content) => {
      expect(parseContext(content).content).toBe(content);
    }),
  );
});
