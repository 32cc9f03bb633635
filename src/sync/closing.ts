import type { Logger } from 'pino';
import { Batch, type CloseReason, type CommitPolicy } from '../core/batch.js';
import { failpoint } from '../core/failpoint.js';
import { transactionCount } from '../core/message.js';
import { Acknowledgeable, formatLsn, LSN_ZERO, type Lsn, maxLsn, type Position } from '../core/position.js';
import type { Committer } from '../dolt/committer.js';
import type { Wal2DoltError } from '../errors.js';
import { StreamLog } from '../ops/stream-log.js';
import type { ReplicationStream } from '../postgres/transport.js';
import { unlessAborted } from './interrupt.js';
import { Pipeline } from './pipeline.js';

/** While idle, the slot is advanced at most this often without being asked to. */
const IDLE_ACKNOWLEDGE_MS = 10_000;

/** While the target is busy, this long is waited for more before a batch that is due waits for it. */
const BUSY_MS = 10;

export interface ClosingOptions {
  readonly stream: ReplicationStream;
  readonly committer: Committer;
  readonly policy: CommitPolicy;
  /** `whole` resolves when it is known that of what commits before `end` nothing was missing in the stream; else it throws. */
  readonly watch: { readonly whole: (end: Lsn) => Promise<void> };
  /** While the first snapshot is being completed: the position from which all tables belong together. */
  readonly completeAt: Lsn | null;
  /** Called once, when everything before `completeAt` is written. */
  readonly onComplete: (position: Position) => Promise<void>;
  /** Called after every published commit. */
  readonly onCommit: () => void;
  readonly logger: Logger;
}

/**
 * From the batch that is collected to what is acknowledged: closes it when it is due, has it committed while the next one
 * is collected, and tells the server what is durable. Nothing is closed while tables are ahead of the stream.
 */
export class Closing {
  readonly batch: Batch;
  readonly pipeline = new Pipeline();
  /** Aborted when a shutdown has waited long enough. */
  readonly late: AbortSignal;
  readonly #options: ClosingOptions;
  readonly #acknowledgeable: Acknowledgeable;
  readonly #log: StreamLog;
  #tag: string | null = null;
  /** Tags that came while something was held, and name what is not seen. */
  readonly #missed: string[] = [];
  #lastIdle = 0;
  #complete: boolean;
  #heldUntil: Lsn | null = null;
  /** The server is to keep WAL that is durable here. */
  #keepsWal = false;
  /** The tables for which it is held. */
  readonly #copied: string[] = [];

  constructor(options: ClosingOptions, late: AbortSignal) {
    this.#options = options;
    this.late = late;
    this.batch = new Batch(options.policy);
    this.#acknowledgeable = new Acknowledgeable(options.committer.position.endLsn);
    this.#complete = options.completeAt === null;
    this.#log = new StreamLog(options.logger);
  }

  /** Tables were copied as they are there: until everything before is received, what is written is no state of the source. */
  get heldUntil(): Lsn | null {
    return this.#heldUntil;
  }

  hold(until: Lsn, tables: readonly string[]): void {
    this.#heldUntil = maxLsn(until, this.#heldUntil ?? until);
    this.#copied.push(...tables);
  }

  /** From now on the server has to keep the WAL that it has. */
  keepWal(): void {
    this.#keepsWal = true;
  }

