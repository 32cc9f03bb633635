import PQueue from 'p-queue';

/**
 * Work for the target: one piece runs while the caller prepares the next. Whoever hands over a piece waits for the one
 * before, which is what slows the source down to the speed of the target and keeps at most two in memory.
 */
export class Pipeline {
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #controller = new AbortController();
  #error: unknown = null;
  #following: Promise<void> = Promise.resolve();
  #follows = 0;

  /** Aborted when a piece failed; its reason is the error. */
  get failed(): AbortSignal {
    return this.#controller.signal;
  }

  get isIdle(): boolean {
    return this.#queue.pending === 0 && this.#queue.size === 0 && this.#follows === 0;
  }

  /** Resolves when the piece has begun. Rejects with the error of an earlier piece. */
  async submit(work: () => Promise<void>): Promise<void> {
    await this.#queue.onIdle();
    this.#rethrow();
    this.#queue
      .add(async () => {
        if (this.#error === null) await work();
      })
      .catch((error: unknown) => this.#fail(error));
  }

  /** What remains to be done of a piece, and does not keep the next one waiting. Such are done one after the other. */
  follow(rest: () => Promise<void>): void {
    this.#follows += 1;
    this.#following = this.#following
      .then(async () => {
        if (this.#error === null) await rest();
      })
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#follows -= 1;
      });
  }

  /** Resolves when everything is done. */
  async drain(): Promise<void> {
    await this.#queue.onIdle();
    await this.#following;
    this.#rethrow();
  }

  #fail(error: unknown): void {
    this.#error ??= error;
    this.#controller.abort(error);
  }

  #rethrow(): void {
    if (this.#error !== null) throw this.#error;
  }
}
