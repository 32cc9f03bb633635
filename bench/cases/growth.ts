import type { Client } from 'pg';
import type { Environment, Finding, OwnCase } from '../case.js';
import { Target } from '../target.js';
import { runToCurrent, status } from '../wal2dolt.js';
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
  run: (environment, short) => (short ? measure(environment, 2_000, 50_000) : measure(environment, 100_000, 1_000_000)),
};

async function measure({ source, doltBinary, say }: Environment, commits: number, rows: number): Promise<Finding[]> {
  await source.empty();
  await source.client.query(`CREATE TABLE events (id bigint PRIMARY KEY, ${ROW_COLUMNS})`);
  await source.client.query(`INSERT INTO events SELECT g, ${rowCells} FROM generate_series(1, ${rows}) g`);
  await using target = await Target.start(doltBinary);
  await runToCurrent({ source: source.url, target: target.url });
  await collect(target);
  const bytesBefore = await target.bytes();

  const options = ['--commit-max-transactions', '1'];
  const milliseconds: number[] = [];
  let middle = 0n;
  for (let run = 0; run < RUNS; run += 1) {
    await source.client.query(`DO $$ BEGIN PERFORM setseed(${run / RUNS}); FOR t IN 1..${commits / RUNS} LOOP
      UPDATE events SET k = k + 1 WHERE id IN (SELECT 1 + (random() * ${rows - 1})::int FROM generate_series(1, ${ROWS_PER_COMMIT}));
      COMMIT; END LOOP; END $$`);
    if (run === RUNS / 2) middle = await currentLsn(source.client);
    const { ready, ended } = await runToCurrent({ source: source.url, target: target.url, options });
    milliseconds.push(((ended - ready) / commits) * RUNS);
    say(`growth: run ${run + 1} of ${RUNS}: ${milliseconds.at(-1)?.toFixed(2)} ms a commit`);
  }
  const bytesAfter = await target.bytes();
  const [first = 0, last = 0] = [milliseconds[0], milliseconds.at(-1)];

  const [, asOfSeconds] = await timed(() => rowAsOf(target, middle));
  const [, statusSeconds] = await timed(() => status(source.url, target.url));
  const [, gcSeconds] = await timed(() => collect(target));
  const perCommit = (bytes: number): number => (bytes - bytesBefore) / commits / 1024;
  return [
    { what: 'time of a commit at the start', value: first, unit: 'ms', atMost: null },
    { what: 'time of a commit at the end', value: last, unit: 'ms', atMost: null },
    { what: 'end divided by start', value: last / first, unit: 'times', atMost: MOST },
    { what: 'on disk for a commit, before gc', value: perCommit(bytesAfter), unit: 'kB', atMost: null },
    { what: 'on disk for a commit, after gc', value: perCommit(await target.bytes()), unit: 'kB', atMost: null },
    { what: 'gc', value: gcSeconds, unit: 's', atMost: null },
    { what: 'a row AS OF an LSN', value: asOfSeconds, unit: 's', atMost: null },
    { what: 'wal2dolt status', value: statusSeconds, unit: 's', atMost: null },
  ];
}

/** As a number: bytes of WAL. */
async function currentLsn(client: Client): Promise<bigint> {
  const { rows } = await client.query(`SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::text AS lsn`);
  return BigInt(rows[0].lsn);
}

/** What docs/operating.md tells to do: the commit that holds the state at an LSN, and then a row as of it. */
async function rowAsOf(target: Target, lsn: bigint): Promise<void> {
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
