import type { TransactionRecord } from '../core/batch.js';
import { trailer } from '../core/message.js';
import {
  formatLsn,
  formatMicros,
  type Lsn,
  lsn,
  type Micros,
  type Position,
  parseLsn,
  parseMicros,
} from '../core/position.js';
import type { TableSchema } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import type { Timeline } from '../core/timeline.js';
import { Wal2DoltError } from '../errors.js';
import { ignoreAcknowledged } from './acknowledged.js';
import type { TargetConnection } from './client.js';
import { CREATE_EXACT_TABLE } from './exact.js';
import { quoteText, textOrNull } from './sql-text.js';

/**
 * The tables, in the target database itself, that say what the data beside them is: written in the same Dolt commit as
 * the data, so that any commit of the history describes itself.
 */
export const BOOKKEEPING_VERSION = 1;

/** Identity of the source that a target belongs to. */
export interface SourceIdentity {
  readonly systemId: string;
  readonly timeline: Timeline;
  readonly database: string;
  readonly slot: string;
  readonly publication: string;
}

export type Phase = 'snapshot' | 'streaming';

export interface StoredPosition extends Position {
  readonly source: SourceIdentity;
  readonly phase: Phase;
}

/**
 * copying: nothing is streamed before it is copied. joining: it is copied beside the stream. left: it is not followed any more, and
 * stays as it is.
 */
export type TableState = 'copying' | 'joining' | 'streaming' | 'left';

export interface StoredTable {
  readonly oid: number;
  readonly targetName: string;
  readonly state: TableState;
  readonly snapshotLsn: Lsn | null;
  readonly schema: TableSchema;
  /** By attnum. */
  readonly columns: ReadonlyMap<number, { readonly name: string; readonly type: string }>;
}

const CREATE_TABLES = [
  `CREATE TABLE IF NOT EXISTS wal2dolt_position (
  slot VARCHAR(64) NOT NULL PRIMARY KEY,
  end_lsn VARCHAR(17) NOT NULL,
  end_lsn_num BIGINT UNSIGNED NOT NULL,
  commit_time DATETIME(6) NOT NULL,
  xid BIGINT UNSIGNED NOT NULL,
  system_id VARCHAR(20) NOT NULL,
  timeline INT NOT NULL,
  timeline_start VARCHAR(17) NOT NULL,
  source_database VARCHAR(64) NOT NULL,
  publication VARCHAR(64) NOT NULL,
  phase VARCHAR(16) NOT NULL,
  version INT NOT NULL,
  spills INT NOT NULL
)`,
  `CREATE TABLE IF NOT EXISTS wal2dolt_commits (
  end_lsn_num BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  commit_hash CHAR(32) NOT NULL,
  end_lsn VARCHAR(17) NOT NULL,
  commit_time DATETIME(6) NOT NULL,
  transaction_count BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  reason VARCHAR(16) NOT NULL,
  KEY wal2dolt_commits_time (commit_time)
)`,
  `CREATE TABLE IF NOT EXISTS wal2dolt_tables (
  relation_oid BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  source_schema VARCHAR(64) NOT NULL,
  source_table VARCHAR(64) NOT NULL,
  target_table VARCHAR(64) NOT NULL,
  state VARCHAR(16) NOT NULL,
  snapshot_lsn VARCHAR(17),
  replica_identity VARCHAR(8) NOT NULL,
  definition LONGTEXT NOT NULL
)`,
  `CREATE TABLE IF NOT EXISTS wal2dolt_columns (
  relation_oid BIGINT UNSIGNED NOT NULL,
  attnum INT NOT NULL,
  source_column VARCHAR(64) NOT NULL,
  source_type VARCHAR(1024) NOT NULL,
  not_null TINYINT(1) NOT NULL,
  default_expression LONGTEXT,
  key_position INT,
  target_column VARCHAR(64) NOT NULL,
  target_type VARCHAR(64) NOT NULL,
  PRIMARY KEY (relation_oid, attnum)
)`,
  CREATE_EXACT_TABLE,
  `CREATE TABLE IF NOT EXISTS wal2dolt_transactions (
  end_lsn_num BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  xid BIGINT UNSIGNED NOT NULL,
  commit_time DATETIME(6) NOT NULL,
  row_count BIGINT NOT NULL,
  context LONGTEXT,
  KEY wal2dolt_transactions_time (commit_time)
)`,
];

/** Creates what is missing; the caller commits. */
export async function createBookkeeping(connection: TargetConnection): Promise<void> {
  await ignoreAcknowledged(connection);
  for (const statement of CREATE_TABLES) await connection.run(statement);
}

const TRANSACTIONS_PER_STATEMENT = 1_000;

const REPLICA_IDENTITY = { d: 'default', n: 'nothing', f: 'full', i: 'index' } as const;

