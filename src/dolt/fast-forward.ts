import { Wal2DoltError } from '../errors.js';
import type { TargetConnection } from './client.js';
import { quoteText } from './sql-text.js';

/** A fast-forward moves over the commits of one source transaction: one for each of its commands, and more. */
const COMMITS_AT_ONCE = 2_000;

/**
 * Moves the branch of the connection to the head of another. Throws E_TARGET_DIVERGED where it is not an ancestor, and
 * E_TARGET_DIRTY where tables that would change have uncommitted changes.
 */
export async function fastForward(connection: TargetConnection, to: string): Promise<void> {
  const [row] = await connection.rows(`CALL DOLT_MERGE(${quoteText(to)}, '--ff-only')`);
  const [hash, forwarded, , said] = row ?? [];
  if (forwarded !== '1' && !/up.to.date|ahead of/i.test(said ?? '')) {
    throw new Wal2DoltError('E_TARGET_DIVERGED', `no fast-forward to branch ${to} is possible: ${said ?? hash ?? ''}`);
  }
}

/**
 * Dolt 2.2 fast-forwards in two steps: the branch, then its working set. A server that ends in between leaves a branch in
 * which somebody seems to have undone the last commit, and which it refuses to move ever after. Nobody's work is in such
 * a working set: it is that of an earlier commit, and tables that no commit knows.
 */
export async function isHalfForwarded(connection: TargetConnection): Promise<boolean> {
  const staged = await connection.rows('SELECT table_name FROM dolt_status WHERE staged = 1');
  if (staged.length === 0) return false;
  const undone = new Set(staged.map(([name]) => name));
  const earlier = await connection.rows(`SELECT commit_hash FROM dolt_log LIMIT ${COMMITS_AT_ONCE} OFFSET 1`);
  for (const [hash] of earlier) {
    const differences = await connection.rows(
      `SELECT to_table_name, diff_type FROM dolt_diff_summary(${quoteText(hash ?? '')}, 'WORKING')`,
    );
    if (differences.every(([name, type]) => type === 'added' && !undone.has(name ?? ''))) return true;
  }
  return false;
}

/** Does the second step of a fast-forward that was broken off. */
export async function finishFastForward(connection: TargetConnection): Promise<void> {
  if (await isHalfForwarded(connection)) await connection.run(`CALL DOLT_RESET('--hard')`);
}
