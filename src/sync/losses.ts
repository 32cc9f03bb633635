import { Wal2DoltError } from '../errors.js';

/** So often the connection to Dolt may end in the same statement, with nothing saved in between. */
const MOST = 5;

/**
 * Tells a statement that Dolt does not survive from a Dolt, or a network, that is interrupted: the former would be tried
 * again for ever, since every attempt comes to the same statement.
 *
 * What counts is a connection that was lost while a statement ran (E_TARGET_LOST), so Dolt had been reached and had let us
 * in. It counts for that statement, named without its values, as two connections of a copy may take turns in being the
 * first to notice. Any progress clears the counts, also a commit whose answer was lost. A Dolt that is away counts
 * nothing and clears nothing: one that is killed for its memory is away until its supervisor has started it again.
 *
 * So restarts never add up while the stream gets on between them, and an outage is one loss, however long. What can add
 * up is one transaction or table that takes longer than the connection ever lasts. That is no crash, but every attempt
 * begins it anew and so has the same chance: a person should know.
 */
export class Losses {
  readonly #counts = new Map<string, number>();
  #head: string | null = null;
  #since = false;

  /** An attempt begins, with the staging branch at this commit. */
  begin(head: string): void {
    if (head !== this.#head) this.#counts.clear();
    this.#head = head;
  }

  /** Something was achieved. */
  clear(): void {
    this.#counts.clear();
    this.#since = false;
  }

  /** Whether there was one since something was achieved. */
  get since(): boolean {
    return this.#since;
  }

  /** What an attempt that failed with this error is to fail with: E_TARGET_CRASHES where it was lost there too often. */
  judge(error: Wal2DoltError): Wal2DoltError {
    if (error.code !== 'E_TARGET_LOST') return error;
    this.#since = true;
    // Its message says the statement and nothing that changes from time to time.
    const count = (this.#counts.get(error.message) ?? 0) + 1;
    this.#counts.set(error.message, count);
    if (count < MOST) return error;
    const after = this.#head === null ? '' : ` after the commit ${this.#head}`;
    const message = `${error.message}, ${count} times with nothing saved in between${after}`;
    return new Wal2DoltError('E_TARGET_CRASHES', message, { cause: error });
  }
}
