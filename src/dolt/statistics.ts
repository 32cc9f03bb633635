import pRetry from 'p-retry';
import type { TargetConnection } from './client.js';

/**
 * Forgets what Dolt counted about tables: its statistics of a table that had the same name before make it read, and
 * delete, the wrong rows of a new one. A purge stops their collection on the whole server, which is put right again unless
 * it was switched off there. Source: go/libraries/doltcore/sqle/dprocedures/stats_funcs.go
 */
export async function purgeStatistics(connection: TargetConnection): Promise<void> {
  // Fails where it meets the collection (of any database of the server), which it has stopped by then.
  await pRetry(() => connection.rows('CALL DOLT_STATS_PURGE()'), {
    retries: 20,
    minTimeout: 100,
    maxTimeout: 500,
    randomize: true,
  });
  const on = await connection.value('SELECT @@global.dolt_stats_enabled AND NOT @@global.dolt_stats_paused');
  if (on === '1') await connection.rows('CALL DOLT_STATS_RESTART()');
}
