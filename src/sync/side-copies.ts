import { failpoint } from '../core/failpoint.js';
import type { Lsn } from '../core/position.js';
import { type Joined, SideCopy, type SideCopyOptions } from './side-copy.js';

/** Tables that join: they have the rows of `from`, all others those of `until`, which is not earlier. */
export interface Joining extends Joined {
  readonly from: Lsn;
  readonly until: Lsn;
}

/** The copies beside the stream, one at a time. */
export class SideCopies implements AsyncDisposable {
  readonly #options: SideCopyOptions;
  #running: SideCopy | null = null;

  constructor(options: SideCopyOptions) {
    this.#options = options;
  }

  get isWanted(): boolean {
    return this.#running === null && this.#options.changes.joining.size > 0;
  }

  get running(): SideCopy | null {
    return this.#running;
  }

  /** Begins to copy what is waiting. Everything that was received is written. */
  async start(): Promise<void> {
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
