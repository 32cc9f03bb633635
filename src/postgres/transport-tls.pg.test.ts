import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { createAuthority } from '../../test/support/authority.js';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { createSlot, ofKind, takeTransactions } from '../../test/support/replication.js';
import { clientConfig } from './client.js';

const ROWS = 20_000;

/** TLS in front of a Postgres that has none. What the server sends as a piece is a record, as it is where Postgres has TLS itself. */
async function tlsInFront(server: URL, key: Buffer, cert: Buffer): Promise<{ url: URL } & Disposable> {
  const sockets: Socket[] = [];
  const proxy = createServer(async (outside) => {
    outside.on('error', () => {});
    await once(outside, 'readable');
    outside.read(8); // SSLRequest
    outside.write('S');
    const inside = connect(Number(server.port), server.hostname);
    const secured = new TLSSocket(outside, { isServer: true, secureContext: createSecureContext({ key, cert }) });
    for (const [one, other] of [
      [secured, inside],
      [inside, secured],
    ] as const) {
      one.on('error', () => other.destroy()).pipe(other);
    }
    sockets.push(outside, inside);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = new URL(server);
  url.port = String((proxy.address() as AddressInfo).port); // it listens on a port
  url.searchParams.set('sslmode', 'require');
  return {
    url,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

it('a backlog comes by TLS whole and in order, and what follows', async () => {
  await using authority = await createAuthority();
  const { key, certificate } = await authority.issue('IP:127.0.0.1');
  await using source = await createPostgresDatabase();
  await source.sql('create table t (id int primary key, v text)');
  const slot = await createSlot(source);
  await source.sql(`insert into t select g, repeat('x', g % 200) from generate_series(1, ${ROWS}) g`);
  using front = await tlsInFront(new URL(source.url), readFileSync(key), readFileSync(certificate));
  await using stream = await slot.open({ connection: clientConfig(front.url.href, 'test') });
  const backlog = ofKind(await takeTransactions(stream), 'insert').map(({ row }) => row.cell(0));
  expect(backlog).toEqual(Array.from({ length: ROWS }, (_, i) => String(i + 1)));

  await source.sql('insert into t values (0)');
  const [alone] = ofKind(await takeTransactions(stream), 'insert');
  expect(alone?.row.cell(0)).toBe('0');
});
