import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.js';
import { type Lsn, parseLsn } from '../core/position.js';
import { parseTarget } from '../dolt/address.js';
import { TargetConnection } from '../dolt/client.js';
import { isWriterActive } from '../dolt/locks.js';
import type { ResyncTable } from './resync.js';

const LOOK_MS = 500;
/** A run that lost a connection has no lock until it has another one. */
const ABSENT_MS = 90_000;

/** A table that readers see copied, as it was at `lsn`. */
export interface Copied {
  readonly table: ResyncTable;
  readonly lsn: Lsn;
}

/** done: readers see the copies. ended: no run has been there for a while. interrupted: by the signal. */
export type Waited = 'done' | 'ended' | 'interrupted';

/** Waits until the run that was asked has copied the tables and published them. Tells of each as it is done. */
export async function awaitResync(
  config: Config,
  asked: { readonly tables: readonly ResyncTable[]; readonly lsn: Lsn },
  tell: (copied: Copied) => void,
  signal: AbortSignal,
): Promise<Waited> {
  const address = parseTarget(config.target);
  await using connection = await TargetConnection.open(address, config.targetBranch);
  const waiting = new Map(asked.tables.map((table) => [table.oid, table]));
  let seen = performance.now();
  while (!signal.aborted) {
    const rows = await connection.rows(
      `SELECT relation_oid, snapshot_lsn FROM wal2dolt_tables WHERE state = 'streaming' AND relation_oid IN (${[...waiting.keys()].join(', ')})`,
    );
    for (const [oid, snapshot] of rows) {
      const table = waiting.get(Number(oid));
      const lsn = snapshot ? parseLsn(snapshot) : null;
      if (!table || lsn === null || lsn < asked.lsn) continue;
      waiting.delete(table.oid);
      tell({ table, lsn });
    }
    if (waiting.size === 0) return 'done';
    if (await isWriterActive(connection, `${address.database}/${config.stagingBranch}`)) seen = performance.now();
    else if (performance.now() - seen > ABSENT_MS) return 'ended';
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
  return 'interrupted';
}
