import { pino } from 'pino';
import { expect, it } from 'vitest';
import { start, T } from '../../test/support/committing.js';
import { createDoltDatabaseName, type DoltDatabase } from '../../test/support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from '../../test/support/postgres.js';
import { createSlot, ofKind, takeTransactions } from '../../test/support/replication.js';
import type { CommitPolicy } from '../core/batch.js';
import { Tuple } from '../core/tuple.js';
import { Closing } from './closing.js';

/** A closing beside a stream, and the end of a transaction that came in it. */
async function begin(source: PostgresDatabase, target: DoltDatabase, policy: CommitPolicy) {
  const { staging, committer } = await start(target);
  await source.sql('create table t (id int primary key)');
  const slot = await createSlot(source);
  const stream = await slot.open();
  await source.sql('insert into t values (1)');
  const [commit] = ofKind(await takeTransactions(stream), 'commit');
  if (!commit) throw new Error('no transaction came');
  const closing = new Closing(
    {
      stream,
      committer,
      policy,
      completeAt: null,
      onComplete: async () => {},
      watch: { whole: async () => {} },
      onCommit: () => {},
      logger: pino({ level: 'silent' }),
    },
    new AbortController().signal,
  );
  const collect = (id: string, bytes: number): void =>
    closing.batch.changesOf(T).insert(Tuple.of([id, 'x'.repeat(bytes)]));
  const dispose = async (): Promise<void> => {
    await stream[Symbol.asyncDispose]();
    await staging[Symbol.asyncDispose]();
  };
  return { closing, committer, commit, collect, slot, [Symbol.asyncDispose]: dispose };
}

it.each<[string, { bytes: number; writtenFirst: boolean }]>([
  ['small rows is written while the next is collected', { bytes: 1_000, writtenFirst: false }],
  ['a huge row is written before anything else is collected', { bytes: 9 << 20, writtenFirst: true }],
])('a batch of %s, in parts and at its end', async (_what, { bytes, writtenFirst }) => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using begun = await begin(source, target, { maxTransactions: 1, maxDelay: 0, maxRows: 1, maxBytes: 1 });
  const { closing, committer, commit, collect, slot } = begun;

  collect('1', bytes);
  await closing.spill();
  expect(closing.pipeline.isIdle).toBe(writtenFirst);
  collect('2', bytes);
  closing.batch.commit({ endLsn: commit.endLsn, commitTime: commit.commitTime, xid: 2 }, null, Date.now());
  await closing.closeIfDue(false);
  expect(closing.pipeline.isIdle).toBe(writtenFirst);
  expect(committer.position.endLsn === commit.endLsn).toBe(writtenFirst);

  await closing.end('that was all', null);
  expect(await target.sql('select id, length(v) as bytes from t order by id')).toEqual([
    { id: 1, bytes },
    { id: 2, bytes },
  ]);
  await expect.poll(() => slot.confirmedFlush()).toBe(commit.endLsn);
});

it('what comes while the target is busy is part of the next commit, and is written before it where that has nothing to do', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using begun = await begin(source, target, { maxTransactions: 9, maxDelay: 0, maxRows: 9, maxBytes: 100 << 20 });
  const { closing, committer, commit, collect } = begun;
  const ended = (xid: number): boolean =>
    closing.batch.commit({ endLsn: commit.endLsn, commitTime: commit.commitTime, xid }, null, Date.now());

  collect('1', 1_000);
  await closing.spillIfDue();
  expect(closing.pipeline.isIdle).toBe(true);
  collect('2', 5 << 20);
  await closing.spillIfDue();
  expect(closing.pipeline.isIdle).toBe(false);
  expect(closing.remaining(Date.now())).toBeGreaterThan(0);
  collect('3', 5 << 20);
  await closing.spillIfDue();
  ended(1);
  // It waited long enough, but Dolt would not have begun with it.
  await closing.closeIfDue(true);
  expect(closing.batch.transactionCount).toBe(1);
  collect('4', 1_000);
  ended(2);
  await closing.closeIfDue(false);
  expect(closing.batch.transactionCount).toBe(0);
  await closing.end('that was all', null);
  expect(committer.position.xid).toBe(2);
  expect(await target.sql('select id from t order by id')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]);
  expect(await target.sql('select message from dolt_log limit 1')).toEqual([
    { message: expect.stringMatching(/^2 transactions, 4 rows/) },
  ]);
});
