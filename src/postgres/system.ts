import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type Lsn, parseLsn } from '../core/position.js';
import type { LivedTimeline } from '../core/timeline.js';
import { Wal2DoltError } from '../errors.js';
import { queryRows } from './client.js';
import { readTimelines } from './timeline.js';

export interface SystemIdentity {
  /** Differs for every cluster that initdb ever made; a decimal number beyond 2^53. */
  readonly systemId: string;
  /** Its whole history; the last is the one that it is on. */
  readonly timelines: readonly LivedTimeline[];
  /** End of the WAL that is on disk. */
  readonly walPosition: Lsn;
  readonly database: string;
}

/**
 * Which server this is. `client` must be a replication connection: what SQL has instead (`pg_control_checkpoint`) tells
 * the timeline of the last checkpoint, which may be from before a promotion.
 */
export async function identifySystem(client: pg.Client): Promise<SystemIdentity> {
  const [row] = await queryRows<{ systemid: string; timeline: string; xlogpos: string; dbname: string }>(
    client,
    'IDENTIFY_SYSTEM',
  );
  if (!row) throw new Wal2DoltError('E_SOURCE_PROTOCOL', 'IDENTIFY_SYSTEM gave no row');
  return {
    systemId: row.systemid,
    timelines: await readTimelines(client, Number(row.timeline)),
    walPosition: parseLsn(row.xlogpos),
    database: row.dbname,
  };
}

/** The WAL position now: every transaction whose commit was waited for is before it. On a standby: what is replayed. */
export async function currentWal(client: pg.Client): Promise<Lsn> {
  const [row] = await queryRows<{ lsn: string }>(
    client,
    `SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END AS lsn`,
  );
  if (!row) throw new Wal2DoltError('E_SOURCE_PROTOCOL', 'pg_current_wal_lsn gave no row');
  return parseLsn(row.lsn);
}

/**
 * The WAL position that every transaction which is visible now is before, also one that did not wait for its WAL
 * (synchronous_commit off, the default of a subscription): what is only in the server's memory yet is not counted by
 * `currentWal`, and is written by the WAL writer within three of its delays.
 * Source: https://www.postgresql.org/docs/current/wal-async-commit.html
 */
export async function settledWal(client: pg.Client): Promise<Lsn> {
  const [row] = await queryRows<{ pending: string; delay: string }>(
    client,
    `SELECT NOT pg_is_in_recovery() AND pg_current_wal_insert_lsn() > pg_current_wal_lsn() AS pending,
       (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_writer_delay') AS delay`,
  );
  if (row?.pending === 't') await sleep(3 * Number(row.delay) + 100);
  return currentWal(client);
}
