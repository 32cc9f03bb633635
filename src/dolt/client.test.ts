import { expect, it } from 'vitest';
import { quoteName } from './client.js';

it('a name is quoted so that nothing in it ends it', () => {
  expect(quoteName('a`b``c')).toBe('`a``b````c`');
});
