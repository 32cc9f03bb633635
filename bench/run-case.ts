import type { Contender, CopyCase, DrainCase, Environment } from './case.js';
import { type Prepared, prepareNetChanges, prepareSingles } from './ceiling.js';
import { type Usage, UsageWatch } from './measure.js';
import { type NetChanges, readNetChanges } from './net-changes.js';
import { runDebezium } from './peers/debezium.js';
import { prepareSameStatements, Recorder, type Sent } from './recorder.js';
import type { Source } from './source.js';
import { streamAlone } from './stream-alone.js';
import { Target } from './target.js';
import { runToCurrent } from './wal2dolt.js';

/** Who does not write all that wal2dolt writes. */
const PARTIAL: ReadonlySet<string> = new Set(['row by row', 'stream alone', 'debezium']);

/** One run of one contender. */
export interface Measurement {
  readonly contender: Contender | 'wal2dolt';
  /** Rows changed in Postgres (of a sample: written), for each second of work; starting up does not count. */
  readonly rowsPerSecond: number;
  readonly seconds: number;
  /** wal2dolt alone: from the start of the process until it streams. */
  readonly startSeconds: number | null;
  readonly client: Usage;
  readonly dolt: Usage;
  /** CPU of all of Postgres. */
  readonly postgresSeconds: number;
}

/** All runs of a case: wal2dolt and its contenders in turn, `repeat` times. What they wrote is the same, or this throws. */
export async function runCase(
  work: DrainCase | CopyCase,
  size: number,
  repeat: number,
  peers: readonly 'debezium'[],
  environment: Environment,
): Promise<Measurement[]> {
  const { source, doltBinary, say } = environment;
  await source.empty();
  await using before = await Target.start(doltBinary);
  say(`${work.name}: preparing`);
  const rows =
    work.kind === 'copy' ? await work.before(source.client, size) : await prepareBacklog(work, size, source, before);
  const from = work.kind === 'copy' ? null : await headOf(before);
  await before.stop();

  const plan = await learn(work, environment, before, from);
  const measured: Measurement[] = [];
  for (let round = 0; round < repeat; round += 1) {
    const others = work.kind === 'drain' ? (['stream alone', ...peers] as const) : [];
    for (const contender of ['wal2dolt', ...work.contenders, ...others] as const) {
      await using target = await Target.start(doltBinary, before);
      const one = await measure(contender, work, rows, plan, source, target);
      if (!PARTIAL.has(contender)) await assertSame(work, target, plan.content, contender);
      measured.push(one);
      say(`${work.name}: ${contender}, ${Math.round(one.rowsPerSecond)} rows/s`);
    }
  }
  return measured;
}

async function prepareBacklog(work: DrainCase, size: number, source: Source, before: Target): Promise<number> {
  await work.before(source.client, size);
  await runToCurrent({ source: source.url, target: before.url, options: work.options ?? [] });
  await source.keep();
  return work.backlog(source.client, size);
}

/** What the work comes to, from a run that does not count. */
interface Plan {
  /** Where nothing was there before: makes the tables. */
  readonly creates: readonly string[];
  readonly changes: readonly NetChanges[];
  /** Of every table, to be compared with. */
  readonly content: ReadonlyMap<string, string>;
  readonly recorded: { readonly databases: string[]; readonly sent: readonly Sent[] };
}

async function learn(
  work: DrainCase | CopyCase,
  { source, doltBinary }: Environment,
  before: Target,
  from: string | null,
): Promise<Plan> {
  await using target = await Target.start(doltBinary, before);
  await source.rewind();
  await using recorder = await Recorder.before(target);
  const url = work.contenders.includes('same statements') ? recorder.url : target.url;
  await runToCurrent({ source: source.url, target: url, options: work.options ?? [] });
  return {
    creates: work.kind === 'copy' ? await target.createStatements() : [],
    changes: await readNetChanges(target, from),
    content: await contentOf(work, target),
    recorded: { databases: recorder.databases, sent: recorder.work() },
  };
}

async function measure(
  contender: Contender | 'wal2dolt',
  work: DrainCase | CopyCase,
  rows: number,
  plan: Plan,
  source: Source,
  target: Target,
): Promise<Measurement> {
  if (contender === 'wal2dolt') {
    await source.rewind();
    const servers = await watchServers(source, target);
    const run = await runToCurrent({ source: source.url, target: target.url, options: work.options ?? [] });
    const seconds = (run.ended - run.ready) / 1000;
    const startSeconds = (run.ready - run.started) / 1000;
    const used = { client: run.usage, ...(await servers.stop()) };
    return { contender, rowsPerSecond: rows / seconds, seconds, startSeconds, ...used };
  }
  if (contender === 'debezium') {
    const servers = await watchServers(source, target);
    const { seconds, usage } = await runDebezium(source, target, rows);
    const used = { client: usage, ...(await servers.stop()) };
    return { contender, rowsPerSecond: rows / seconds, seconds, startSeconds: null, ...used };
  }
  if (contender === 'stream alone') {
    const [servers, client] = [await watchServers(source, target), await UsageWatch.start(process.pid)];
    const seconds = await streamAlone(source, rows);
    const used = { client: await client.stop(), ...(await servers.stop()) };
    return { contender, rowsPerSecond: rows / seconds, seconds, startSeconds: null, ...used };
  }
  for (const statement of plan.creates) await target.rows(statement);
  const [prepared, written] = await prepare(contender, target, plan, rows);
  const [servers, client] = [await watchServers(source, target), await UsageWatch.start(process.pid)];
  const started = performance.now();
  await prepared.run();
  const seconds = (performance.now() - started) / 1000;
  const used = { client: await client.stop(), ...(await servers.stop()) };
  return { contender, rowsPerSecond: written / seconds, seconds, startSeconds: null, ...used };
}

type Servers = Pick<Measurement, 'dolt' | 'postgresSeconds'>;

async function watchServers(source: Source, target: Target): Promise<{ stop(): Promise<Servers> }> {
  const [dolt, before] = [await UsageWatch.start(target.pid), await source.cpuSeconds()];
  return {
    stop: async () => ({ dolt: await dolt.stop(), postgresSeconds: (await source.cpuSeconds()) - before }),
  };
}

async function prepare(
  contender: Exclude<Contender, 'debezium' | 'stream alone'>,
  target: Target,
  { changes, recorded }: Plan,
  rows: number,
): Promise<[Prepared, number]> {
  switch (contender) {
    case 'ceiling':
      return [await prepareNetChanges(target, changes, 1), rows];
    case 'summit':
      return [await prepareNetChanges(target, changes, 2), rows];
    case 'single updates':
      return [await prepareSingles(target, changes, Number.POSITIVE_INFINITY), rows];
    case 'same statements':
      return [await prepareSameStatements(target, recorded, recorded.sent), rows];
    case 'row by row': {
      const prepared = await prepareSingles(target, changes, 10);
      return [prepared, prepared.rows];
    }
  }
}

async function headOf(target: Target): Promise<string> {
  return String((await target.rows(`SELECT DOLT_HASHOF('main')`))[0]?.[0]);
}

const contentOf = (work: DrainCase | CopyCase, target: Target): Promise<ReadonlyMap<string, string>> =>
  work.kind === 'copy' ? target.sums() : target.hashes();

async function assertSame(
  work: DrainCase | CopyCase,
  target: Target,
  expected: ReadonlyMap<string, string>,
  who: string,
): Promise<void> {
  const found = await contentOf(work, target);
  for (const [table, content] of expected) {
    if (found.get(table) !== content) throw new Error(`${who} did not write what wal2dolt wrote to ${table}`);
  }
}
