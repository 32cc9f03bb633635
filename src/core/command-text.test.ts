import { expect, it } from 'vitest';
import { firstLine } from './command-text.js';

it.each([
  ['ALTER TABLE orders ADD COLUMN note text', 'ALTER TABLE orders ADD COLUMN note text'],
  ['\n\n  ALTER TABLE\torders\n  ADD COLUMN note text;\n', 'ALTER TABLE orders'],
  [
    '--\n-- Add field note to order\n--\r\nALTER TABLE orders ADD COLUMN note text',
    'ALTER TABLE orders ADD COLUMN note text',
  ],
  ['-- nothing else', '-- nothing else'],
  ['a\rb', 'a'],
  ['a\u2028b', 'a'],
  ['', ''],
  [' \n\t\n', ''],
])('the first line of %j is %j', (command, line) => {
  expect(firstLine(command)).toBe(line);
});
