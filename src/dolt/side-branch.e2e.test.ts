import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { again, start } from '../../test/support/committing.js';
import { createDoltDatabaseName } from '../../test/support/dolt.js';
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
