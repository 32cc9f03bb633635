import { expect } from 'vitest';
import { differences, doltContents, postgresContents, tableHashes } from './compare.js';
import { createDoltDatabaseName, type DoltDatabase } from './dolt.js';
import type { PostgresDatabase } from './postgres.js';
import { configFor, drain } from './run.js';

async function expectSame(
  source: PostgresDatabase,
  target: DoltDatabase,
  settings: Record<string, unknown> = {},
): Promise<void> {
  const { tables, tableName, types } = configFor(source.url, target.url, settings);
  const rules = { tables, tableName, types };
  const dolt = await doltContents(target.url, undefined, rules);
  expect(differences(dolt, await postgresContents(source.url, target.url, rules))).toEqual([]);
}

/** The stream, run twice over, leaves what a copy of the end gives. */
export async function expectStreamed(
  source: PostgresDatabase,
  before: readonly string[],
  after: readonly string[],
  settings: Record<string, unknown> = {},
  check: (target: DoltDatabase) => Promise<void> = async () => {},
): Promise<void> {
  await using target = createDoltDatabaseName();
  await using copy = createDoltDatabaseName();
  for (const statement of before) await source.sql(statement);
  await drain(source.url, target.url, settings);
  await expectSame(source, target, settings);
  for (const statement of after) await source.sql(statement);
  await drain(source.url, target.url, settings);
  await expectSame(source, target, settings);
  await drain(source.url, copy.url, { ...settings, snapshot: 'only', slot: `${source.name}_copy` });
  expect(await tableHashes(target.url)).toEqual(await tableHashes(copy.url));
  await check(target);
}

/** Names in Dolt, by `schema.table`. */
export async function targetNames(target: DoltDatabase): Promise<ReadonlyMap<string, string>> {
  const rows = await target.sql(
    'select concat(source_schema, ".", source_table) as s, target_table as t from wal2dolt_tables',
  );
  return new Map(rows.map(({ s, t }) => [s, t]));
}
