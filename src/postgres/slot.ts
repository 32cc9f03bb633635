import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import pg from 'pg';
import { type Lsn, type Micros, parseLsn } from '../core/position.js';
import type { LivedTimeline } from '../core/timeline.js';
import { Wal2DoltError } from '../errors.js';
import { connectReplication, connectSource, queryRows } from './client.js';
import { readTimelines } from './timeline.js';

/** A replication slot. Source: https://www.postgresql.org/docs/current/view-pg-replication-slots.html */
export interface Slot {
  readonly name: string;
  /** null for a physical slot. */
  readonly plugin: string | null;
  readonly slotType: 'physical' | 'logical';
  readonly database: string | null;
  readonly temporary: boolean;
  readonly active: boolean;
  readonly activePid: number | null;
  /** Transactions that ended at or before it will not be sent again. */
  readonly confirmedFlushLsn: Lsn | null;
  /** WAL from here on is kept. */
  readonly restartLsn: Lsn | null;
  readonly walStatus: 'reserved' | 'extended' | 'unreserved' | 'lost' | null;
  /** Bytes of WAL that may still be written before the slot can be lost; null where there is no limit. */
  readonly safeWalSize: number | null;
  /** Why the slot was invalidated; always null before Postgres 17. */
  readonly invalidationReason: string | null;
  /** Kept on standbys too; always false before Postgres 17. */
  readonly failover: boolean;
  /** The copy that a standby keeps of its primary's slot, which can be read once the standby is promoted. */
  readonly copyOnStandby: boolean;
}

export async function readSlot(client: pg.Client, name: string): Promise<Slot | null> {
  // As JSON, since the columns differ between versions.
  const [row] = await queryRows<{ slot: string; standby: string }>(
    client,
    `SELECT to_jsonb(s)::text AS slot, pg_catalog.pg_is_in_recovery() AS standby FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1`,
    [name],
  );
  if (!row) return null;
  // The cast: the documented columns of the view, of the versions that have them.
  const s = JSON.parse(row.slot) as {
    [column in 'database' | 'plugin' | 'restart_lsn' | 'confirmed_flush_lsn']: string | null;
  } & {
    slot_type: Slot['slotType'];
    temporary: boolean;
    active: boolean;
    active_pid: number | null;
    wal_status: Slot['walStatus'];
    safe_wal_size: number | null;
    invalidation_reason?: string | null;
    failover?: boolean;
    synced?: boolean;
  };
  return {
    name,
    plugin: s.plugin,
    slotType: s.slot_type,
    database: s.database,
    temporary: s.temporary,
    active: s.active,
    activePid: s.active_pid,
    confirmedFlushLsn: s.confirmed_flush_lsn === null ? null : parseLsn(s.confirmed_flush_lsn),
    restartLsn: s.restart_lsn === null ? null : parseLsn(s.restart_lsn),
    walStatus: s.wal_status,
    safeWalSize: s.safe_wal_size,
    invalidationReason: s.invalidation_reason ?? null,
    failover: s.failover ?? false,
    copyOnStandby: row.standby === 't' && (s.synced ?? false),
  };
}

export interface SlotHealth {
  readonly state: 'ok' | 'unreserved' | 'lost' | 'missing';
  readonly sentence: string;
}

const INVALIDATED: Readonly<Record<string, string>> = {
  wal_removed: 'Postgres removed WAL that it needed: it had fallen further behind than max_slot_wal_keep_size',
  rows_removed: 'Postgres removed catalog rows that it needed',
  wal_level_insufficient: 'wal_level was lowered on the primary server',
  idle_timeout: 'it was not used for longer than idle_replication_slot_timeout',
};

