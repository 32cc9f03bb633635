import { afterEach, expect, it } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { readTables } from './catalog.js';
import { connectSource } from './client.js';
import { copyRows, importSnapshot } from './copy.js';
import { createSlot } from './create-slot.js';

const clients: Awaited<ReturnType<typeof connectSource>>[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
});

it('refuses a table that was emptied under its snapshot, which would look empty', async () => {
  await using database = await createPostgresDatabase();
  await database.sql(`
    create table a_truncated (id int); create table b_rewritten (id int); create table d_same (id int);
    create table c_parted (id int) partition by list (id); create table c_leaf partition of c_parted for values in (1);
    insert into a_truncated values (1); insert into b_rewritten values (1); insert into c_parted values (1); insert into d_same values (1);
    create publication p for table a_truncated, b_rewritten, c_parted, d_same with (publish_via_partition_root)`);
  await using snapshot = await createSlot(database.url, {
    name: 'emptied',
    temporary: true,
    failover: false,
    timeoutMs: 60_000,
  });
  await database.sql('truncate a_truncated; alter table b_rewritten alter id type int using id + 0; truncate c_leaf');
  const reader = await connectSource(database.url, 'test');
  clients.push(reader);
  const tables = await readTables(reader, 'p');
  const outcomes = [];
  for (const table of tables) {
    const client = await connectSource(database.url, 'test');
    clients.push(client);
    await importSnapshot(client, snapshot.snapshotName);
    try {
      let rows = 0;
      for await (const batch of copyRows(
        client,
        table,
        table.columns.map((_, i) => i),
      ))
        rows += batch.length;
      outcomes.push(rows);
    } catch (error) {
      outcomes.push((error as { code?: string }).code);
    }
  }
  expect(outcomes).toEqual(['E_TABLE_REWRITTEN', 'E_TABLE_REWRITTEN', 'E_TABLE_REWRITTEN', 1]);
});
