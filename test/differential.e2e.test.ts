import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trailer } from '../src/core/message.js';
import { type Lsn, parseLsn } from '../src/core/position.js';
import { createPublication } from '../src/postgres/publication.js';
import { differences, doltContents, postgresContents, tableHashes } from './support/compare.js';
import { createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from './support/postgres.js';
import { drain, type Running, runBroken, startRun } from './support/run.js';
import { rowsOf, SourceHistory, type State } from './support/source-history.js';
import { createTypes, TYPE_GROUPS } from './support/type-values.js';
import { type Plan, type Policy, plans } from './support/workload.js';
import { fill } from './support/workload-operations.js';
import { LONG_TABLES, PRELUDE, TABLES, tablesOfTypes } from './support/workload-tables.js';

/*
 * A random workload, streamed, must leave what Postgres has; what a fresh copy gives; and at every Dolt commit what
 * Postgres had at that commit's LSN. The same seed gives the same workload (how it falls into batches is up to time):
 *
 *     WAL2DOLT_SEED=42 WAL2DOLT_RUNS=1 npx vitest run --project pg-embedded test/differential.e2e.test.ts
 *
 * WAL2DOLT_RUNS runs with as many seeds, from that one on; WAL2DOLT_SIZE is about how many transactions each has. With
 * WAL2DOLT_SHRINK=1 a failing workload is made smaller until no part of it can be left out, which takes its time.
 */
const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const FIRST_SEED = number('WAL2DOLT_SEED', 1);
const RUNS = number('WAL2DOLT_RUNS', 6);
const SIZE = number('WAL2DOLT_SIZE', 100);
const SHRINK = number('WAL2DOLT_SHRINK', 0) > 0;

describe('a random workload', () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) {
    it(`is followed (WAL2DOLT_SEED=${seed})`, { timeout: 600_000 }, async () => {
      await fc.assert(fc.asyncProperty(plans(SIZE), follow), { seed, numRuns: 1, endOnFailure: !SHRINK });
    });
  }
});

async function follow(plan: Plan): Promise<void> {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using copy = createDoltDatabaseName();
  await using history = await prepare(source);
  for (const transaction of plan.before) await history.run(transaction);
  await stream(plan, source, target, history);

  const contents = await doltContents(target.url);
  expect(differences(contents, await postgresContents(source.url, target.url))).toEqual([]);
  await drain(source.url, copy.url, { snapshot: 'only', slot: `${source.name}_copy` });
  expect(await tableHashes(target.url)).toEqual(await tableHashes(copy.url));
  await expectExactlyOnce(target, history);
  await expectCommitsToBeStates(target, history);
}

async function prepare(source: PostgresDatabase): Promise<SourceHistory> {
  await source.sql(PRELUDE);
  const types = [];
  for (const [name, group] of Object.entries(TYPE_GROUPS)) {
    if (name !== 'large values') types.push(...(await createTypes(source, group)));
  }
  const tables = [...TABLES, ...tablesOfTypes(types)];
  for (const table of [...tables, ...LONG_TABLES]) {
    if (table.create !== null) await source.sql(`${table.create}; ${fill(table)}`);
  }
  await createPublication(await source.client(), { name: 'wal2dolt', tables: 'all' });
  return SourceHistory.open(source, 'wal2dolt', tables, LONG_TABLES);
}

const settings = (policy: Policy): Record<string, unknown> => ({
  commit: policy,
  transactions: true,
  retry: { firstDelay: '10ms', maxDelay: '100ms' },
});

async function stream(
  plan: Plan,
  source: PostgresDatabase,
  target: DoltDatabase,
  history: SourceHistory,
): Promise<void> {
  if (plan.interruptAt !== null) {
    await runBroken(source.url, target.url, plan.interruptAt, settings(plan.policy));
    // The tables that are missing are copied as they are after these.
    for (const transaction of plan.between) await history.run(transaction);
  }
  let policy = plan.policy;
  let running: Running | null = startRun(source.url, target.url, settings(policy));
  try {
    for (const transaction of plan.during) await history.run(transaction);
    await reaches(target, history, running);
    let gap = 0;
    for (const { transaction, next } of plan.after) {
      await history.run(transaction);
      if (!running && gap === 0) running = startRun(source.url, target.url, settings(policy));
      gap = Math.max(0, gap - 1);
      switch (next.kind) {
        case 'restart':
          await running?.stop();
          running = null;
          ({ gap, policy } = next);
          break;
        case 'second':
          await history.runSecond(next.step, next.ends);
          break;
        case 'sourceBreaks':
          await source.sql(
            `select pg_terminate_backend(active_pid) from pg_replication_slots where database = current_database() and active`,
          );
          break;
        case 'targetBreaks':
          await breakConnections(target);
          break;
        case 'catchesUp':
          if (running) await reaches(target, history, running);
          break;
        case 'nothing':
      }
    }
    await history.finish();
    await running?.stop();
  } finally {
    await running?.[Symbol.asyncDispose]();
  }
  for (const transaction of plan.last) await history.run(transaction);
  // Nothing closes the last batch but the end.
  await drain(source.url, target.url, { commit: { maxDelay: '10s' }, transactions: true });
}

