import type { Client } from 'pg';
import { formatLsn, LSN_ZERO, type Lsn, parseLsn } from '../../src/core/position.js';
import type { Environment, Finding, OwnCase } from '../case.js';
import { Target } from '../target.js';
import { runToCurrent, runUntil, status } from '../wal2dolt.js';
import { ROW_COLUMNS, rowCells } from './rows.js';

const ROWS_PER_COMMIT = 10;
/** The commits are made in so many runs, of which the first and the last are compared. */
const RUNS = 10;
/** The time of a commit at the end, as a multiple of that at the start. */
const MOST = 1.2;

export const growth: OwnCase = {
  kind: 'own',
  name: 'growth',
  work: '100,000 Dolt commits of 10 updates each over a table of 1,000,000 rows: what a commit costs at the end, in time and in bytes',
  isRepeated: false,
  run: (environment, short) => (short ? measure(environment, 2_000, 50_000) : measure(environment, 100_000, 1_000_000)),
};

async function measure({ source, doltBinary, say }: Environment, commits: number, rows: number): Promise<Finding[]> {
  await source.empty();
  await source.client.query(`CREATE TABLE events (id bigint PRIMARY KEY, ${ROW_COLUMNS})`);
  await source.client.query(`INSERT INTO events SELECT g, ${rowCells} FROM generate_series(1, ${rows}) g`);
  await using before = await Target.start(doltBinary);
  await runToCurrent({ source: source.url, target: before.url });
  await collect(before);
  await before.stop();
  await source.keep();
  await using target = await Target.start(doltBinary, before);
  const bytesBefore = await target.bytes();

  const perCommit = async (into: Target, until = 'current'): Promise<number> => {
    const options = ['--commit-max-transactions', '1'];
    const { ready, ended } = await runUntil(until, { source: source.url, target: into.url, options });
    return ((ended - ready) / commits) * RUNS;
  };
  const milliseconds: number[] = [];
  const ends: Lsn[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    await source.client.query(`DO $$ BEGIN PERFORM setseed(${run / RUNS}); FOR t IN 1..${commits / RUNS} LOOP
      UPDATE events SET k = k + 1 WHERE id IN (SELECT 1 + (random() * ${rows - 1})::int FROM generate_series(1, ${ROWS_PER_COMMIT}));
      COMMIT; END LOOP; END $$`);
    ends.push(await currentLsn(source.client));
    milliseconds.push(await perCommit(target));
    say(`growth: run ${run + 1} of ${RUNS}: ${milliseconds.at(-1)?.toFixed(2)} ms a commit`);
  }
  const bytesAfter = await target.bytes();
  const [, asOfSeconds] = await timed(() => rowAsOf(target, ends[RUNS / 2] ?? LSN_ZERO));
  const [, statusSeconds] = await timed(() => status(source.url, target.url));

  // The machine may be slower by now than it was, or faster: so the first run once more, from where it began.
  await source.rewind();
  await using fresh = await Target.start(doltBinary, before);
  const again = await perCommit(fresh, formatLsn(ends[0] ?? LSN_ZERO));
  say(`growth: run 1 again: ${again.toFixed(2)} ms a commit`);
  await fresh.stop();

  const [, gcSeconds] = await timed(() => collect(target));
  const [first = 0, last = 0] = [milliseconds[0], milliseconds.at(-1)];
  const bytesPerCommit = (bytes: number): number => (bytes - bytesBefore) / commits / 1024;
  return [
    { what: 'time of a commit at the start', value: first, unit: 'ms', atMost: null },
    { what: 'time of a commit at the end', value: last, unit: 'ms', atMost: null },
    { what: 'end divided by start', value: last / first, unit: 'times', atMost: MOST },
    { what: 'time of a commit at the start, once more at the end', value: again, unit: 'ms', atMost: null },
    { what: 'on disk for a commit, before gc', value: bytesPerCommit(bytesAfter), unit: 'kB', atMost: null },
    { what: 'on disk for a commit, after gc', value: bytesPerCommit(await target.bytes()), unit: 'kB', atMost: null },
    { what: 'gc', value: gcSeconds, unit: 's', atMost: null },
    { what: 'a row AS OF an LSN', value: asOfSeconds, unit: 's', atMost: null },
    { what: 'wal2dolt status', value: statusSeconds, unit: 's', atMost: null },
  ];
}

async function currentLsn(client: Client): Promise<Lsn> {
  const { rows } = await client.query('SELECT pg_current_wal_lsn()::text AS lsn');
  return parseLsn(rows[0].lsn);
}

/** What docs/operating.md tells to do: the commit that holds the state at an LSN, and then a row as of it. */
async function rowAsOf(target: Target, lsn: Lsn): Promise<void> {
  const [commit] = await target.rows(
    `SELECT commit_hash FROM wal2dolt_commits WHERE end_lsn_num <= ${lsn} ORDER BY end_lsn_num DESC LIMIT 1`,
  );
  await target.rows(`SELECT * FROM events AS OF '${commit?.[0]}' WHERE id = 1`);
}

const collect = (target: Target): Promise<unknown> => target.rows('CALL DOLT_GC()');

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const started = performance.now();
  return [await work(), (performance.now() - started) / 1000];
}
