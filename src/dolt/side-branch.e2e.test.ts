import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { again, batchAt, inserted, shown, start, T } from '../../test/support/committing.js';
import { createDoltDatabaseName } from '../../test/support/dolt.js';
import { PlainChanges } from '../../test/support/plain-changes.js';
import { TargetConnection } from './client.js';
import { SideBranch } from './side-branch.js';

it('begins when a copy of a predecessor that was killed is over, without what that one wrote last', async () => {
  await using target = createDoltDatabaseName();
  const { staging } = await start(target);
  await using _ = staging;
  const killed = await SideBranch.open(staging);
  await killed.writer.run('CREATE TABLE only_here (id INT PRIMARY KEY)');
  const worker = await killed.openCopyConnection(63);
  await worker.run('START TRANSACTION');
  await worker.run('INSERT INTO only_here VALUES (1)');
  await worker.run("INSERT INTO t VALUES (1, 'late')");
  killed.writer.destroy();

  let began = false;
  const opening = SideBranch.open(staging).then((branch) => {
    began = true;
    return branch;
  });
  await sleep(1_000);
  expect(began).toBe(false);
  await worker.run('COMMIT');
  await worker[Symbol.asyncDispose]();
  await using branch = await opening;
  expect(await branch.writer.rows('SELECT id FROM t')).toEqual([]);
  expect(await branch.writer.hasTable('only_here')).toBe(false);
  expect(await branch.writer.value(`SELECT HASHOF('HEAD')`)).toBe(staging.head.hash);
});

it('what a run that was killed left of it is gone when the next one begins', async () => {
  await using target = createDoltDatabaseName();
  const first = await start(target);
  for (const name of ['wal2dolt_side', 'wal2dolt_squash'])
    await first.staging.writer.run(`CALL DOLT_BRANCH('${name}')`);
  first.staging.destroy();
  const { staging } = await again(target);
  await using _ = staging;
  const names = await staging.writer.rows('SELECT name FROM dolt_branches ORDER BY name');
  expect(names.flat()).toEqual(['main', 'wal2dolt']);
});

it('its end does not hide what is wrong with a batch that is being written', async () => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  const rows = inserted(T, ['1', 'a'], ['2', 'b']);
  await shown(committer.commit(batchAt(2n, '2020-01-02T00:00:00.000000', { rows: 2, changes: rows })));
  const other = await target.connect('wal2dolt');
  await other.query('delete from t where id = 2');
  await other.end();
  const side = await SideBranch.open(staging);
  const { defer } = TargetConnection.prototype;
  let ended: Promise<void> | null = null;
  const spy = vi.spyOn(TargetConnection.prototype, 'defer').mockImplementation(function (
    this: TargetConnection,
    sql,
    check,
  ) {
    defer.call(this, sql, check);
    if (check) ended ??= side[Symbol.asyncDispose]();
  });
  const deletes = new PlainChanges(T);
  deletes.delete({ full: false, row: ['2', null] });
  const batch = batchAt(3n, '2020-01-03T00:00:00.000000', { rows: 1, changes: [deletes.net] });
  await expect(shown(committer.commit(batch))).rejects.toThrow();
  spy.mockRestore();
  expect(ended).not.toBe(null);
  await ended;
  expect(await target.sql('select id from t order by id')).toEqual([{ id: 1 }, { id: 2 }]);
});
