import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** wal2dolt as it is installed: compiled from the sources of this moment, in a folder of its own. */
export interface BuiltCli {
  readonly folder: string;
  /** dist/cli.js; run it with `process.execPath`. */
  readonly path: string;
  remove(): Promise<void>;
}

/** Takes some seconds. Type errors do not matter here: they have a check of their own. */
export async function buildCli(): Promise<BuiltCli> {
  const folder = await mkdtemp(join(tmpdir(), 'wal2dolt-cli-'));
  const dist = join(folder, 'dist');
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', dist, '--declaration', 'false'];
  await promisify(execFile)(process.execPath, [tsc, ...options]).catch(() => {});
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  for (const name of ['node_modules', 'sql', 'scripts']) await symlink(join(ROOT, name), join(folder, name));
  return { folder, path: join(dist, 'cli.js'), remove: () => rm(folder, { recursive: true, force: true }) };
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
