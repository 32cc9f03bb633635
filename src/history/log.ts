import { findTables, tableNames } from '../config/named-tables.js';
import type { TargetConfig } from '../config.js';
import { isPart, subjectOf, trailer } from '../core/message.js';
import { parseTarget } from '../dolt/address.js';
import { readPosition } from '../dolt/bookkeeping.js';
import { TargetConnection } from '../dolt/client.js';
import { quoteText } from '../dolt/sql-text.js';
import { Wal2DoltError } from '../errors.js';
import { type SchemaLogEntry, schemaLog } from './schema-log.js';

export interface LogEntry {
  readonly commit: string;
  /** ISO 8601, UTC: of the last source transaction in it. */
  readonly time: string;
  /** Up to where the commit has all transactions; null for a part of one, and for what is not of wal2dolt. */
  readonly lsn: string | null;
  readonly author: string;
  /** First line of the commit's message. */
  readonly message: string;
}

export interface LogOptions {
  /** At most so many, the newest. */
  readonly limit: number;
}

/** The last commits that readers see, the newest first. */
export async function readLog(config: TargetConfig, { limit }: LogOptions): Promise<LogEntry[]> {
  await using connection = await openHistory(config);
  const rows = await connection.rows(
    `SELECT commit_hash, date_format(date, '%Y-%m-%dT%H:%i:%s.%fZ'), author, message FROM DOLT_LOG(${quoteText(config.targetBranch)}) LIMIT ${limit}`,
  );
  return rows.map(([commit, date, author, text]) => {
    const message = text ?? '';
    return {
      commit: commit ?? '',
      time: trailer(message, 'Commit-Time') ?? date ?? '',
      lsn: isPart(message) ? null : trailer(message, 'Lsn'),
      author: author ?? '',
      message: subjectOf(message),
    };
  });
}

export interface SchemaLogOptions extends LogOptions {
  /** Only these, by their names now or before; all where none is named. */
  readonly tables: readonly string[];
}

/** The last changes of the schema that readers see, the newest first. Throws E_CONFIG for a table that never was there. */
export async function readSchemaLog(
  config: TargetConfig,
  { limit, tables }: SchemaLogOptions,
): Promise<SchemaLogEntry[]> {
  const names = tableNames(tables);
  await using connection = await openHistory(config);
  const found = names.length === 0 ? null : findTables(names, await readTablesEver(connection));
  const oids = found && new Set(found.map(({ oid }) => oid));
  const entries: SchemaLogEntry[] = [];
  for await (const entry of schemaLog(connection, config.targetBranch, oids)) {
    entries.push(entry);
    if (entries.length === limit) break;
  }
  return entries;
}

/** On the branch that readers see. Throws E_CONFIG where wal2dolt has published nothing there yet. */
async function openHistory(config: TargetConfig): Promise<TargetConnection> {
  const connection = await TargetConnection.open(parseTarget(config.target), config.targetBranch);
  try {
    if (await readPosition(connection)) return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
  connection.destroy();
  throw new Wal2DoltError('E_CONFIG', `branch ${config.targetBranch} of the target has nothing of wal2dolt yet`);
}

/** All tables, by every name that they had. */
async function readTablesEver(
  connection: TargetConnection,
): Promise<{ oid: number; names: { schema: string; name: string }[] }[]> {
  const rows = await connection.rows(
    `SELECT relation_oid, source_schema, source_table FROM wal2dolt_tables
     UNION SELECT from_relation_oid, from_source_schema, from_source_table FROM dolt_diff_wal2dolt_tables
     WHERE from_source_schema <> to_source_schema OR from_source_table <> to_source_table`,
  );
  const tables = new Map<number, { oid: number; names: { schema: string; name: string }[] }>();
  for (const [relation, schema, name] of rows) {
    const oid = Number(relation);
    const table = tables.get(oid) ?? { oid, names: [] };
    table.names.push({ schema: schema ?? '', name: name ?? '' });
    tables.set(oid, table);
  }
  return [...tables.values()];
}
