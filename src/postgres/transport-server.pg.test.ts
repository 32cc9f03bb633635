import { expect, it } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { createSlot } from '../../test/support/replication.js';
import { LSN_ZERO } from '../core/position.js';
import { clientConfig, connectReplication } from './client.js';
import { identifySystem } from './system.js';
import { openReplicationStream } from './transport.js';

it('streams only from the server that was asked for', async () => {
  await using source = await createPostgresDatabase();
  await source.sql('create table t (id int primary key)');
  const slot = await createSlot(source);
  const client = await connectReplication(source.url, 'test');
  const { systemId } = await identifySystem(client);
  await client.end();
  const open = (server: { systemId: string; timeline: number }) =>
    openReplicationStream({
      connection: clientConfig(source.url, 'test'),
      server,
      slot: slot.name,
      publication: 'pub',
      start: LSN_ZERO,
    });

  await expect(open({ systemId: '1', timeline: 1 })).rejects.toMatchObject({ code: 'E_STREAM_ENDED' });
  await expect(open({ systemId, timeline: 2 })).rejects.toMatchObject({ code: 'E_STREAM_ENDED' });
  await using stream = await open({ systemId, timeline: 1 });
  expect(stream).toBeDefined();
});
