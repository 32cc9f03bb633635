import { expect, it } from 'vitest';
import { again, batchAt, inserted, OPTIONS, START, shown, start, T } from '../../test/support/committing.js';
import { createDoltDatabaseName } from '../../test/support/dolt.js';
import type { ClosedBatch } from '../core/batch.js';
import { Committer } from './committer.js';
import { StagingBranch } from './staging.js';

it('never dates a commit before the one that it follows, also not after a restart', async () => {
  await using target = createDoltDatabaseName();
  {
    const { staging, committer } = await start(target);
    await using _ = staging;
    // Postgres takes the time of a commit a moment before its place in the WAL, so two can be the wrong way round.
    await shown(committer.commit(batchAt(10n, '2020-01-02T00:00:00.123456')));
    await shown(committer.commit(batchAt(20n, '2020-01-01T12:00:00.000000')));
  }
  {
    const { staging, committer } = await again(target);
    await using _ = staging;
    await shown(committer.commit(batchAt(30n, '2020-01-01T13:00:00.000000')));
    await shown(committer.commit(batchAt(40n, '2020-01-03T00:00:00.000000')));
  }
  const log = await target.sql<{ date: string; message: string }>('select date, message from dolt_log limit 4');
  expect(log.map(({ date }) => date.slice(0, 23))).toEqual([
    '2020-01-03 00:00:00.000',
    '2020-01-02 00:00:00.123',
    '2020-01-02 00:00:00.123',
    '2020-01-02 00:00:00.123',
  ]);
  // The message and the position keep the time that Postgres gave it.
  expect(log[1]?.message).toContain('Commit-Time: 2020-01-01T13:00:00.000000Z');
  expect(await target.sql("select commit_time from wal2dolt_position as of 'HEAD~1'")).toEqual([
    { commit_time: '2020-01-01 13:00:00.000000' },
  ]);
});

it('commits the records of transactions that were spilled with their rows', async () => {
  await using target = createDoltDatabaseName();
  const { staging } = await start(target);
  await using _ = staging;
  const committer = await Committer.open(staging, { ...OPTIONS, transactions: true }, START, 'streaming');
  const [first, second, last] = [8n, 9n, 10n].map((end) => batchAt(end, '2020-01-02T00:00:00.000000').transactions[0]);
  if (!first || !second || !last) throw new Error('there are three');
  await committer.spill(inserted(T, ['1', 'a']), [first, second]);
  const spilled = { count: 2, xids: [8, 9], contextCount: 0, contexts: [] };
  await shown(committer.commit(batchAt(10n, '2020-01-02T00:00:00.000000', { spilled, transactions: [last] })));
  expect(await target.sql('select xid from wal2dolt_transactions order by 1')).toEqual([
    { xid: 8 },
    { xid: 9 },
    { xid: 10 },
  ]);
  const [commit] = await target.sql<{ message: string }>('select message from dolt_log limit 1');
  expect(commit?.message).toMatch(/^3 transactions, .*\nXids: 8 9 10\n.*\nTransactions: 3\n/s);
});

it('does not commit what was spilled when somebody threw it away in between', async () => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  await committer.spill(inserted(T, ['1', 'a']));
  await committer.spill(inserted(T, ['2', 'b']));
  await shown(committer.commit(batchAt(10n, '2020-01-02T00:00:00.000000')));
  expect(await target.sql('select end_lsn_num, spills from wal2dolt_position')).toEqual([
    { end_lsn_num: 10, spills: 0 },
  ]);

  await committer.spill(inserted(T, ['3', 'c']));
  await (await target.connect('wal2dolt')).query("call dolt_reset('--hard')");
  await expect(shown(committer.commit(batchAt(20n, '2020-01-03T00:00:00.000000')))).rejects.toMatchObject({
    code: 'E_TARGET_DIVERGED',
  });
  expect(await target.sql('select end_lsn_num from wal2dolt_position')).toEqual([{ end_lsn_num: 10 }]);
  expect(await target.sql('select id from t order by id')).toEqual([{ id: 1 }, { id: 2 }]);
});

const oneRow = (n: number): ClosedBatch =>
  batchAt(BigInt(n), '2020-01-02T00:00:00.000000', { rows: 1, changes: inserted(T, [`${n}`, 'v']) });

it('makes commits while those before are being shown, and none where one can not be', async () => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  const one = (n: number) => committer.commit(oneRow(n));
  const made: Promise<boolean>[] = [];
  for (let n = 2; n <= 21; n += 1) made.push((await one(n)).shown);
  expect(await Promise.all(made)).toEqual(made.map(() => true));
  expect(await target.sql("select count(*) as n, hashof('main') = hashof('wal2dolt') as same from t")).toEqual([
    { n: 20, same: 1 },
  ]);

  // Somebody changes a table on the readers' branch, and leaves it so.
  await target.sql("insert into t values (99, 'of somebody else')");
  const { shown: refused } = await one(22);
  await expect(refused).rejects.toMatchObject({ code: 'E_TARGET_DIRTY' });
  await expect(one(23)).rejects.toMatchObject({ code: 'E_TARGET_DIRTY' });
  expect(await target.sql("select max(id) as id from t as of 'wal2dolt'")).toEqual([{ id: 22 }]);
});

it.each(['shown', 'followed'])('a commit that Dolt put after one of somebody else is not %s', async (what) => {
  await using target = createDoltDatabaseName();
  const { staging } = await start(target);
  await using _ = staging;
  await staging.writer.run('START TRANSACTION');
  await staging.writer.run("INSERT INTO t VALUES (1, 'ours')");
  const stranger = await target.connect('wal2dolt');
  await stranger.query("insert into t values (2, 'theirs')");
  await stranger.query("call dolt_commit('-A', '-m', 'theirs')");
  const commit = () => staging.commit('ours', START.commitTime, OPTIONS.author);
  await commit();
  await expect(what === 'shown' ? staging.publish() : commit()).rejects.toMatchObject({
    code: 'E_TARGET_DIVERGED',
    message: expect.stringMatching('was not made by wal2dolt'),
  });
  expect(await target.sql('select * from t')).toEqual([]);
  expect(await target.sql("select count(*) as n from t as of 'wal2dolt'")).toEqual([{ n: 2 }]);
});

it('a batch after a commit of somebody else is not shown, and nothing goes on from there', async () => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  const one = (n: number) => committer.commit(oneRow(n));
  for (const n of [2, 3]) await shown(one(n));
  const stranger = await target.connect('wal2dolt');
  await stranger.query("insert into t values (99, 'theirs')");
  await stranger.query("call dolt_commit('-A', '-m', 'theirs')");
  await expect(shown(one(4))).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
  await expect(one(5)).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
  expect(await target.sql('select id from t order by id')).toEqual([{ id: 2 }, { id: 3 }]);

  await staging[Symbol.asyncDispose]();
  await using again = await StagingBranch.open(staging.address, staging.branches);
  await expect(again.position()).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
});
