import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { GuardedFolder } from './guarded-folder.js';
import { LocalServer } from './local-server.js';

const GET_DOLT = fileURLToPath(new URL('../../scripts/get-dolt', import.meta.url));

/**
 * Path of a Dolt binary, got by `scripts/get-dolt` where there is none yet (it may take minutes, and says so on stderr).
 * When the signal aborts, this rejects as soon as all that get-dolt had begun is ended and removed.
 */
export async function findDolt(signal?: AbortSignal): Promise<string> {
  // A process group of its own, in which a signal reaches a build or a download too, whoever sent it to us.
  const child = spawn(GET_DOLT, ['--path'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const interrupt = () => child.pid !== undefined && process.kill(-child.pid, 'SIGINT');
  signal?.addEventListener('abort', interrupt);
  const [path, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  signal?.removeEventListener('abort', interrupt);
  signal?.throwIfAborted();
  if (code !== 0) throw new Error('There is no Dolt to run; scripts/get-dolt said why.');
  return path.trim();
}

/**
 * Starts `dolt sql-server` with an empty data folder, or a copy of `from`, which no server has open. Its url (`mysql://root@127.0.0.1:port`) is of the user that Dolt
 * creates at the first start: root, no password, from this machine only.
 */
export async function startDolt(options: { binary?: string; port?: number; from?: string } = {}): Promise<LocalServer> {
  const binary = options.binary ?? (await findDolt());
  const folder = await GuardedFolder.create('wal2dolt-dolt');
  const home = join(folder.path, 'home');
  const data = join(folder.path, 'data');
  await mkdir(join(home, '.dolt'), { recursive: true });
  if (options.from === undefined) await mkdir(data);
  else await cp(options.from, data, { recursive: true });
  // As `dolt config --global --add` would write it: https://docs.dolthub.com/cli-reference/cli#dolt-config
  const config = { 'metrics.disabled': 'true', 'versioncheck.disabled': 'true' };
  await writeFile(join(home, '.dolt', 'config_global.json'), JSON.stringify(config));
  return launchDolt(folder, {
    binary,
    args: (port) => ['--host', '127.0.0.1', '--port', String(port), '--data-dir', data],
    env: { HOME: home, DOLT_ROOT_PATH: home },
    port: options.port,
  });
}

/** `dolt sql-server` with these arguments, which keeps everything in the folder. */
export function launchDolt(
  folder: GuardedFolder,
  options: {
    readonly binary: string;
    readonly args: (port: number) => readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly port?: number | undefined;
  },
): Promise<LocalServer> {
  return LocalServer.launch(
    {
      name: 'dolt',
      command: options.binary,
      args: (port) => ['sql-server', ...options.args(port)],
      env: { ...process.env, ...options.env, DOLT_DISABLE_EVENT_FLUSH: '1' },
      user: null,
      ready: /Server ready\. Accepting connections/,
      portTaken: /Port \d+ already in use/,
      notYet: null,
      stopSignals: ['SIGTERM'],
      url: (port) => `mysql://root@127.0.0.1:${port}`,
    },
    folder,
    options.port ?? null,
  );
}
