import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { Wal2DoltError } from '../errors.js';
import { queryRows } from '../postgres/client.js';
import { readSlot } from '../postgres/slot.js';
import type { RunContext } from './run-context.js';

/** Where `wal_sender_timeout` is shorter, or off. */
const SHORTEST_WAIT_MS = 30_000;
const MARGIN_MS = 10_000;
const AGAIN_MS = 500;

/**
 * Opens what needs the slot. A consumer that was killed together with its machine or its network is noticed by the server
 * only after `wal_sender_timeout`: so long a slot that is in use is waited for. Throws E_SLOT_IN_USE after that, and the
 * signal's reason.
 * Source: https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-WAL-SENDER-TIMEOUT
 */
export async function whenFree<T>(
  source: pg.Client,
  slot: string,
  { logger, signal }: Pick<RunContext, 'logger' | 'signal'>,
  open: () => Promise<T>,
): Promise<T> {
  let deadline: number | undefined;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof Wal2DoltError && error.code === 'E_SLOT_IN_USE')) throw error;
      if (deadline === undefined) {
        const waitMs = await longestWait(source);
        deadline = Date.now() + waitMs;
        const pid = (await readSlot(source, slot))?.activePid ?? null;
        logger.info({ slot, pid, seconds: waitMs / 1000 }, 'the slot is in use: waiting for it to be left');
      }
      if (Date.now() > deadline) throw error;
    }
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function longestWait(source: pg.Client): Promise<number> {
  const [row] = await queryRows<{ ms: string }>(
    source,
    "SELECT setting AS ms FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'",
  );
  return Math.max(SHORTEST_WAIT_MS, Number(row?.ms ?? 0) + MARGIN_MS);
}
