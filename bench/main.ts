import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { findDolt } from '../src/servers/dolt.js';
import type { CopyCase, DrainCase, Finding, OwnCase } from './case.js';
import { copyEight, copyOne } from './cases/copies.js';
import { deletes, everyTransaction, inserts, randomInserts, randomUpdates, updates } from './cases/drain.js';
import { growth } from './cases/growth.js';
import { latency, latencyDelay } from './cases/latency.js';
import { memory } from './cases/memory.js';
import { pgbench } from './cases/pgbench.js';
import { jsonb, toast, wide } from './cases/wide.js';
import { buildDebezium } from './peers/debezium.js';
import { runCase } from './run-case.js';
import { Source } from './source.js';
import { type Compared, comparisonTable, exceeded, type Found, findingsTable, slower } from './table.js';

const CASES: readonly (DrainCase | CopyCase | OwnCase)[] = [
  copyOne,
  copyEight,
  inserts,
  updates,
  randomInserts,
  randomUpdates,
  deletes,
  pgbench,
  everyTransaction,
  wide,
  toast,
  jsonb,
  latency,
  latencyDelay,
  memory,
  growth,
];

const program = new Command('bench')
  .description(
    'Measures wal2dolt against what Dolt can do: with servers of its own, each case several times, in turn with its contenders.',
  )
  .argument('[names...]', `which cases: ${CASES.map(({ name }) => name).join(', ')}`)
  .option('--repeat <times>', 'how often each contender runs', Number, 3)
  .addOption(new Option('--short', 'a smaller form, of a minute, to see that nothing is broken'))
  .addOption(
    new Option('--peer <name>', 'who else is to do the same, of those whom users would take').choices(['debezium']),
  )
  .option('--json <file>', 'where to write all measurements', 'bench.json')
  .option('--list', 'say what would be measured, and end')
  .parse();

const {
  repeat,
  short = false,
  json,
  peer,
  list,
} = program.opts<{
  repeat: number;
  short?: true;
  list?: true;
  json: string;
  peer?: 'debezium';
}>();
const wanted = program.args.length === 0 ? CASES : program.args.map(caseNamed);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

if (list) {
  for (const work of wanted) {
    const size = work.kind === 'own' ? '' : (short ? work.size.short : work.size.full).toLocaleString('en');
    console.log(`${work.name}: ${work.work.replace('{n}', size)}`);
  }
  process.exit();
}
if (peer === 'debezium') await buildDebezium();
await using source = await Source.start();
const environment = { source, doltBinary: await findDolt(), say };
const compared: Compared[] = [];
const found: Found[] = [];
for (const work of wanted) {
  if (work.kind === 'own') {
    const runs: Finding[][] = [];
    for (let i = 0; i < (work.isRepeated ? repeat : 1); i += 1) runs.push(await work.run(environment, short));
    found.push({ work, runs });
  } else {
    const size = short ? work.size.short : work.size.full;
    compared.push({ work, measured: await runCase(work, size, repeat, peer === undefined ? [] : [peer], environment) });
  }
}
const results = [
  ...compared.map(({ work, measured }) => ({ case: work.name, measured })),
  ...found.map(({ work, runs }) => ({ case: work.name, runs })),
];
await writeFile(json, JSON.stringify(results, null, 2));
for (const line of [...comparisonTable(compared, short), '', ...findingsTable(found)]) console.log(line);
const misses = [...compared.flatMap((one) => slower(one, short)), ...found.flatMap(exceeded)];
for (const miss of misses) say(miss);
process.exitCode = misses.length === 0 ? 0 : 1;

function caseNamed(name: string): DrainCase | CopyCase | OwnCase {
  const found = CASES.find((work) => work.name === name);
  return found ?? program.error(`there is no case ${name}`);
}
