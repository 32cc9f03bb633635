import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Usage, UsageWatch } from '../measure.js';
import type { Source } from '../source.js';
import type { Target } from '../target.js';

const FOLDER = fileURLToPath(new URL('debezium', import.meta.url));

/** Takes Java 17 and Maven, and gets Debezium by the latter, once. */
export async function buildDebezium(): Promise<void> {
  const built = await access(join(FOLDER, 'target/lib')).then(
    () => true,
    () => false,
  );
  if (!built) await promisify(execFile)('mvn', ['-q', '-B', 'package'], { cwd: FOLDER });
}

/** Debezium and its JDBC sink, in one JVM, over the same backlog. Seconds from its first batch to its last. */
export async function runDebezium(
  source: Source,
  target: Target,
  rows: number,
): Promise<{ readonly seconds: number; readonly usage: Usage }> {
  const { hostname, port, username, password } = new URL(source.url);
  const libraries = `${join(FOLDER, 'target/classes')}:${join(FOLDER, 'target/lib/*')}`;
  const child = spawn('java', ['-Xms256m', '-Xmx2g', '-cp', libraries, 'bench.Peer'], {
    env: {
      ...process.env,
      PG_HOST: hostname,
      PG_PORT: port,
      PG_USER: username,
      PG_PASSWORD: password,
      PG_DB: 'bench',
      SLOT: await source.slotForPeer(),
      PUBLICATION: 'wal2dolt',
      DOLT_PORT: String(target.port),
      DOLT_DB: 'bench',
      EXPECT: String(rows),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.pid === undefined) throw new Error('there is no java');
  const watch = await UsageWatch.start(child.pid);
  const at = new Map<string, number>();
  createInterface(child.stdout).on('line', (line) => at.set(line, performance.now()));
  const [code] = await once(child, 'close');
  const usage = await watch.stop();
  if (code !== 0) throw new Error('Debezium did not write all rows');
  return { seconds: ((at.get('written') ?? 0) - (at.get('ready') ?? 0)) / 1000, usage };
}
