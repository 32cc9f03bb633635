import { setTimeout as pause } from 'node:timers/promises';
import type { TargetConnection } from './client.js';
import { fastForward } from './fast-forward.js';

/** About so many commits may wait for the readers' branch to be moved; one source transaction may have more. */
const MOST_BEHIND = 16;

/** From one fast-forward to the next: it costs Dolt half as much as a commit, and a commit that comes alone is shown at once. */
const PAUSE_MS = 15;

/** Moves the readers' branch to where the staging branch is, while more is committed there. */
export class Publisher implements AsyncDisposable {
  readonly #connection: TargetConnection;
  /** The last fast-forward of those that were asked for. */
  #last: Promise<void> = Promise.resolve();
  /** What it goes to, while it has not begun: what is asked for meanwhile goes with it. */
  #next: { readonly hash: string; readonly checked: Promise<void> } | null = null;
  /** Commits since the last one began. */
  #ahead = 0;
  /** When the next one may begin, as `performance.now` has it. */
  #restsUntil = 0;
  /** Why the readers' branch can not be moved: nothing more is to be committed then. */
  #refusal: Error | null = null;

  /** The connection is to the readers' branch. */
  constructor(connection: TargetConnection) {
    this.#connection = connection;
  }

  /** Moves it to a commit, or beyond where more is asked for until its turn comes. Not before it was `checked`. */
  publish(hash: string, checked: Promise<void>): Promise<void> {
    const waits = this.#next !== null;
    this.#next = { hash, checked };
    if (waits) return this.#last;
    this.#last = this.#last.then(() => this.#forward(hash, checked));
    this.#last.catch((error: Error) => {
      this.#refusal = error;
    });
    return this.#last;
  }

  /** Of every commit, before it is made. Throws what a fast-forward failed with. */
  async beforeCommit(): Promise<void> {
    if (this.#next !== null && this.#ahead >= MOST_BEHIND) await this.#last;
    if (this.#refusal) throw this.#refusal;
    this.#ahead += 1;
  }

  /** Resolves when everything that was asked for is there. */
  settled(): Promise<void> {
    return this.#last;
  }

  async #forward(hash: string, checked: Promise<void>): Promise<void> {
    const rest = this.#restsUntil - performance.now();
    if (rest > 0) await pause(rest);
    const next = this.#next ?? { hash, checked };
    this.#next = null;
    this.#ahead = 0;
    await next.checked;
    await fastForward(this.#connection, next.hash);
    this.#restsUntil = performance.now() + PAUSE_MS;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }

  /** Drops the connection at once, whatever runs on it. */
  destroy(): void {
    this.#connection.destroy();
  }
}
