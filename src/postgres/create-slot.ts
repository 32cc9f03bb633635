import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Lsn, type Micros, parseLsn } from '../core/position.js';
import { Wal2DoltError } from '../errors.js';
import { connectReplication, connectSource, queryRows } from './client.js';

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
