import type { Config } from '../config.js';
import { formatLsn, formatMicros, LSN_ZERO, type Lsn, maxLsn } from '../core/position.js';
import { readAcknowledged } from '../dolt/acknowledged.js';
import { parseTarget, type TargetAddress } from '../dolt/address.js';
import { readPosition, readTables } from '../dolt/bookkeeping.js';
import { TargetConnection } from '../dolt/client.js';
import { asWal2DoltError, type ErrorCode, Wal2DoltError } from '../errors.js';
import { connectSource } from '../postgres/client.js';
import { areExact, readTriggers } from '../postgres/ddl-triggers.js';
import { readSlot, slotHealth } from '../postgres/slot.js';
import { currentWal } from '../postgres/system.js';
import { unlessAborted } from './interrupt.js';

/** Where both sides stand. Reads only, and works while a run is going on. A side that does not answer is told as its error. */
export interface Status {
  /** When it was asked for, as this machine has it: ISO 8601, UTC. */
  readonly time: string;
  readonly source: SourceStatus | { readonly error: string };
  readonly target: TargetStatus | { readonly error: string };
  readonly lag: { readonly bytes: number; readonly seconds: number } | null;
}

export interface SourceStatus {
  readonly walPosition: string;
  readonly slot: {
    readonly state: string;
    readonly sentence: string;
    readonly active: boolean;
    readonly confirmedFlushLsn: string | null;
    /** WAL that Postgres keeps for the slot. */
    readonly retainedBytes: number | null;
    /** How much more may be written before the slot is lost; null without max_slot_wal_keep_size. */
    readonly safeBytes: number | null;
  };
  /** How schema changes are noticed: each in its place, or with the first row after it. */
  readonly ddl: 'triggers' | 'relations';
}

export interface TargetStatus {
  readonly phase: 'empty' | 'snapshot' | 'streaming';
  readonly endLsn: string | null;
  readonly commitTime: string | null;
  readonly tables: { readonly streaming: number; readonly copying: number; readonly left: number };
  readonly commits: readonly { readonly hash: string; readonly date: string; readonly message: string }[];
}

const COMMITS_SHOWN = 5;
/** A connection that was accepted and then stays silent ends nowhere. */
const ANSWER_MS = 20_000;

export async function status(config: Config): Promise<Status> {
  const time = new Date().toISOString();
  const overdue = AbortSignal.timeout(ANSWER_MS);
  const [source, target] = await Promise.allSettled([
    inTime('E_SOURCE_UNREACHABLE', overdue, readSource(config, overdue)),
    inTime('E_TARGET_UNREACHABLE', overdue, readTarget(config, overdue)),
  ]);
  return {
    time,
    source: source.status === 'fulfilled' ? source.value.status : failed(source.reason),
    target: target.status === 'fulfilled' ? target.value.status : failed(target.reason),
    lag:
      source.status === 'fulfilled' && target.status === 'fulfilled' && target.value.reached !== null
        ? lagOf(source.value.wal, source.value.nowMicros, target.value.reached, target.value.commitMicros)
        : null,
  };
}

async function inTime<T>(code: ErrorCode, overdue: AbortSignal, answer: Promise<T>): Promise<T> {
  try {
    return await unlessAborted(overdue, answer);
  } catch (error) {
    throw overdue.aborted ? new Wal2DoltError(code, `no answer within ${ANSWER_MS / 1000} s`) : error;
  }
}

function failed(reason: unknown): { error: string } {
  const error = asWal2DoltError(reason);
  return { error: `${error.code}: ${error.message}` };
}

/** Bytes of WAL that are not in Dolt yet, of interest or not; seconds since the last transaction that is, while there are some. */
function lagOf(wal: Lsn, nowMicros: bigint, reached: Lsn, commitMicros: bigint): { bytes: number; seconds: number } {
  const bytes = wal > reached ? Number(wal - reached) : 0;
  return { bytes, seconds: bytes === 0 ? 0 : Math.max(0, Number(nowMicros - commitMicros) / 1e6) };
}

async function readSource(
  config: Config,
  overdue: AbortSignal,
): Promise<{ status: SourceStatus; wal: Lsn; nowMicros: bigint }> {
  const client = await connectSource(config.source, 'wal2dolt status');
  const giveUp = (): void => void client.end().catch(() => {});
  overdue.addEventListener('abort', giveUp);
  try {
    const wal = await currentWal(client);
    const slot = await readSlot(client, config.slot);
    const health = slotHealth(slot);
    return {
      wal,
      nowMicros: BigInt(Date.now()) * 1000n,
      status: {
        walPosition: formatLsn(wal),
        slot: {
          ...health,
          active: slot?.active ?? false,
          confirmedFlushLsn: slot?.confirmedFlushLsn ? formatLsn(slot.confirmedFlushLsn) : null,
          retainedBytes: slot?.restartLsn ? Number(wal - slot.restartLsn) : null,
          safeBytes: slot?.safeWalSize ?? null,
        },
        ddl: areExact(await readTriggers(client), config.publication) ? 'triggers' : 'relations',
      },
    };
  } finally {
    overdue.removeEventListener('abort', giveUp);
    await client.end().catch(() => {});
  }
}

async function readTarget(
  config: Config,
  overdue: AbortSignal,
): Promise<{ status: TargetStatus; reached: Lsn | null; commitMicros: bigint }> {
  const address = parseTarget(config.target);
  const empty: TargetStatus = {
    phase: 'empty',
    endLsn: null,
    commitTime: null,
    tables: { streaming: 0, copying: 0, left: 0 },
    commits: [],
  };
  if (!(await stagingExists(address, config.stagingBranch))) return { status: empty, reached: null, commitMicros: 0n };
  await using connection = await TargetConnection.open(address, config.stagingBranch);
  overdue.addEventListener('abort', () => connection.destroy());
  const position = await readPosition(connection);
  if (!position) return { status: empty, reached: null, commitMicros: 0n };
  const tables = { streaming: 0, copying: 0, left: 0 };
  for (const { state } of await readTables(connection)) tables[state === 'joining' ? 'copying' : state] += 1;
  const commits = await connection.rows(`SELECT commit_hash, date, message FROM dolt_log LIMIT ${COMMITS_SHOWN}`);
  const acknowledged = (await readAcknowledged(connection, position.source.slot)) ?? LSN_ZERO;
  return {
    reached: maxLsn(position.endLsn, acknowledged),
    commitMicros: position.commitTime,
    status: {
      phase: position.phase,
      endLsn: formatLsn(position.endLsn),
      commitTime: formatMicros(position.commitTime),
      tables,
      commits: commits.map(([hash, date, message]) => ({
        hash: hash ?? '',
        date: date ?? '',
        message: (message ?? '').split('\n')[0] ?? '',
      })),
    },
  };
}

async function stagingExists(address: TargetAddress, branch: string): Promise<boolean> {
  await using server = await TargetConnection.open(address, null);
  const databases = await server.rows('SHOW DATABASES');
  if (!databases.some(([name]) => name?.toLowerCase() === address.database.toLowerCase())) return false;
  await using database = await TargetConnection.open(address);
  const branches = await database.rows('SELECT name FROM dolt_branches');
  return branches.some(([name]) => name === branch);
}
