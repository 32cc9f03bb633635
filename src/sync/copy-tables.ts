import { setMaxListeners } from 'node:events';
import PQueue from 'p-queue';
import type pg from 'pg';
import { failpoint } from '../core/failpoint.js';
import { qualifiedName, type TableSchema } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import type { TargetConnection } from '../dolt/client.js';
import { hasForeignKeys } from '../dolt/constraints.js';
import { createIndexes } from '../dolt/ddl.js';
import { ExactValues } from '../dolt/exact.js';
import type { CopyTarget } from '../dolt/side-branch.js';
import { Wal2DoltError } from '../errors.js';
import type { CopyProgress } from '../ops/progress.js';
import { connectSource } from '../postgres/client.js';
import { copyRows, importSnapshot, type TableSize } from '../postgres/copy.js';
import { Turn } from '../postgres/copy-turn.js';
import { assertStillSame } from '../postgres/still-same.js';
import { CopyWriter } from './copy-writer.js';

/**
 * Whatever commits in Dolt 2.2 looks at every table of the database, DDL too: about 10 ms for 1,000 tables. So tables
 * smaller than this (in bytes) are copied and committed in groups of about this size, and have their indexes from the
 * beginning; those of a larger table are made when its rows are there, which is faster for many rows.
 */
const GROUP_BYTES = 4 << 20;
const GROUP_TABLES = 100;

export type TableSizes = ReadonlyMap<number, TableSize>;

const bytesOf = (table: TargetTable, sizes: TableSizes): number => sizes.get(table.source.oid)?.bytes ?? 0;

export const isSmall = (table: TargetTable, sizes: TableSizes): boolean => bytesOf(table, sizes) < GROUP_BYTES;

/** What is copied and committed together: a large table alone. The largest first, so that none of them is left to the end. */
export function groupTables(tables: readonly TargetTable[], sizes: TableSizes): TargetTable[][] {
  const groups: TargetTable[][] = [];
  let bytes = 0;
  for (const table of [...tables].sort((a, b) => bytesOf(b, sizes) - bytesOf(a, sizes))) {
    const group = groups.at(-1);
    bytes += bytesOf(table, sizes);
    if (group && group.length < GROUP_TABLES && bytes <= GROUP_BYTES) group.push(table);
    else {
      groups.push([table]);
      bytes = bytesOf(table, sizes);
    }
  }
  return groups;
}

export interface CopyOptions {
  readonly sourceUrl: string;
  /** Looks at the source as it is now. */
  readonly source: pg.Client;
  readonly snapshotName: string;
  /** Makes what was copied of some tables last; one call at a time. */
  readonly commit: (tables: readonly TargetTable[]) => Promise<void>;
  readonly target: CopyTarget;
  /** The ones that are in use already, where some are. */
  readonly exact?: ExactValues;
  readonly tables: readonly TargetTable[];
  readonly sizes: TableSizes;
  /** To Dolt: as many tables are copied at the same time, and with those that are left over the largest. */
  readonly connections: number;
  readonly progress: CopyProgress;
  /** Called when tables are complete and committed. */
  readonly onTable: () => void;
  readonly signal: AbortSignal;
}

/** What the workers share. */
interface Shared extends Omit<CopyOptions, 'exact'> {
  readonly exact: ExactValues;
  readonly indexed: ReadonlySet<string>;
  readonly hugeRows: Turn;
}

interface Worker {
  readonly source: pg.Client;
  readonly targets: readonly TargetConnection[];
}

/**
 * Copies tables, several at once, all from one exported snapshot. What is complete is committed on the staging branch
 * group by group, so that a copy that is broken off goes on with the tables that are missing; readers see nothing yet.
 */
