import { basename, relative } from 'node:path';
import { type Config, configSchema } from '../config.js';
import { formatLsn } from '../core/position.js';
import { parseTarget } from '../dolt/address.js';
import { TargetConnection } from '../dolt/client.js';
import { createLogger } from '../ops/logging.js';
import type { CopyProgress } from '../ops/progress.js';
import { connectSource } from '../postgres/client.js';
import { compareAll } from './compare.js';
import { Replication } from './replication.js';
import type { Screen } from './screen.js';
import { findPrograms, type Programs, Servers } from './servers.js';
import { shellWord } from './shell-word.js';
import { SHOP_ROWS, SHOP_TABLES } from './shop.js';
import { showHistory } from './tour.js';
import { CLIENTS, connectShop, Workload } from './workload.js';

/** Transactions while the copy runs, and again after it. */
const TRANSACTIONS = 200;

export interface DemoOptions {
  /** Leaves the servers running. */
  readonly keep: boolean;
  /** Where the servers' folders go; default: where temporary ones do. */
  readonly folder: string | undefined;
  readonly screen: Screen;
  /** Ends the demo early, in order. */
  readonly signal: AbortSignal;
}

/**
 * A shop in a new Postgres is copied and streamed into a new Dolt while people trade in it; then what both hold is
 * compared, and what the history can answer is shown. However it ends, servers and folders are gone, unless it came to
 * its end and they are to be kept.
 *
 * Throws E_DEMO where a server is missing or does not start, and whatever `run` throws.
 */
export async function demo(options: DemoOptions): Promise<'equal' | 'different' | 'interrupted'> {
  const { screen, signal } = options;
  screen.write('A small shop in Postgres is streamed into Dolt. Ctrl-C ends it, and leaves nothing.\n');
  try {
    const outcome = await perform(options);
    if (!options.keep) screen.write(farewell());
    return outcome;
  } catch (error) {
    if (!signal.aborted) throw error;
    screen.write('\nInterrupted. Servers and folders are gone.\n');
    return 'interrupted';
  } finally {
    screen.finish();
  }
}

async function perform({ keep, folder, screen, signal }: DemoOptions): Promise<'equal' | 'different'> {
  let done = screen.step('Starting Postgres and Dolt');
  const programs = await findPrograms(signal);
  signal.throwIfAborted();
  await using servers = await Servers.start(programs, folder);
  const source = servers.postgres.url.replace(/[^/]*$/, 'shop');
  const target = `${servers.dolt.url}/shop`;
  const config = configSchema.parse({ source, target });
  done('both run on free ports of this machine, in folders of their own');
  screen.line(`Postgres ${programs.postgres.version}: ${source}`);
  screen.line(`Dolt: ${target}`);
  signal.throwIfAborted();

  done = screen.step('Creating a shop in Postgres');
  await createShop(servers.postgres.url, source);
  done('customers, products, stock, orders, order lines, and a log without a key');
  signal.throwIfAborted();

  const beforeSale = await replicate(config, screen, signal);

  done = screen.step('Comparing every value of every row in Postgres and Dolt');
  const equal = await compare(config, screen);
  done(equal ? 'all are equal' : 'NOT EQUAL: please report this');
  signal.throwIfAborted();

  await showHistory(target, beforeSale, screen);
  if (keep) screen.write(whatIsLeft(servers, programs, config));
  return equal ? 'equal' : 'different';
}

/** The whole way, at the end of which Dolt has everything. Returns the time before the sale, as SQL has it. */
async function replicate(config: Config, screen: Screen, signal: AbortSignal): Promise<string> {
  const logger = createLogger({ level: 'warn', format: 'pretty', color: false }, screen.write);
  await using workload = await Workload.open(config.source);

  let done = screen.step(`Copying it into Dolt, while ${CLIENTS} people trade`);
  const morning = workload.trade(TRANSACTIONS, signal);
  morning.catch(() => {}); // reported below, if nothing else fails before
  await using replication = await Replication.start(config, { logger, progress: withTables(screen), signal });
  await replication.published();
  done('the copy is one Dolt commit, which readers see now; the stream goes on');

  done = screen.step('Streaming what they do: insert, update, delete, roll back');
  await morning;
  const beforeSale = await workload.sale();
  await workload.trade(TRANSACTIONS, signal);
  signal.throwIfAborted();
  const reached = await replication.passed(await workload.correction());
  await replication.stop();
  const commits = await replication.commits();
  done(`${workload.committed} transactions became ${commits} Dolt commits, up to LSN ${formatLsn(reached)}`);
  return beforeSale;
}

async function createShop(serverUrl: string, url: string): Promise<void> {
  const server = await connectSource(serverUrl, 'wal2dolt demo');
  try {
    await server.query('CREATE DATABASE shop');
  } finally {
    await server.end();
  }
  const shop = await connectShop(url);
  try {
    await shop.query(SHOP_TABLES);
    await shop.query(SHOP_ROWS);
  } finally {
    await shop.end();
  }
}

/** The screen's progress, and a line for every table. */
function withTables(screen: Screen): CopyProgress {
  const { progress } = screen;
  const rows = new Map<string, number>();
  return {
    start(tables) {
      rows.clear();
      progress.start(tables);
    },
    add(table, count) {
      rows.set(table, (rows.get(table) ?? 0) + count);
      progress.add(table, count);
    },
    done(table) {
      progress.done(table);
      screen.line(countOf(table, rows.get(table) ?? 0));
    },
    finish: () => progress.finish(),
  };
}

async function compare(config: Config, screen: Screen): Promise<boolean> {
  await using target = await TargetConnection.open(parseTarget(config.target), config.targetBranch);
  const tables = await compareAll(config.source, target, config);
  for (const { table, rows, different } of tables) {
    screen.line(`${countOf(table, rows)} ${different === 0 ? 'equal' : `${different} DIFFER`}`);
  }
  return tables.length > 0 && tables.every(({ different }) => different === 0);
}

const countOf = (table: string, rows: number): string =>
  `${table.padEnd(18)} ${rows.toLocaleString('en-US').padStart(7)} rows`;

const farewell = (): string => `
Both servers are stopped now, and their folders removed.
To look around in them:     ${ourselves()} demo --keep
With a database of yours:   ${ourselves()} run --source postgres://… --target mysql://…
`;

/** How to use and end what goes on without us. */
function whatIsLeft(servers: Servers, programs: Programs, { source, target }: Config): string {
  const { port } = servers.dolt;
  return `
Both servers go on; wal2dolt has stopped.
To look around in Postgres:
  psql '${source}'
In Dolt, with a client of MySQL, or without one:
  mysql --host 127.0.0.1 --port ${port} --user root shop
  ${shellWord(programs.dolt)} --host 127.0.0.1 --port ${port} --user root --password "" --no-tls --use-db shop sql
To stream again, from where it stands:
  ${ourselves()} run --source '${source}' --target '${target}'
To stop both and remove their folders:
  ${servers.release()}
`;
}

/** How this program was called. */
function ourselves(): string {
  const path = process.argv[1] ?? '';
  if (basename(path) === 'wal2dolt') return 'wal2dolt';
  const near = relative(process.cwd(), path);
  return `node ${shellWord(near.startsWith('..') ? path : near)}`;
}
