import { expect, it } from 'vitest';
import { batchAt, inserted, shown, start, T } from '../../test/support/committing.js';
import { createDoltDatabaseName } from '../../test/support/dolt.js';
import { PlainChanges } from '../../test/support/plain-changes.js';
import { contentOf } from '../../test/support/row-changes.js';
import { createTargetTables } from '../../test/support/target-tables.js';
import { UNCHANGED } from '../core/row.js';

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

it('rows that are changed in place are shared, and their exact values stay with them', async () => {
  await using target = await createTargetTables();
  const table = await target.create({
    columns: { id: 'integer', n: 'integer', amount: 'numeric', long: 'text' },
    key: ['id'],
  });
  const rows = Array.from({ length: 300 }, (_, i) => [String(i), '0', i % 7 === 0 ? `${i}.50` : `${i}.5`, `long ${i}`]);
  await target.change(table, (net) => {
    for (const row of rows) net.insert(row);
  });
  await target.share(table, (net) => {
    for (const [id = ''] of rows) net.update(null, [id, `1${id}`, UNCHANGED, UNCHANGED]);
  });
  expect(await target.rowsOf(table)).toEqual(
    contentOf(rows.map(([id = '', , amount = '', long = '']) => [id, `1${id}`, amount, long])),
  );
});

it.each([10, 2_990])('row %i that somebody deleted is missed, in whichever half it is', async (missing) => {
  await using target = createDoltDatabaseName();
  const { staging, committer } = await start(target);
  await using _ = staging;
  await shown(
    committer.commit(batchAt(2n, '2020-01-02T00:00:00.000000', { rows: 3_000, changes: inserted(T, ...ROWS) })),
  );
  const other = await target.connect('wal2dolt');
  await other.query(`delete from t where id = ${missing}`);
  await other.end();
  const deletes = new PlainChanges(T);
  for (const row of ROWS) deletes.delete({ full: false, row });
  await expect(
    shown(committer.commit(batchAt(3n, '2020-01-03T00:00:00.000000', { rows: 3_000, changes: [deletes.net] }))),
  ).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
  expect(await target.sql('select count(*) as n from t')).toEqual([{ n: 3_000 }]);
});
