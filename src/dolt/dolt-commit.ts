import { formatMicros, type Micros, parseMicros } from '../core/position.js';
import type { TargetConnection } from './client.js';
import { quoteText } from './sql-text.js';

export interface StagingHead {
  readonly hash: string;
  readonly parent: string;
  readonly message: string;
  /** The commit's date, to the millisecond that Dolt keeps. */
  readonly date: Micros;
}

/** Commits what is on the connection's branch. Returns the head that it has then, with the parent that Dolt gave it. */
export async function commitOn(
  connection: TargetConnection,
  flags: readonly string[],
  message: string,
  date: Micros,
  author: string,
): Promise<StagingHead> {
  const hash = await callCommit(connection, flags, message, date, author);
  const parent = await connection.value(`SELECT HASHOF('HEAD~1')`);
  return { hash, parent: parent ?? '', message, date };
}

/** As `commitOn`, without a look at the parent: returns the commit's hash. */
export async function callCommit(
  connection: TargetConnection,
  flags: readonly string[],
  message: string,
  date: Micros,
  author: string,
): Promise<string> {
  const options = [...flags, '-m', message, '--date', formatMicros(date), '--author', author];
  return (await connection.value(`CALL DOLT_COMMIT(${options.map(quoteText).join(', ')})`)) ?? '';
}

/** Hashes of a commit's parents. HASHOF of them takes Dolt 2.2 three times as long. */
export async function readParents(connection: TargetConnection, hash: string): Promise<(string | null)[]> {
  const rows = await connection.rows(
    `SELECT parent_hash FROM dolt_commit_ancestors WHERE commit_hash=${quoteText(hash)} ORDER BY parent_index`,
  );
  return rows.map(([parent = null]) => parent);
}

/** The last commit of the connection's branch. */
export async function readHead(connection: TargetConnection): Promise<StagingHead> {
  const [row] = await connection.rows(
    `SELECT commit_hash, parents, message, date_format(date, '%Y-%m-%dT%H:%i:%s.%f') FROM dolt_log LIMIT 1`,
  );
  const [hash = null, parent = null, message = null, date = null] = row ?? [];
  return { hash: hash ?? '', parent: parent ?? '', message: message ?? '', date: parseMicros(date ?? '') };
}
