import { describe, expect, it } from 'vitest';
import { again, batchAt, inserted, shown, start, T, WIDER } from '../../test/support/committing.js';
import { createDoltDatabaseName, type DoltDatabase } from '../../test/support/dolt.js';
import type { ClosedBatch } from '../core/batch.js';
import { subjectOf, trailer } from '../core/message.js';
import { parseMicros } from '../core/position.js';
import { readTables, updateTable } from './bookkeeping.js';
import type { Committer, SchemaChange } from './committer.js';
import type { StagingBranch } from './staging.js';

/** `alter table t add w int`, by the transaction that ends at 10; also in the bookkeeping. */
function widening(staging: StagingBranch, onHead: (head: string) => void = () => {}): SchemaChange {
  return {
    tag: 'ALTER TABLE',
    command: 'alter table t add w int',
    changes: ['t: column w integer added'],
    user: 'ann',
    xid: 10,
    commitTime: parseMicros('2020-01-02T00:00:00.000000'),
    apply: async (head) => {
      onHead(head);
      for (const statement of [
        'ALTER TABLE t ADD COLUMN w INT',
        'START TRANSACTION',
        ...updateTable(WIDER),
        'COMMIT',
      ]) {
        await staging.writer.run(statement);
      }
    },
  };
}

/** Commits of a branch, the newest first: what they are, and what they are a part of. */
async function history(target: DoltDatabase, branch = 'main'): Promise<(string | null)[][]> {
  const log = await target.sql<{ message: string }>(`select message from dolt_log('${branch}')`);
  const told = log.map(({ message }) => [subjectOf(message), trailer(message, 'Lsn'), trailer(message, 'Part-Of')]);
  return told.slice(0, -2); // Dolt's own, and the one of the bookkeeping
}

/** What wal2dolt_commits says, with the first line of the message of the commit that it names. */
async function recorded(target: DoltDatabase): Promise<unknown[]> {
  const rows = await target.sql(
    `select c.end_lsn_num as lsn, l.message, transaction_count, row_count, reason
     from wal2dolt_commits c left join dolt_log l on l.commit_hash = c.commit_hash order by 1`,
  );
  return rows.map((row) => [row.lsn, subjectOf(row.message ?? ''), row.transaction_count, row.row_count, row.reason]);
}

const SHOWN = 'ALTER TABLE: alter table t add w int';
const BEFORE = 'rows before transaction 10 changed the schema';

