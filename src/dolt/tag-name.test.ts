import { expect, it } from 'vitest';
import { tagName } from './tag-name.js';

it.each(['v1', 'release/2.0', "it's", 'Head/x', 'x-refs/y', 'a'.repeat(255), 'a..b'])('%s is asked for', (name) => {
  expect(tagName(name)).toBe(name);
  expect(tagName(`\n ${name}\t`)).toBe(name);
});

it.each([
  '',
  ' ',
  'a b',
  'a\nb',
  'é',
  'a\u00a0b',
  'a\u007f',
  'head',
  'HEAD',
  'refs/heads/x',
  '-d',
  '--delete',
  'a'.repeat(256),
])('%j is not', (name) => {
  expect(tagName(name)).toBeNull();
});
