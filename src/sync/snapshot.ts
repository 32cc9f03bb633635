import type { Config } from '../config.js';
import { failpoint } from '../core/failpoint.js';
import { stepMessage } from '../core/message.js';
import { selects } from '../core/patterns.js';
import { formatLsn, LSN_ZERO } from '../core/position.js';
import { qualifiedName, type TableSchema } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import {
  insertTable,
  readTables as readStoredTables,
  type StoredPosition,
  updatePosition,
} from '../dolt/bookkeeping.js';
import type { TargetConnection } from '../dolt/client.js';
import { createTable } from '../dolt/ddl.js';
import { purgeStatistics } from '../dolt/statistics.js';
import { Wal2DoltError } from '../errors.js';
import { readTables } from '../postgres/catalog.js';
import { connectSource } from '../postgres/client.js';
import { importSnapshot, tableSizes } from '../postgres/copy.js';
import { createSlot } from '../postgres/create-slot.js';
import { dropSlot } from '../postgres/slot.js';
import { copyTables, isSmall, type TableSizes } from './copy-tables.js';
import type { RunContext, Sides } from './run-context.js';
import { planTables, restoreTable, selectSchemas } from './tables.js';

/**
 * Brings a target in phase `snapshot` to where every table was copied. The first time the slot is created, and its own
 * snapshot is copied. After an interruption that snapshot is gone, so a temporary slot gives another one, later in the
 * WAL: the tables copied before then catch up by the stream. Returns the position from which the stream goes on.
 */
export async function takeSnapshot(
  sides: Sides,
  position: StoredPosition,
  context: RunContext,
): Promise<StoredPosition> {
  const { config, source, staging, rules } = sides;
  const { signal, logger, progress } = context;
  const first = position.endLsn === LSN_ZERO;
  const missing = first
    ? []
    : (await readStoredTables(staging.writer)).filter(
        ({ state, schema }) => state === 'copying' && selects(config.tables, schema.schema, schema.name),
      );
  if (!first && missing.length === 0) return position;
  if (first) await dropSlot(source, config.slot);
  failpoint('before-slot');
  await using snapshot = await createSlot(config.source, {
    name: first ? config.slot : `${config.slot.slice(0, 40)}_copy_${process.pid}`,
    temporary: !first,
    failover: first && config.slotFailover,
    timeoutMs: config.slotTimeout,
    signal,
  });
  failpoint('after-slot');
  const current = await readSnapshot(config, snapshot.snapshotName);
  let tables: TargetTable[];
  let start = position;
  if (first) {
    tables = planTables(selectSchemas(current.schemas, config.tables), rules);
    await createTables(staging.writer, tables, (table) => isSmall(table, current.sizes));
    failpoint('after-create');
    start = { ...position, endLsn: snapshot.consistentPoint, commitTime: snapshot.time };
    await staging.writer.run(updatePosition(start, config.slot, 'snapshot'));
    await staging.commit(
      stepMessage(`empty tables at ${formatLsn(start.endLsn)}`, start),
      snapshot.time,
      config.context.author,
    );
  } else {
    tables = missing.map((table) => restoreTable(table, rules));
    assertUnchanged(tables, current.schemas);
  }
  logger.info(
    { lsn: formatLsn(snapshot.consistentPoint), tables: tables.length },
    first ? 'copying' : 'going on with the copy',
  );
  await copyTables({
    sourceUrl: config.source,
    snapshotName: snapshot.snapshotName,
    lsn: snapshot.consistentPoint,
    time: snapshot.time,
    position: start,
    author: config.context.author,
    staging,
    tables,
    sizes: current.sizes,
    connections: config.copyConnections,
    progress,
    onTable: context.onProgress,
    logger,
    signal,
  });
  return start;
}

/** The published tables as they are in the snapshot. */
async function readSnapshot(
  config: Config,
  snapshotName: string,
): Promise<{ readonly schemas: readonly TableSchema[]; readonly sizes: TableSizes }> {
  const client = await connectSource(config.source, 'wal2dolt catalog');
  try {
    await importSnapshot(client, snapshotName);
    const schemas = await readTables(client, config.publication);
    return { schemas, sizes: await tableSizes(client, schemas) };
  } finally {
    await client.end().catch(() => {});
  }
}

/** Makes empty tables for a copy that is to come, on the staging branch, some with their indexes; the caller commits. */
export async function createTables(
  connection: TargetConnection,
  tables: readonly TargetTable[],
  withIndexes: (table: TargetTable) => boolean = () => false,
): Promise<void> {
  for (const table of tables) await connection.run(createTable(table, withIndexes(table)));
  await connection.run('START TRANSACTION');
  for (const table of tables) for (const statement of insertTable(table, 'copying')) await connection.run(statement);
  await connection.run('COMMIT');
  await purgeStatistics(connection);
}

/** What the catalog says now must be what the target's table was made from: it is about to be filled. */
export function assertUnchanged(tables: readonly TargetTable[], now: readonly TableSchema[]): void {
  for (const { source } of tables) {
    const current = now.find((schema) => schema.oid === source.oid);
    const shape = (schema: TableSchema): string =>
      JSON.stringify([
        qualifiedName(schema),
        schema.columns.map(({ attnum, name, type }) => [attnum, name, type.oid, type.typmod]),
      ]);
    if (!current || shape(current) !== shape(source)) {
      throw new Wal2DoltError('E_SCHEMA_CHANGED', `${qualifiedName(source)} changed before it was copied`);
    }
  }
}
