import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createPostgresDatabase, startPostgres } from '../../test/support/postgres.js';
import { connectReplication, connectSource, queryRows } from './client.js';
import { createSlot } from './create-slot.js';
import { dropSlot, readSlot, slotHealth } from './slot.js';

const slotName = (): string => `s_${randomBytes(6).toString('hex')}`;
// Generous: on the shared server, the creation waits for the transactions of other tests too.
const OPTIONS = { temporary: false, failover: false, timeoutMs: 60_000 };

describe('dropSlot', () => {
  it('waits for a slot to be left, and takes a missing one as dropped', async () => {
    await using database = await createPostgresDatabase();
    const name = slotName();
    const client = await connectSource(database.url, 'test');
    await (await createSlot(database.url, { ...OPTIONS, name }))[Symbol.asyncDispose]();
    const user = await connectReplication(database.url, 'test');
    const streaming = user.query(
      `START_REPLICATION SLOT ${name} LOGICAL 0/0 (proto_version '1', publication_names 'none')`,
    );
    streaming.catch(() => {});
    await expect.poll(async () => (await readSlot(client, name))?.active).toBe(true);
    setTimeout(() => user.end().catch(() => {}), 300);
    await dropSlot(client, name);
    expect(await readSlot(client, name)).toBeNull();
    await dropSlot(client, name);
    await client.end();
  });

  it('refuses a slot that stays in use', async () => {
    await using database = await createPostgresDatabase();
    const name = slotName();
    await using _snapshot = await createSlot(database.url, { ...OPTIONS, name, temporary: true });
    const client = await connectSource(database.url, 'test');
    await expect(dropSlot(client, name)).rejects.toMatchObject({ code: 'E_SLOT_IN_USE' });
    await client.end();
  });
});

describe('slotHealth on a real server', () => {
  it('sees a slot whose WAL was removed', async () => {
    await using server = await startPostgres({ max_slot_wal_keep_size: '1MB' });
    await using database = await createPostgresDatabase('shop', server);
    const client = await connectSource(database.url, 'test');
    await (await createSlot(database.url, { ...OPTIONS, name: 'behind' }))[Symbol.asyncDispose]();
    expect(slotHealth(await readSlot(client, 'behind'))).toMatchObject({
      state: 'ok',
      sentence: expect.stringMatching(/\d+ more bytes/),
    });
    for (let i = 0; i < 3; i++)
      await queryRows(client, `select pg_logical_emit_message(false, 'x', 'x'), pg_switch_wal()`);
    expect(slotHealth(await readSlot(client, 'behind')).state).toBe('unreserved');
    await queryRows(client, 'checkpoint');
    expect(slotHealth(await readSlot(client, 'behind'))).toMatchObject({
      state: 'lost',
      sentence: expect.stringContaining('max_slot_wal_keep_size'),
    });
    await client.end();
  });
});
