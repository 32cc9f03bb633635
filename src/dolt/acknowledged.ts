import { type Lsn, lsn } from '../core/position.js';
import type { TargetConnection } from './client.js';
import { quoteText } from './sql-text.js';

/**
 * Up to where WAL of no interest was acknowledged, while there was nothing to commit. It tells our own advance of the slot
 * from someone else's, and lives in the working set of the staging branch only, outside of history.
 */
const TABLE = 'wal2dolt_acknowledged';

/** Lets Dolt keep the table out of every commit. Has to stand before the table does, or Dolt tracks it. */
export async function ignoreAcknowledged(connection: TargetConnection): Promise<void> {
  await connection.run(`INSERT IGNORE INTO dolt_ignore VALUES ('${TABLE}', 1)`);
}

export async function createAcknowledged(connection: TargetConnection): Promise<void> {
  await connection.run(
    `CREATE TABLE IF NOT EXISTS ${TABLE} (slot VARCHAR(64) NOT NULL PRIMARY KEY, end_lsn_num BIGINT UNSIGNED NOT NULL)`,
  );
}

export async function recordAcknowledged(connection: TargetConnection, slot: string, end: Lsn): Promise<void> {
  await connection.run(`REPLACE INTO ${TABLE} VALUES (${quoteText(slot)}, ${end})`);
  // After START TRANSACTION and DOLT_COMMIT Dolt 2.2 is not back in autocommit: the next statement opens a transaction.
  await connection.run('COMMIT');
}

/** Seen from any connection to the staging branch; null where nothing was recorded. */
export async function readAcknowledged(connection: TargetConnection, slot: string): Promise<Lsn | null> {
  if (!(await connection.hasTable(TABLE))) return null;
  const value = await connection.value(`SELECT end_lsn_num FROM ${TABLE} WHERE slot=${quoteText(slot)}`);
  return value === null ? null : lsn(BigInt(value));
}
