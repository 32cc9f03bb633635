import type { Environment, Finding, OwnCase } from '../case.js';
import { Target } from '../target.js';
import { runToCurrent } from '../wal2dolt.js';
import { ROW_COLUMNS, rowCells } from './rows.js';

const MOST = 250;
const HUGE_ROW_MB = 50;

/** The peak of wal2dolt's memory while it brings `sql` into Dolt, for several sizes: it must not grow with them. */
async function peaks(
  environment: Environment,
  sizes: readonly number[],
  table: string,
  sql: (size: number) => string,
  atMost: number,
  label: (size: number) => string,
): Promise<Finding[]> {
  const { source, doltBinary, say } = environment;
  const findings: Finding[] = [];
  for (const size of sizes) {
    await source.empty();
    await source.client.query(table);
    await using target = await Target.start(doltBinary);
    await runToCurrent({ source: source.url, target: target.url });
    await source.client.query(sql(size));
    const { usage } = await runToCurrent({ source: source.url, target: target.url });
    findings.push({ what: `peak, ${label(size)}`, value: usage.peakBytes / 2 ** 20, unit: 'MB', atMost });
    say(`memory: ${label(size)}: ${Math.round(usage.peakBytes / 2 ** 20)} MB`);
  }
  return findings;
}

const EVENTS = `CREATE TABLE events (id bigint PRIMARY KEY, ${ROW_COLUMNS})`;
const thousands = (count: number): string => count.toLocaleString('en');

export const memory: OwnCase = {
  kind: 'own',
  name: 'memory',
  work: 'one transaction of many rows, a backlog of many transactions, rows of 50 MB: the most memory that wal2dolt has at once',
  isRepeated: false,
  run: async (environment, short) => [
    ...(await peaks(
      environment,
      short ? [200_000] : [1_000_000, 5_000_000],
      EVENTS,
      (size) => `INSERT INTO events SELECT g, ${rowCells} FROM generate_series(1, ${size}) g`,
      MOST,
      (size) => `one transaction of ${thousands(size)} rows`,
    )),
    ...(await peaks(
      environment,
      short ? [200_000] : [500_000, 2_000_000],
      EVENTS,
      (size) => `DO $$ BEGIN FOR t IN 0..${size / 100} - 1 LOOP
        INSERT INTO events SELECT g, ${rowCells} FROM generate_series(t * 100 + 1, t * 100 + 100) g; COMMIT; END LOOP; END $$`,
      MOST,
      (size) => `a backlog of ${thousands(size)} rows`,
    )),
    ...(await peaks(
      environment,
      [4],
      'CREATE TABLE pages (id int PRIMARY KEY, body text)',
      (size) =>
        `INSERT INTO pages SELECT g, repeat(md5(g::text), ${(HUGE_ROW_MB << 20) / 32}) FROM generate_series(1, ${size}) g`,
      8 * HUGE_ROW_MB,
      (size) => `${size} rows of ${HUGE_ROW_MB} MB`,
    )),
  ],
};
