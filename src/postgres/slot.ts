import pRetry from 'p-retry';
import type pg from 'pg';
import { type Lsn, parseLsn } from '../core/position.js';
import { Wal2DoltError } from '../errors.js';
import { queryRows } from './client.js';

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
