import { randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import pg from 'pg';
import type { StreamEvent } from '../../src/core/change.js';
import { LSN_ZERO, type Lsn, parseLsn } from '../../src/core/position.js';
import { clientConfig } from '../../src/postgres/client.js';
import {
  openReplicationStream,
  type ReplicationOptions,
  type ReplicationStream,
} from '../../src/postgres/transport.js';
import type { PostgresDatabase } from './postgres.js';

export interface TestSlot {
  readonly name: string;
  /** Streams from where the slot stands. `settings` are of the session: `{ wal_sender_timeout: '2s' }`. */
  open(options?: Partial<ReplicationOptions>, settings?: Record<string, string>): Promise<ReplicationStream>;
  confirmedFlush(): Promise<Lsn>;
}

/** A publication of all tables, and a slot behind it. */
export async function createSlot(source: PostgresDatabase, publication = 'pub'): Promise<TestSlot> {
  const name = `slot_${randomBytes(6).toString('hex')}`;
  await source.sql(`create publication ${pg.escapeIdentifier(publication)} for all tables`);
  await source.sql('select pg_create_logical_replication_slot($1, $2)', [name, 'pgoutput']);
  return {
    name,
    open: (options, settings = {}) => {
      const connection = options?.connection ?? clientConfig(source.url, 'wal2dolt test');
      const session = Object.entries(settings).map(([key, value]) => ` -c ${key}=${value}`);
      return openReplicationStream({
        slot: name,
        publication,
        start: LSN_ZERO,
        ...options,
        connection: { ...connection, options: `${connection.options}${session.join('')}` },
      });
    },
    async confirmedFlush() {
      const [row] = await source.sql<{ lsn: string }>(
        'select confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name = $1',
        [name],
      );
      return parseLsn(row?.lsn ?? '');
    },
  };
}

/** Takes until an event satisfies `last`, which is the last one given back unless others came with it. */
export async function takeUntil(
  stream: ReplicationStream,
  last: (event: StreamEvent) => boolean,
  timeoutMs = 20_000,
): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const more = await stream.take(500);
    events.push(...more);
    // Each event is asked about once: `last` may count.
    if (more.filter(last).length > 0) return events;
    if (Date.now() > deadline)
      throw new Error(`not among ${events.length} events: ${events.slice(-20).map((e) => e.kind)}`);
  }
}

/** The events until `count` commits, without keepalives. */
export async function takeTransactions(stream: ReplicationStream, count = 1): Promise<StreamEvent[]> {
  let commits = 0;
  const events = await takeUntil(stream, (event) => event.kind === 'commit' && ++commits >= count);
  return events.filter((event) => event.kind !== 'keepalive');
}

/** The events of one kind. */
export function ofKind<K extends StreamEvent['kind']>(
  events: readonly StreamEvent[],
  kind: K,
): Extract<StreamEvent, { kind: K }>[] {
  return events.filter((event): event is Extract<StreamEvent, { kind: K }> => event.kind === kind);
}

export interface Proxy extends AsyncDisposable {
  /** The URL that was given, through the proxy. */
  readonly url: string;
  /** URL of the server that new connections go to. */
  server: string;
  /** What the server sends passes through here; null: nothing passes any more, in either direction. */
  fromServer: ((chunk: Buffer) => Buffer) | null;
  /** From now on nothing passes on the connections that there are, not even that they end; new ones are as before. */
  drop(): void;
}

/** A network between us and a server that can be made to fail. */
export async function createProxy(target: string): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const dropped = new Set<Socket>();
  // Half-open: where nothing passes, nobody answers an end.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const { hostname, port } = new URL(proxy.server);
    const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    for (const [from, to] of [[near, far] as const, [far, near] as const]) {
      const passing = (): Proxy['fromServer'] => (dropped.has(from) ? null : proxy.fromServer);
      sockets.add(from);
      from.on('error', () => {});
      from.on('end', () => {
        if (passing()) to.end();
      });
      from.on('close', () => {
        if (passing()) to.destroy();
      });
      from.on('data', (chunk) => {
        const pass = passing();
        if (pass) to.write(from === far ? pass(chunk) : chunk);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = new URL(target);
  url.port = String(typeof address === 'object' ? address?.port : '');
  const proxy: Proxy = {
    url: url.href,
    server: target,
    fromServer: (chunk) => chunk,
    drop() {
      for (const socket of sockets) dropped.add(socket);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
