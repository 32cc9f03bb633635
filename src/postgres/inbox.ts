/**
 * What was received and not yet taken: one producer that can be told to pause, one consumer.
 *
 * Bounded by weight: at `highWater` the producer is paused, and it goes on when the consumer took everything; if that is
 * twice as much (one item can be), only when the consumer is done with it and waits for more. What the producer has already in
 * hand may still come (for a socket: the rest of one chunk).
 */
export class Inbox<T> {
  readonly #highWater: number;
  readonly #producer: { pause(): void; resume(): void };
  #items: T[] = [];
  #weight = 0;
  /** Of what was taken last, which the consumer has until it comes again. */
  #taken = 0;
  #paused = false;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(highWater: number, producer: { pause(): void; resume(): void }) {
    this.#highWater = highWater;
    this.#producer = producer;
  }

  /** The producer was told to pause. */
  get paused(): boolean {
    return this.#paused;
  }

  get failure(): Error | null {
    return this.#failure;
  }

  /** The item that was pushed last, unless it was taken. */
  get last(): T | undefined {
    return this.#items.at(-1);
  }

  push(item: T, weight: number): void {
    this.#items.push(item);
    this.#weight += weight;
    this.#regulate();
    this.wake();
  }

  replaceLast(item: T): void {
    this.#items[this.#items.length - 1] = item;
  }

  /** No more will come: `take` gives what is there, then rejects with `error` for ever. The first failure counts. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.wake();
  }

  /** Makes a waiting `take` return now. */
  wake(): void {
    this.#wake?.();
  }

  /** Everything that waits, at least one item; [] when nothing came in `timeoutMs`. One call at a time. */
  async take(timeoutMs: number): Promise<readonly T[]> {
    this.#taken = 0;
    if (this.#items.length === 0 && !this.#failure) {
      this.#regulate();
      await this.#arrival(timeoutMs);
    }
    const items = this.#items;
    if (items.length === 0 && this.#failure) throw this.#failure;
    this.#items = [];
    this.#taken = this.#weight;
    this.#weight = 0;
    this.#regulate();
    return items;
  }

  #regulate(): void {
    const full = this.#weight >= this.#highWater || this.#taken >= 2 * this.#highWater;
    if (full === this.#paused) return;
    this.#paused = full;
    if (full) this.#producer.pause();
    else this.#producer.resume();
  }

  #arrival(timeoutMs: number): Promise<void> {
    if (this.#wake) throw new Error('take() was called while another take() waits');
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(wake, Math.min(timeoutMs, LONGEST_TIMEOUT_MS));
      this.#wake = wake;
    });
  }
}

/** Beyond it setTimeout fires at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
