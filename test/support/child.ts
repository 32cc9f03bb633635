import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BuiltCli, startCli } from './built-cli.js';

/** A line of the log, as JSON has it. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly code?: string;
  readonly [field: string]: unknown;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From the last signal that the test sent, or the start. */
  readonly ms: number;
}

/** `wal2dolt run` as a process of its own. At disposal it is killed, unless it has ended. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Everything it logged so far, from debug on. */
  readonly log: readonly LogLine[];
  /** When both its output and the process have ended; rejects when it still runs after so long. */
  end(timeoutMs?: number): Promise<Ending>;
  /** The first line with this message; rejects when the process ends without it. */
  logged(message: string | RegExp): Promise<LogLine>;
  signal(signal: NodeJS.Signals): void;
}

/** `settings` as in the configuration file. */
export function startChild(
  cli: BuiltCli,
  source: string,
  target: string,
  settings: Readonly<Record<string, unknown>> = {},
  failpoint?: string,
): Child {
  const env = variables({ source, target, logFormat: 'json', logLevel: 'debug', ...settings });
  return new RunningChild(
    startCli(cli.path, ['run'], failpoint === undefined ? env : { ...env, WAL2DOLT_FAILPOINT: failpoint }),
  );
}

/** `{ commit: { maxDelay: '1s' } }` becomes `{ WAL2DOLT_COMMIT_MAX_DELAY: '1s' }`. */
function variables(settings: object, prefix = 'WAL2DOLT'): Record<string, string> {
  const entries = Object.entries(settings).flatMap(([key, value]: [string, unknown]) => {
    const name = `${prefix}_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
    return typeof value === 'object' && value !== null
      ? Object.entries(variables(value, name))
      : [[name, String(value)]];
  });
  return Object.fromEntries(entries);
}

class RunningChild implements Child {
  readonly log: LogLine[] = [];
  readonly #ended: Promise<Ending>;
  readonly #process: ChildProcess;
  readonly #listeners = new Set<() => void>();
  #since = Date.now();
  #over = false;

  constructor(process: ChildProcess) {
    this.#process = process;
    let rest = '';
    process.stdout?.resume();
    process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.log.push(parse(line));
      this.#tell();
    });
    this.#ended = new Promise((resolve, reject) => {
      process.once('error', reject);
      process.once('close', (code, signal) => {
        this.#over = true;
        this.#tell();
        resolve({ code, signal, ms: Date.now() - this.#since });
      });
    });
  }

  async end(timeoutMs = 90_000): Promise<Ending> {
    const timer = new AbortController();
    const ending = await Promise.race([this.#ended, sleep(timeoutMs, null, timer).catch(() => null)]);
    timer.abort();
    if (!ending) throw new Error(`wal2dolt still runs after ${timeoutMs} ms:\n${this.#tail()}`);
    return ending;
  }

  async logged(message: string | RegExp): Promise<LogLine> {
    for (;;) {
      const found = this.log.find(({ msg }) => (typeof message === 'string' ? msg === message : message.test(msg)));
      if (found) return found;
      if (this.#over) throw new Error(`wal2dolt ended before it said ${message}:\n${this.#tail()}`);
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  get pid(): number {
    return this.#process.pid ?? raise('wal2dolt did not start');
  }

  signal(signal: NodeJS.Signals): void {
    this.#since = Date.now();
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) this.signal('SIGKILL');
    await this.#ended.catch(() => {});
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #tail(): string {
    return this.log
      .slice(-20)
      .map((line) => JSON.stringify(line))
      .join('\n');
  }
}

function parse(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine; // as its logger writes it
  } catch {
    return { level: 'none', msg: line };
  }
}

function raise(message: string): never {
  throw new Error(message);
}
