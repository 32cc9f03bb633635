import type pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { selects } from '../core/patterns.js';
import { qualifiedName } from '../core/schema.js';
import { deleteTable, readTables, type StoredTable, updateTableState } from '../dolt/bookkeeping.js';
import type { Committer } from '../dolt/committer.js';
import { readCarried } from '../postgres/publication.js';
import type { Sides } from './run-context.js';

/**
 * Marks the tables that the configuration leaves out from now on, before anything of them is passed over: they keep
 * their rows and history, and do not come back. Those that were to come, and Dolt never had, are forgotten: their names may be
 * another's by then. Returns all tables that the target has after that.
 */
export async function leaveTables(
  { config, staging }: Sides,
  committer: Committer,
  logger: Logger,
): Promise<StoredTable[]> {
  const stored = await readTables(staging.writer);
  const leaving = stored.filter(
    ({ state, schema }) => state !== 'left' && !selects(config.tables, schema.schema, schema.name),
  );
  if (leaving.length === 0) return stored;
  const names = leaving.map(({ schema }) => qualifiedName(schema));
  const statements: string[] = [];
  for (const { oid, targetName } of leaving) {
    if (await staging.writer.hasTable(targetName)) statements.push(updateTableState(oid, 'left'));
    else statements.push(...deleteTable(oid));
  }
  await committer.step(`no longer followed: ${names.join(', ')}`, statements);
  logger.info({ tables: names }, 'no longer followed; their rows and history stay');
  return readTables(staging.writer);
}

/** Tables that left, and that the configuration and the publication have again: their changes in between are missing. */
export async function cameBack(
  source: pg.Client,
  config: Config,
  stored: readonly StoredTable[],
): Promise<StoredTable[]> {
  const wanted = stored.filter(
    ({ state, schema }) => state === 'left' && selects(config.tables, schema.schema, schema.name),
  );
  if (wanted.length === 0) return [];
  const published = await readCarried(source, config.publication);
  return wanted.filter(({ oid }) => published.has(oid));
}
