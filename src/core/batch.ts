import { type KeyedChanges, type KeylessChanges, netChangesOf } from './coalesce.js';
import type { Position } from './position.js';
import type { TargetTable } from './target.js';
import { TupleMemory } from './tuple-memory.js';

/** When a batch of source transactions becomes a Dolt commit. Always at the end of a transaction, never inside one. */
export interface CommitPolicy {
  readonly maxTransactions: number;
  /** Milliseconds that a committed source transaction may wait. */
  readonly maxDelay: number;
  readonly maxRows: number;
  /** Bytes that its net changes take in memory, about; as much is held before a transaction is spilled. */
  readonly maxBytes: number;
}

/** Why a batch was closed; recorded with the commit. */
export type CloseReason =
  | 'transactions'
  | 'delay'
  | 'rows'
  | 'bytes'
  | 'tag'
  | 'until'
  | 'shutdown'
  | 'snapshot'
  | 'ddl'
  | 'copy';

/** What a source transaction said about itself with a `wal2dolt.context` message. */
export interface TransactionContext {
  readonly author?: string | undefined;
  readonly message?: string | undefined;
  /** The message's content as it came. */
  readonly content: string;
}

/** A source transaction as the history keeps it. */
export interface TransactionRecord extends Position {
  readonly rows: number;
  readonly context: TransactionContext | null;
}

export interface TableCounts {
  readonly name: string;
  inserted: number;
  updated: number;
  deleted: number;
  truncated: boolean;
  /** It was copied again, as a whole. */
  copied: boolean;
}

/** What is kept of a batch's first transactions when their records were handed over, as its changes are, to be written. */
export interface SpilledTransactions {
  readonly count: number;
  /** Of the first `LISTED` of them. */
  readonly xids: readonly number[];
  /** How many have a context, and the first `LISTED` of those. */
  readonly contextCount: number;
  readonly contexts: readonly TransactionRecord[];
}

/** A commit's message shows no more of them. */
export const LISTED = 50;

export const NOTHING_SPILLED: SpilledTransactions = { count: 0, xids: [], contextCount: 0, contexts: [] };

/** A batch that is ready to become one Dolt commit, after its remaining net changes. */
export interface ClosedBatch {
  readonly reason: CloseReason;
  /** At least one: the last. */
  readonly transactions: readonly TransactionRecord[];
  /** Those before them. */
  readonly spilled: SpilledTransactions;
  readonly rows: number;
  readonly counts: readonly TableCounts[];
  readonly changes: readonly (KeyedChanges | KeylessChanges)[];
  readonly tag: string | null;
}

/** What the record of a transaction takes in memory, about, beside its context; and how much of that is held. */
const RECORD_BYTES = 200;
const MOST_RECORD_BYTES = 8 << 20;
/** A longer context (in characters) is not kept for the commit's message when its record is handed over. */
const LONG_CONTEXT = 10_000;

/** Of less, in bytes, a transaction of its own would cost more than it saves. */
const WORTH_WRITING = 4 << 20;

/** What a batch may have over its size, in bytes, and still be one like others. */
const HUGE_ROW = 8 << 20;

/**
 * Collects source transactions into the next Dolt commit. Holds the net changes of what it was given; `spill` hands
 * over what is held in the middle of a large transaction, so that memory stays bounded whatever its size.
 */
export class Batch {
  readonly #policy: CommitPolicy;
  #changes = new Map<TargetTable, KeyedChanges | KeylessChanges>();
  #counts = new Map<string, TableCounts>();
  #transactions: TransactionRecord[] = [];
  #spilled = NOTHING_SPILLED;
  #hasUpdates = false;
  #rows = 0;
  #rowsOfTransaction = 0;
  #memory = new TupleMemory();
  /** Of what was spilled, and of contexts. */
  #bytesBeside = 0;
  #recordBytesHeld = 0;
  #firstCommitAt = 0;
  #cut: CloseReason | null = null;
  #changedSchema = false;

  constructor(policy: CommitPolicy) {
    this.#policy = policy;
  }

