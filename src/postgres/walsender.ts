import type pg from 'pg';
import { formatLsn, LSN_ZERO, type Lsn, parseLsn } from '../core/position.js';
import { Wal2DoltError } from '../errors.js';

/** What a replication connection must know before it starts. */
export interface SlotState {
  /** In milliseconds, as this session has it; 0: switched off. */
  readonly walSenderTimeoutMs: number;
  /** Where the slot stands; LSN_ZERO where there is no such slot (which START_REPLICATION will say). */
  readonly confirmed: Lsn;
  /** Invalidated: its WAL is gone. */
  readonly lost: boolean;
  /** The end of what the server wrote, or on a standby replayed. */
  readonly written: Lsn;
}

/** Reads it on the replication connection itself, and makes sure that warnings are sent there. */
export async function readSlotState(client: pg.Client, slot: string): Promise<SlotState> {
  if (!/^[a-z0-9_]{1,63}$/.test(slot)) {
    throw new Wal2DoltError('E_SLOT_INVALID', `${JSON.stringify(slot)} is no name of a replication slot`);
  }
  // Such a connection takes no parameters.
  const { rows } = await client.query<{ timeout: string; confirmed: string | null; lost: string; written: string }>(
    `SELECT s.setting AS timeout, r.confirmed_flush_lsn::text AS confirmed, (r.wal_status = 'lost')::text AS lost,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
         ELSE pg_catalog.pg_current_wal_lsn() END::text AS written,
       pg_catalog.set_config('client_min_messages', 'warning', false)
     FROM pg_catalog.pg_settings s LEFT JOIN pg_catalog.pg_replication_slots r ON r.slot_name = '${slot}'
     WHERE s.name = 'wal_sender_timeout'`,
  );
  const row = rows[0];
  if (!row) throw new Wal2DoltError('E_SOURCE_PROTOCOL', 'Postgres does not know wal_sender_timeout');
  return {
    walSenderTimeoutMs: Number(row.timeout),
    confirmed: row.confirmed === null ? LSN_ZERO : parseLsn(row.confirmed),
    lost: row.lost === 'true',
    written: parseLsn(row.written),
  };
}

/**
 * The command for pgoutput version 1 with logical messages. `publication` is its exact name (the library folds it to lower
 * case and does not escape it); `slot` has passed `readSlotState`.
 * Source: https://www.postgresql.org/docs/current/protocol-replication.html
 */
export function startReplication(slot: string, publication: string, start: Lsn): string {
  const options = [
    "proto_version '1'",
    // A list of identifiers inside a string.
    `publication_names ${quoteLiteral(quoteIdentifier(publication))}`,
    "messages 'true'",
  ];
  return `START_REPLICATION SLOT ${quoteIdentifier(slot)} LOGICAL ${formatLsn(start)} (${options.join(', ')})`;
}

// As the grammar of replication commands reads them: quotes are doubled, a backslash is a backslash.
const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const quoteLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`;
