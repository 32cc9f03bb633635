import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { GuardedFolder } from './guarded-folder.js';
import { LocalServer } from './local-server.js';

const run = promisify(execFile);

type Settings = Readonly<Record<string, string | number>>;

/** For throwaway servers: logical replication is on, and a crash of the machine may lose the data. */
const SETTINGS: Settings = {
  wal_level: 'logical',
  max_wal_senders: 50,
  max_replication_slots: 50,
  max_connections: 200,
  fsync: 'off',
  full_page_writes: 'off',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '', // nothing outside of our folder, so that nothing of a killed server stays
  dynamic_shared_memory_type: 'mmap',
};

/**
 * Starts a new Postgres cluster with the binaries in `binaries` (see find-postgres.ts). Its url is of the superuser
 * `postgres`, with a random password, and names the database `postgres`. `settings` go over the defaults above.
 */
export async function startPostgres(options: {
  binaries: string;
  settings?: Settings;
  port?: number;
}): Promise<LocalServer> {
  const folder = await GuardedFolder.create('wal2dolt-postgres');
  const password = randomBytes(12).toString('hex');
  let binaries: string;
  let user: Awaited<ReturnType<typeof unprivilegedUser>>;
  const data = join(folder.path, 'data');
  const env = serverEnvironment();
  try {
    user = await unprivilegedUser();
    if (user !== null) await chown(folder.path, user.uid, user.gid);
    binaries = await reachable(options.binaries, user, folder.path);
    await createCluster({ binaries, data, password, user, env, folder });
  } catch (error) {
    await folder.remove();
    throw error;
  }
  const settings = Object.entries({ ...SETTINGS, ...options.settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  return LocalServer.launch(
    {
      name: 'postgres',
      command: join(binaries, 'postgres'),
      args: (port) => ['-D', data, '-p', String(port), ...settings],
      env,
      user,
      ready: /database system is ready to accept (read-only )?connections/,
      portTaken: /Address already in use/,
      notYet: /pre-existing shared memory block|lock file "[^"]*" already exists/,
      stopSignals: ['SIGINT', 'SIGQUIT'], // fast, then immediate: https://www.postgresql.org/docs/current/server-shutdown.html
      url: (port) => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    },
    folder,
    options.port ?? null,
  );
}

type User = { uid: number; gid: number } | null;

/** Postgres refuses to run as root: then its own user runs it, or `nobody` on a machine that has none. Otherwise null. */
async function unprivilegedUser(): Promise<User> {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // no such user
    }
  }
  throw new Error(
    'Postgres cannot run as root, and there is neither a user `postgres` nor `nobody`. Run this as another user.',
  );
}

/** Binaries under a home that only root may enter (root's own) run from a copy. */
async function reachable(binaries: string, user: User, folder: string): Promise<string> {
  try {
    await run(join(binaries, 'postgres'), ['--version'], { cwd: '/', ...user });
    return binaries;
  } catch (error) {
    if (user === null || (error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  }
  const copy = join(folder, 'server');
  await cp(dirname(binaries), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

async function createCluster(cluster: {
  binaries: string;
  data: string;
  password: string;
  user: User;
  env: NodeJS.ProcessEnv;
  folder: GuardedFolder;
}): Promise<void> {
  const { user, folder } = cluster;
  const passwordFile = join(folder.path, 'password');
  await mkdir(cluster.data, { mode: 0o700 });
  await writeFile(passwordFile, cluster.password, { mode: 0o600 });
  if (user !== null) {
    await chown(cluster.data, user.uid, user.gid);
    await chown(passwordFile, user.uid, user.gid);
  }
  const initdb = run(
    join(cluster.binaries, 'initdb'),
    [
      `--pgdata=${cluster.data}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--no-locale',
      '--no-sync',
    ],
    { cwd: folder.path, env: cluster.env, ...user },
  );
  if (initdb.child.pid !== undefined) folder.watch({ pid: initdb.child.pid, signal: 'SIGTERM' });
  await initdb;
  folder.watch(null);
  await rm(passwordFile);
}

/** Without the settings of the caller's own Postgres, and with messages in the language that we look for. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && !name.startsWith('LC_'));
  return { ...Object.fromEntries(own), LC_ALL: 'C' };
}
