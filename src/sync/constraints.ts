import type { Config } from '../config.js';
import type { TargetTable } from '../core/target.js';
import type { TargetConnection } from '../dolt/client.js';
import { checks, foreignKeys } from '../dolt/constraints.js';
import { Wal2DoltError } from '../errors.js';
import type { RunContext } from './run-context.js';

/**
 * Creates what the configuration asks for of foreign keys and checks. What Dolt does not take is told, and recorded in `wal2dolt_tables` as all are. With `about`, only
 * those of some tables, by oid, and those that reference them.
 */
export async function createConstraints(
  connection: TargetConnection,
  config: Config,
  tables: readonly TargetTable[],
  { logger }: Pick<RunContext, 'logger'>,
  about: ReadonlySet<number> | null = null,
): Promise<void> {
  const all = [...(config.foreignKeys ? foreignKeys(tables) : []), ...(config.checks ? checks(tables) : [])];
  const wanted = about === null ? all : all.filter((constraint) => constraint.tables.some((oid) => about.has(oid)));
  for (const { name, sql } of wanted) {
    if (sql === null) {
      logger.warn({ constraint: name }, 'constraint cannot be expressed in Dolt and is left out there');
      continue;
    }
    try {
      await connection.run(sql);
    } catch (error) {
      if (!(error instanceof Wal2DoltError) || error.policy.action === 'retry') throw error;
      logger.warn(
        { constraint: name, reason: error.message },
        'Dolt does not take this constraint; it is left out there',
      );
    }
  }
}