export async function copyTables(options: CopyOptions): Promise<void> {
  const { tables, sizes, target, connections, progress, signal } = options;
  if (tables.length === 0) return;
  const shared: Shared = {
    ...options,
    exact: options.exact ?? (await ExactValues.load(target.writer)),
    indexed: await readIndexed(target.writer),
    hugeRows: new Turn(),
  };
  const groups = groupTables(tables, sizes);
  const workers = Math.min(connections, groups.length);
  // Every worker imports the snapshot before the first row is copied: from then on it lives as long as they do.
  const opened: Worker[] = [];
  const queue = new PQueue({ concurrency: workers });
  const commits = new PQueue({ concurrency: 1 });
  try {
    for (let number = 0; number < workers; number += 1) {
      const more = number === 0 ? connections - workers : 0;
      opened.push(await openWorker(options, [number, ...Array.from({ length: more }, (_, i) => workers + i)]));
    }
    progress.start(
      tables.map(({ source }) => ({
        name: qualifiedName(source),
        estimatedRows: sizes.get(source.oid)?.rows ?? -1,
      })),
    );
    // The queue listens to it once for each group.
    setMaxListeners(0, signal);
    const idle = [...opened];
    await queue.addAll(
      groups.map((group) => async () => {
        const worker = idle.shift() ?? raise();
        await copyGroup(shared, worker, group).catch((error) => rethrow(options, group, error));
        await commits.add(async () => {
          // The copy's transaction is open: its locks keep the tables as they are now.
          await assertStillSame(options.source, sourcesOf(group));
          await options.commit(group);
        });
        // Who waits for its locks may have locked what another worker is to copy: a circle that Postgres does not see.
        if (queue.size === 0) await worker.source.end().catch(() => {});
        else idle.push(worker);
        for (const { source } of group) progress.done(qualifiedName(source));
        failpoint('after-table');
        options.onTable();
      }),
      { signal },
    );
  } catch (error) {
    queue.clear();
    for (const { targets } of opened) for (const connection of targets) connection.destroy();
    throw error;
  } finally {
    progress.finish();
    await Promise.allSettled(opened.map(closeWorker));
  }
}

const sourcesOf = (group: readonly TargetTable[]): TableSchema[] => group.map(({ source }) => source);

/** Of a table that was altered, values may have come for columns that are not theirs: then that is what is wrong with them. */
async function rethrow({ source, signal }: CopyOptions, group: readonly TargetTable[], error: unknown): Promise<never> {
  if (!signal.aborted) await assertStillSame(source, sourcesOf(group));
  throw error;
}

async function openWorker(options: CopyOptions, numbers: readonly number[]): Promise<Worker> {
  const source = await connectSource(options.sourceUrl, `wal2dolt copy ${numbers[0]}`);
  const targets: TargetConnection[] = [];
  try {
    await importSnapshot(source, options.snapshotName);
    for (const number of numbers) targets.push(await options.target.openCopyConnection(number));
    return { source, targets };
  } catch (error) {
    for (const connection of targets) connection.destroy();
    await source.end().catch(() => {});
    throw error;
  }
}

async function closeWorker({ source, targets }: Worker): Promise<void> {
  await source.end().catch(() => {});
  for (const connection of targets) await connection[Symbol.asyncDispose]();
}

async function copyGroup(shared: Shared, { source, targets }: Worker, group: readonly TargetTable[]): Promise<void> {
  const { exact, indexed, hugeRows, progress, signal } = shared;
  const [target = raise()] = targets;
  // The same row of a table without a key is one row for Dolt, which merges what two connections write.
  const alone = group.some(({ key }) => key.length === 0) || (await hasForeignKeys(target));
  const writer = new CopyWriter(alone ? [target] : targets, exact, ({ source }, rows) =>
    progress.add(qualifiedName(source), rows),
  );
  for (const table of group) {
    progress.add(qualifiedName(table.source), 0);
    if (exact.has(table)) await exact.clear(target, table);
    const positions = table.columns.map((column) => column.sourcePosition);
    for await (const rows of copyRows(source, table.source, positions, { hugeRows })) {
      signal.throwIfAborted();
      await writer.add(table, rows);
    }
  }
  await writer.end();
  for (const table of group) {
    if (!indexed.has(table.name)) for (const statement of createIndexes(table)) await target.run(statement);
  }
}

/** Tables that have their secondary indexes: all of them, or none. */
async function readIndexed(connection: TargetConnection): Promise<Set<string>> {
  const rows = await connection.rows(
    `SELECT DISTINCT table_name FROM information_schema.statistics WHERE table_schema=database() AND index_name<>'PRIMARY'`,
  );
  return new Set(rows.flatMap(([name]) => name ?? []));
}

function raise(): never {
  throw new Wal2DoltError('E_INTERNAL', 'no connection is free for the copy');
}
