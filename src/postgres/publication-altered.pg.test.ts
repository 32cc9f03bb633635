import { expect, it } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { connectSource } from './client.js';
import { isBeingAltered } from './publication.js';

it.each([
  'alter publication p add table u',
  'alter publication p drop table t',
  'alter publication p set table t where (id < 10)',
  'alter publication p add tables in schema s',
  `alter publication p set (publish = 'insert')`,
  'drop publication p',
])('%s is seen until it is committed or rolled back', async (command) => {
  await using source = await createPostgresDatabase();
  await source.sql(`create schema s; create table t (id int primary key); create table u (id int primary key);
    create publication other for table t; create publication p for table t`);
  const writer = await source.client();
  const reader = await connectSource(source.url, 'test');
  for (const end of ['rollback', 'commit']) {
    expect(await isBeingAltered(reader, 'p')).toBe(false);
    await writer.query(`begin; ${command}`);
    expect(await isBeingAltered(reader, 'p')).toBe(true);
    expect(await isBeingAltered(reader, 'other')).toBe(false);
    await writer.query(end);
  }
  expect(await isBeingAltered(reader, 'p')).toBe(false);
  await reader.end();
});
