import { formatLsn, type Position } from '../core/position.js';
import { quoteName } from '../dolt/client.js';
import type { Committer } from '../dolt/committer.js';
import { createConstraints } from './constraints.js';
import type { Relations } from './relations.js';
import type { RunContext, Sides } from './run-context.js';

/**
 * Shows the first snapshot to readers, with the tables as they are at this position: some may have been renamed, altered or
 * dropped while the stream caught up with the last of the copies.
 */
export async function publishSnapshot(
  { config, staging }: Sides,
  context: RunContext,
  committer: Committer,
  relations: Relations,
  position: Position,
): Promise<void> {
  const tables = [...relations.tables.values()].map(({ table }) => table);
  let rows = 0;
  for (const { name } of tables) rows += Number(await staging.writer.value(`SELECT count(*) FROM ${quoteName(name)}`));
  await committer.publishSnapshot(position, tables.length, rows, (connection) =>
    createConstraints(connection, config, tables, context),
  );
  context.logger.info(
    { lsn: formatLsn(position.endLsn), tables: tables.length, rows },
    'snapshot complete and published',
  );
  context.onProgress();
}
