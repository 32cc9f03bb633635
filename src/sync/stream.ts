import type { Batch, TransactionContext } from '../core/batch.js';
import type { MessageEvent, RowEvent, StreamEvent, TruncateEvent } from '../core/change.js';
import { Contradiction } from '../core/contradiction.js';
import { failpoint } from '../core/failpoint.js';
import { formatLsn, type Lsn, maxLsn, type Position } from '../core/position.js';
import { qualifiedName } from '../core/schema.js';
import { isTooLong } from '../core/tuple.js';
import { Wal2DoltError } from '../errors.js';
import { Closing, type ClosingOptions } from './closing.js';
import { parseContext } from './context.js';
import { after } from './interrupt.js';
import type { PublicationChange } from './publication-watch.js';
import type { Binding } from './relations.js';
import type { At } from './schema-changes.js';
import type { Joining, SideCopies } from './side-copies.js';
import { StreamSchema, type StreamSchemaOptions } from './stream-schema.js';

/** How long one wait for events may last: a shutdown and a failure of the target are noticed after it. */
const POLL_MS = 200;
/** How long a shutdown waits for the end of a transaction whose beginning was read or written; then it is late. */
const SHUTDOWN_MS = 5_000;

export interface StreamOptions extends StreamSchemaOptions, ClosingOptions {
  /** Everything that commits before it is wanted, nothing after it; null to go on for ever. */
  readonly until: Lsn | null;
  /** Tells when changes begin to be missing in the stream: it then ends with that error, and with all before it saved. */
  readonly watch: ClosingOptions['watch'] & { readonly change: PublicationChange | null };
  /** Called now and then with the position up to which all was received. */
  readonly onReceived: (reached: Lsn) => void;
  /** Copies of large tables beside the stream. */
  readonly side: SideCopies;
  /** Tables that join: the stream is read for them once more, up to where all others are. */
  readonly joining: Joining | null;
  readonly signal: AbortSignal;
}

interface OpenTransaction extends At {
  /** Already in the target as a whole. */
  readonly skip: boolean;
  /** Already in the target, but for the tables that join. */
  readonly again: boolean;
  context: TransactionContext | null;
  tag: string | null;
  /** Something of it is only in the copy of a table. */
  copied: boolean;
}

/**
 * The loop: events -> batch -> Dolt commit -> acknowledgement. Returns when `until` is reached or the signal came, with
 * everything that was begun committed, published and acknowledged; throws a Wal2DoltError otherwise, or the signal's
 * reason in the middle of a transaction that takes too long to write: the next start throws away what was written of it.
 *
 * Returns early where a copy beside the stream is complete: with the position that everything committed reaches.
 */
export async function streamChanges(options: StreamOptions): Promise<Lsn | null> {
  using late = after(options.signal, SHUTDOWN_MS);
  // Not without await: the time limit would end with this function.
  return await new StreamLoop(options, late.signal).run();
}

class StreamLoop {
  readonly #options: StreamOptions;
  readonly #late: AbortSignal;
  /** Transactions that commit before it are in the target. */
  readonly #start: Lsn;
  readonly #batch: Batch;
  readonly #closing: Closing;
  readonly #schema: StreamSchema;
  #transaction: OpenTransaction | null = null;
  #received: Lsn;
  #stopped = false;
  /** The stream is to be read from an earlier position, for tables that join. */
  #joining = false;
  #failure: Wal2DoltError | null = null;

  constructor(options: StreamOptions, late: AbortSignal) {
    this.#options = options;
    this.#late = late;
    this.#start = options.joining?.from ?? options.committer.position.endLsn;
    this.#received = this.#start;
    this.#closing = new Closing(options, late);
    this.#batch = this.#closing.batch;
    this.#schema = new StreamSchema(options, this.#closing);
  }

