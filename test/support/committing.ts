import { type ClosedBatch, NOTHING_SPILLED } from '../../src/core/batch.js';
import { type KeyedChanges, type KeylessChanges, netChangesOf } from '../../src/core/coalesce.js';
import { stepMessage } from '../../src/core/message.js';
import { lsn, type Position, parseMicros } from '../../src/core/position.js';
import type { TargetTable } from '../../src/core/target.js';
import { Tuple } from '../../src/core/tuple.js';
import { parseTarget } from '../../src/dolt/address.js';
import { insertPosition, insertTable } from '../../src/dolt/bookkeeping.js';
import { Committer, type MadeCommit } from '../../src/dolt/committer.js';
import { createTable } from '../../src/dolt/ddl.js';
import { StagingBranch } from '../../src/dolt/staging.js';
import type { DoltDatabase } from './dolt.js';
import { targetOf } from './tables.js';

/*
 * A committer on a real Dolt, and what it is given, without a stream.
 */

const SOURCE = {
  systemId: '1',
  timeline: { id: 1, start: lsn(0n) },
  database: 'shop',
  slot: 'wal2dolt',
  publication: 'wal2dolt',
};
const AUTHOR = 'wal2dolt <wal2dolt@localhost>';

const BRANCHES = { target: 'main', staging: 'wal2dolt' };
export const OPTIONS = { source: SOURCE, author: AUTHOR, transactions: false };
export const START: Position = { endLsn: lsn(1n), commitTime: parseMicros('2020-01-01T00:00:00.000001'), xid: 1 };

/** One transaction that ends at `end`, committed at `time`. */
export function batchAt(end: bigint, time: string, what: Partial<ClosedBatch> = {}): ClosedBatch {
  const { rows = 0 } = what;
  const transaction = { endLsn: lsn(end), commitTime: parseMicros(time), xid: Number(end), rows, context: null };
  return {
    reason: 'transactions',
    transactions: [transaction],
    spilled: NOTHING_SPILLED,
    rows,
    counts: [],
    changes: [],
    tag: null,
    ...what,
  };
}

/** A table, and what it is with one column more. */
export const T = targetOf({ name: 't', oid: 7, columns: { id: 'integer', v: 'text' }, key: ['id'] });
export const WIDER = targetOf({ name: 't', oid: 7, columns: { id: 'integer', v: 'text', w: 'integer' }, key: ['id'] });

/** Net changes: rows of the table, as cells. */
export function inserted(
  table: TargetTable,
  ...rows: readonly (readonly string[])[]
): (KeyedChanges | KeylessChanges)[] {
  const changes = netChangesOf(table);
  for (const row of rows) changes.insert(Tuple.of(row));
  return [changes];
}

/** A target with the empty table t, at the position 1. */
export async function start(target: DoltDatabase): Promise<{ staging: StagingBranch; committer: Committer }> {
  const staging = await StagingBranch.open(parseTarget(target.url), BRANCHES);
  await staging.writer.run(insertPosition(START, SOURCE, 'streaming'));
  await staging.writer.run(createTable(T));
  for (const statement of insertTable(T, 'streaming')) await staging.writer.run(statement);
  await staging.commit(stepMessage('start', START), START.commitTime, AUTHOR);
  await staging.publish();
  return { staging, committer: await Committer.open(staging, OPTIONS, START, 'streaming') };
}

/** As a new run would find it. */
export async function again(target: DoltDatabase): Promise<{ staging: StagingBranch; committer: Committer }> {
  const staging = await StagingBranch.open(parseTarget(target.url), BRANCHES);
  const position = await staging.position();
  if (!position) throw new Error('there is no position');
  return { staging, committer: await Committer.open(staging, OPTIONS, position, 'streaming') };
}

/** When readers see what was committed. */
export async function shown(made: Promise<MadeCommit>): Promise<boolean> {
  return (await made).shown;
}
