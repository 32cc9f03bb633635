import { expect, it } from 'vitest';
import { parseCount, splitWords } from './words.js';

it('takes a count', () => {
  expect(['1', '20', '1000000'].map(parseCount)).toEqual([1, 20, 1_000_000]);
  for (const bad of ['0', '-1', '', ' 1', '1.5', '1e3', 'all', '1000001', '99999999'])
    expect(() => parseCount(bad), bad).toThrow('expected a number from 1 to 1000000.');
});

it('tells names from what looks like an option', () => {
  expect(splitWords({ args: ['orders', '--schmea', 'public.notes', '-x'] })).toEqual({
    names: ['orders', 'public.notes'],
    unknown: ['--schmea', '-x'],
  });
});
