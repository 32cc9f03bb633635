import { expect, it } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { parseLsn } from '../core/position.js';
import { connectReplication, connectSource, queryRows } from './client.js';
import { currentWal, identifySystem, settledWal } from './system.js';

it('settledWal is after transactions that did not wait for their WAL', async () => {
  await using database = await createPostgresDatabase();
  const client = await connectSource(database.url, 'test');
  const careless = await database.client();
  await careless.query('set synchronous_commit = off; create table t (id int)');
  for (let id = 1; id <= 3; id += 1) {
    const { rows } = await careless.query('insert into t values ($1) returning pg_current_wal_insert_lsn() as lsn', [
      id,
    ]);
    expect(await settledWal(client)).toBeGreaterThan(parseLsn(rows[0].lsn));
  }
  await client.end();
});

it('identifySystem and currentWal tell which server this is and where it stands', async () => {
  await using database = await createPostgresDatabase();
  const replication = await connectReplication(database.url, 'test');
  const client = await connectSource(database.url, 'test');
  const before = await currentWal(client);
  // What was written last may not be on disk yet.
  await expect.poll(async () => (await identifySystem(replication)).walPosition >= before).toBe(true);
  const system = await identifySystem(replication);
  const [control] = await queryRows(client, 'select system_identifier as id from pg_control_system()');
  expect(system).toMatchObject({
    systemId: control?.id,
    timelines: [{ id: 1, start: 0n, end: null }],
    database: database.name,
  });

  await database.sql('create table t (id int)');
  const [row] = await database.sql<{ lsn: string }>(
    'insert into t values (1) returning pg_current_wal_insert_lsn() as lsn',
  );
  expect(await currentWal(client)).toBeGreaterThan(parseLsn(row?.lsn ?? ''));
  await client.end();
  await replication.end();
});
