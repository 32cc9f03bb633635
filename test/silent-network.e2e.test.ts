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
  // At once: the run still asks for this and that before it streams.
  await expect.poll(rows, { ...SOON, interval: 1 }).toHaveLength(1);
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

it('a network that drops what is sent holds up nothing that is to be committed', { timeout: 400_000 }, async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using network = await createProxy(source.url);
  const rows = (): Promise<unknown[]> => target.sql('select count(*) as n from t').catch(() => []);
  await source.sql('create table t (id serial primary key)');
  await source.sql(`alter database ${source.name} set wal_sender_timeout = '1s'`);
  // Without event triggers each commit waits for a look at the publication.
  const settings = { ...FAST, ddl: 'relations', commit: { maxTransactions: 1 } };
  await using running = startRun(network.url, target.url, settings);
  await expect.poll(rows, SOON).toEqual([{ n: 0 }]);
  const written = source.sql(`do $$ begin for i in 1..300 loop
    insert into t default values; commit; perform pg_sleep(0.002); end loop; end $$`);
  await expect.poll(rows, { ...SOON, interval: 10 }).not.toEqual([{ n: 0 }]);
  network.drop();
  await written;
  await Promise.race([expect.poll(rows, SOON).toEqual([{ n: 300 }]), running.ended]);
});
