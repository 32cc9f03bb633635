import type pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { selects, type TableRules } from '../core/patterns.js';
import { qualifiedName } from '../core/schema.js';
import { type StoredTable, updateTableState } from '../dolt/bookkeeping.js';
import type { Committer } from '../dolt/committer.js';
import { readCarried } from '../postgres/publication.js';

/**
 * Marks the tables that the configuration leaves out from now on, before anything of them is passed over: they keep
 * their rows and history, and do not come back. Returns those that are followed.
 */
export async function leaveTables(
  committer: Committer,
  stored: readonly StoredTable[],
  rules: TableRules,
  logger: Logger,
): Promise<StoredTable[]> {
  const inTarget = stored.filter(({ state }) => state !== 'left');
  const followed = inTarget.filter(({ schema }) => selects(rules, schema.schema, schema.name));
  const leaving = inTarget.filter((table) => !followed.includes(table));
  if (leaving.length > 0) {
    const names = leaving.map(({ schema }) => qualifiedName(schema));
    await committer.step(
      `no longer followed: ${names.join(', ')}`,
      leaving.map(({ oid }) => updateTableState(oid, 'left')),
    );
    logger.info({ tables: names }, 'no longer followed; their rows and history stay');
  }
  return followed;
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
