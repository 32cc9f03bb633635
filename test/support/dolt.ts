import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import { inject } from 'vitest';
import { startDolt as start } from '../../src/servers/dolt.js';
import type { LocalServer } from '../../src/servers/local-server.js';

/** A `LocalServer`, or where the shared one is. */
type Server = { readonly url: string; readonly pid?: number | null };

type Value = string | number | bigint | boolean | Date | Buffer | null;

export interface DoltDatabase extends AsyncDisposable {
  readonly name: string;
  /** `mysql://root@127.0.0.1:port/name` */
  readonly url: string;
  /** A new connection to the database, on `branch` if given, ended at disposal at the latest. */
  connect(branch?: string): Promise<mysql.Connection>;
  /** Runs one statement on the target branch (on a new connection: what was published last) and gives its rows. */
  // biome-ignore lint/suspicious/noExplicitAny: a test knows what it selects
  sql<Row = Record<string, any>>(text: string, values?: readonly Value[]): Promise<Row[]>;
}

/**
 * A random name on the project's shared Dolt, or on `server`, for a database that the code under test creates.
 * Dropped at disposal. Dates come as text, integers beyond 2^53 and decimals too.
 *
 *     await using target = createDoltDatabaseName();
 */
export function createDoltDatabaseName(server: Server = { url: inject('doltUrl') }): DoltDatabase {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const connections: mysql.Connection[] = [];
  const connect = async (database: string): Promise<mysql.Connection> => {
    const connection = await mysql.createConnection({
      uri: server.url,
      database,
      dateStrings: true,
      supportBigNumbers: true,
    });
    connection.on('error', () => {}); // the server may be killed by the test
    return connection;
  };
  return {
    name,
    url: `${server.url}/${name}`,
    async connect(branch?: string) {
      const connection = await connect(branch === undefined ? name : `${name}/${branch}`);
      connections.push(connection);
      return connection;
    },
    async sql<Row>(text: string, values?: readonly Value[]): Promise<Row[]> {
      const connection = await connect(name);
      try {
        const [rows] = await connection.query(text, values === undefined ? undefined : [...values]);
        return rows as Row[]; // of the one statement that the caller wrote
      } finally {
        connection.destroy();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.destroy();
      if (server.pid === null) return; // the test left its own server stopped
      const admin = await mysql.createConnection(server.url);
      await admin.query(`drop database if exists \`${name}\``);
      await admin.query('call dolt_purge_dropped_databases()');
      await admin.end();
    },
  };
}

/** `createDoltDatabaseName`, with the database made. */
export async function createDoltDatabase(server?: Server): Promise<DoltDatabase> {
  const database = createDoltDatabaseName(server);
  const admin = await mysql.createConnection(server?.url ?? inject('doltUrl'));
  await admin.query(`create database \`${database.name}\``);
  await admin.end();
  return database;
}

/** A Dolt of the test's own, to kill and restart. */
export function startDolt(): Promise<LocalServer> {
  return start({ binary: inject('doltBinary') });
}
