import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { createProxy } from './support/replication.js';
import { startRun } from './support/run.js';
import { FAST } from './support/streamed.js';

/** Far below the quarter of an hour after which the system would give up. */
const SOON = { timeout: 100_000 };

it('a network that drops what is sent ends neither the run nor holds up its end', { timeout: 400_000 }, async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using network = await createProxy(source.url);
  const rows = (): Promise<unknown[]> => target.sql('select id from t').catch(() => []);
  await source.sql('create table t (id int primary key); insert into t values (1)');
  await source.sql(`alter database ${source.name} set wal_sender_timeout = '1s'`);
  await using running = startRun(network.url, target.url, FAST);
  await expect.poll(rows, SOON).toHaveLength(1);
  for (let id = 2; id <= 3; id += 1) {
    network.drop();
    await source.sql(`insert into t values (${id})`);
    await expect.poll(rows, SOON).toHaveLength(id);
  }
  // Also for connections that are about to be made.
  network.fromServer = null;
  await sleep(5_000);
  const outcome = running.stop().then(() => 'ended');
  expect(await Promise.race([outcome, sleep(SOON.timeout, 'still runs', { ref: false })])).toBe('ended');
});