describe('a transaction that changes the schema', () => {
  it('is a commit for each of its parts, and readers see them all at once', async () => {
    await using target = createDoltDatabaseName();
    const { staging, committer } = await start(target);
    await using _ = staging;
    let head = '';
    const change = widening(staging, (hash) => {
      head = hash;
    });
    await committer.changeSchema(inserted(T, ['1', 'a']), change);
    expect(await target.sql(`select * from t as of '${head}'`)).toEqual([{ id: 1, v: 'a' }]);
    await committer.spill(inserted(WIDER, ['2', 'b', '2']));
    expect(await history(target)).toEqual([['start', '0/1', null]]);
    const changes = inserted(WIDER, ['3', 'c', '3']);
    await shown(committer.commit(batchAt(10n, '2020-01-02T00:00:00.000000', { rows: 3, changes })));

    expect(await history(target)).toEqual([
      ['1 transaction, 3 rows, to 0/A', '0/A', null],
      [SHOWN, '0/1', '10'],
      [BEFORE, '0/1', '10'],
      ['start', '0/1', null],
    ]);
    const states = ['HEAD~2', 'HEAD~1', 'HEAD'].map((at) => target.sql(`select * from t as of '${at}' order by id`));
    expect(await Promise.all(states)).toEqual([
      [{ id: 1, v: 'a' }],
      [{ id: 1, v: 'a', w: null }],
      [
        { id: 1, v: 'a', w: null },
        { id: 2, v: 'b', w: 2 },
        { id: 3, v: 'c', w: 3 },
      ],
    ]);
    const positions = ['HEAD~2', 'HEAD~1', 'HEAD'].map((at) =>
      target.sql(`select end_lsn_num as lsn, spills from wal2dolt_position as of '${at}'`),
    );
    expect((await Promise.all(positions)).flat()).toEqual([
      { lsn: 1, spills: 0 },
      { lsn: 1, spills: 0 },
      { lsn: 10, spills: 0 },
    ]);
    // A part is no state, so the commits that are recorded are those around it.
    expect(await recorded(target)).toEqual([[1, 'start', 0, 0, '']]);
    await shown(committer.commit(batchAt(20n, '2020-01-03T00:00:00.000000')));
    expect(await recorded(target)).toEqual([
      [1, 'start', 0, 0, ''],
      [10, '1 transaction, 3 rows, to 0/A', 1, 3, 'transactions'],
    ]);
  });

  it('and does nothing else is that one commit', async () => {
    await using target = createDoltDatabaseName();
    const { staging, committer } = await start(target);
    await using _ = staging;
    await committer.changeSchema([], widening(staging));
    await shown(committer.commit(batchAt(10n, '2020-01-02T00:00:00.000000', { reason: 'ddl' })));
    expect(await history(target)).toEqual([
      [SHOWN, '0/A', null],
      ['start', '0/1', null],
    ]);
    expect(await target.sql('select end_lsn_num as lsn, spills from wal2dolt_position')).toEqual([
      { lsn: 10, spills: 0 },
    ]);
    await staging[Symbol.asyncDispose]();

    // What it says is enough to go on from there, and for what is recorded of it.
    const next = await again(target);
    await using __ = next.staging;
    expect(next.committer.position.endLsn).toBe(10n);
    await shown(next.committer.commit(batchAt(20n, '2020-01-03T00:00:00.000000')));
    expect(await recorded(target)).toEqual([
      [1, 'start', 0, 0, ''],
      [10, SHOWN, 1, 0, 'ddl'],
    ]);
  });

  it('and says what for, in its context, is a commit with that message first', async () => {
    await using target = createDoltDatabaseName();
    const { staging, committer } = await start(target);
    await using _ = staging;
    await committer.changeSchema([], widening(staging));
    const batch = batchAt(10n, '2020-01-02T00:00:00.000000', { reason: 'ddl' });
    const transactions = batch.transactions.map((one) => ({
      ...one,
      context: { content: '', message: 'Ticket 4711' },
    }));
    await shown(committer.commit({ ...batch, transactions }));
    const [commit] = await target.sql<{ message: string }>('select message from dolt_log limit 1');
    expect(commit?.message.split('\n\n').slice(0, 2)).toEqual(['Ticket 4711', SHOWN]);
  });

  it('several times is as many commits, the last of them the transaction', async () => {
    await using target = createDoltDatabaseName();
    const { staging, committer } = await start(target);
    await using _ = staging;
    const comment = { ...widening(staging), tag: 'COMMENT', command: `comment on table t is 'x'` };
    const apply = async (): Promise<void> => {
      await staging.writer.run(`ALTER TABLE t COMMENT = 'x'`);
    };
    await committer.changeSchema([], widening(staging));
    // Rows that change nothing are no commit.
    await committer.changeSchema(inserted(WIDER), { ...comment, apply });
    await shown(committer.commit(batchAt(10n, '2020-01-02T00:00:00.000000', { reason: 'ddl' })));
    expect(await history(target)).toEqual([
      [`COMMENT: comment on table t is 'x'`, '0/A', null],
      [SHOWN, '0/1', '10'],
      ['start', '0/1', null],
    ]);
  });

  it.each<[string, Partial<ClosedBatch>]>([
    ['a tag', { tag: 'v1' }],
    ['rows', { rows: 1, changes: inserted(WIDER, ['1', 'a', '1']) }],
  ])('and has %s is two commits', async (_what, what) => {
    await using target = createDoltDatabaseName();
    const { staging, committer } = await start(target);
    await using _ = staging;
    await committer.changeSchema([], widening(staging));
    expect(await shown(committer.commit(batchAt(10n, '2020-01-02T00:00:00.000000', what)))).toBe(true);
    expect((await history(target)).map(([subject, , part]) => [subject?.slice(0, 13), part])).toEqual([
      ['1 transaction', null],
      ['ALTER TABLE: ', '10'],
      ['start', null],
    ]);
  });

  it.each<[string, (committer: Committer, staging: StagingBranch) => Promise<void>]>([
    ['the change', (committer, staging) => committer.changeSchema([], widening(staging))],
    ['rows and the change', (committer, staging) => committer.changeSchema(inserted(T, ['1', 'a']), widening(staging))],
    [
      'its parts and more',
      async (committer, staging) => {
        await committer.changeSchema(inserted(T, ['1', 'a']), widening(staging));
        await committer.spill(inserted(WIDER, ['2', 'b', '2']));
      },
    ],
    [
      'all of its parts',
      async (committer, staging) => {
        await committer.changeSchema(inserted(T, ['1', 'a']), widening(staging));
        await committer.changeSchema(inserted(WIDER, ['2', 'b', '2']), { ...widening(staging), apply: async () => {} });
        await committer.spill([]);
      },
    ],
  ])('and is broken off after %s never happened', async (_what, write) => {
    await using target = createDoltDatabaseName();
    {
      const { staging, committer } = await start(target);
      await write(committer, staging);
      staging.destroy();
    }
    const { staging, committer } = await again(target);
    await using _ = staging;
    expect(await history(target, 'wal2dolt')).toEqual([['start', '0/1', null]]);
    expect(committer.position.endLsn).toBe(1n);
    expect(await target.sql(`show tables`)).toContainEqual({ [`Tables_in_${target.name}`]: 't' });
    const [table] = await readTables(staging.writer);
    expect([...(table?.columns.values() ?? [])].map(({ name }) => name)).toEqual(['id', 'v']);
    expect(await staging.writer.rows('select * from t')).toEqual([]);

    // It comes again, from its beginning.
    await committer.changeSchema(inserted(T, ['1', 'a']), widening(staging));
    await shown(committer.commit(batchAt(10n, '2020-01-02T00:00:00.000000', { rows: 1 })));
    expect(await target.sql('select * from t')).toEqual([{ id: 1, v: 'a', w: null }]);
    expect(await recorded(target)).toEqual([[1, 'start', 0, 0, '']]);
  });
});
