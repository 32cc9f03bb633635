import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltCli, buildCli } from '../support/built-cli.js';
import { startChild } from '../support/child.js';
import { plans } from '../support/ddl-workload.js';
import { Dice } from '../support/ddl-workload-dice.js';
import { type Mode, Published, settingsFor } from '../support/ddl-workload-follow.js';
import { DdlHistory, type State } from '../support/ddl-workload-history.js';
import { prepareSource } from '../support/ddl-workload-prepare.js';
import { PRELUDE } from '../support/ddl-workload-statements.js';
import { expectAsItWas } from '../support/ddl-workload-verdict.js';
import { createDoltDatabaseName, type DoltDatabase } from '../support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres.js';
import { drain } from '../support/run.js';

/*
 * WAL2DOLT_SEED decides on the random statements (when they are interrupted is up to time), WAL2DOLT_RUNS on
 * how many seeds are tried, from that one on, and WAL2DOLT_SIZE on how often each of them is killed.
 */
const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const FIRST_SEED = number('WAL2DOLT_SEED', 1);
const RUNS = number('WAL2DOLT_RUNS', 1);
const KILLS = number('WAL2DOLT_SIZE', 8);

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

/** Small batches and little memory, so that a kill finds every kind of moment. */
const settings = (mode: Mode, source: PostgresDatabase): Record<string, unknown> => ({
  ...settingsFor(mode, { maxDelay: 40, maxBytes: '2kB' }),
  slot: source.name,
});

/** The target has every transaction once, and at each commit what Postgres had. */
async function expectRight(
  mode: Mode,
  source: PostgresDatabase,
  target: DoltDatabase,
  history: DdlHistory,
): Promise<void> {
  await expectAsItWas(mode, source, target, history);
  const rows = await target.sql('select xid from wal2dolt_transactions order by end_lsn_num');
  const streamed = rows.map(({ xid }) => Number(xid));
  expect(streamed).toEqual(history.states.map(({ xid }) => xid).filter((xid) => streamed.includes(xid)));
  // The first ones may be in the copy. From then on, none is missing of those that change a row for certain.
  const beats = history.beats.slice(history.beats.findIndex((xid) => streamed.includes(xid)));
  expect(streamed.filter((xid) => history.beats.includes(xid))).toEqual(beats);
}

/** Every way in which a schema changes: beside rows, by itself, with rows that are copied again, and of a new table. */
const changes = (n: number): readonly (readonly string[])[] => [
  [
    `insert into items select i, 'before ' || i from generate_series(${n} * 100, ${n} * 100 + 40) i`,
    `alter table items add column c${n} int default ${n}`,
    `update items set c${n} = id where id % 3 = 0`,
    `alter table items rename column c${n} to d${n}`,
    `insert into items (id, name, d${n}) values (${n} * 100 + 50, 'after', 7)`,
  ],
  [`alter table items alter d${n} type text`],
  [`alter table items add column v${n} double precision default random()`, `update notes set body = body || ${n}`],
  [`insert into items (id, name) values (${n} * 100 + 60, 'rows go on')`],
  [
    `create table new${n} (id int primary key, body text)`,
    `insert into new${n} values (1, 'x')`,
    `alter table notes drop column if exists e${n - 1}, add column e${n} numeric`,
    `insert into notes values ('y', ${n})`,
  ],
  ...(n > 1
    ? [
        [`alter table items drop column if exists d${n - 1}`, `alter table items drop column if exists v${n - 1}`],
        [`drop table if exists new${n - 1}`],
      ]
    : []),
];

const POINTS = [
  'after-alter',
  'after-alter:3',
  'after-schema-commit',
  'after-schema-commit:3',
  'before-recopy',
  'after-recopy',
  'after-apply:2',
  'after-commit',
  'after-commit:3',
  'before-acknowledge',
  'before-acknowledge:2',
  'after-spill',
];

describe('a process killed around a change of schema', () => {
  it.each<Mode>(['triggers', 'relations'])(
    'leaves the schema and the rows of one moment (%s)',
    { timeout: 240_000 },
    async (mode) => {
      await using source = await createPostgresDatabase();
      await using target = createDoltDatabaseName();
      await source.sql(`${PRELUDE}
      create table items (id int primary key, name text);
      insert into items select -i, 'item ' || i from generate_series(1, 50) i;
      create table notes (body text, e0 numeric); alter table notes replica identity full;
      insert into notes values ('x', 1.5), ('x', 'NaN');
      create publication wal2dolt for all tables`);
      await using history = await DdlHistory.open(source, { ddlShare: 0, publication: 'all', unseen: true });
      await drain(source.url, target.url, settings(mode, source));
      const published = new Published(target);
      let round = 0;
      for (const [i, point] of POINTS.entries()) {
        // Some meet their point in what the one before left, the others while they stream.
        if (i % 2 === 1) await drain(source.url, target.url, settings(mode, source));
        await using child = startChild(cli, source.url, target.url, settings(mode, source), point);
        let ended = false;
        const end = child.end().finally(() => {
          ended = true;
        });
        end.catch(() => {}); // it is waited for below
        const arrival = async (state: State): Promise<void> => {
          while (!ended && !history.hasArrived(state, await published.position())) await sleep(20);
        };
        if (mode === 'relations' || i % 2 === 1) await arrival(await history.beat());
        for (let most = 10; most > 0 && !ended; most -= 1) {
          round += 1;
          for (const statements of changes(round)) {
            // Without event triggers a row tells of one change.
            if (mode === 'relations') await arrival(await history.beat());
            if (mode === 'relations' && ended) break;
            await history.runSql(...statements);
          }
          await arrival(await history.beat());
        }
        expect(await end, `${point}: ${JSON.stringify(child.log.at(-1))}`).toMatchObject({ signal: 'SIGKILL' });
      }
      await drain(source.url, target.url, settings(mode, source));
      await expectRight(mode, source, target, history);
    },
  );
});

describe('a process killed at random while the schema changes', () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) {
    it(`goes on from what is published (WAL2DOLT_SEED=${seed})`, { timeout: 600_000 }, async () => {
      const [plan] = fc.sample(plans(KILLS * 4), { seed, numRuns: 1 });
      if (!plan) throw new Error('there is no plan');
      const dice = new Dice(seed);
      await using source = await createPostgresDatabase();
      await using target = createDoltDatabaseName();
      await prepareSource(source, plan);
      await using history = await DdlHistory.open(source, { ...plan, unseen: true });
      const transactions = [...plan.before, ...plan.during, ...plan.after.map(({ transaction }) => transaction)];
      const each = Math.max(1, Math.floor(transactions.length / KILLS));
      while (transactions.length > 0) {
        await using child = startChild(cli, source.url, target.url, settings('triggers', source));
        // Some are killed while they start or copy, the others while they stream.
        if (dice.chance(70)) await child.logged('streaming');
        for (const transaction of transactions.splice(0, each)) {
          await history.run(transaction);
          await history.beat();
        }
        await sleep(dice.nat(500));
        child.signal('SIGKILL');
        expect(await child.end()).toMatchObject({ signal: 'SIGKILL' });
      }
      await drain(source.url, target.url, settings('triggers', source));
      await expectRight('triggers', source, target, history);
    });
  }
});
