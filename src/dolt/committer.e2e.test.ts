import { expect, it } from 'vitest';
import { createDoltDatabaseName } from '../../test/support/dolt.js';
import type { ClosedBatch } from '../core/batch.js';
import { stepMessage } from '../core/message.js';
import { lsn, parseMicros } from '../core/position.js';
import { insertPosition } from './bookkeeping.js';
import { parseTarget } from './client.js';
import { Committer } from './committer.js';
import { StagingBranch } from './staging.js';

const SOURCE = {
  systemId: '1',
  timeline: { id: 1, start: lsn(0n) },
  database: 'shop',
  slot: 'wal2dolt',
  publication: 'wal2dolt',
};
const AUTHOR = 'wal2dolt <wal2dolt@localhost>';

function batchAt(end: bigint, time: string): ClosedBatch {
  const transaction = { endLsn: lsn(end), commitTime: parseMicros(time), xid: Number(end), rows: 0, context: null };
  return { reason: 'transactions', transactions: [transaction], rows: 0, counts: [], changes: [], tag: null };
}

it('never dates a commit before the one that it follows, also not after a restart', async () => {
  await using target = createDoltDatabaseName();
  const open = () => StagingBranch.open(parseTarget(target.url), { target: 'main', staging: 'wal2dolt' });
  const options = { source: SOURCE, author: AUTHOR, transactions: false };
  const start = { endLsn: lsn(1n), commitTime: parseMicros('2020-01-01T00:00:00.000001'), xid: 1 };
  {
    await using staging = await open();
    await staging.writer.run(insertPosition(start, SOURCE, 'streaming'));
    await staging.commit(stepMessage('start', start), start.commitTime, AUTHOR);
    const committer = await Committer.open(staging, options, start, 'streaming');
    // Postgres takes the time of a commit a moment before its place in the WAL, so two can be the wrong way round.
    await committer.commit(batchAt(10n, '2020-01-02T00:00:00.123456'));
    await committer.commit(batchAt(20n, '2020-01-01T12:00:00.000000'));
  }
  {
    await using staging = await open();
    const position = await staging.position();
    if (!position) throw new Error('there is no position');
    const committer = await Committer.open(staging, options, position, 'streaming');
    await committer.commit(batchAt(30n, '2020-01-01T13:00:00.000000'));
    await committer.commit(batchAt(40n, '2020-01-03T00:00:00.000000'));
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

it('does not commit what was spilled when somebody threw it away in between', async () => {
  await using target = createDoltDatabaseName();
  const start = { endLsn: lsn(1n), commitTime: parseMicros('2020-01-01T00:00:00.000001'), xid: 1 };
  await using staging = await StagingBranch.open(parseTarget(target.url), { target: 'main', staging: 'wal2dolt' });
  await staging.writer.run(insertPosition(start, SOURCE, 'streaming'));
  await staging.commit(stepMessage('start', start), start.commitTime, AUTHOR);
  const committer = await Committer.open(
    staging,
    { source: SOURCE, author: AUTHOR, transactions: false },
    start,
    'streaming',
  );
  await committer.spill([]);
  await committer.spill([]);
  await committer.commit(batchAt(10n, '2020-01-02T00:00:00.000000'));
  expect(await target.sql('select end_lsn_num, spills from wal2dolt_position')).toEqual([
    { end_lsn_num: 10, spills: 0 },
  ]);

  await committer.spill([]);
  await (await target.connect('wal2dolt')).query("call dolt_reset('--hard')");
  await expect(committer.commit(batchAt(20n, '2020-01-03T00:00:00.000000'))).rejects.toMatchObject({
    code: 'E_TARGET_DIVERGED',
  });
  expect(await target.sql('select end_lsn_num from wal2dolt_position')).toEqual([{ end_lsn_num: 10 }]);
});
