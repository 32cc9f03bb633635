import { expect, it } from 'vitest';
import { firstLine, withoutPasswords } from './command-text.js';

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

it.each([
  [
    `CREATE ROLE ann PASSWORD 'it''s secret' LOGIN; CREATE TABLE t ()`,
    `CREATE ROLE ann PASSWORD '***' LOGIN; CREATE TABLE t ()`,
  ],
  [`alter role ann with encrypted password E'secret'; x`, `alter role ann with encrypted password '***'; x`],
  [`CREATE ROLE ann PASSWORD $p$ it's\nsecret $$ $p$; x`, `CREATE ROLE ann PASSWORD '***'; x`],
  [`CREATE ROLE ann PASSWORD\n  'secret`, `CREATE ROLE ann PASSWORD\n  '***'`],
  [`CONNECTION 'host=db password=secret dbname=shop'`, `CONNECTION 'host=db password=*** dbname=shop'`],
  [`OPTIONS (user 'ann', password 'secret')`, `OPTIONS (user 'ann', password '***')`],
])('there is no password in %j', (command, shown) => {
  expect(withoutPasswords(command)).toBe(shown);
});

it.each([
  'ALTER TABLE users ADD COLUMN password text',
  'ALTER TABLE users RENAME password TO password_hash',
  `ALTER TABLE users ADD CHECK (length(password) > 8), ADD note text DEFAULT 'none'`,
])('%j is as it was', (command) => {
  expect(withoutPasswords(command)).toBe(command);
});
