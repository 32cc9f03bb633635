import { failpoint } from '../core/failpoint.js';
import { LSN_ZERO, type Lsn } from '../core/position.js';
import type { Closing } from './closing.js';
import { aborted } from './interrupt.js';
import type { Copying } from './plan-copy.js';
import { type Joined, SideCopy } from './side-copy.js';

/** Tables that join: they have the rows of `from`, all others those of `until`, which is not earlier. */
export interface Joining extends Joined {
  readonly from: Lsn;
  readonly until: Lsn;
}

/** The copies beside the stream, one at a time. */
export class SideCopies implements AsyncDisposable {
  readonly #options: Copying;
  #running: SideCopy | null = null;

  constructor(options: Copying) {
    this.#options = options;
  }

  /**
   * Begins copies that are wanted. Where one is complete, and everything before its position was received, as is all that
   * commits before `next`: makes that durable and returns the position. What comes before that is not read again.
   */
  async complete(closing: Closing, next: Lsn): Promise<Lsn | null> {
    await this.#begin(closing);
    if (this.#running === null || closing.heldUntil !== null) return null;
    const { isComplete, position } = this.#running;
    if (!isComplete || next < position) return null;
    await closing.closeEarlier();
    await closing.pipeline.drain();
    return position;
  }

  /** Waits for the copies. Returns the position that they are of, LSN_ZERO where there are none. */
  async ended(closing: Closing, signal: AbortSignal): Promise<Lsn> {
    if (!signal.aborted) await this.#begin(closing);
    if (this.#running === null) return LSN_ZERO;
    await Promise.race([this.#running.ended, aborted(signal)]);
    return this.#running.position;
  }

  async #begin(closing: Closing): Promise<void> {
    if (this.#running !== null || this.#options.changes.joining.size === 0 || closing.heldUntil !== null) return;
    await closing.closeEarlier();
    await closing.pipeline.drain();
    closing.keepWal();
    const joining = [...this.#options.changes.joining.values()];
    const names = joining.map(({ table }) => table.name);
    // The side branch begins with what is committed.
    await this.#options.committer.step(`being copied, beside the stream: ${names.join(', ')}`, []);
    this.#running = await SideCopy.start(this.#options, joining);
  }

  /** Puts the tables of a complete copy in their place; everything before `until` is committed. */
  async join(until: Lsn): Promise<Joining | null> {
    const copy = this.#running;
    if (copy === null) return null;
    const from = copy.position;
    failpoint('before-join');
    const joined = await copy.takeOver(until);
    this.#running = null;
    await copy[Symbol.asyncDispose]();
    this.#options.context.logger.info({ tables: [...joined.tables.values()] }, 'copied; the tables join the stream');
    return { ...joined, from, until };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
  }
}
