import { expect } from 'vitest';
import { differences, doltContents, postgresContents } from './compare.js';
import type { DoltDatabase } from './dolt.js';
import type { PostgresDatabase } from './postgres.js';
import { drain } from './run.js';

/** Small delays, for tests that wait. */
export const FAST = { commit: { maxDelay: '30ms' }, retry: { firstDelay: '50ms', maxDelay: '500ms' } };

/** A streamed table `t` with one row. */
export async function stream(source: PostgresDatabase, target: DoltDatabase): Promise<void> {
  await source.sql('create table t (id int primary key, v text); insert into t values (1, $$a$$)');
  await drain(source.url, target.url);
}

export async function expectSame(source: PostgresDatabase, target: DoltDatabase): Promise<void> {
  expect(differences(await doltContents(target.url), await postgresContents(source.url, target.url))).toEqual([]);
}

/** What a run that has to end by itself throws. */
export async function failure(running: { readonly ended: Promise<void> }): Promise<string> {
  const error = await running.ended.then(
    () => null,
    (thrown: { code?: string; message: string }) => thrown,
  );
  return error ? `${error.code}: ${error.message}` : 'ended well';
}
