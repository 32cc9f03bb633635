import { expect } from 'vitest';
import { differences, doltContents } from './compare.js';
import { Reader } from './ddl-shown.js';
import { createDoltDatabaseName, type DoltDatabase } from './dolt.js';
import type { PostgresDatabase } from './postgres.js';
import { drain } from './run.js';

/** The tables that the source has now are in the target as a copy that is made now has them, up to the order of columns. */
export async function expectAsCopied(source: PostgresDatabase, target: DoltDatabase): Promise<void> {
  await using fresh = createDoltDatabaseName();
  await drain(source.url, fresh.url, { slot: `${source.name}_fresh`, snapshot: 'only', ddl: 'relations' });
  const copied = await doltContents(fresh.url);
  const followed = [...(await doltContents(target.url))].filter(([name]) => copied.has(name));
  expect(differences(new Map(followed), copied)).toEqual([]);
  await using ours = await Reader.open(target);
  await using theirs = await Reader.open(fresh);
  for (const { name } of await fresh.sql<{ name: string }>('select target_table as name from wal2dolt_tables')) {
    expect((await ours.definition(name))?.toSorted(), name).toEqual((await theirs.definition(name))?.toSorted());
  }
}
