import type pg from 'pg';
import { type Lsn, parseLsn } from '../core/position.js';
import { queryRows } from './client.js';

/**
 * Writes a message into the WAL, in a transaction of its own; whoever streams reads it at its place among the changes.
 * Returns where it is. Any role may, on a server that is no standby.
 * Source: https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-REPLICATION-TABLE
 */
export async function emitMessage(client: pg.Client, prefix: string, content: unknown): Promise<Lsn> {
  const [row] = await queryRows<{ lsn: string }>(
    client,
    'SELECT pg_catalog.pg_logical_emit_message(true, $1::text, $2::text) AS lsn',
    [prefix, JSON.stringify(content)],
  );
  return parseLsn(row?.lsn ?? '');
}
