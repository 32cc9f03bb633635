import { qualifiedName } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import { readTables } from '../dolt/bookkeeping.js';
import { quoteName, type TargetConnection } from '../dolt/client.js';
import { connectSource } from '../postgres/client.js';
import { copyRows } from '../postgres/copy.js';
import { type MappingRules, restoreTable } from '../sync/tables.js';

export interface Compared {
  readonly table: string;
  readonly rows: number;
  /** Rows that one side has and the other has not. */
  readonly different: number;
}

/**
 * Every row of every table on both sides, in Postgres' own text, each row as often as it is there. Everything is held
 * in memory, and exact values beside a column are not looked at: the shop has a few thousand rows and none of those.
 */
export async function compareAll(
  sourceUrl: string,
  target: TargetConnection,
  rules: MappingRules,
): Promise<Compared[]> {
  const source = await connectSource(sourceUrl, 'wal2dolt demo');
  try {
    await source.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const results: Compared[] = [];
    for (const stored of await readTables(target)) {
      const table = restoreTable(stored, rules);
      const missing = new Map<string, number>();
      let rows = 0;
      const positions = table.columns.map((column) => column.sourcePosition);
      for await (const batch of copyRows(source, table.source, positions)) {
        for (const row of batch) add(missing, JSON.stringify(row.cells()), 1);
        rows += batch.length;
      }
      for (const row of await rowsOf(target, table)) add(missing, JSON.stringify(row), -1);
      const different = [...missing.values()].reduce((sum, count) => sum + Math.abs(count), 0);
      results.push({ table: qualifiedName(table.source), rows, different });
    }
    return results;
  } finally {
    await source.end().catch(() => {});
  }
}

async function rowsOf(target: TargetConnection, table: TargetTable): Promise<(string | null)[][]> {
  const reads = table.columns.map((column) => column.conversion.read(quoteName(column.name)));
  const rows = await target.rows(`SELECT ${reads.join(',')} FROM ${quoteName(table.name)}`);
  return rows.map((row) =>
    table.columns.map((column, i) => {
      const value = row[i] ?? null;
      return value === null ? null : column.conversion.restore(value);
    }),
  );
}

const add = (counts: Map<string, number>, row: string, count: number): void => {
  counts.set(row, (counts.get(row) ?? 0) + count);
};
