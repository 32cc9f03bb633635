import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { qualifiedName, type TableSchema } from '../core/schema.js';
import type { Tuple } from '../core/tuple.js';
import { Wal2DoltError } from '../errors.js';
import { queryRows } from './client.js';
import { CopyTextParser } from './copy-text.js';
import { Turn } from './copy-turn.js';
import { asSourceError } from './failure.js';
import { quoteTable } from './publication.js';

/**
 * Begins a transaction that sees the database as `createSlot` exported it. Throws E_STREAM_ENDED where nothing holds that any
 * more: the walsender that exported it has ended.
 */
export async function importSnapshot(client: pg.Client, snapshotName: string): Promise<void> {
  await queryRows(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await client.query(`SET TRANSACTION SNAPSHOT ${pg.escapeLiteral(snapshotName)}`);
  } catch (error) {
    const failure = asSourceError(error);
    if (!isGone(error)) throw failure;
    throw new Wal2DoltError('E_STREAM_ENDED', `the connection that holds the snapshot has ended: ${failure.message}`, {
      cause: error,
    });
  }
}

export interface CopyOptions {
  /** A batch is handed out when it has so many rows, */
  readonly batchRows?: number;
  /** or when about so many bytes were received for it. A single row may be larger. */
  readonly batchBytes?: number;
  /** Fails when Postgres sends nothing for so long while more is awaited. */
  readonly stallMs?: number;
  /** Shared by copies that run at the same time: only one of them has a huge row in memory. */
  readonly hugeRows?: Turn;
}

/** A row is huge when so many bytes of it have come and it still goes on. */
const HUGE_ROW = 4 << 20;

/**
 * The rows of a published table as the client's transaction sees them: the published columns at `positions` (of
 * `table.columns`) and the rows that the row filter lets through, as the stream would have sent them; so not those of
 * partitions of which it sends nothing (unlogged ones, foreign tables). Postgres is read
 * no faster than the batches are consumed; rows in memory: one batch, and one piece of the socket's. A copy that meets a
 * huge row waits for its turn to read on, and keeps it until the batch with that row was consumed. A batch is emptied when
 * the next is asked for.
 *
 * Unless it runs to its end the client is closed, since it is in the middle of a COPY.
 * Throws E_SOURCE_UNREACHABLE for a stall, E_SOURCE_PRIVILEGE where row-level security would hide rows, E_TABLE_REWRITTEN
 * (at the end) where rows were missing, E_ROW_TOO_LARGE, else as `asSourceError` classifies.
 * Source: https://www.postgresql.org/docs/current/sql-copy.html
 */
export async function* copyRows(
  client: pg.Client,
  table: TableSchema,
  positions: readonly number[],
  { batchRows = 2_000, batchBytes = 1 << 20, stallMs = 10 * 60_000, hugeRows = new Turn() }: CopyOptions = {},
): AsyncGenerator<readonly Tuple[], void, undefined> {
  const stream = client.query(copyTo(copyStatement(table, positions, await readSilent(client, table))));
  // The driver reports a lost connection also after we have left, and an 'error' event without a listener kills the process.
  stream.on('error', () => {});
  const parser = new CopyTextParser(positions.length);
  const watch = (): NodeJS.Timeout =>
    setTimeout(() => {
      const message = `COPY of ${qualifiedName(table)}: Postgres sent nothing for ${stallMs / 1000} s`;
      stream.destroy(new Wal2DoltError('E_SOURCE_UNREACHABLE', message));
    }, stallMs);
  let watchdog = watch();
  let complete = false;
  let giveBack: (() => void) | null = null;
  try {
    const rows: Tuple[] = [];
    let bytes = 0;
    for await (const piece of stream as AsyncIterable<Buffer>) {
      clearTimeout(watchdog);
      bytes += piece.length;
      parser.push(piece, rows);
      while (rows.length >= batchRows || (rows.length > 0 && bytes >= batchBytes)) {
        const batch = rows.splice(0, batchRows);
        yield batch;
        // While more is awaited, the variables here and there still hold the batch: not its rows, which may be huge.
        batch.length = 0;
        bytes = 0;
      }
      if (parser.waiting > HUGE_ROW) giveBack ??= await hugeRows.take();
      else if (rows.length === 0) {
        giveBack?.();
        giveBack = null;
      }
      watchdog = watch();
    }
    parser.end();
    if (rows.length > 0) yield rows;
    await assertNotRewritten(client, table);
    complete = true;
  } catch (error) {
    if (isRenamed(error)) {
      const message = `${qualifiedName(table)} was renamed, altered or dropped while it was copied`;
      throw new Wal2DoltError('E_TABLE_REWRITTEN', message, { cause: error });
    }
    if (!(error instanceof RangeError)) throw asSourceError(error);
    // Of JavaScript, for a string that is too long.
    const message = `${qualifiedName(table)} has a row that is too large: ${error.message}`;
    throw new Wal2DoltError('E_ROW_TOO_LARGE', message, { cause: error });
  } finally {
    clearTimeout(watchdog);
    giveBack?.();
    if (!complete) await client.end().catch(() => {});
  }
}

