import { Wal2DoltError } from '../errors.js';
import type { TargetConnection } from './client.js';
import { quoteText } from './sql-text.js';

/** Seconds to wait for a lock: a killed predecessor's session ends when its last statement does. */
const LOCK_SECONDS = 10;
/** The most that `copyConnections` allows. */
const MOST_COPIES = 64;
/** The number of the connection that writes beside the writer. */
export const BESIDE = MOST_COPIES;

/**
 * The right to write a branch, given as database/branch. A lock is held by the connection that writes, so that it is
 * released only when that session is really over: a predecessor that was killed may still have a statement running in
 * the server, here or in its copy, and what that one commits must be there before we look. Throws E_TARGET_LOCKED.
 */
export async function lockWriter(connection: TargetConnection, branch: string): Promise<void> {
  await lock(connection, [lockName(branch, 'writer')]);
  const copies = Array.from({ length: BESIDE + 1 }, (_, number) => copyLock(branch, number));
  await lock(connection, copies);
  await connection.rows(`SELECT ${copies.map((name) => `RELEASE_LOCK(${quoteText(name)})`).join(' + ')}`);
}

/** Whether somebody has the right to write the branch now; reads only. */
export async function isWriterActive(connection: TargetConnection, branch: string): Promise<boolean> {
  return (await connection.value(`SELECT IS_FREE_LOCK(${quoteText(lockName(branch, 'writer'))})`)) !== '1';
}

/** `lockWriter` for a connection of the copy, beside the writer's; each has a number of its own, from 0. */
export async function lockCopy(connection: TargetConnection, branch: string, number: number): Promise<void> {
  await lock(connection, [copyLock(branch, number)]);
}

const copyLock = (branch: string, number: number): string => lockName(branch, `copy${number}`);

/** Dolt knows a database by its name in any case, but a lock only by the very same one. */
const lockName = (branch: string, role: string): string => `wal2dolt/${branch.toLowerCase()}/${role}`;

async function lock(connection: TargetConnection, names: readonly string[]): Promise<void> {
  const all = names.map((name) => `GET_LOCK(${quoteText(name)}, ${LOCK_SECONDS})`).join(' + ');
  if ((await connection.value(`SELECT ${all}`)) !== String(names.length)) {
    throw new Wal2DoltError('E_TARGET_LOCKED', `another wal2dolt holds the lock ${names[0]}`);
  }
}
