import type { Logger } from 'pino';
import type { RowsAfter } from '../core/rows-after.js';
import { touchesConstraints } from '../core/schema-diff.js';
import { deleteTable, insertTable, updateTable, updateTableState, updateTargetName } from '../dolt/bookkeeping.js';
import { changeTable, type Recast } from '../dolt/change-table.js';
import type { Committer } from '../dolt/committer.js';
import { createTable, renameTable } from '../dolt/ddl.js';
import type { StagingBranch } from '../dolt/staging.js';
import { purgeStatistics } from '../dolt/statistics.js';
import type { TableAction } from './schema-plan.js';

export interface ActionOptions {
  readonly committer: Committer;
  readonly staging: StagingBranch;
  readonly recast: (settings: Readonly<Record<string, string>>) => Recast;
  /** Creates foreign keys and checks of a table in Dolt, where the configuration wants them. */
  readonly constrain: (oid: number) => Promise<void>;
  readonly logger: Logger;
}

/**
 * Changes one table and what the bookkeeping says of it, in the working set of the staging branch. Returns what became of
 * the rows of a table that was there.
 */
export async function applyAction(
  options: ActionOptions,
  action: TableAction,
  head: string,
  settings: Readonly<Record<string, string>>,
): Promise<RowsAfter | null> {
  const { staging, committer, recast, constrain, logger } = options;
  let rows: RowsAfter | null = null;
  const { writer: connection } = staging;
  const bookkeeping: string[] = [];
  switch (action.kind) {
    case 'create':
      await connection.run(createTable(action.table, true));
      await purgeStatistics(connection);
      bookkeeping.push(...insertTable(action.table, 'streaming'));
      break;
    case 'change':
      rows = await changeTable({
        connection,
        writer: committer.writer,
        exact: committer.exact,
        before: action.before.table,
        after: action.after,
        diff: action.diff,
        head,
        recast: recast(settings),
      });
      bookkeeping.push(...updateTable(action.after));
      break;
    case 'moveAway':
      await connection.run(renameTable(action.from, action.to));
      await committer.exact.rename(connection, action.from, action.to);
      bookkeeping.push(updateTargetName(action.oid, action.to));
      break;
    case 'leave':
      bookkeeping.push(updateTableState(action.oid, 'left'));
      break;
    case 'forget':
      bookkeeping.push(...deleteTable(action.oid));
      break;
    case 'copy':
      return null;
    default:
      action satisfies never;
  }
  await connection.run('START TRANSACTION');
  for (const statement of bookkeeping) await connection.run(statement);
  await connection.run('COMMIT');
  if (action.kind === 'create') await constrain(action.table.source.oid);
  else if (action.kind === 'change' && touchesConstraints(action.before.table, action.after, action.diff)) {
    await constrain(action.after.source.oid);
  }
  logger.info({ change: describeAction(action) }, 'schema changed');
  return rows;
}

/** What was done, for the log and the commit's message. */
export function describeAction(action: TableAction): readonly string[] {
  switch (action.kind) {
    case 'create':
      return [`${action.table.name} created`];
    case 'change': {
      const { name } = action.after;
      const changes = action.diff.described.length > 0 ? action.diff.described : ['definition changed'];
      const described = changes.map((change) => `${name}: ${change}`);
      return action.diff.rows.kind === 'converted' ? [...described, `${name}: rows written again`] : described;
    }
    case 'leave':
      return [`${action.name} is no longer followed: ${action.why}`];
    case 'forget':
      return [`${action.name} did not come: ${action.why}`];
    case 'moveAway':
      return [`${action.from}, which is no longer followed, is called ${action.to} now`];
    case 'copy':
      return [];
  }
}
