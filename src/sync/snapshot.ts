import { setMaxListeners } from 'node:events';
import PQueue from 'p-queue';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { failpoint } from '../core/failpoint.js';
import { stepMessage } from '../core/message.js';
import { selects } from '../core/patterns.js';
import { formatLsn, LSN_ZERO, type Lsn, type Micros, type Position } from '../core/position.js';
import { qualifiedName, type TableSchema } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import {
  insertTable,
  readTables as readStoredTables,
  type StoredPosition,
  updatePosition,
  updateTableState,
} from '../dolt/bookkeeping.js';
import type { TargetConnection } from '../dolt/client.js';
import { createIndexes, createTable } from '../dolt/ddl.js';
import { EXACT_TABLE, ExactValues } from '../dolt/exact.js';
import type { StagingBranch } from '../dolt/staging.js';
import { purgeStatistics } from '../dolt/statistics.js';
import { Writer } from '../dolt/writer.js';
import { Wal2DoltError } from '../errors.js';
import type { CopyProgress } from '../ops/progress.js';
import { readTables } from '../postgres/catalog.js';
import { connectSource } from '../postgres/client.js';
import { copyRows, estimateRows, importSnapshot } from '../postgres/copy.js';
import { createSlot, dropSlot } from '../postgres/slot.js';
import type { RunContext, Sides } from './run-context.js';
import { planTables, restoreTable, selectSchemas } from './tables.js';

/** Rows between two SQL commits of a copy: Dolt keeps the changes of an open transaction in memory. */
const ROWS_PER_COMMIT = 20_000;

export interface CopyOptions {
  readonly sourceUrl: string;
  readonly snapshotName: string;
  /** The state that the snapshot shows: all transactions that commit before it. */
  readonly lsn: Lsn;
  readonly time: Micros;
  /** The target's position, which the copy does not change. */
  readonly position: Position;
  readonly author: string;
  readonly staging: StagingBranch;
  readonly tables: readonly TargetTable[];
  readonly connections: number;
  readonly progress: CopyProgress;
  /** Called when a table is complete and committed. */
  readonly onTable: () => void;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

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
  const current = await readSchemas(config, snapshot.snapshotName);
  let tables: TargetTable[];
  let start = position;
  if (first) {
    tables = planTables(selectSchemas(current, config.tables), rules);
    await createTables(staging.writer, tables);
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
    assertUnchanged(tables, current);
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
    connections: config.copyConnections,
    progress,
    onTable: context.onProgress,
    logger,
    signal,
  });
  return start;
}

/** The published tables as they are in the snapshot. */
async function readSchemas(config: Config, snapshotName: string): Promise<TableSchema[]> {
  const client = await connectSource(config.source, 'wal2dolt catalog');
  try {
    await importSnapshot(client, snapshotName);
    return await readTables(client, config.publication);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Makes empty tables for a copy that is to come, on the staging branch; the caller commits. */
export async function createTables(connection: TargetConnection, tables: readonly TargetTable[]): Promise<void> {
  for (const table of tables) {
    await connection.run(createTable(table));
    for (const statement of insertTable(table, 'copying')) await connection.run(statement);
  }
  await purgeStatistics(connection);
}

/**
 * Copies tables, several at once, all from one exported snapshot. Each table that is complete is committed on the
 * staging branch, so that a copy that is broken off goes on with the tables that are missing; readers see nothing yet.
 */
export async function copyTables(options: CopyOptions): Promise<void> {
  const { tables, connections, progress, signal } = options;
  if (tables.length === 0) return;
  const exact = await ExactValues.load(options.staging.writer);
  const workers = Math.min(connections, tables.length);
  // Every worker imports the snapshot before the first row is copied: from then on it lives as long as they do.
  const opened: Worker[] = [];
  const queue = new PQueue({ concurrency: workers });
  const commits = new PQueue({ concurrency: 1 });
  try {
    for (let number = 0; number < workers; number += 1) opened.push(await openWorker(options, number));
    const estimates = await estimateRows(
      opened[0]?.source ?? raise(),
      tables.map((table) => table.source),
    );
    progress.start(
      tables.map((table) => ({
        name: qualifiedName(table.source),
        estimatedRows: estimates.get(table.source.oid) ?? 0,
      })),
    );
    // The queue listens to it once for each table.
    setMaxListeners(0, signal);
    const idle = [...opened];
    const largestFirst = [...tables].sort(
      (a, b) => (estimates.get(b.source.oid) ?? 0) - (estimates.get(a.source.oid) ?? 0),
    );
    await queue.addAll(
      largestFirst.map((table) => async () => {
        const worker = idle.pop() ?? raise();
        await copyTable(options, worker, exact, table);
        idle.push(worker);
        await commits.add(() => commitTable(options, table));
        progress.done(qualifiedName(table.source));
        failpoint('after-table');
        options.onTable();
      }),
      { signal },
    );
  } catch (error) {
    queue.clear();
    for (const worker of opened) worker.target.destroy();
    throw error;
  } finally {
    progress.finish();
    await Promise.allSettled(opened.map(closeWorker));
  }
}

interface Worker {
  readonly source: Awaited<ReturnType<typeof connectSource>>;
  readonly target: TargetConnection;
}

async function openWorker(options: CopyOptions, number: number): Promise<Worker> {
  const source = await connectSource(options.sourceUrl, `wal2dolt copy ${number}`);
  try {
    await importSnapshot(source, options.snapshotName);
    return { source, target: await options.staging.openCopyConnection(number) };
  } catch (error) {
    await source.end().catch(() => {});
    throw error;
  }
}

async function closeWorker(worker: Worker): Promise<void> {
  await worker.source.end().catch(() => {});
  await worker.target[Symbol.asyncDispose]();
}

async function copyTable(options: CopyOptions, worker: Worker, exact: ExactValues, table: TargetTable): Promise<void> {
  const { progress, signal } = options;
  const name = qualifiedName(table.source);
  const writer = new Writer(worker.target, exact);
  await worker.target.run('START TRANSACTION');
  await exact.clear(worker.target, table);
  let uncommitted = 0;
  const positions = table.columns.map((column) => column.sourcePosition);
  for await (const rows of copyRows(worker.source, table.source, positions)) {
    signal.throwIfAborted();
    await writer.insert(table, rows);
    progress.add(name, rows.length);
    uncommitted += rows.length;
    if (uncommitted >= ROWS_PER_COMMIT) {
      await worker.target.run('COMMIT');
      await worker.target.run('START TRANSACTION');
      uncommitted = 0;
    }
  }
  await worker.target.run('COMMIT');
  for (const statement of createIndexes(table)) await worker.target.run(statement);
}

async function commitTable(options: CopyOptions, table: TargetTable): Promise<void> {
  const { staging, lsn, time, position, author, logger } = options;
  await staging.writer.run(updateTableState(table.source.oid, 'streaming', lsn));
  const message = stepMessage(`copied ${table.name} at ${formatLsn(lsn)}`, position);
  const hash = await staging.commitTables([table.name, 'wal2dolt_tables', EXACT_TABLE], message, time, author);
  logger.debug({ table: table.name, lsn: formatLsn(lsn), hash }, 'table copied');
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

function raise(): never {
  throw new Wal2DoltError('E_INTERNAL', 'no connection is free for the copy');
}
