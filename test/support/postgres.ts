import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { inject } from 'vitest';
import type { LocalServer } from '../../src/servers/local-server.js';
import { startPostgres as start } from '../../src/servers/postgres.js';

/** A `LocalServer`, or where the shared one is. */
type Server = { readonly url: string; readonly pid?: number | null };

export interface PostgresDatabase extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  /** A new connection, closed at disposal at the latest. */
  client(): Promise<pg.Client>;
  /** Runs one or several statements on a connection of its own; the rows of the last one. */
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it selects
  sql<Row = Record<string, any>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** The major version of the Postgres that this project tests with. */
export const postgresVersion = (): number => inject('postgresVersion');

/**
 * A fresh database on the project's shared Postgres, or on `server`. At disposal its slots and connections are ended and it is dropped.
 *
 *     await using source = await createPostgresDatabase();
 *     await source.sql('create table t (id int primary key)');
 */
export async function createPostgresDatabase(
  name = `test_${randomBytes(6).toString('hex')}`,
  server: Server = { url: inject('postgresUrl') },
): Promise<PostgresDatabase> {
  const url = new URL(server.url);
  url.pathname = `/${encodeURIComponent(name)}`;
  await withClient(server.url, (admin) => admin.query(`create database ${pg.escapeIdentifier(name)}`));

  const clients: pg.Client[] = [];
  let own: Promise<pg.Client> | undefined;
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url.href });
    client.on('error', () => {}); // the server may be killed by the test, or the connection by our disposal
    await client.connect();
    clients.push(client);
    return client;
  };
  /** After a restart of the server, the next call of `sql` connects again. */
  const forget = (): void => {
    own = undefined;
  };
  return {
    name,
    url: url.href,
    client: connect,
    async sql<Row>(text: string, values?: readonly unknown[]): Promise<Row[]> {
      own ??= connect().then((client) => client.once('end', forget));
      const client = await own.catch((error) => {
        forget();
        throw error;
      });
      const result: unknown = await client.query(text, values === undefined ? undefined : [...values]);
      const last = Array.isArray(result) ? result.at(-1) : result; // pg gives an array for several statements
      return last.rows;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.end().catch(() => {})));
      if (server.pid === null) return; // the test left its own server stopped
      await withClient(server.url, async (admin) => {
        await dropSlots(admin, name);
        await admin.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
      });
    },
  };
}

/** A Postgres of the test's own, to kill and restart or with other settings: `startPostgres({ wal_level: 'replica' })`. */
export function startPostgres(settings: Record<string, string | number> = {}): Promise<LocalServer> {
  return start({ binaries: inject('postgresBinaries'), settings });
}

async function dropSlots(admin: pg.Client, database: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [database]);
    try {
      await admin.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1', [
        database,
      ]);
      return;
    } catch (error) {
      if (attempt === 100) throw error; // its walsender needs a moment to end
      await sleep(50);
    }
  }
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
