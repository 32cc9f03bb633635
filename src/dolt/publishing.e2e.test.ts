import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { again, batchAt, inserted, shown, start, T } from '../../test/support/committing.js';
import { createDoltDatabaseName } from '../../test/support/dolt.js';
import { targetOf } from '../../test/support/tables.js';
import { parseMicros } from '../core/position.js';
import { insertTable } from './bookkeeping.js';
import { TargetConnection } from './client.js';
import { createTable } from './ddl.js';

/*
 * The readers' branch follows while more is committed.
 */

afterEach(() => vi.restoreAllMocks());

/** Fast-forwards take so long from now on; they are still Dolt's own. Returns the statements. */
function slowDown(ms: number): string[] {
  const merges: string[] = [];
  const { rows } = TargetConnection.prototype;
  vi.spyOn(TargetConnection.prototype, 'rows').mockImplementation(async function (this: TargetConnection, sql) {
    if (sql.startsWith('CALL DOLT_MERGE')) {
      merges.push(sql);
      await sleep(ms);
    }
    return rows.call(this, sql);
  });
  return merges;
}

const at = (n: number): string => `2020-01-02T00:00:${String(n).padStart(2, '0')}.000000`;
const one = (n: number) => batchAt(BigInt(n), at(n), { rows: 1, changes: inserted(T, [String(n), 'v']) });

it('moves over several commits at once where that is slow, and never over more than some', async () => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  const merges = slowDown(300);
  const all: Promise<void>[] = [];
  for (let n = 2; n < 52; n += 1) {
    const made = await committer.commit(one(n));
    // Who is told that it is shown sees it.
    all.push(
      made.shown.then(async () => {
        const [last] = await target.sql<{ id: number }>('select max(id) as id from t');
        expect(last?.id).toBeGreaterThanOrEqual(n);
      }),
    );
    const behind = await target.sql<{ n: number }>("select count(*) as n from dolt_log('main..wal2dolt')");
    expect(behind[0]?.n).toBeLessThanOrEqual(2 * 16 + 1);
  }
  await Promise.all(all);
  expect(merges.length).toBeGreaterThan(1);
  expect(merges.length).toBeLessThan(25);
  expect(await target.sql("select count(*) as n, hashof('main') = hashof('wal2dolt') as same from t")).toEqual([
    { n: 50, same: 1 },
  ]);
});

it('moves again only after a pause', async () => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  const times: number[] = [];
  const { rows } = TargetConnection.prototype;
  vi.spyOn(TargetConnection.prototype, 'rows').mockImplementation(async function (this: TargetConnection, sql) {
    if (sql.startsWith('CALL DOLT_MERGE')) times.push(performance.now());
    return rows.call(this, sql);
  });
  const all: Promise<boolean>[] = [];
  for (let n = 2; n < 52; n += 1) all.push((await committer.commit(one(n))).shown);
  await Promise.all(all);
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThan(14);
  expect(await target.sql('select count(*) as n from t')).toEqual([{ n: 50 }]);
});

it('commits that readers had not seen when everything ended are there after the next start', async () => {
  await using target = createDoltDatabaseName();
  {
    const { staging, committer } = await start(target);
    slowDown(2_000);
    for (let n = 2; n < 8; n += 1) (await committer.commit(one(n))).shown.catch(() => {});
    staging.destroy();
  }
  vi.restoreAllMocks();
  expect(await target.sql('select * from t')).toEqual([]);
  const { staging, committer } = await again(target);
  await using _ = staging;
  expect(committer.position.endLsn).toBe(7n);
  await staging.publish();
  await shown(committer.commit(one(8)));
  expect(await target.sql('select count(*) as n, min(id) as first, max(id) as last from t')).toEqual([
    { n: 7, first: 2, last: 8 },
  ]);
});

it('moves to what was complete when it was asked for, whatever is committed meanwhile', async () => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  slowDown(500);
  const { shown: first } = await committer.commit(one(2));
  await committer.spill(inserted(T, ['3', 'part']));
  const complete = staging.head.hash;
  await staging.commitPart('rows before\n\nPart-Of: 9', parseMicros(at(3)), 'a <a@b>');
  expect(staging.head.hash).not.toBe(complete);
  await first;
  expect(await target.sql('select id from t order by id')).toEqual([{ id: 2 }]);
  expect(await target.sql("select hashof('main') as hash")).toEqual([{ hash: complete }]);
});

it('a tag is given when readers see what it names', async () => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  slowDown(500);
  const { shown: seen } = await committer.commit(one(2));
  const tagged = staging.tag('named', staging.head.hash);
  await sleep(200);
  expect(await target.sql('select tag_name from dolt_tags')).toEqual([]);
  expect(await tagged).toBe(true);
  await seen;
  expect(await target.sql("select id from t as of 'named'")).toEqual([{ id: 2 }]);
});

it('steps and batches of one position have a row each time, of the last commit', async () => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  await shown(committer.commit(one(2)));
  await committer.step('one', ["UPDATE wal2dolt_tables SET state = 'streaming'"]);
  await committer.step('two', ["UPDATE wal2dolt_tables SET state = 'streaming'"]);
  await shown(committer.commit(one(3)));
  await shown(committer.commit(one(4)));
  const log = await target.sql<{ hash: string }>('select commit_hash as hash from dolt_log order by commit_order desc');
  const recorded = await target.sql<{ hash: string; at: number }>(
    'select commit_hash as hash, end_lsn_num as at from wal2dolt_commits order by end_lsn_num',
  );
  expect(recorded.map(({ at: position }) => Number(position))).toEqual([1, 2, 3]);
  // Of position 2 the second step, which is the last commit there.
  expect(recorded.slice(-2).map(({ hash }) => hash)).toEqual([log[2]?.hash, log[1]?.hash]);
});

it('a step that was the last before a restart is recorded by the first batch after it', async () => {
  await using target = createDoltDatabaseName();
  {
    const { staging, committer } = await start(target);
    await using _ = staging;
    await shown(committer.commit(one(2)));
    await committer.step('one', ["UPDATE wal2dolt_tables SET state = 'streaming'"]);
  }
  const { staging, committer } = await again(target);
  await using _ = staging;
  const { hash } = staging.head;
  await shown(committer.commit(one(3)));
  expect(await target.sql('select commit_hash as hash from wal2dolt_commits where end_lsn_num = 2')).toEqual([
    { hash },
  ]);
});

it.each([
  ['a table without a key', targetOf({ name: 'k', oid: 8, columns: { id: 'integer', v: 'text' } }), 4_000, 1],
  ['large rows', targetOf({ name: 'k', oid: 8, columns: { id: 'integer', v: 'text' }, key: ['id'] }), 6, 600_000],
])('%s: every statement has its own rows', async (_, table, count, length) => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using __ = staging;
  await staging.writer.run(createTable(table));
  for (const statement of insertTable(table, 'streaming')) await staging.writer.run(statement);
  const rows = Array.from({ length: count }, (_row, i) => [String(10_000 + i), 'v'.repeat(length)]);
  await shown(committer.commit(batchAt(2n, at(2), { rows: count, changes: inserted(table, ...rows) })));
  expect(
    await target.sql('select count(*) as n, count(distinct id) as d, min(id) as first, max(id) as last from k'),
  ).toEqual([{ n: count, d: count, first: 10_000, last: 9_999 + count }]);
});