/** Waits until readers have the last transaction that changed something. */
async function reaches(target: DoltDatabase, history: SourceHistory, running: Running): Promise<void> {
  const { states } = history;
  const last = states.findLast((state, i) => differ(state, states[i - 1]));
  const deadline = Date.now() + 120_000;
  for (let published = false; !published; ) {
    if (Date.now() > deadline) throw new Error(`transaction ${last?.xid} did not arrive in two minutes`);
    const end = await publishedPosition(target);
    published = end !== null && (last === undefined || last.to <= end || history.at(end).includes(last));
    // Rejects with what the run threw.
    await Promise.race([sleep(20), running.ended]);
  }
}

async function publishedPosition(target: DoltDatabase): Promise<Lsn | null> {
  try {
    const [position] = await target.sql(`select end_lsn from wal2dolt_position`);
    return position ? parseLsn(position.end_lsn) : null;
  } catch {
    return null; // there is no database yet, or nothing published in it
  }
}

/** Ends the connections of whoever uses the database. */
async function breakConnections(target: DoltDatabase): Promise<void> {
  const processes = await target.sql('show processlist');
  for (const { Id, db, Info } of processes) {
    if (String(db).startsWith(target.name) && !/processlist/i.test(String(Info)))
      await target.sql(`kill ${Number(Id)}`).catch(() => {});
  }
}

/** Of the transactions that changed something, each is recorded once, in the order in which they committed. */
async function expectExactlyOnce(target: DoltDatabase, history: SourceHistory): Promise<void> {
  const rows = await target.sql('select xid from wal2dolt_transactions order by end_lsn_num');
  const streamed = rows.map(({ xid }) => Number(xid));
  const committed = history.states.map(({ xid }) => xid).filter((xid) => streamed.includes(xid));
  expect(streamed).toEqual(committed);
  const [first] = await commits(target);
  const missing = history.states.filter(
    (state, i) =>
      state.from >= (first?.end ?? 0n) && differ(state, history.states[i - 1]) && !streamed.includes(state.xid),
  );
  expect(missing.map(({ xid }) => xid)).toEqual([]);
}

const differ = (a: State, b: State | undefined): boolean =>
  [...a.tables].some(([name, { hash }]) => b?.tables.get(name)?.hash !== hash);

interface Commit {
  readonly hash: string;
  readonly end: Lsn;
}

/** Those that readers have seen since the copy was complete, oldest first. */
async function commits(target: DoltDatabase): Promise<Commit[]> {
  const rows = await target.sql('select commit_hash, message from dolt_log order by commit_order');
  return rows.flatMap(({ commit_hash, message }) => {
    const end = trailer(message, 'Lsn');
    return end === null ? [] : [{ hash: commit_hash, end: parseLsn(end) }];
  });
}

async function expectCommitsToBeStates(target: DoltDatabase, history: SourceHistory): Promise<void> {
  const all = await commits(target);
  expect(all.map(({ end }) => end)).toEqual([...all.map(({ end }) => end)].sort((a, b) => (a < b ? -1 : 1)));
  const recorded = await target.sql('select commit_hash from wal2dolt_commits order by end_lsn_num');
  expect(recorded.map(({ commit_hash }) => commit_hash)).toEqual(all.slice(0, -1).map(({ hash }) => hash));

  const known = new Map<string, readonly string[]>();
  for (const { hash, end } of all) {
    const position = await target.sql(`select end_lsn, xid from wal2dolt_position as of '${hash}'`);
    expect(position).toMatchObject([{ end_lsn: expect.any(String) }]);
    expect(parseLsn(position[0]?.end_lsn)).toBe(end);
    const dolt = new Map(
      [...(await doltContents(target.url, hash, undefined, known))].map(([name, rows]) => [name, rowsOf(rows)]),
    );
    const wrong = history.at(end).map((state) => wrongTables(dolt, state));
    expect(wrong.sort((a, b) => a.length - b.length)[0], `commit ${hash} at ${position[0]?.end_lsn}`).toEqual([]);
  }
}

function wrongTables(
  dolt: ReadonlyMap<string, { hash: string; rows: readonly string[] | null }>,
  state: State,
): string[] {
  return [...state.tables].flatMap(([name, postgres]) => {
    const rows = dolt.get(name);
    if (rows?.hash === postgres.hash) return [];
    const told =
      rows?.rows && postgres.rows ? differences(new Map([[name, rows.rows]]), new Map([[name, postgres.rows]])) : [];
    return [told[0] ?? `${name} differs from what it was after transaction ${state.xid}`];
  });
}
