import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { failpoint } from '../core/failpoint.js';
import { stepMessage } from '../core/message.js';
import { selects } from '../core/patterns.js';
import { formatLsn, LSN_ZERO, type Position } from '../core/position.js';
import { qualifiedName, type TableSchema } from '../core/schema.js';
import { diffTables } from '../core/schema-diff.js';
import type { TargetTable } from '../core/target.js';
import {
  deleteTable,
  insertTable,
  readTables as readStoredTables,
  type StoredPosition,
  type StoredTable,
  updatePosition,
  updateTable,
  updateTableState,
} from '../dolt/bookkeeping.js';
import { quoteName, type TargetConnection } from '../dolt/client.js';
import { createTable } from '../dolt/ddl.js';
import { EXACT_TABLE } from '../dolt/exact.js';
import { purgeStatistics } from '../dolt/statistics.js';
import { readTables } from '../postgres/catalog.js';
import { connectSource } from '../postgres/client.js';
import { importSnapshot, tableSizes } from '../postgres/copy.js';
import { createSlot, type ExportedSnapshot } from '../postgres/create-slot.js';
import { dropSlot } from '../postgres/slot.js';
import { copyTables, isSmall, type TableSizes } from './copy-tables.js';
import { interruptOnAbort } from './interrupt.js';
import type { RunContext, Sides } from './run-context.js';
import { planTables, replanTable, restoreTable, selectSchemas } from './tables.js';

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
  const current = await readSnapshot(config, snapshot.snapshotName, signal);
  let tables: TargetTable[];
  let start = position;
  if (first) {
    tables = planTables(current.schemas, rules);
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
    tables = await adapt(sides, missing, current.schemas, () =>
      staging.commit(
        stepMessage('tables that changed before they were copied', position),
        snapshot.time,
        config.context.author,
      ),
    );
  }
  logger.info(
    { lsn: formatLsn(snapshot.consistentPoint), tables: tables.length },
    first ? 'copying' : 'going on with the copy',
  );
  await copyTables({
    sourceUrl: config.source,
    source,
    snapshotName: snapshot.snapshotName,
    commit: (group) => commitGroup(sides, group, start, snapshot, logger),
    target: staging,
    tables,
    sizes: current.sizes,
    connections: config.copyConnections,
    progress,
    onTable: context.onProgress,
    signal,
  });
  return start;
}

/**
 * Tables that were never copied, as they are by now: nobody has seen them, so those that Dolt would have otherwise are made anew. Of
 * the others the bookkeeping gets what they are by now, such as their partitions.
 */
async function adapt(
  { staging, rules }: Sides,
  missing: readonly StoredTable[],
  now: readonly TableSchema[],
  commit: () => Promise<unknown>,
): Promise<TargetTable[]> {
  const kept: TargetTable[] = [];
  const changed: TableSchema[] = [];
  let same = true;
  const oids = new Set(missing.map(({ oid }) => oid));
  const others = (await readStoredTables(staging.writer)).filter(({ oid }) => !oids.has(oid));
  for (const table of missing) {
    const made = restoreTable(table, rules);
    const schema = now.find(({ oid }) => oid === table.oid);
    const planned = schema && replanTable(made, schema, rules, []);
    same &&= JSON.stringify(made.source) === JSON.stringify(planned?.source);
    if (planned && isMadeFrom(made, planned)) {
      kept.push(planned);
      continue;
    }
    await staging.writer.run(`DROP TABLE ${quoteName(made.name)}`);
    for (const statement of deleteTable(table.oid)) await staging.writer.run(statement);
    if (schema) changed.push(schema);
  }
  if (same) return kept;
  const taken = [...kept.map(({ name }) => name), ...others.map(({ targetName }) => targetName)];
  const made = planTables(changed, rules, taken);
  await createTables(staging.writer, made);
  await staging.writer.run('START TRANSACTION');
  for (const table of kept) for (const statement of updateTable(table)) await staging.writer.run(statement);
  await commit();
  await staging.writer.run('COMMIT'); // Dolt 2.2 is not back in autocommit
  return [...kept, ...made];
}

/** Whether an empty table that was made as one schema says is as another says. */
function isMadeFrom(made: TargetTable, now: TargetTable): boolean {
  const diff = diffTables(made, now, { rewritten: false, command: null });
  return qualifiedName(made.source) === qualifiedName(now.source) && (diff?.steps.length ?? 0) === 0;
}

/** Commits tables that are copied, on the staging branch, while others still are. */
async function commitGroup(
  { staging, config }: Sides,
  group: readonly TargetTable[],
  position: Position,
  { consistentPoint: lsn, time }: ExportedSnapshot,
  logger: Logger,
): Promise<void> {
  const names = group.map(({ name }) => name);
  await staging.writer.run('START TRANSACTION');
  for (const table of group) await staging.writer.run(updateTableState(table.source.oid, 'streaming', lsn));
  const what = names.length === 1 ? names[0] : `${names.length} tables`;
  const message = stepMessage(`copied ${what} at ${formatLsn(lsn)}`, position);
  const hash = await staging.commitTables(
    [...names, 'wal2dolt_tables', EXACT_TABLE],
    message,
    time,
    config.context.author,
  );
  for (const table of names) logger.debug({ table, lsn: formatLsn(lsn), hash }, 'table copied');
}

/** The published tables as they are in the snapshot, or (null) now; all of them, or those of some oids. Waits for whoever has locked one. */
export async function readSnapshot(
  config: Config,
  snapshotName: string | null,
  signal: AbortSignal,
  oids?: readonly number[],
): Promise<{ readonly schemas: readonly TableSchema[]; readonly sizes: TableSizes }> {
  const client = await connectSource(config.source, 'wal2dolt catalog', signal);
  try {
    await using _interrupted = await interruptOnAbort(client, config.source, signal);
    if (snapshotName !== null) await importSnapshot(client, snapshotName);
    const published = await readTables(client, config.publication, oids);
    const schemas = selectSchemas(published, config.tables);
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
