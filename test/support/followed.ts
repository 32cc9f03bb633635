import { expect } from 'vitest';
import { differences, doltContents, postgresContents, tableHashes } from './compare.js';
import { createDoltDatabaseName, type DoltDatabase } from './dolt.js';
import type { PostgresDatabase } from './postgres.js';
import { configFor, drain } from './run.js';

export type Settings = Record<string, unknown>;

/** How transactions may come to Dolt: in one batch, each for itself, and each in parts. */
const BATCHES: readonly Settings[] = [{}, { commit: { maxTransactions: 1 } }, { commit: { maxBytes: 300 } }];

/**
 * What was copied before and streamed since is, whatever the batches, what Postgres holds; and the tables have the hashes
 * that those of a fresh copy have.
 */
export async function expectFollowed(
  source: PostgresDatabase,
  steps: readonly string[],
  settings: Settings = {},
): Promise<void> {
  await using fresh = createDoltDatabaseName();
  const targets: { target: DoltDatabase; own: Settings }[] = [];
  try {
    for (const [i, batch] of BATCHES.entries()) {
      const target = createDoltDatabaseName();
      targets.push({ target, own: { ...settings, ...batch, slot: `${source.name}_${i}` } });
    }
    for (const { target, own } of targets) await drain(source.url, target.url, own);
    for (const step of steps) await source.sql(step);
    await drain(source.url, fresh.url, { ...settings, snapshot: 'only', slot: `${source.name}_fresh` });
    const { tables, tableName, types } = configFor(source.url, fresh.url, settings);
    const rules = { tables, tableName, types };
    const wanted = await postgresContents(source.url, fresh.url, rules);
    expect(differences(await doltContents(fresh.url, 'main', rules), wanted)).toEqual([]);
    for (const { target, own } of targets) {
      await drain(source.url, target.url, own);
      expect(differences(await doltContents(target.url, 'main', rules), wanted)).toEqual([]);
      expect(await tableHashes(target.url)).toEqual(await tableHashes(fresh.url));
    }
  } finally {
    for (const { target } of targets) await target[Symbol.asyncDispose]();
  }
}