  async run(): Promise<Lsn | null> {
    const { joining } = this.#options;
    if (joining) {
      this.#closing.hold(joining.until, [...joining.tables.values()]);
      failpoint('after-join');
    }
    const { commitTime } = this.#options.committer.position;
    await this.#schema.copyPending({ xid: 0, finalLsn: this.#start, commitTime });
    while (!this.#stopped) {
      const receiving = await this.#handleNext();
      if (this.#joining) return this.#received;
      if (this.#transaction === null) {
        if (!this.#stopped) await this.#endsBefore(this.#received);
        if (this.#joining) return this.#received;
        await this.#closing.closeIfDue(receiving);
      }
      if (this.#options.signal.aborted && !this.#stopped) {
        // What was read of a transaction that does not end in time is dropped: it was not acknowledged, so it comes again.
        if (this.#transaction === null && this.#closing.heldUntil === null) await this.#closing.close('shutdown');
        else if (!this.#late.aborted) continue;
        this.#stopped = true;
      }
    }
    await this.#closing.end(
      this.#options.signal.aborted ? 'stopped' : 'reached the end that was asked for',
      this.#failure,
    );
    return null;
  }

  /** Whether something came. On its own, so that no variable holds what was handled, which may be huge, while the next is awaited. */
  async #handleNext(): Promise<boolean> {
    const events = await this.#options.stream.take(Math.min(POLL_MS, this.#closing.remaining(Date.now())));
    this.#closing.throwIfFailed();
    this.#options.onReceived(this.#received);
    for (const event of events) {
      // Most have nothing to wait for, and a promise for each would cost more than they do.
      const pending = this.#handle(event);
      if (pending !== null) await pending;
      if (this.#stopped || this.#joining) break;
    }
    return events.length > 0;
  }

  #handle(event: StreamEvent): Promise<void> | null {
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
        this.#schema.announce(event, this.#transaction?.again ? this.#options.joining : null);
        return null;
      case 'truncate':
        return this.#truncate(event);
      case 'message':
        return this.#message(event);
      case 'keepalive':
        return this.#keepalive(event.walEnd, event.replyRequested);
      case 'origin':
      case 'type':
        return null;
      default:
        return event satisfies never;
    }
  }

  async #begin(event: StreamEvent & { kind: 'begin' }): Promise<void> {
    if (await this.#endsBefore(event.finalLsn)) return;
    // Decided once for the whole transaction, by its commit record: a row's own LSN says nothing about it.
    const { xid, finalLsn, commitTime } = event;
    const skip = finalLsn < this.#start;
    const again = this.#options.joining !== null && finalLsn < this.#options.joining.until;
    this.#transaction = { xid, finalLsn, commitTime, skip, again, context: null, tag: null, copied: false };
  }

  #change(event: RowEvent): Promise<void> | null {
    const at = this.#open();
    const partition = this.#options.relations.cameBy(event.oid);
    if (at.skip || (at.again && !this.#options.joining?.tables.has(event.oid))) return null;
    const binding = partition === null ? this.#schema.boundAlready(event.oid, at) : undefined;
    if (binding !== undefined) return this.#collect(event, at, binding);
    return this.#schema
      .bindingOf(event.oid, at, partition)
      .then((bound) => this.#collect(event, at, bound) ?? undefined);
  }

  #collect(event: RowEvent, at: OpenTransaction, binding: Binding | null): Promise<void> | null {
    if (!binding) {
      at.copied ||= this.#schema.isCopied(event.oid, at);
      return null;
    }
    const changes = this.#batch.changesOf(binding.table);
    try {
      if (event.kind === 'insert') changes.insert(binding.row(event.row));
      else if (event.kind === 'update') {
        changes.update(event.old && binding.oldRow(event.old), binding.row(event.row));
        this.#batch.updated();
      } else changes.delete(binding.oldRow(event.old));
    } catch (error) {
      if (isTooLong(error)) {
        const what = `a row of ${qualifiedName(binding.table.source)} is too large: ${error.message}`;
        throw new Wal2DoltError('E_ROW_TOO_LARGE', what, { cause: error });
      }
      if (!(error instanceof Contradiction)) throw error;
      const what = `${error.message} (transaction ${at.xid}, ${formatLsn(at.finalLsn)})`;
      throw new Wal2DoltError('E_SOURCE_INCONSISTENT', what, { cause: error });
    }
    return this.#closing.spillIfDue();
  }

  async #truncate(event: TruncateEvent): Promise<void> {
    const at = this.#open();
    this.#options.relations.cameBy(0);
    if (at.skip) return;
    for (const oid of event.oids) {
      if (at.again && !this.#options.joining?.tables.has(oid)) continue;
      const binding = await this.#schema.bindingOf(oid, at);
      if (binding) this.#batch.changesOf(binding.table).truncate();
      else at.copied ||= this.#schema.isCopied(oid, at);
    }
  }

  async #message(event: MessageEvent): Promise<void> {
    if (event.prefix === 'wal2dolt.ddl' && event.transactional) {
      const at = this.#open();
      const joining = at.again ? this.#options.joining : null;
      if (at.skip) return;
      at.copied = true; // it may be about such a table
      await this.#schema.command(event.content, at, joining);
    } else if (event.prefix === 'wal2dolt.resync') {
      await this.#resync(event);
    } else if (event.prefix === 'wal2dolt.context' && event.transactional) {
      if (this.#transaction) this.#transaction.context = parseContext(event.content);
    } else if (event.prefix === 'wal2dolt.tag') {
      if (event.transactional && this.#transaction) this.#transaction.tag = event.content;
      else if (this.#transaction === null && event.lsn >= (this.#options.joining?.until ?? this.#start))
        await this.#closing.tagHere(event.content);
    }
  }

  /** Now, or when the transaction that asks for it ends. */
  async #resync(event: MessageEvent): Promise<void> {
    const done = this.#options.joining?.until ?? this.#start;
    if (this.#transaction ? this.#transaction.skip || this.#transaction.again : event.lsn < done) return;
    if (!this.#schema.resync(event.content)) return;
    if (this.#transaction) return this.#batch.changedSchema();
    await this.#closing.closeEarlier();
    await this.#schema.copyPending({
      xid: 0,
      finalLsn: this.#received,
      commitTime: this.#options.committer.position.commitTime,
    });
  }

  async #commit(position: Position): Promise<void> {
    const at = this.#open();
    const { skip, context, tag } = at;
    this.#transaction = null;
    this.#received = position.endLsn;
    this.#options.horizons.ended(at.xid);
    if (skip) return;
    if (at.again) {
      this.#batch.absorb();
      return this.#schema.copyPending(at);
    }
    const empty = this.#batch.commit(position, context, Date.now());
    if (!empty || at.copied) this.#closing.followed();
    if (!empty) await this.#schema.copyPending(at);
    // A stream of transactions that are all of no interest leaves the server no time for a keepalive.
    if (empty && tag === null) return this.#keepalive(position.endLsn, false);
    if (tag !== null && empty) return this.#closing.tagHere(tag);
    if (tag !== null) this.#closing.tagNext(tag);
    await this.#closing.closeIfDue(true);
  }

  async #keepalive(walEnd: Lsn, replyRequested: boolean): Promise<void> {
    if (this.#transaction !== null) return;
    this.#received = maxLsn(this.#received, walEnd);
    if (await this.#endsBefore(walEnd)) return;
    await this.#closing.idle(walEnd, replyRequested);
  }

  /** Ends the stream where what comes `next` is not wanted any more, or not whole. */
  async #endsBefore(next: Lsn): Promise<boolean> {
    const { until, watch, side, signal } = this.#options;
    const { change } = watch;
    if (!(await this.#closing.released(next))) return this.#stopped;
    if (change !== null && next >= change.wholeUntil && (until === null || until > change.wholeUntil)) {
      this.#failure = change.error;
      await this.#stopAt(change.wholeUntil);
    } else {
      await this.#closing.complete(next);
      // What is copied beside the stream is shown before it ends, though that may be of a later state.
      const end = until !== null && next >= until ? maxLsn(until, await side.ended(this.#closing, signal)) : null;
      if (!(await this.#joins(next)) && end !== null && next >= end) await this.#stopAt(end);
    }
    return this.#stopped || this.#joining;
  }

  /** Ends the loop where a copy beside the stream can join, of all that commits before `next`. */
  async #joins(next: Lsn): Promise<boolean> {
    const { side, signal } = this.#options;
    if (this.#joining) return true;
    if (this.#stopped || signal.aborted) return false;
    const position = await side.complete(this.#closing, next);
    if (position === null) return false;
    this.#received = maxLsn(this.#received, position);
    this.#joining = true;
    return true;
  }

  /** Everything that commits before `reached` was received: makes it durable, and ends. */
  async #stopAt(reached: Lsn): Promise<void> {
    await this.#closing.closeAt(reached);
    this.#stopped = true;
  }

  #open(): OpenTransaction {
    if (!this.#transaction) throw new Wal2DoltError('E_SOURCE_PROTOCOL', 'a change came outside of a transaction');
    return this.#transaction;
  }
}
