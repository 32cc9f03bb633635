import type { Logger } from 'pino';
import { Batch, type CloseReason, type CommitPolicy, type TransactionContext } from '../core/batch.js';
import type { MessageEvent, RowEvent, StreamEvent, TruncateEvent } from '../core/change.js';
import { Contradiction } from '../core/coalesce.js';
import { failpoint } from '../core/failpoint.js';
import { Acknowledgeable, formatLsn, type Lsn, maxLsn, type Position } from '../core/position.js';
import type { Committer } from '../dolt/committer.js';
import { Wal2DoltError } from '../errors.js';
import { StreamLog } from '../ops/stream-log.js';
import type { ReplicationStream } from '../postgres/transport.js';
import { parseContext } from './context.js';
import { after, unlessAborted } from './interrupt.js';
import { Pipeline } from './pipeline.js';
import type { PublicationChange } from './publication-watch.js';
import type { Relations } from './relations.js';

/** How long one wait for events may last: a shutdown and a failure of the target are noticed after it. */
const POLL_MS = 200;
/** How long a shutdown waits for the end of a transaction whose beginning was read or written; then it is late. */
const SHUTDOWN_MS = 5_000;
/** While idle, the slot is advanced at most this often without being asked to. */
const IDLE_ACKNOWLEDGE_MS = 10_000;

/** What a row and a cell take in memory beside their text, about: so that many small rows count as what they are. */
const ROW_BYTES = 250;
const CELL_BYTES = 32;

export interface StreamOptions {
  readonly stream: ReplicationStream;
  readonly committer: Committer;
  readonly relations: Relations;
  readonly policy: CommitPolicy;
  /** Everything that commits before it is wanted, nothing after it; null to go on for ever. */
  readonly until: Lsn | null;
  /** Tells when changes begin to be missing in the stream: it then ends with that error, and with all before it saved. */
  readonly watch: { readonly change: PublicationChange | null };
  /** While the first snapshot is being completed: the position from which all tables belong together. */
  readonly completeAt: Lsn | null;
  /** Called once, when everything before `completeAt` is written. */
  readonly onComplete: (position: Position) => Promise<void>;
  /** Called after every published commit. */
  readonly onCommit: () => void;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

interface OpenTransaction {
  readonly xid: number;
  readonly finalLsn: Lsn;
  /** Already in the target as a whole. */
  readonly skip: boolean;
  context: TransactionContext | null;
  tag: string | null;
}

/**
 * The loop: events -> batch -> Dolt commit -> acknowledgement. Returns when `until` is reached or the signal came, with
 * everything that was begun committed, published and acknowledged; throws a Wal2DoltError otherwise, or the signal's
 * reason in the middle of a transaction that takes too long to write: the next start throws away what was written of it.
 */
export async function streamChanges(options: StreamOptions): Promise<void> {
  using late = after(options.signal, SHUTDOWN_MS);
  await new StreamLoop(options, late.signal).run();
}

class StreamLoop {
  readonly #options: StreamOptions;
  readonly #late: AbortSignal;
  readonly #pipeline = new Pipeline();
  readonly #acknowledgeable: Acknowledgeable;
  /** Transactions that commit before it are in the target. */
  readonly #start: Lsn;
  readonly #batch: Batch;
  readonly #log: StreamLog;
  #transaction: OpenTransaction | null = null;
  #tag: string | null = null;
  #received: Lsn;
  #lastIdle = 0;
  #complete: boolean;
  #stopped = false;
  #failure: Wal2DoltError | null = null;

