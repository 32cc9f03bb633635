import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { start } from '../../test/support/committing.js';
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
