import { expect, it } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { createProxy, createSlot } from '../../test/support/replication.js';
import { LSN_ZERO } from '../core/position.js';
import { clientConfig } from './client.js';
import { openReplicationStream } from './transport.js';

const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** What a terminated backend says at last. */
function terminated(): Buffer {
  const fields = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

it('survives a server that ends the connection in the packet that completes it', async () => {
  await using source = await createPostgresDatabase();
  await source.sql('create table t (id int primary key)');
  const slot = await createSlot(source);
  await using proxy = await createProxy(source.url);
  proxy.fromServer = (chunk) => {
    const at = chunk.indexOf(READY);
    return at < 0 ? chunk : Buffer.concat([chunk.subarray(0, at + READY.length), terminated()]);
  };
  const opening = openReplicationStream({
    connection: clientConfig(proxy.url, 'test'),
    slot: slot.name,
    publication: 'pub',
    start: LSN_ZERO,
  });
  // Without a listener in place the error would be uncaught, and this test run would fail by it.
  await expect(opening).rejects.toMatchObject({ code: expect.stringMatching(/^E_(SOURCE_UNREACHABLE|STREAM_ENDED)$/) });
});