export const datetime = (micros: Micros): string => `'${formatMicros(micros).slice(0, -1).replace('T', ' ')}'`;

export function insertPosition(position: Position, source: SourceIdentity, phase: Phase): string {
  return `INSERT INTO wal2dolt_position VALUES (${quoteText(source.slot)}, '${formatLsn(position.endLsn)}', ${position.endLsn}, ${datetime(position.commitTime)}, ${position.xid}, ${quoteText(source.systemId)}, ${source.timeline.id}, '${formatLsn(source.timeline.start)}', ${quoteText(source.database)}, ${quoteText(source.publication)}, '${phase}', ${BOOKKEEPING_VERSION}, 0)`;
}

/** Changes one row where the working set holds `spills` spills after the last commit, none where somebody threw them away. */
export function updatePosition(position: Position, slot: string, phase: Phase, spills = 0): string {
  return `UPDATE wal2dolt_position SET end_lsn='${formatLsn(position.endLsn)}', end_lsn_num=${position.endLsn}, commit_time=${datetime(position.commitTime)}, xid=${position.xid}, phase='${phase}', spills=0 WHERE slot=${quoteText(slot)} AND spills=${spills}`;
}

/** The position is on another timeline too, of which everything up to it is part. */
export function updateTimeline(slot: string, { id, start }: Timeline): string {
  return `UPDATE wal2dolt_position SET timeline=${id}, timeline_start='${formatLsn(start)}' WHERE slot=${quoteText(slot)}`;
}

/** Counts a spill, in the SQL transaction of its rows. In a commit the count is always 0. */
export function countSpill(slot: string, spills: number): string {
  return `UPDATE wal2dolt_position SET spills=${spills} WHERE slot=${quoteText(slot)} AND spills=${spills - 1}`;
}

/** The position at the connection's branch, or null where wal2dolt never wrote. */
export async function readPosition(connection: TargetConnection, at = ''): Promise<StoredPosition | null> {
  if (!(await connection.hasTable('wal2dolt_position'))) return null;
  const rows = await connection.rows(
    `SELECT end_lsn_num, date_format(commit_time, '%Y-%m-%dT%H:%i:%s.%f'), xid, system_id, timeline, timeline_start, source_database, slot, publication, phase, version FROM wal2dolt_position${at}`,
  );
  const row = rows[0];
  if (!row) return null;
  if (rows.length > 1)
    throw new Wal2DoltError('E_OTHER_SOURCE', 'the target database holds the positions of more than one slot');
  const text = (i: number): string => row[i] ?? '';
  if (Number(text(10)) > BOOKKEEPING_VERSION) {
    throw new Wal2DoltError(
      'E_OTHER_SOURCE',
      `the target was written by a newer wal2dolt (bookkeeping version ${text(10)}); use that one`,
    );
  }
  return {
    endLsn: lsn(BigInt(text(0))),
    commitTime: parseMicros(text(1)),
    xid: Number(text(2)),
    source: {
      systemId: text(3),
      timeline: { id: Number(text(4)), start: parseLsn(text(5)) },
      database: text(6),
      slot: text(7),
      publication: text(8),
    },
    phase: text(9) === 'snapshot' ? 'snapshot' : 'streaming',
  };
}

/** Records the commit before the one that is being made, which is at `position`. */
export const insertCommit = (head: Recorded, position: Position): string =>
  `INSERT INTO wal2dolt_commits VALUES (${commitValues(head, position)})`;

/**
 * The same where it may have been recorded before, as it is where steps follow, which are more commits of the same position. Changes no
 * row where `hash` is not the branch's head any more. Takes Dolt twice as long.
 */
export const insertCommitAgain = (head: Recorded, position: Position): string =>
  `INSERT INTO wal2dolt_commits SELECT ${commitValues(head, position)} FROM dual WHERE HASHOF('HEAD')='${head.hash}' ON DUPLICATE KEY UPDATE commit_hash='${head.hash}'`;

type Recorded = { readonly hash: string; readonly message: string };

function commitValues({ hash, message }: Recorded, position: Position): string {
  const count = (name: string): number => Number(trailer(message, name) ?? 0);
  return `${position.endLsn}, '${hash}', '${formatLsn(position.endLsn)}', ${datetime(position.commitTime)}, ${count('Transactions')}, ${count('Rows')}, ${quoteText(trailer(message, 'Reason') ?? '')}`;
}

export function* insertTransactions(transactions: readonly TransactionRecord[]): Iterable<string> {
  for (let start = 0; start < transactions.length; start += TRANSACTIONS_PER_STATEMENT) {
    const rows = transactions
      .slice(start, start + TRANSACTIONS_PER_STATEMENT)
      .map(
        ({ endLsn, xid, commitTime, rows, context }) =>
          `(${endLsn}, ${xid}, ${datetime(commitTime)}, ${rows}, ${textOrNull(context?.content ?? null)})`,
      );
    yield `INSERT INTO wal2dolt_transactions VALUES ${rows.join(',')}`;
  }
}

