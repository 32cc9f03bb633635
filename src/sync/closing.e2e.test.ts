import { pino } from 'pino';
import { expect, it } from 'vitest';
import { start, T } from '../../test/support/committing.js';
import { createDoltDatabaseName } from '../../test/support/dolt.js';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { createSlot, ofKind, takeTransactions } from '../../test/support/replication.js';
import { Closing } from './closing.js';

it.each<[string, { bytes: number; writtenFirst: boolean }]>([
  ['small rows is written while the next is collected', { bytes: 1_000, writtenFirst: false }],
  ['a huge row is written before anything else is collected', { bytes: 9 << 20, writtenFirst: true }],
])('a batch of %s, in parts and at its end', async (_what, { bytes, writtenFirst }) => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  await source.sql('create table t (id int primary key)');
  const slot = await createSlot(source);
  await using stream = await slot.open();
  await source.sql('insert into t values (1)');
  const [commit] = ofKind(await takeTransactions(stream), 'commit');
  if (!commit) throw new Error('no transaction came');
  const closing = new Closing(
    {
      stream,
      committer,
      policy: { maxTransactions: 1, maxDelay: 0, maxRows: 1, maxBytes: 1 },
      completeAt: null,
      onComplete: async () => {},
      watch: { whole: async () => {} },
      onCommit: () => {},
      logger: pino({ level: 'silent' }),
    },
    new AbortController().signal,
  );
  const collect = (id: string): void => closing.batch.changesOf(T, bytes).insert([id, 'x'.repeat(bytes)]);

  collect('1');
  await closing.spill();
  expect(closing.pipeline.isIdle).toBe(writtenFirst);
  collect('2');
  closing.batch.commit({ endLsn: commit.endLsn, commitTime: commit.commitTime, xid: 2 }, null, Date.now());
  await closing.closeIfDue();
  expect(closing.pipeline.isIdle).toBe(writtenFirst);
  expect(committer.position.endLsn === commit.endLsn).toBe(writtenFirst);

  await closing.end('that was all', null);
  expect(await target.sql('select id, length(v) as bytes from t order by id')).toEqual([
    { id: 1, bytes },
    { id: 2, bytes },
  ]);
  await expect.poll(() => slot.confirmedFlush()).toBe(commit.endLsn);
});
