import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { type Plan, plans } from '../support/ddl-workload.js';
import { Follower, follow, type Mode } from '../support/ddl-workload-follow.js';
import { DdlHistory } from '../support/ddl-workload-history.js';
import { prepareSource } from '../support/ddl-workload-prepare.js';
import { expectAsItWas } from '../support/ddl-workload-verdict.js';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase } from '../support/postgres.js';

/*
 * Random changes of schema and rows, streamed, must leave what a fresh copy of the final state gives; and at every
 * Dolt commit the schema and rows that Postgres had at that commit's LSN. The same seed gives the same plan (how it falls
 * into batches is up to time):
 *
 *     WAL2DOLT_SEED=42 WAL2DOLT_RUNS=1 npx vitest run --project pg-embedded test/ddl/differential.e2e.test.ts
 *
 * WAL2DOLT_RUNS runs with as many seeds, from that one on; WAL2DOLT_SIZE is about how many transactions each has. With
 * WAL2DOLT_SHRINK=1 a failing plan is made smaller until no part of it can be left out, which takes its time, and with
 * WAL2DOLT_LOG_TO=/tmp/failed the statements of those that fail are written to files of such names.
 */
const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const FIRST_SEED = number('WAL2DOLT_SEED', 1);
const RUNS = number('WAL2DOLT_RUNS', 4);
const SIZE = number('WAL2DOLT_SIZE', 25);
/** Where the statements of a plan that fails are written to. */
const LOG = process.env.WAL2DOLT_LOG_TO;
const SHRINK = number('WAL2DOLT_SHRINK', 0) > 0;

const MODES: readonly Mode[] = ['triggers', 'relations'];

describe.each(MODES)('random changes of schema and rows, noticed by %s', (mode) => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) {
    it(`are followed (WAL2DOLT_SEED=${seed})`, { timeout: SHRINK ? 7_200_000 : 600_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(plans(SIZE), (plan) => expectFollowed(plan, mode)),
        { seed, numRuns: 1, endOnFailure: !SHRINK },
      );
    });
  }
});

async function expectFollowed(given: Plan, mode: Mode): Promise<void> {
  // Without event triggers nothing tells at what transaction a publication changed.
  const plan: Plan = mode === 'triggers' ? given : { ...given, publication: 'all' };
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  const prepared = await prepareSource(source, plan);
  await using history = await DdlHistory.open(source, { ...plan, unseen: mode === 'triggers' });
  history.log.unshift(...prepared);
  await using follower = new Follower(mode, source, target, history, plan.policy);
  try {
    await follow(plan, history, follower);
    if (mode === 'relations') await tellAll(history, follower);
    await follower.drain();
    await expectAsItWas(mode, source, target, history);
  } catch (error) {
    if (LOG !== undefined) await writeFile(`${LOG}-${mode}-${Date.now()}.sql`, history.log.join('\n'));
    throw error;
  }
}

/**
 * Without event triggers only rows tell of a change, and of a constraint only such that come when it is known to have been
 * there: a run looks twice a second at which transactions have ended.
 */
async function tellAll(history: DdlHistory, follower: Follower): Promise<void> {
  follower.start();
  await follower.catchUp();
  await sleep(1_500);
  await history.touchAll();
  await follower.catchUp();
  await follower.stop();
}
