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

/** FAST, and a transaction of more than this is written in parts. */
export const SPILLING = { ...FAST, commit: { maxDelay: '30ms', maxBytes: '100kB' } };

/** Brings a run with SPILLING into the middle of a transaction of 59,001 rows, beside two. A connection to the staging branch. */
export async function spilled(source: PostgresDatabase, target: DoltDatabase): ReturnType<DoltDatabase['connect']> {
  await source.sql('insert into t values (2)');
  await expect.poll(() => target.sql('select id from t')).toHaveLength(2);
  await source.sql("insert into t select i, repeat('x', 100) from generate_series(1000, 60000) i");
  const staging = await target.connect('wal2dolt');
  const rows = async (): Promise<unknown> => (await staging.query('select count(*) as n from t'))[0];
  await expect.poll(rows, { interval: 10 }).not.toEqual([{ n: 2 }]);
  return staging;
}

/** What a run that has to end by itself throws. */
export async function failure(running: { readonly ended: Promise<void> }): Promise<string> {
  const error = await running.ended.then(
    () => null,
    (thrown: { code?: string; message: string }) => thrown,
  );
  return error ? `${error.code}: ${error.message}` : 'ended well';
}
