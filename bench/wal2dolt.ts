import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Usage, UsageWatch } from './measure.js';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

export interface RunOptions {
  readonly source: string;
  readonly target: string;
  readonly options?: readonly string[];
}

export interface RunResult {
  /** When the process began, was ready to stream or copy, and ended: milliseconds of `performance.now`. */
  readonly started: number;
  readonly ready: number;
  readonly ended: number;
  readonly usage: Usage;
}

/** What it logs when all is checked and opened, and the work itself begins. */
const READY = /"msg":"(streaming|copy started)"/;

/** What is there, all of it. */
export const runToCurrent = (run: RunOptions): Promise<RunResult> => runUntil('current', run);

/** `wal2dolt run --until …`, the built one, as a process: brings what is there up to a position into Dolt, and ends. */
export async function runUntil(position: string, run: RunOptions): Promise<RunResult> {
  const started = performance.now();
  const running = start(run, ['--until', position]);
  const [ready, usage] = await Promise.all([running.ready, running.ended]);
  return { started, ready, ended: performance.now(), usage };
}

export interface Running {
  readonly pid: number;
  /** When it was ready, as `performance.now` has it. */
  readonly ready: Promise<number>;
  /** Rejects with what it logged where it ends with a failure. */
  readonly ended: Promise<Usage>;
  stop(): Promise<Usage>;
}

export function start({ source, target, options = [] }: RunOptions, more: readonly string[] = []): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('WAL2DOLT_'));
  const args = [CLI, 'run', '--source', source, '--target', target, '--log-format', 'json', ...options, ...more];
  const child = spawn(process.execPath, args, {
    cwd: tmpdir(),
    env: Object.fromEntries(inherited),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('wal2dolt does not start');
  const lines: string[] = [];
  const ready = new Promise<number>((resolve, reject) => {
    createInterface(child.stderr).on('line', (line) => {
      lines.push(line);
      if (READY.test(line)) resolve(performance.now());
    });
    child.once('close', () => reject(new Error(`wal2dolt was never ready:\n${lines.join('\n')}`)));
  });
  ready.catch(() => {});
  const watching = UsageWatch.start(pid);
  const ended = (async () => {
    const [code] = await once(child, 'close');
    const usage = await (await watching).stop();
    if (code !== 0) throw new Error(`wal2dolt ended with ${code}:\n${lines.slice(-20).join('\n')}`);
    return usage;
  })();
  ended.catch(() => {});
  const stop = (): Promise<Usage> => {
    child.kill('SIGTERM');
    return ended;
  };
  return { pid, ready, ended, stop };
}

/** `wal2dolt status`, once. */
export async function status(source: string, target: string): Promise<void> {
  await promisify(execFile)(process.execPath, [CLI, 'status', '--source', source, '--target', target], {
    cwd: tmpdir(),
  });
}