  /** False while something is held that what comes `next` is still before. */
  async released(next: Lsn): Promise<boolean> {
    if (this.#heldUntil === null) return true;
    if (next < this.#heldUntil) return false;
    const reached = this.#heldUntil;
    this.#heldUntil = null;
    const copied = this.#copied.splice(0);
    failpoint('before-release');
    if (this.batch.transactionCount > 0) {
      for (const table of copied) this.batch.copied(table);
      await this.close('copy', this.#tag, reached);
    } else {
      const tag = this.#tag;
      this.#tag = null;
      await this.spill();
      await this.pipeline.submit(async () => {
        await this.#whole(reached);
        await this.#options.committer.step(`copied again: ${copied.join(', ')}`, [], reached);
        if (tag !== null) this.#tagged(tag, await this.#options.committer.tagHead(tag));
      });
      await this.pipeline.drain();
      this.#options.onCommit();
    }
    const { committer, logger } = this.#options;
    for (const tag of this.#missed.splice(0)) {
      await this.pipeline.submit(async () => {
        const next = { commit: committer.head, lsn: formatLsn(reached) };
        logger.warn(
          { tag, tables: copied, ...next },
          'tag not created: what it names is not in the history, since tables were copied as they are later; this commit is the first after it',
        );
      });
    }
    return true;
  }

  /** A transaction of interest ended. While something is held, what a tag named before it will not be seen. */
  followed(): void {
    if (this.#heldUntil === null || this.#tag === null) return;
    this.#missed.push(this.#tag);
    this.#tag = null;
  }

  /** A tag while something is held: the commit that comes shows what it names, unless something follows before. */
  #tagHeld(name: string): void {
    this.followed();
    this.#tag = name;
  }

  /** Milliseconds until a batch is due by time. */
  remaining(nowMs: number): number {
    if (this.#heldUntil !== null) return Number.POSITIVE_INFINITY;
    return Math.max(this.pipeline.isIdle ? 0 : BUSY_MS, this.batch.remaining(nowMs));
  }

  throwIfFailed(): void {
    if (this.pipeline.failed.aborted) throw this.pipeline.failed.reason;
  }

  /** `receiving`: more is coming, which may as well be part of the commit while the target is busy with the one before. */
  async closeIfDue(receiving: boolean): Promise<void> {
    if (this.#heldUntil !== null) return;
    const reason = this.batch.due(Date.now());
    if (reason === 'delay' && receiving && !this.pipeline.isIdle) return;
    if (reason !== null) await this.close(reason);
  }

  /** Makes what was collected of earlier transactions a commit, where it may be one. */
  async closeEarlier(): Promise<void> {
    if (this.#heldUntil === null) await this.close('ddl');
  }

  /** `reached`: everything before it is in the batch, or of no interest, where that is known to be later than its last transaction. */
  async close(reason: CloseReason, tag: string | null = this.#tag, reached = LSN_ZERO): Promise<void> {
    this.#tag = null;
    if (this.batch.transactionCount === 0) return;
    const { committer, stream } = this.#options;
    const { isOversized } = this.batch;
    const closed = this.batch.close(reason, tag);
    const end = maxLsn(closed.transactions.at(-1)?.endLsn ?? committer.position.endLsn, reached);
    // It was received: what is looked at from now on is late enough.
    const whole = this.#whole(end);
    whole.catch(() => {}); // awaited later
    await this.#write(isOversized, async () => {
      const started = Date.now();
      await whole;
      // A stop that has waited long enough leaves it to the next start, as a kill does.
      const { shown } = await unlessAborted(this.late, committer.commit(closed, end));
      // The next rows may be written meanwhile.
      this.pipeline.follow(async () => {
        this.#tagged(closed.tag, await unlessAborted(this.late, shown));
        failpoint('before-acknowledge');
        if (!this.#keepsWal) this.#acknowledgeable.durable(end);
        stream.acknowledge(this.#acknowledgeable.current);
        this.#options.onCommit();
        this.#log.committed(
          { lsn: formatLsn(end), transactions: transactionCount(closed), rows: closed.rows },
          reason,
          Date.now() - started,
        );
      });
    });
  }

  /** Everything that commits before `reached` was received: makes it durable. */
  async closeAt(reached: Lsn): Promise<void> {
    await this.close('until');
    await this.pipeline.drain();
    await this.complete(reached);
    await this.#advance(reached);
  }

  /**
   * Everything that commits before `reached` was received, and the next transaction has not begun: where that is all that the first
   * snapshot waited for, it is shown. Not later: what changes a table is known here before it is done in Dolt.
   */
  async complete(reached: Lsn): Promise<void> {
    const { completeAt, committer, onComplete } = this.#options;
    if (this.#complete || completeAt === null || reached < completeAt) return;
    await this.close('snapshot');
    await this.pipeline.drain();
    await this.#whole(reached);
    this.#complete = true;
    await onComplete({ ...committer.position, endLsn: reached });
  }

  /** Writes what is held where it is too much to be held, or where the target would have nothing to do. */
  spillIfDue(): Promise<void> | null {
    return this.batch.mustSpill || (this.pipeline.isIdle && this.batch.isWorthWriting) ? this.spill() : null;
  }

  /** Brings what was collected into the working set: of a transaction that is too large, or before something else is written. */
  async spill(): Promise<void> {
    const { isOversized } = this.batch;
    const [changes, transactions] = [this.batch.spill(), this.batch.spillTransactions()];
    await this.#write(isOversized, () =>
      unlessAborted(this.late, this.#options.committer.spill(changes, transactions)),
    );
  }

  /**
   * Hands a batch over, to be written while the next is collected. One with a huge row is written first: its text and the
   * copies of it that the writing makes are enough to have in memory. They and the message that it came in are garbage by then.
   */
  async #write(isOversized: boolean, work: () => Promise<void>): Promise<void> {
    if (!isOversized) return this.pipeline.submit(work);
    await this.pipeline.submit(work);
    await this.pipeline.drain();
  }

  /** The transaction that ended last, and ends the batch, is to have a name. */
  tagNext(name: string): void {
    if (this.#heldUntil !== null) this.#tagHeld(name);
    else {
      this.#tag = name;
      this.batch.cut('tag');
    }
  }

  /** A tag outside of a transaction names the state that has been reached. */
  async tagHere(name: string): Promise<void> {
    if (this.#heldUntil !== null) {
      this.#tagHeld(name);
      return;
    }
    if (!this.batch.isEmpty) return this.close('tag', name);
    await this.pipeline.submit(async () => this.#tagged(name, await this.#options.committer.tagHead(name)));
  }

  /** Everything that the server has sent is of no interest or durable, if nothing is pending here. */
  async idle(walEnd: Lsn, replyRequested: boolean): Promise<void> {
    if (this.#heldUntil !== null || !this.batch.isEmpty || !this.pipeline.isIdle) return;
    if (replyRequested || Date.now() - this.#lastIdle >= IDLE_ACKNOWLEDGE_MS) await this.#advance(walEnd);
  }

  /** Everything is written. Throws what made the stream end. */
  async end(why: string, failure: Wal2DoltError | null): Promise<void> {
    await this.pipeline.drain();
    if (failure !== null) throw failure;
    this.#log.stopped(why);
  }

  async #advance(walEnd: Lsn): Promise<void> {
    this.#lastIdle = Date.now();
    if (walEnd > this.#acknowledgeable.current && this.#complete && !this.#keepsWal) {
      await this.#options.committer.recordAcknowledged(walEnd);
      this.#acknowledgeable.idle(walEnd);
    }
    this.#options.stream.acknowledge(this.#acknowledgeable.current);
  }

  #whole(end: Lsn): Promise<void> {
    return unlessAborted(this.late, this.#options.watch.whole(end));
  }

  #tagged(name: string | null, taken: boolean): void {
    if (taken) return;
    const { committer, logger } = this.#options;
    const why =
      committer.phase === 'snapshot' ? 'the first copy is not complete' : 'it exists, or Dolt takes no such name';
    logger.warn({ tag: name }, `tag not created: ${why}`);
  }
}
