import { execFile } from 'node:child_process';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { LocalServer } from '../../src/servers/local-server.js';
import { startPostgres } from './postgres.js';

const run = promisify(execFile);

const dataOf = (server: LocalServer): string => join(server.folder, 'data');
/** With owner and permissions, on which Postgres insists. */
const copy = (from: string, to: string): Promise<unknown> => run('cp', ['-a', from, to]);
const own = (server: LocalServer, path: string): Promise<unknown> =>
  run('chown', ['-R', '--reference', dataOf(server), path]);

/** The state of a server that is stopped, to be put back later: the server then is as if restored from a backup. */
export async function keepData(server: LocalServer, name: string): Promise<void> {
  await copy(dataOf(server), join(server.folder, name));
}

/** Puts back what `keepData` kept. The server must be stopped, and stays so. */
export async function putBack(server: LocalServer, name: string): Promise<void> {
  await rm(dataOf(server), { recursive: true });
  await copy(join(server.folder, name), dataOf(server));
}

/** Starts a server that is stopped on a new timeline: as a standby, which is promoted. */
export async function startPromoted(server: LocalServer): Promise<void> {
  await markStandby(server);
  await server.start();
  await promote(server.url);
}

async function markStandby(server: LocalServer): Promise<void> {
  const signal = join(dataOf(server), 'standby.signal');
  await writeFile(signal, '');
  await own(server, signal);
}

/** Returns when the server takes writes. */
export async function promote(url: string): Promise<void> {
  await query(url, 'select pg_promote()');
}

export async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {}); // the test may kill the server
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/**
 * A copy of `primary` as a standby that does not stream yet: made as a base backup is, of which not every installation has
 * the program. Its url has the primary's password.
 * Source: https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
 */
export async function startStandby(primary: LocalServer): Promise<{ server: LocalServer; url: string }> {
  const server = await startPostgres();
  await server.stop();
  const client = new pg.Client({ connectionString: primary.url });
  await client.connect();
  await client.query(`select pg_backup_start('standby', true)`);
  await rm(dataOf(server), { recursive: true });
  await copy(dataOf(primary), dataOf(server));
  const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
  await client.end();
  // With the WAL of the backup itself it can be read before it streams.
  await rm(join(dataOf(server), 'pg_wal'), { recursive: true });
  await copy(join(dataOf(primary), 'pg_wal'), join(dataOf(server), 'pg_wal'));
  await rm(join(dataOf(server), 'postmaster.pid'));
  const slots = join(dataOf(server), 'pg_replslot');
  for (const slot of await readdir(slots)) await rm(join(slots, slot), { recursive: true });
  const label = join(dataOf(server), 'backup_label');
  await writeFile(label, rows[0]?.labelfile ?? '');
  await own(server, label);
  await markStandby(server);
  await server.start();
  const url = new URL(primary.url);
  url.port = String(server.port);
  return { server, url: url.href };
}
