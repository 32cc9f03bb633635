import { expect, it } from 'vitest';
import { batchAt, inserted, shown, start, T } from '../../test/support/committing.js';
import { createDoltDatabaseName } from '../../test/support/dolt.js';

/*
 * Large batches are written by two connections.
 */

/** Enough for two. */
const ROWS = Array.from({ length: 3_000 }, (_, i) => [String(i), 'v']);

it('the second one is opened again where Dolt ended it since it did nothing', async () => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  const beside = await staging.beside();
  await target.sql(`kill ${await beside.value('SELECT CONNECTION_ID()')}`);
  await expect.poll(() => beside.isLost).toBe(true);
  await shown(
    committer.commit(batchAt(2n, '2020-01-02T00:00:00.000000', { rows: 3_000, changes: inserted(T, ...ROWS) })),
  );
  expect(await staging.beside()).not.toBe(beside);
  expect(await target.sql('select count(*) as n from t')).toEqual([{ n: 3_000 }]);
});

it('rows of both that somebody threw away are missed', async () => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  await committer.spill(inserted(T, ...ROWS));
  const other = await target.connect('wal2dolt');
  expect((await other.query('select count(*) as n from t'))[0]).toEqual([{ n: 3_000 }]);
  await other.query(`call dolt_reset('--hard')`);
  await other.end();
  await expect(
    shown(committer.commit(batchAt(2n, '2020-01-02T00:00:00.000000', { rows: 3_000 }))),
  ).rejects.toMatchObject({
    code: 'E_TARGET_DIVERGED',
  });
});