  constructor(options: StreamOptions, late: AbortSignal) {
    this.#options = options;
    this.#late = late;
    this.#start = options.committer.position.endLsn;
    this.#received = this.#start;
    this.#acknowledgeable = new Acknowledgeable(this.#start);
    this.#batch = new Batch(options.policy);
    this.#complete = options.completeAt === null;
    this.#log = new StreamLog(options.logger);
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const events = await this.#options.stream.take(Math.min(POLL_MS, this.#batch.remaining(Date.now())));
      if (this.#pipeline.failed.aborted) throw this.#pipeline.failed.reason;
      for (const event of events) {
        await this.#handle(event);
        if (this.#stopped) break;
      }
      if (this.#transaction === null) {
        if (!this.#stopped) await this.#endsBefore(this.#received);
        await this.#closeIfDue();
      }
      if (this.#options.signal.aborted && !this.#stopped) {
        // What was read of a transaction that does not end in time is dropped: it was not acknowledged, so it comes again.
        if (this.#transaction === null) await this.#close('shutdown');
        else if (!this.#late.aborted) continue;
        this.#stopped = true;
      }
    }
    await this.#pipeline.drain();
    if (this.#failure !== null) throw this.#failure;
    this.#log.stopped(this.#options.signal.aborted ? 'stopped' : 'reached the end that was asked for');
  }

  async #handle(event: StreamEvent): Promise<void> {
    switch (event.kind) {
      case 'begin':
        return this.#begin(event);
      case 'insert':
      case 'update':
      case 'delete':
        return this.#change(event);
      case 'commit':
        return this.#commit({ endLsn: event.endLsn, commitTime: event.commitTime, xid: this.#open().xid });
      case 'relation':
        return this.#options.relations.announce(event, this.#transaction?.finalLsn ?? this.#received);
      case 'truncate':
        return this.#truncate(event);
      case 'message':
        return this.#message(event);
      case 'keepalive':
        return this.#keepalive(event.walEnd, event.replyRequested);
      case 'origin':
      case 'type':
        return;
      default:
        event satisfies never;
    }
  }

  async #begin(event: StreamEvent & { kind: 'begin' }): Promise<void> {
    if (await this.#endsBefore(event.finalLsn)) return;
    // Decided once for the whole transaction, by its commit record: a row's own LSN says nothing about it.
    const skip = event.finalLsn < this.#start;
    this.#transaction = { xid: event.xid, finalLsn: event.finalLsn, skip, context: null, tag: null };
  }

  async #change(event: RowEvent): Promise<void> {
    const { skip, finalLsn, xid } = this.#open();
    if (skip) return;
    const binding = this.#options.relations.get(event.oid);
    // What the table's copy saw already is not applied again.
    if (!binding || finalLsn < binding.snapshotLsn) return;
    const cells = event.kind === 'delete' ? event.old.row.length : event.row.length;
    const changes = this.#batch.changesOf(binding.table, event.bytes + ROW_BYTES + cells * CELL_BYTES);
    try {
      if (event.kind === 'insert') changes.insert(binding.row(event.row));
      else if (event.kind === 'update') changes.update(event.old && binding.oldRow(event.old), binding.row(event.row));
      else changes.delete(binding.oldRow(event.old));
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      const what = `${error.message} (transaction ${xid}, ${formatLsn(finalLsn)})`;
      throw new Wal2DoltError('E_SOURCE_INCONSISTENT', what, { cause: error });
    }
    if (this.#batch.mustSpill) await this.#spill();
  }

  #truncate(event: TruncateEvent): void {
    const { skip, finalLsn } = this.#open();
    if (skip) return;
    for (const oid of event.oids) {
      const binding = this.#options.relations.get(oid);
      if (binding && finalLsn >= binding.snapshotLsn) this.#batch.changesOf(binding.table, 0).truncate();
    }
  }

  async #message(event: MessageEvent): Promise<void> {
    if (event.prefix === 'wal2dolt.context' && event.transactional) {
      if (this.#transaction) this.#transaction.context = parseContext(event.content);
    } else if (event.prefix === 'wal2dolt.tag') {
      if (event.transactional && this.#transaction) this.#transaction.tag = event.content;
      else if (this.#transaction === null && event.lsn >= this.#start) await this.#tagHere(event.content);
    }
  }

  /** A tag outside of a transaction names the state that has been reached. */
  async #tagHere(name: string): Promise<void> {
    if (!this.#batch.isEmpty) return this.#close('tag', name);
    await this.#pipeline.submit(async () => this.#tagged(name, await this.#options.committer.tagHead(name)));
  }

  #tagged(name: string | null, taken: boolean): void {
    if (!taken) this.#options.logger.warn({ tag: name }, 'tag not created: it exists, is no name, or comes too early');
  }

  async #commit(position: Position): Promise<void> {
    const { skip, context, tag } = this.#open();
    this.#transaction = null;
    this.#received = position.endLsn;
    if (skip) return;
    const empty = this.#batch.commit(position, context, Date.now());
    // A stream of transactions that are all of no interest leaves the server no time for a keepalive.
    if (empty && tag === null) return this.#keepalive(position.endLsn, false);
    if (tag !== null) {
      if (empty) return this.#tagHere(tag);
      this.#tag = tag;
      this.#batch.cut('tag');
    }
    await this.#closeIfDue();
  }

  async #keepalive(walEnd: Lsn, replyRequested: boolean): Promise<void> {
    if (this.#transaction !== null) return;
    this.#received = maxLsn(this.#received, walEnd);
    if (await this.#endsBefore(walEnd)) return;
    if (!this.#batch.isEmpty || !this.#pipeline.isIdle) return;
    await this.#completeIfReached(walEnd);
    if (replyRequested || Date.now() - this.#lastIdle >= IDLE_ACKNOWLEDGE_MS) await this.#idle(walEnd);
  }

  /** Ends the stream where what comes `next` is not wanted any more, or not whole. */
  async #endsBefore(next: Lsn): Promise<boolean> {
    const { until, watch } = this.#options;
    const { change } = watch;
    if (change !== null && next >= change.wholeUntil && (until === null || until > change.wholeUntil)) {
      this.#failure = change.error;
      await this.#stopAt(change.wholeUntil);
    } else if (until !== null && next >= until) await this.#stopAt(until);
    return this.#stopped;
  }

  /** Everything that commits before `reached` was received: makes it durable, and ends. */
  async #stopAt(reached: Lsn): Promise<void> {
    await this.#close('until');
    await this.#pipeline.drain();
    await this.#completeIfReached(reached);
    await this.#idle(reached);
    this.#stopped = true;
  }

  /** Nothing is pending, so everything that the server has sent was of no interest or is durable. */
  async #idle(walEnd: Lsn): Promise<void> {
    this.#lastIdle = Date.now();
    if (walEnd > this.#acknowledgeable.current && this.#complete) {
      await this.#options.committer.recordAcknowledged(walEnd);
      this.#acknowledgeable.idle(walEnd);
    }
    this.#options.stream.acknowledge(this.#acknowledgeable.current);
  }

  async #closeIfDue(): Promise<void> {
    const reason = this.#batch.due(Date.now());
    if (reason !== null) await this.#close(reason);
  }

  async #close(reason: CloseReason, tag: string | null = this.#tag): Promise<void> {
    this.#tag = null;
    if (this.#batch.transactionCount === 0) return;
    const { committer, stream } = this.#options;
    const closed = this.#batch.close(reason, tag);
    const end = closed.transactions.at(-1)?.endLsn ?? this.#received;
    await this.#pipeline.submit(async () => {
      const started = Date.now();
      this.#tagged(closed.tag, await committer.commit(closed));
      await this.#completeIfReached(end);
      failpoint('before-acknowledge');
      this.#acknowledgeable.durable(end);
      stream.acknowledge(this.#acknowledgeable.current);
      this.#options.onCommit();
      this.#log.committed(
        { lsn: formatLsn(end), transactions: closed.transactions.length, rows: closed.rows },
        reason,
        Date.now() - started,
      );
    });
  }

  async #spill(): Promise<void> {
    const changes = this.#batch.spill();
    await this.#pipeline.submit(() => unlessAborted(this.#late, this.#options.committer.spill(changes)));
  }

  /** Everything before `reached` is written: if that is all that the first snapshot waited for, it is shown now. */
  async #completeIfReached(reached: Lsn): Promise<void> {
    const { completeAt, committer, onComplete } = this.#options;
    if (this.#complete || completeAt === null || reached < completeAt) return;
    this.#complete = true;
    await onComplete({ ...committer.position, endLsn: reached });
  }

  #open(): OpenTransaction {
    if (!this.#transaction) throw new Wal2DoltError('E_SOURCE_PROTOCOL', 'a change came outside of a transaction');
    return this.#transaction;
  }
}
