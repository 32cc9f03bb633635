import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inject } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** wal2dolt as it is installed: compiled from the sources as they are when the tests start. */
export interface BuiltCli {
  readonly folder: string;
  /** dist/cli.js; run it with `process.execPath`. */
  readonly path: string;
  remove(): Promise<void>;
}

/** Takes some seconds; with servers it is built once, for all files of the project, by the first that asks. */
export async function buildCli(): Promise<BuiltCli> {
  const shared = inject('cliFolder');
  const folder = shared === undefined ? await mkdtemp(join(tmpdir(), 'wal2dolt-cli-')) : join(shared, 'wal2dolt');
  const path = join(folder, 'dist', 'cli.js');
  if (shared === undefined) {
    await build(folder);
    return { folder, path, remove: () => rm(folder, { recursive: true, force: true }) };
  }
  const built = join(shared, 'built');
  // Files run side by side: the one that makes the folder fills it.
  const isFirst = await mkdir(folder).then(
    () => true,
    () => false,
  );
  if (isFirst) {
    await build(folder);
    await writeFile(built, '');
  }
  while (!existsSync(built)) await sleep(50);
  return { folder, path, remove: async () => {} };
}

/** Type errors do not matter here: they have a check of their own. */
async function build(folder: string): Promise<void> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(folder, 'dist'), '--declaration', 'false'];
  await promisify(execFile)(process.execPath, [tsc, ...options]).catch(() => {});
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  for (const name of ['node_modules', 'sql', 'scripts']) await symlink(join(ROOT, name), join(folder, name));
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a script of the build. Its environment is clean of our own variables, but for those given. */
export function startCli(script: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('WAL2DOLT_') && name !== 'NODE_OPTIONS',
  );
  return spawn(process.execPath, [script, ...args], {
    cwd: tmpdir(), // where no wal2dolt.yaml lies
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** What a started script said, when it has ended. */
export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, ...output };
}