  /** The net changes of a table, to which the transaction's next row is to be added. */
  changesOf(table: TargetTable): KeyedChanges | KeylessChanges {
    let changes = this.#changes.get(table);
    if (!changes) {
      changes = netChangesOf(table, this.#memory);
      this.#changes.set(table, changes);
    }
    this.#rowsOfTransaction += 1;
    return changes;
  }

  /** The row that was added is one that was there before, as another. */
  updated(): void {
    this.#hasUpdates = true;
  }

  /** Ends the open transaction. An empty one leaves no trace: true then. */
  commit(position: Position, context: TransactionContext | null, nowMs: number): boolean {
    if (this.#rowsOfTransaction === 0 && !this.#changedSchema) return true;
    this.#changedSchema = false;
    if (this.transactionCount === 0) this.#firstCommitAt = nowMs;
    this.#transactions.push({ ...position, rows: this.#rowsOfTransaction, context });
    this.#bytesBeside += context?.content.length ?? 0;
    this.#recordBytesHeld += RECORD_BYTES + (context?.content.length ?? 0);
    this.#rows += this.#rowsOfTransaction;
    this.#rowsOfTransaction = 0;
    return false;
  }

  /** The open transaction changed the schema: it counts although it may have no rows, and ends the batch. */
  changedSchema(): void {
    this.#changedSchema = true;
    this.cut('ddl');
  }

  /** Ends the open transaction, which the history has already: what it left here belongs to what is collected next. */
  absorb(): void {
    this.#rowsOfTransaction = 0;
    this.#changedSchema = false;
    this.#cut = null;
  }

  /** Closes the batch at the end of this transaction, whatever the policy says. */
  cut(reason: CloseReason): void {
    this.#cut ??= reason;
  }

  get isEmpty(): boolean {
    return this.transactionCount === 0 && !this.isInTransaction;
  }

  /** Whether the open transaction left something here. */
  get isInTransaction(): boolean {
    return this.#rowsOfTransaction > 0 || this.#changedSchema;
  }

  get transactionCount(): number {
    return this.#spilled.count + this.#transactions.length;
  }

  /** Whether so much is held in memory that it should be written to the staging branch before the transaction, or the batch, ends. */
  get mustSpill(): boolean {
    return this.#memory.taken >= this.#policy.maxBytes || this.#recordBytesHeld >= MOST_RECORD_BYTES;
  }

  /**
   * Whether enough is held to be written while more is collected, rather than to leave the target idle. Not where rows are updated:
   * the same ones will be, as a rule, and the longer that is waited for the less is to be written at all.
   */
  get isWorthWriting(): boolean {
    return !this.#hasUpdates && this.#memory.taken >= WORTH_WRITING;
  }

  /** Whether what is held became much more than it was to be, by a huge row. */
  get isOversized(): boolean {
    return this.#memory.taken >= this.#policy.maxBytes + HUGE_ROW;
  }

  /** Why the batch has to be closed now; null while it may go on, and always inside a transaction. */
  due(nowMs: number): CloseReason | null {
    if (this.transactionCount === 0 || this.isInTransaction) return null;
    if (this.#cut) return this.#cut;
    if (this.transactionCount >= this.#policy.maxTransactions) return 'transactions';
    if (this.#rows >= this.#policy.maxRows) return 'rows';
    if (this.#bytesBeside + this.#memory.taken >= this.#policy.maxBytes) return 'bytes';
    if (nowMs - this.#firstCommitAt >= this.#policy.maxDelay) return 'delay';
    return null;
  }

  /** Milliseconds until `due` by time alone, at least 0; Infinity while there is nothing to commit, or not yet. */
  remaining(nowMs: number): number {
    if (this.transactionCount === 0 || this.isInTransaction) return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#firstCommitAt + this.#policy.maxDelay - nowMs);
  }

  /** Takes the net changes held so far, in the middle of a transaction. */
  spill(): (KeyedChanges | KeylessChanges)[] {
    const changes = [...this.#changes.values()];
    for (const change of changes) this.#addCounts(change);
    this.#changes = new Map();
    this.#bytesBeside += this.#memory.taken;
    this.#memory = new TupleMemory();
    this.#hasUpdates = false;
    return changes;
  }

  /**
   * Takes the records of all transactions but the last one that has ended, to be written with what `spill` gives: where nothing may be
   * closed for long, they would add up.
   */
  spillTransactions(): TransactionRecord[] {
    const records = this.#transactions.splice(0, this.#transactions.length - 1);
    this.#recordBytesHeld = 0;
    const { count, xids, contextCount, contexts } = this.#spilled;
    const told = records.filter(({ context }) => context !== null);
    this.#spilled = {
      count: count + records.length,
      xids: [...xids, ...records.slice(0, LISTED - xids.length).map(({ xid }) => xid)],
      contextCount: contextCount + told.length,
      contexts: [...contexts, ...told.slice(0, LISTED - contexts.length).map(withoutLongContext)],
    };
    return records;
  }

  /** Ends the batch: what it leaves is empty and collects the next one. */
  close(reason: CloseReason, tag: string | null = null): ClosedBatch {
    const changes = this.spill();
    const closed: ClosedBatch = {
      reason,
      transactions: this.#transactions,
      spilled: this.#spilled,
      rows: this.#rows,
      counts: [...this.#counts.values()],
      changes,
      tag,
    };
    this.#counts = new Map();
    this.#transactions = [];
    this.#spilled = NOTHING_SPILLED;
    this.#recordBytesHeld = 0;
    this.#rows = 0;
    this.#bytesBeside = 0;
    this.#cut = null;
    return closed;
  }

  /** A table of this name in Dolt was copied from the source; what counts of it is what comes on top. */
  copied(name: string): void {
    this.#countsOf(name).copied = true;
  }

  #countsOf(name: string): TableCounts {
    let counts = this.#counts.get(name);
    if (!counts) {
      counts = { name, inserted: 0, updated: 0, deleted: 0, truncated: false, copied: false };
      this.#counts.set(name, counts);
    }
    return counts;
  }

  #addCounts(changes: KeyedChanges | KeylessChanges): void {
    const counts = this.#countsOf(changes.table.name);
    counts.inserted += changes.counts.inserted;
    counts.updated += changes.counts.updated;
    counts.deleted += changes.counts.deleted;
    counts.truncated ||= changes.truncated;
  }
}

function withoutLongContext(record: TransactionRecord): TransactionRecord {
  const length = record.context?.content.length ?? 0;
  return length <= LONG_CONTEXT ? record : { ...record, context: { content: `(${length} characters)` } };
}
