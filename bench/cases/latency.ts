import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment, Finding, OwnCase } from '../case.js';
import { Target } from '../target.js';
import { runToCurrent, start } from '../wal2dolt.js';

const PER_SECOND = 200;
/** Between two looks at the target: what is measured is at most so much too long. A look takes time of Dolt's too. */
const POLL_MS = 5;

const latencyOf = (name: string, work: string, options: readonly string[], limits: Limits): OwnCase => ({
  kind: 'own',
  name,
  work: `${PER_SECOND} transactions of one row a second for a minute, ${work}: from the return of COMMIT in Postgres until readers of Dolt see it`,
  isRepeated: true,
  run: (environment, short) => measure(environment, short ? 10 : 60, options, limits),
});

interface Limits {
  readonly p50: number | null;
  readonly p99: number | null;
}

export const latency = latencyOf('latency', 'a Dolt commit each', ['--commit-max-transactions', '1'], {
  p50: 25,
  p99: 100,
});
export const latencyDelay = latencyOf('latency-100ms', '--commit-max-delay 100ms', ['--commit-max-delay', '100ms'], {
  p50: null,
  p99: null,
});

async function measure(
  { source, doltBinary }: Environment,
  seconds: number,
  options: readonly string[],
  { p50, p99 }: Limits,
): Promise<Finding[]> {
  await source.empty();
  await source.client.query('CREATE TABLE ticks (id bigint PRIMARY KEY, pad varchar(100))');
  await using target = await Target.start(doltBinary);
  await runToCurrent({ source: source.url, target: target.url });
  const running = start({ source: source.url, target: target.url, options });
  await running.ready;

  const count = PER_SECOND * seconds;
  const committed: number[] = [];
  const seen: number[] = [];
  const writing = (async () => {
    const begun = performance.now();
    for (let id = 1; id <= count; id += 1) {
      const due = begun + (id * 1000) / PER_SECOND - performance.now();
      if (due > 1) await sleep(due);
      await source.client.query({
        name: 'tick',
        text: `INSERT INTO ticks VALUES ($1, repeat('x', 100))`,
        values: [id],
      });
      committed.push(performance.now());
    }
  })();
  const reader = await target.connect();
  const giveUp = performance.now() + (seconds + 60) * 1000;
  while (seen.length < count) {
    const [rows] = await reader.query('SELECT max(id) FROM ticks');
    const now = performance.now();
    // rowsAsArray; max of an empty table is no row at all
    const top = Number((rows as unknown as (string | null)[][])[0]?.[0] ?? 0);
    while (seen.length < top) seen.push(now);
    if (now > giveUp) throw new Error(`only ${top} of ${count} rows arrived`);
    await sleep(POLL_MS);
  }
  await writing;
  await running.stop();

  // The first second warms up.
  const waited = seen
    .map((at, i) => at - (committed[i] ?? at))
    .slice(PER_SECOND)
    .sort((a, b) => a - b);
  const percentile = (share: number): number =>
    waited[Math.min(waited.length - 1, Math.floor(waited.length * share))] ?? 0;
  const unit = 'ms';
  return [
    { what: 'p50', value: percentile(0.5), unit, atMost: p50 },
    { what: 'p90', value: percentile(0.9), unit, atMost: null },
    { what: 'p99', value: percentile(0.99), unit, atMost: p99 },
    { what: 'longest', value: percentile(1), unit, atMost: null },
  ];
}
