import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GuardedFolder } from './guarded-folder.js';
import { freePort } from './port.js';
import { childrenOf } from './processes.js';

/** What a database server needs in order to run as our child. */
export interface ServerProgram {
  /** For messages and the log file's name. */
  readonly name: string;
  readonly command: string;
  readonly args: (port: number) => readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The user to run as, where it must be another than ours. */
  readonly user: { readonly uid: number; readonly gid: number } | null;
  /** What it writes when it accepts connections. */
  readonly ready: RegExp;
  /** What it writes when somebody else has the port. */
  readonly portTaken: RegExp;
  /** What it writes when the remains of its killed predecessor are still there; they go away by themselves. */
  readonly notYet: RegExp | null;
  /** How to end it, from friendly to rough; SIGKILL comes after them. */
  readonly stopSignals: readonly [NodeJS.Signals, ...NodeJS.Signals[]];
  readonly url: (port: number) => string;
}

const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 10_000;

/**
 * A database server on 127.0.0.1, in a folder of its own, that ends with this process.
 * It can be stopped or killed and started again on the same port and data.
 */
export class LocalServer implements AsyncDisposable {
  readonly #program: ServerProgram;
  readonly #folder: GuardedFolder;
  #port: number | null;
  #child: ChildProcess | null = null;

  private constructor(program: ServerProgram, folder: GuardedFolder, port: number | null) {
    this.#program = program;
    this.#folder = folder;
    this.#port = port;
  }

  /** Starts it; on any free port if none is given. The server owns the folder from now on, and removes it if it cannot start. */
  static async launch(program: ServerProgram, folder: GuardedFolder, port: number | null): Promise<LocalServer> {
    const server = new LocalServer(program, folder, port);
    try {
      await server.start();
    } catch (error) {
      await folder.remove();
      throw error;
    }
    return server;
  }

  get port(): number {
    if (this.#port === null) throw new Error(`${this.#program.name} was not started yet`);
    return this.#port;
  }

  get url(): string {
    return this.#program.url(this.port);
  }

  /** Its folder: data and log. */
  get folder(): string {
    return this.#folder.path;
  }

  /** The server's process, or null while it does not run. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Starts it again after `stop` or `kill`, on the same port and data. Returns when it accepts connections. */
  async start(): Promise<void> {
    if (this.#child !== null) throw new Error(`${this.#program.name} already runs`);
    const deadline = Date.now() + START_TIMEOUT;
    for (;;) {
      const port = this.#port ?? (await freePort());
      const failure = await this.#attempt(port, deadline);
      if (failure === null) {
        this.#port = port;
        return;
      }
      const passes = this.#program.portTaken.test(failure) || this.#program.notYet?.test(failure) === true;
      if (!passes || Date.now() > deadline) throw new Error(`${this.#program.name} did not start:\n${failure}`);
      await sleep(100);
    }
  }

  /** Ends it in an orderly way. */
  async stop(): Promise<void> {
    for (const signal of this.#program.stopSignals) {
      if (await this.#end(signal, STOP_TIMEOUT)) return;
    }
    await this.kill();
  }

  /** Ends it like a crash does: all of its processes at once, by SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    child.kill('SIGSTOP'); // so that it has no more children than those that we see, and keeps the pids of those that end
    for (const pid of await childrenOf(child.pid)) process.kill(pid, 'SIGKILL');
    if (!(await this.#end('SIGKILL', STOP_TIMEOUT))) throw new Error(`${this.#program.name} survives SIGKILL`);
  }

  /** Lets server and folder outlive this process. */
  release(): void {
    this.#folder.release();
  }

  /** Stops it and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#folder.remove();
  }

  /** Null when the server is ready, else what it wrote before it ended. */
  async #attempt(port: number, deadline: number): Promise<string | null> {
    const program = this.#program;
    const logFile = join(this.folder, `${program.name}.log`);
    const log = await open(logFile, 'a');
    const start = (await stat(logFile)).size;
    const child = spawn(program.command, program.args(port), {
      cwd: this.folder,
      env: program.env,
      stdio: ['ignore', log.fd, log.fd, 'pipe'],
      detached: true, // a Ctrl-C in the terminal is for us; we end the server when we are done
      ...program.user,
    });
    // Nothing is said on the pipe. But all processes of the server hold it, and 'close' waits for the last of them: a
    // backend of Postgres may still answer for a moment after 'exit'.
    const pipe = child.stdio[3] as Socket; // a pipe is a Socket
    pipe.on('error', () => {}).unref();
    let ended = false;
    let problem = '';
    child.once('close', (code, signal) => {
      ended = true;
      problem = `${program.name} ended with ${signal ?? `exit code ${code}`}`;
      this.#forget(child);
    });
    child.once('error', (error) => {
      ended = true;
      problem = error.message;
      this.#forget(child);
    });
    await log.close();
    if (child.pid !== undefined) {
      this.#child = child;
      this.#folder.watch({ pid: child.pid, signal: program.stopSignals.at(-1) ?? 'SIGTERM' });
      child.unref();
    }
    for (;;) {
      const written = (await readFile(logFile)).subarray(start).toString();
      if (ended) return `${written}${problem}`;
      if (program.ready.test(written)) return null;
      if (Date.now() > deadline) {
        await this.kill();
        return `${written}not ready after ${START_TIMEOUT / 1000} seconds`;
      }
      await sleep(20);
    }
  }

  async #end(signal: NodeJS.Signals, timeout: number): Promise<boolean> {
    const child = this.#child;
    if (child === null) return true;
    const close = once(child, 'close');
    const timer = new AbortController();
    child.kill(signal);
    const inTime = await Promise.race([
      close.then(() => true),
      sleep(timeout, false, { signal: timer.signal }).catch(() => false),
    ]);
    timer.abort();
    return inTime;
  }

  #forget(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#folder.watch(null);
  }
}