/** Names are looked up as they are now, not as the snapshot shows them: undefined_column, undefined_table, invalid_schema_name. */
const isRenamed = (error: unknown): boolean => hasCode(error, /^(42703|42P01|3F000)$/);

/** No such snapshot (undefined_object, before Postgres 17 invalid_parameter_value), or nobody who has it (object_not_in_prerequisite_state). */
const isGone = (error: unknown): boolean => hasCode(error, /^(42704|22023|55000)$/);

const hasCode = (error: unknown, codes: RegExp): boolean =>
  error instanceof pg.DatabaseError && codes.test(error.code ?? '');

/**
 * TRUNCATE, and an ALTER TABLE that writes the table anew, empty a table for all snapshots from before them. Asked after
 * the COPY, whose lock keeps such a thing from happening until the transaction ends. VACUUM FULL looks the same.
 * The row of pg_class is read as the snapshot shows it, the function looks at what is there now.
 * Source: https://www.postgresql.org/docs/current/mvcc-caveats.html
 */
async function assertNotRewritten(client: pg.Client, table: TableSchema): Promise<void> {
  const rewritten = await queryRows(
    client,
    `SELECT FROM pg_catalog.pg_class c
     WHERE c.oid IN (SELECT $1::oid UNION ALL SELECT relid FROM pg_partition_tree($1::oid))
       AND c.relkind = 'r' AND c.relpersistence = 'p' AND c.relfilenode <> pg_relation_filenode(c.oid)`,
    [table.oid],
  );
  if (rewritten.length === 0) return;
  const message = `${qualifiedName(table)} was truncated or rewritten after the snapshot was taken and before it was copied`;
  throw new Wal2DoltError('E_TABLE_REWRITTEN', message);
}

/** Partitions of it that are not replicated, by oid. */
async function readSilent(client: pg.Client, table: TableSchema): Promise<number[]> {
  if (table.kind !== 'p') return [];
  const rows = await queryRows<{ oid: string }>(
    client,
    `SELECT c.oid FROM pg_partition_tree($1::oid) p JOIN pg_catalog.pg_class c ON c.oid = p.relid
     WHERE p.isleaf AND NOT (c.relkind = 'r' AND c.relpersistence = 'p')`,
    [table.oid],
  );
  return rows.map(({ oid }) => Number(oid));
}

function copyStatement(table: TableSchema, positions: readonly number[], without: readonly number[]): string {
  const columns = positions.map((position) => {
    const column = table.columns[position];
    if (!column) throw new RangeError(`${qualifiedName(table)} has no column at position ${position}`);
    return pg.escapeIdentifier(column.name);
  });
  // Rows of tables that inherit from an ordinary one are not published with it.
  const from = table.kind === 'p' ? quoteTable(table) : `ONLY ${quoteTable(table)}`;
  const conditions = [
    ...(table.rowFilter === null ? [] : [`(${table.rowFilter})`]),
    ...(without.length === 0 ? [] : [`tableoid <> ALL ('{${without.join()}}'::pg_catalog.oid[])`]),
  ];
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return `COPY (SELECT ${columns.join(', ')} FROM ${from}${where}) TO STDOUT`;
}

/** How much a table holds, as its files tell. */
export interface TableSize {
  /** About, as the last VACUUM or ANALYZE counted; null where neither has seen it. */
  readonly rows: number | null;
  /** On disk, with what is stored out of line, without indexes. */
  readonly bytes: number;
}

/** By oid. Of a partitioned table: all partitions together. */
export async function tableSizes(
  client: pg.Client,
  tables: readonly Pick<TableSchema, 'oid'>[],
): Promise<Map<number, TableSize>> {
  const rows = await queryRows<{ oid: string; rows: string | null; bytes: string }>(
    client,
    `SELECT t.oid, round(sum(c.reltuples) FILTER (WHERE c.reltuples >= 0))::int8 AS rows,
            coalesce(sum(pg_table_size(c.oid)), 0)::int8 AS bytes
     FROM unnest($1::oid[]) t (oid)
     LEFT JOIN LATERAL pg_partition_tree(t.oid) p ON p.isleaf
     JOIN pg_catalog.pg_class c ON c.oid = coalesce(p.relid, t.oid)
     GROUP BY t.oid`,
    [tables.map((table) => table.oid)],
  );
  return new Map(
    rows.map(({ oid, rows, bytes }) => [
      Number(oid),
      { rows: rows === null ? null : Number(rows), bytes: Number(bytes) },
    ]),
  );
}