/** Whether the slot still holds all WAL after its position. */
export function slotHealth(slot: Slot | null): SlotHealth {
  if (slot === null) return { state: 'missing', sentence: 'The slot does not exist.' };
  if (slot.walStatus === 'lost' || slot.invalidationReason !== null) {
    const reason = INVALIDATED[slot.invalidationReason ?? 'wal_removed'] ?? `reason ${slot.invalidationReason}`;
    return { state: 'lost', sentence: `The slot was invalidated: ${reason}.` };
  }
  if (slot.walStatus === 'unreserved') {
    const sentence =
      'The slot is further behind than max_slot_wal_keep_size: the next checkpoint may remove WAL that it needs. Let it catch up at once, or raise that setting.';
    return { state: 'unreserved', sentence };
  }
  const left =
    slot.safeWalSize === null ? '' : ` ${slot.safeWalSize} more bytes of WAL fit before max_slot_wal_keep_size.`;
  return { state: 'ok', sentence: `The slot holds all WAL after its position.${left}` };
}

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

/** Drops the slot; nothing happens if there is none. A slot that is in use gets two seconds to be left: else E_SLOT_IN_USE. */
export async function dropSlot(client: pg.Client, name: string): Promise<void> {
  const drop = (): Promise<unknown> =>
    queryRows(
      client,
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = $1`,
      [name],
    );
  await pRetry(drop, {
    retries: 10,
    factor: 1,
    minTimeout: 200,
    // Leaving is not transactional: the walsender of an ended connection notices a little later.
    shouldRetry: ({ error }) => error instanceof Wal2DoltError && error.code === 'E_SLOT_IN_USE',
  });
}

/** The database as it was when the slot was made; the slot's stream continues from exactly there. Valid until disposed. */
export interface ExportedSnapshot extends AsyncDisposable {
  /** Transactions that end after it are in the stream, all others in the snapshot. */
  readonly consistentPoint: Lsn;
  /** For `importSnapshot`. A transaction that imported it goes on after the disposal. */
  readonly snapshotName: string;
  /** The server's clock right after the creation. */
  readonly time: Micros;
}

/**
 * Creates a logical slot for pgoutput with the snapshot of its start. Holds a connection until disposed; a temporary slot
 * ends with it. `failover` needs Postgres 17.
 *
 * The creation waits for all transactions that are open, without a limit of its own. After `timeoutMs`, or when `signal`
 * aborts, it is cancelled on the server, which removes the unfinished slot: merely closing the connection would leave the
 * walsender waiting, and a slot that nobody knows of at last. Throws E_SLOT_TIMEOUT, or the signal's reason.
 * Source: https://www.postgresql.org/docs/current/protocol-replication.html#PROTOCOL-REPLICATION-CREATE-REPLICATION-SLOT
 */
export async function createSlot(url: string, options: SlotOptions): Promise<ExportedSnapshot> {
  // Opened first: cancelling must not depend on a free connection later.
  const watcher = await connectSource(url, 'wal2dolt slot watcher');
  let creator: pg.Client | undefined;
  try {
    creator = await connectReplication(url, 'wal2dolt snapshot');
    const created = await createOrCancel(creator, watcher, options);
    const [clock] = await queryRows<{ micros: string }>(
      watcher, // any statement on the creator's connection would end the snapshot
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS micros',
    );
    const holder = creator;
    return {
      consistentPoint: parseLsn(created.consistent_point),
      snapshotName: created.snapshot_name,
      time: BigInt(clock?.micros ?? 0),
      [Symbol.asyncDispose]: () => holder.end(),
    };
  } catch (error) {
    await creator?.end().catch(() => {});
    throw error;
  } finally {
    await watcher.end().catch(() => {});
  }
}

interface SlotOptions {
  readonly name: string;
  readonly temporary: boolean;
  readonly failover: boolean;
  /** 0 waits as long as it takes. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

async function createOrCancel(
  creator: pg.Client,
  watcher: pg.Client,
  options: SlotOptions,
): Promise<{ consistent_point: string; snapshot_name: string }> {
  const { name, timeoutMs, signal } = options;
  const [backend] = await queryRows<{ pid: string }>(creator, 'SELECT pg_backend_pid() AS pid');
  // Should this process die while waiting, the walsender gives up by itself.
  await queryRows(creator, `SET lock_timeout = ${timeoutMs === 0 ? 0 : timeoutMs + 5_000}`);

  const settled = new AbortController();
  let cancelled: Promise<string> | undefined;
  const cancel = (): void => {
    cancelled ??= cancelBackend(watcher, Number(backend?.pid), settled.signal).catch(() => {
      void creator.end(); // then lock_timeout ends the walsender
      return SOME_TRANSACTIONS;
    });
  };
  signal?.throwIfAborted();
  signal?.addEventListener('abort', cancel);
  const timer = timeoutMs === 0 ? undefined : setTimeout(cancel, timeoutMs);
  try {
    const temporary = options.temporary ? 'TEMPORARY ' : '';
    const failover = options.failover ? ', FAILOVER' : '';
    const [created] = await queryRows<{ consistent_point: string; snapshot_name: string }>(
      creator,
      `CREATE_REPLICATION_SLOT ${pg.escapeIdentifier(name)} ${temporary}LOGICAL pgoutput (SNAPSHOT 'export'${failover})`,
    ).finally(() => settled.abort());
    if (!created) throw new Wal2DoltError('E_SOURCE_PROTOCOL', 'CREATE_REPLICATION_SLOT gave no row');
    return created;
  } catch (error) {
    if (!cancelled) throw error;
    const waitedFor = await cancelled;
    signal?.throwIfAborted();
    const message = `slot ${name} could not be created within ${timeoutMs / 1000} s, waiting for ${waitedFor}`;
    throw new Wal2DoltError('E_SLOT_TIMEOUT', message, { cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
    await cancelled; // it may come too late, and then does no harm to an idle connection
  }
}

/** Cancels what the backend runs until that has `settled`; the result says what it was waiting for. */
async function cancelBackend(client: pg.Client, backend: number, settled: AbortSignal): Promise<string> {
  const waitedFor = await openTransactions(client, backend).catch(() => SOME_TRANSACTIONS);
  while (!settled.aborted) {
    await queryRows(client, 'SELECT pg_cancel_backend($1)', [backend]);
    // On a busy server the backend may not have read its command yet, and would forget this.
    await sleep(CANCEL_AGAIN_MS, undefined, { signal: settled }).catch(() => {});
  }
  return waitedFor;
}

const CANCEL_AGAIN_MS = 200;

/** Every transaction that may hold up the creation of a slot by the backend, oldest first, as text; not too many. */
async function openTransactions(client: pg.Client, backend: number): Promise<string> {
  const rows = await queryRows<{ name: string; count: string }>(
    client,
    // The creation waits for one after the other, in all databases. `pg_blocking_pids` would be the present one only; it
    // is here for what is not visible otherwise.
    `WITH blocking AS (SELECT pg_blocking_pids($1) AS pids),
       open (age, name) AS (
         SELECT age(a.backend_xid), format('pid %s (%s)', a.pid,
           concat_ws(', ', a.usename, a.datname, nullif(a.application_name, ''), a.state, 'since ' || a.xact_start))
         FROM pg_catalog.pg_stat_activity a, blocking
         WHERE a.pid <> $1 AND (a.backend_xid IS NOT NULL OR a.pid = ANY (pids))
         UNION ALL
         SELECT age(transaction), format('the prepared transaction %L (%s, %s, since %s)', gid, owner, database, prepared)
         FROM pg_catalog.pg_prepared_xacts)
     SELECT name, count(*) OVER () AS count FROM open ORDER BY age DESC LIMIT $2`,
    [backend, TRANSACTIONS_SHOWN],
  );
  const more = Number(rows[0]?.count ?? 0) - rows.length;
  return [...rows.map(({ name }) => name), ...(more > 0 ? [`and ${more} more`] : [])].join(', ') || SOME_TRANSACTIONS;
}

const SOME_TRANSACTIONS = 'transactions that are open';
const TRANSACTIONS_SHOWN = 5;
