import { readSchemaMessage, subjectOf, trailer } from '../core/message.js';
import { type Lsn, parseLsn } from '../core/position.js';
import type { TargetConnection, TextRow } from '../dolt/client.js';
import { quoteText } from '../dolt/sql-text.js';
import { changesOf, type SchemaChange } from './schema-difference.js';
import { readDifferences } from './schema-rows.js';

/** A commit that changed what the tables are, or how they are followed. */
export interface SchemaLogEntry {
  readonly commit: string;
  /** Of the source transaction, with microseconds where the commit has them: ISO 8601, UTC. */
  readonly time: string;
  /** End of the source transaction; of a commit with several, and of one that only finishes it, that of the last. */
  readonly lsn: string | null;
  /** Null for a commit without a transaction, or with several. */
  readonly xid: number | null;
  /** Who gave the command, as Postgres knows them. */
  readonly user: string | null;
  readonly author: string;
  /** The command's tag, e.g. `ALTER TABLE`; null where the commit is not that of a command. */
  readonly tag: string | null;
  /** First line of the commit's message: tag and command. */
  readonly message: string;
  /** The commit that finishes the same source transaction, where this one is only a part of it. */
  readonly completeIn: string | null;
  readonly changes: readonly SchemaChange[];
}

const PAGE = 20;
/** Commits of these commands let a table end, and not only leave. */
const DROPS = /^DROP (?!PUBLICATION\b)/;

/**
 * The schema history that a branch shows, the newest first: as Dolt's own history of `wal2dolt_tables` and
 * `wal2dolt_columns` has it. `oids`: only commits that changed one of these tables, and only what they changed in them.
 *
 * Dolt walks the commits from the head, some 100 in a millisecond, and stops when the caller does.
 * Source: https://docs.dolthub.com/sql-reference/version-control/dolt-sql-functions#dolt_log
 */
export async function* schemaLog(
  connection: TargetConnection,
  branch: string,
  oids: ReadonlySet<number> | null,
): AsyncIterable<SchemaLogEntry> {
  for (let from = branch; ; ) {
    const commits = await connection.rows(
      `SELECT commit_hash, date_format(date, '%Y-%m-%dT%H:%i:%s.%fZ'), author, message, commit_order FROM DOLT_LOG(${quoteText(from)}, '--tables', 'wal2dolt_tables,wal2dolt_columns') LIMIT ${PAGE}`,
    );
    for (const commit of commits) {
      const entry = await readEntry(connection, commit, oids);
      if (entry.changes.length > 0 || (entry.tag !== null && oids === null)) yield entry;
    }
    if (commits.length < PAGE) return;
    from = `${commits.at(-1)?.[0]}^`;
  }
}

async function readEntry(
  connection: TargetConnection,
  [hash, date, author, text, order]: TextRow,
  oids: ReadonlySet<number> | null,
): Promise<SchemaLogEntry> {
  const commit = hash ?? '';
  const message = text ?? '';
  const command = readSchemaMessage(message);
  const changes: SchemaChange[] = [];
  for (const [oid, difference] of await readDifferences(connection, commit)) {
    if (oids === null || oids.has(oid)) changes.push(...changesOf(difference, DROPS.test(command?.tag ?? '')));
  }
  const lsn = trailer(message, 'Lsn');
  const end = command?.part && lsn !== null ? await readEnd(connection, parseLsn(lsn), Number(order)) : null;
  const xids = trailer(message, 'Xids');
  const xid = command?.xid ?? (xids !== null && /^\d+$/.test(xids) ? Number(xids) : null);
  return {
    commit,
    time: trailer(message, 'Commit-Time') ?? date ?? '',
    lsn: end?.lsn ?? lsn,
    xid: xid || null,
    user: command?.user ?? null,
    author: author ?? '',
    tag: command?.tag ?? null,
    message: subjectOf(message),
    completeIn: end?.commit ?? null,
    changes,
  };
}

/**
 * The first whole commit after a part, which the position at the part and the part's place in history tell. A commit is
 * recorded by the one that follows it, and so the last one not yet.
 */
async function readEnd(
  connection: TargetConnection,
  reached: Lsn,
  order: number,
): Promise<{ commit: string; lsn: string }> {
  const recorded = await connection.rows(
    `SELECT commit_hash, end_lsn FROM wal2dolt_commits WHERE end_lsn_num >= ${reached} ORDER BY end_lsn_num LIMIT 2`,
  );
  const [last] = await connection.rows(`SELECT HASHOF('HEAD'), end_lsn FROM wal2dolt_position`);
  for (const [commit, lsn] of recorded) {
    const place = await connection.value(`SELECT commit_order FROM dolt_log WHERE commit_hash = '${commit}'`);
    if (Number(place) > order) return { commit: commit ?? '', lsn: lsn ?? '' };
  }
  return { commit: last?.[0] ?? '', lsn: last?.[1] ?? '' };
}
