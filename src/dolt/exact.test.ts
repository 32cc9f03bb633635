import { expect, it } from 'vitest';
import { rowHash, rowKey } from './exact.js';

it('a row key is a JSON array of Postgres texts', () => {
  expect(rowKey(['1', null, 'it"s \\ é\n', ''])).toBe('["1",null,"it\\"s \\\\ é\\n",""]');
});

it('different keys have different texts and hashes', () => {
  const keys = [['1', '2'], ['1,2'], ['12'], ['1', '2', ''], [null], ['null'], [''], []];
  expect(new Set(keys.map(rowKey)).size).toBe(keys.length);
  expect(new Set(keys.map((key) => rowHash(rowKey(key)))).size).toBe(keys.length);
});

it('a hash has a length that Dolt can have in a key', () => {
  expect(rowHash(rowKey(['x'.repeat(1_000_000)]))).toMatch(/^[0-9a-f]{64}$/);
  // From then on: it is stored.
  expect(rowHash('["1"]')).toBe('43de3a417d75f4818c5a553268b80ce3a5805109a3bbc6b605e9fb0b8f50b485');
});