/** Hash of the last commit that is recorded: the one before the connection's head. Null where none is. */
export async function readLastCommit(connection: TargetConnection): Promise<string | null> {
  return connection.value('SELECT commit_hash FROM wal2dolt_commits ORDER BY end_lsn_num DESC LIMIT 1');
}

export function* insertTable(table: TargetTable, state: TableState): Iterable<string> {
  const { source } = table;
  yield `INSERT INTO wal2dolt_tables VALUES (${source.oid}, ${quoteText(source.schema)}, ${quoteText(source.name)}, ${quoteText(table.name)}, '${state}', NULL, '${REPLICA_IDENTITY[source.replicaIdentity]}', ${quoteText(JSON.stringify(source))})`;
  yield* insertColumns(table);
}

/** The table is what it is now in the source, and is kept like this. Its state stays. */
export function* updateTable(table: TargetTable): Iterable<string> {
  const { source } = table;
  yield `UPDATE wal2dolt_tables SET source_schema=${quoteText(source.schema)}, source_table=${quoteText(source.name)}, target_table=${quoteText(table.name)}, replica_identity='${REPLICA_IDENTITY[source.replicaIdentity]}', definition=${quoteText(JSON.stringify(source))} WHERE relation_oid=${source.oid}`;
  yield `DELETE FROM wal2dolt_columns WHERE relation_oid=${source.oid}`;
  yield* insertColumns(table);
}

function* insertColumns({ source, columns, key }: TargetTable): Iterable<string> {
  const rows = columns.map((column, i) => {
    const position = key.indexOf(i);
    return `(${source.oid}, ${column.source.attnum}, ${quoteText(column.source.name)}, ${quoteText(column.source.type.name)}, ${column.source.notNull ? 1 : 0}, ${textOrNull(column.source.defaultExpression)}, ${position < 0 ? 'NULL' : position + 1}, ${quoteText(column.name)}, ${quoteText(column.conversion.sql)})`;
  });
  if (rows.length > 0) yield `INSERT INTO wal2dolt_columns VALUES ${rows.join(',')}`;
}

/** The target never had the table. */
export const deleteTable = (oid: number): string[] => [
  `DELETE FROM wal2dolt_tables WHERE relation_oid=${oid}`,
  `DELETE FROM wal2dolt_columns WHERE relation_oid=${oid}`,
];

/** Another name in Dolt, of a table that is not followed any more. */
export const updateTargetName = (oid: number, name: string): string =>
  `UPDATE wal2dolt_tables SET target_table=${quoteText(name)} WHERE relation_oid=${oid}`;

/** Without `snapshotLsn`, that one stays. */
export function updateTableState(oid: number, state: TableState, snapshotLsn?: Lsn): string {
  const copied = snapshotLsn === undefined ? '' : `, snapshot_lsn='${formatLsn(snapshotLsn)}'`;
  return `UPDATE wal2dolt_tables SET state='${state}'${copied} WHERE relation_oid=${oid}`;
}

/** All tables that the branch has, or had at a commit: ` AS OF 'HEAD'`. */
export const readTables = (connection: TargetConnection, at = ''): Promise<StoredTable[]> =>
  readStored(connection, at, '');

export async function readTable(connection: TargetConnection, oid: number): Promise<StoredTable | null> {
  return (await readStored(connection, '', ` WHERE relation_oid = ${oid}`))[0] ?? null;
}

async function readStored(connection: TargetConnection, at: string, where: string): Promise<StoredTable[]> {
  const columns = new Map<number, Map<number, { name: string; type: string }>>();
  for (const [oid, attnum, name, type] of await connection.rows(
    `SELECT relation_oid, attnum, target_column, target_type FROM wal2dolt_columns${at}${where}`,
  )) {
    const of = columns.get(Number(oid)) ?? new Map<number, { name: string; type: string }>();
    of.set(Number(attnum), { name: name ?? '', type: type ?? '' });
    columns.set(Number(oid), of);
  }
  const rows = await connection.rows(
    `SELECT relation_oid, target_table, state, snapshot_lsn, definition FROM wal2dolt_tables${at}${where} ORDER BY relation_oid`,
  );
  return rows.map(([oid, target, state, snapshot, definition]) => ({
    oid: Number(oid),
    targetName: target ?? '',
    // Written by insertTable and updateTableState only.
    state: state as TableState,
    snapshotLsn: snapshot ? parseLsn(snapshot) : null,
    // Written by insertTable from a TableSchema.
    schema: JSON.parse(definition ?? '{}') as TableSchema,
    columns: columns.get(Number(oid)) ?? new Map<number, { name: string; type: string }>(),
  }));
}
