import pRetry from 'p-retry';
import type { Horizons } from '../core/horizons.js';
import { diffTables } from '../core/schema-diff.js';
import { Wal2DoltError } from '../errors.js';
import { readTables } from '../postgres/catalog.js';
import { lookAfter } from './infer-relation.js';
import { type Copying, replan } from './plan-copy.js';
import { selectSchemas } from './tables.js';

/**
 * By oid, the followed tables of which the transaction `xid`, or one since, may have changed what no row ever tells: which partitions
 * they have, or what is inside of a type. Asked once, where a trigger failed: whoever begins again counts on being told.
 */
export async function changedUntold(copying: Copying, horizons: Horizons, xid: number): Promise<number[]> {
  const { sides, relations } = copying;
  const { source, config } = sides;
  await lookAfter(source, horizons, xid);
  const now = await pRetry(() => readTables(source, config.publication, [...relations.tables.keys()]), {
    retries: 10,
    minTimeout: 50,
    maxTimeout: 500,
    shouldRetry: ({ error }) => error instanceof Wal2DoltError && error.code === 'E_TABLE_REWRITTEN',
  });
  return selectSchemas(now, config.tables).flatMap((schema) => {
    const before = relations.tables.get(schema.oid)?.table;
    const diff = before && diffTables(before, replan(copying, before, schema), { rewritten: false, command: null });
    return diff && diff.rows.kind !== 'kept' ? [schema.oid] : [];
  });
}
