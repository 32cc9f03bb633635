import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findDolt, startDolt } from '../../src/servers/dolt.js';
import type { LocalServer } from '../../src/servers/local-server.js';
import { startPostgres } from '../../src/servers/postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the project's Postgres programs. */
    postgresBinaries: string;
    /** Their major version. */
    postgresVersion: number;
    /** The Postgres that the project's tests share: superuser, database `postgres`. */
    postgresUrl: string;
    /** The Dolt program. */
    doltBinary: string;
    /** The Dolt that the project's tests share: root, no database. */
    doltUrl: string;
    /** Where wal2dolt is built, by the first file that needs it; a project without servers has none. */
    cliFolder?: string;
  }
}

/** Starts one Postgres and one Dolt for a project's tests. Each test makes databases of its own there. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const binaries = project.getProvidedContext().postgresBinaries;
  const doltBinary = await findDolt();
  const postgres = await startPostgres({ binaries });
  const dolt = await startDolt({ binary: doltBinary });
  project.provide('postgresUrl', postgres.url);
  project.provide('doltBinary', doltBinary);
  project.provide('doltUrl', dolt.url);
  const cliFolder = await mkdtemp(join(tmpdir(), 'wal2dolt-cli-'));
  project.provide('cliFolder', cliFolder);
  // In watch mode, when the sources are others.
  project.onTestsRerun(async () => {
    for (const name of ['built', 'wal2dolt']) await rm(join(cliFolder, name), { recursive: true, force: true });
  });
  return async () => {
    await rm(cliFolder, { recursive: true, force: true });
    for (const [name, server] of Object.entries({ dolt, postgres })) {
      if (server.pid === null) await tellEnd(name, server);
      await server[Symbol.asyncDispose]();
    }
  };
}

/** Of a shared server that ended by itself, which makes many tests fail at once. */
async function tellEnd(name: string, { folder }: LocalServer): Promise<void> {
  const log = await readFile(join(folder, `${name}.log`), 'utf8');
  console.error(`${name} ended in the middle of the tests:\n${log.slice(-10_000)}`);
}
