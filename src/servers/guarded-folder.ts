import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Reads lines `<signal> <pid>` (or an empty one: nothing runs). When its input ends, because our process is gone for
 * whatever reason, it ends what still runs and removes the folder.
 */
const GUARD = `
signal= pid=
while read -r line; do signal=\${line% *} pid=\${line#* }; done
if [ -n "$pid" ] && kill -s "$signal" "$pid" 2>/dev/null; then
  n=0
  while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
  kill -s KILL "$pid" 2>/dev/null
fi
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
`;

/**
 * A temporary folder that a child process works in. Both end with this process, even if it is killed with -9: a small
 * shell of its own session watches a pipe to us, since a signal handler would only see the friendly ways to die.
 */
export class GuardedFolder {
  readonly path: string;
  readonly #guard: ChildProcess;

  private constructor(path: string) {
    this.path = path;
    this.#guard = spawn('/bin/sh', ['-c', GUARD, 'wal2dolt-guard', path], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true, // a Ctrl-C in the terminal must not reach it
      cwd: '/',
    });
    this.#guard.unref();
    const pipe = this.#guard.stdin as Socket; // spawn's type says Writable; a pipe is a Socket
    pipe.unref();
    pipe.on('error', () => {}); // EPIPE when the guard itself was killed: then nothing is guarded, which is no reason to stop
  }

  static async create(prefix: string): Promise<GuardedFolder> {
    return new GuardedFolder(await mkdtemp(join(tmpdir(), `${prefix}-`)));
  }

  /** From now on this child is ended with the signal if we die; null: no child runs. */
  watch(child: { pid: number; signal: NodeJS.Signals } | null): void {
    this.#guard.stdin?.write(child === null ? '\n' : `${child.signal.slice('SIG'.length)} ${child.pid}\n`);
  }

  /** Leaves the folder and the child to themselves. */
  release(): void {
    this.#guard.kill('SIGKILL');
  }

  /** Removes the folder. The child must have ended. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    this.release();
  }
}
