import { expect } from 'vitest';
import { type Mode, settingsFor } from './ddl-workload-follow.js';
import type { DdlHistory } from './ddl-workload-history.js';
import { judgeCommits, judgeEnd } from './ddl-workload-judge.js';
import { DoltHistory, FreshTables } from './ddl-workload-target.js';
import { createDoltDatabaseName, type DoltDatabase } from './dolt.js';
import type { PostgresDatabase } from './postgres.js';
import { drain } from './run.js';

/** At each commit the target is what Postgres was, and in the end what a copy is that is made now. */
export async function expectAsItWas(
  mode: Mode,
  source: PostgresDatabase,
  target: DoltDatabase,
  history: DdlHistory,
): Promise<void> {
  await using dolt = await DoltHistory.open(target);
  await using fresh = await FreshTables.open();
  expect(await judgeCommits(dolt, fresh, history, mode)).toEqual([]);
  await using copied = createDoltDatabaseName();
  await drain(source.url, copied.url, { ...settingsFor(mode), snapshot: 'only', slot: `${source.name}_copy` });
  await using copy = await DoltHistory.open(copied);
  expect(await judgeEnd(dolt, copy, mode)).toEqual([]);
}
