import type { ClosedBatch, TransactionRecord } from '../core/batch.js';
import type { KeyedChanges, KeylessChanges } from '../core/coalesce.js';
import { failpoint } from '../core/failpoint.js';
import {
  authorOf,
  commitMessage,
  partMessage,
  type SchemaCommit,
  schemaMessage,
  snapshotMessage,
  stepMessage,
  trailer,
  transactionCount,
} from '../core/message.js';
import { LSN_ZERO, type Lsn, type Micros, maxLsn, type Position } from '../core/position.js';
import type { TargetTable } from '../core/target.js';
import { Wal2DoltError } from '../errors.js';
import { recordAcknowledged } from './acknowledged.js';
import { insertTransactions, type Phase, type SourceIdentity } from './bookkeeping.js';
import { quoteName, type TargetConnection } from './client.js';
import { hasForeignKeys } from './constraints.js';
import { ExactValues } from './exact.js';
import { halves, type NetRows, netRows } from './net-rows.js';
import { PositionRow } from './position-row.js';
import type { StagingBranch } from './staging.js';
import { Writer } from './writer.js';

export interface CommitterOptions {
  readonly source: SourceIdentity;
  readonly author: string;
  /** Whether `wal2dolt_transactions` is kept. */
  readonly transactions: boolean;
}

/** A schema change inside of a source transaction. */
export interface SchemaChange
  extends Pick<SchemaCommit, 'tag' | 'command' | 'changes' | 'user' | 'xid' | 'commitTime'> {
  /** Changes the tables and their bookkeeping; `head` is the commit that holds all rows as they were before. */
  readonly apply: (head: string) => Promise<void>;
}

export interface MadeCommit {
  /**
   * When readers see it, unless the first snapshot is not complete. False where the batch's tag is only in the message: Dolt did
   * not take it, or the commit is on the way to the first snapshot, where tables are of different times, and will be gone.
   */
  readonly shown: Promise<boolean>;
}

/**
 * Turns batches into Dolt commits. A batch's rows, its bookkeeping and its position are one Dolt commit on the staging
 * branch, and readers see it by one fast-forward: data and position can not part.
 */
export class Committer {
  readonly writer: Writer;
  readonly exact: ExactValues;
  readonly #staging: StagingBranch;
  readonly #options: CommitterOptions;
  readonly #row: PositionRow;
  #position: Position;
  #phase: Phase;
  #lastDate: Micros;
  #inTransaction = false;
  /** A schema change that is in the working set, and in no commit yet. */
  #schemaChange: SchemaChange | null = null;

  private constructor(
    staging: StagingBranch,
    exact: ExactValues,
    options: CommitterOptions,
    position: Position,
    phase: Phase,
  ) {
    this.#staging = staging;
    this.exact = exact;
    this.writer = new Writer(staging.writer, exact);
    this.#options = options;
    this.#row = new PositionRow(staging, options.source.slot);
    this.#position = position;
    this.#phase = phase;
    // A new database begins with a commit of today, which a history of older days may go before.
    this.#lastDate = trailer(staging.head.message, 'Lsn') === null ? position.commitTime : staging.head.date;
  }

  static async open(
    staging: StagingBranch,
    options: CommitterOptions,
    position: Position,
    phase: Phase,
  ): Promise<Committer> {
    return new Committer(staging, await ExactValues.load(staging.writer), options, position, phase);
  }

  get position(): Position {
    return this.#position;
  }

  /** The hash of the last commit. */
  get head(): string {
    return this.#staging.head.hash;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /**
   * Writes what is too much for memory of a transaction, or of several and the records of those; it stays in the working set until
   * its commit.
   */
  async spill(
    changes: readonly (KeyedChanges | KeylessChanges)[],
    transactions: readonly TransactionRecord[] = [],
  ): Promise<void> {
    await this.#closeSchemaChange();
    if (changes.length === 0 && transactions.length === 0) return;
    await this.#write(changes);
    await this.#recordTransactions(transactions);
    await this.#countSpill();
    failpoint('after-spill');
  }

  /**
   * Changes the schema in the middle of a transaction, `changes` of which come before. They and the schema change become
   * commits of their own, so that each can be looked at by itself, and the transaction's last commit publishes them all. A
   * change that is followed by nothing else in its transaction is that last commit itself.
   */
  async changeSchema(changes: readonly (KeyedChanges | KeylessChanges)[], change: SchemaChange): Promise<void> {
    await this.#closeSchemaChange();
    if (changes.length > 0 || this.#row.spills > 0) {
      await this.#write(changes);
      await this.#commitPart(
        partMessage(`rows before transaction ${change.xid} changed the schema`, this.#position, change.xid),
        change.commitTime,
      );
    }
    await change.apply(this.#staging.head.hash);
    failpoint('after-alter');
    await this.#countSpill();
    this.#schemaChange = change;
  }

  /** Writes something else into the working set, behind all that came before; it is part of the next commit. */
  async prepare(apply: (head: string) => Promise<void>): Promise<void> {
    await this.#closeSchemaChange();
    await apply(this.#staging.head.hash);
    await this.#countSpill();
  }

  /** Whether the table has no row, of all that was written so far. */
  async isEmpty(table: TargetTable): Promise<boolean> {
    return (await this.#staging.writer.rows(`SELECT 1 FROM ${quoteName(table.name)} LIMIT 1`)).length === 0;
  }

  /**
   * Makes a batch one Dolt commit on the staging branch, and shows it to readers unless the first snapshot is not complete.
   * Everything before `reached` is in it, where that is later than its last transaction. Resolves when the commit is made: what
   * follows may be written while readers get to see it.
   */
  async commit(batch: ClosedBatch, reached = LSN_ZERO): Promise<MadeCommit> {
    const transaction = batch.transactions.at(-1);
    if (!transaction) throw new Wal2DoltError('E_INTERNAL', 'a batch without transactions was to be committed');
    const last = { ...transaction, endLsn: maxLsn(transaction.endLsn, reached) };
    const alone = transactionCount(batch) === 1;
    const onlySchema = alone && batch.rows === 0 && batch.tag === null;
    const change = onlySchema ? this.#schemaChange : null;
    if (change === null) await this.#closeSchemaChange();
    const date = this.#date(last.commitTime);
    await this.#staging.redateParts(date, this.#options.author);
    await this.#write(batch.changes);
    failpoint('after-apply');
    await this.#row.recordBatchHead(this.#position);
    await this.#recordTransactions(batch.transactions);
    await this.#row.move(last, this.#phase);
    const author = (alone && authorOf(last.context?.author)) || this.#options.author;
    const message =
      change === null
        ? commitMessage(batch, last)
        : schemaMessage({ ...change, endLsn: last.endLsn, part: false }, transaction.context);
    const hash = await this.#staging.commit(message, date, author);
    failpoint('after-commit');
    this.#inTransaction = false;
    this.#schemaChange = null;
    this.#position = last;
    if (this.#phase === 'snapshot') return { shown: Promise.resolve(batch.tag === null) };
    const shown = this.#show(batch.tag, hash);
    shown.catch(() => {}); // awaited later
    // It is given on the connection that writes.
    if (batch.tag !== null) await shown;
    return { shown };
  }

  async #show(tag: string | null, hash: string): Promise<boolean> {
    await this.#staging.publish();
    return tag === null || this.#staging.tag(tag, hash);
  }

  /** A commit of its own for a change of the bookkeeping, and for what was prepared, at the position that is reached. */
  async step(what: string, statements: readonly string[], reached = LSN_ZERO): Promise<void> {
    await this.#closeSchemaChange();
    const date = this.#date(this.#position.commitTime);
    await this.#staging.redateParts(date, this.#options.author);
    await this.#begin();
    await this.#row.recordHead(this.#position);
    this.#position = { ...this.#position, endLsn: maxLsn(this.#position.endLsn, reached) };
    if (this.#row.spills > 0 || reached > LSN_ZERO) await this.#row.move(this.#position, this.#phase);
    for (const statement of statements) await this.#staging.writer.run(statement);
    const message = stepMessage(what, this.#position);
    await this.#staging.commit(message, date, this.#options.author);
    // After START TRANSACTION and DOLT_COMMIT Dolt 2.2 is not back in autocommit: a copy would commit tables as they are now.
    await this.#staging.writer.run('COMMIT');
    this.#inTransaction = false;
    if (this.#phase === 'streaming') await this.#staging.publish();
  }

  /** Names the last published commit; false where Dolt does not take the name, or there is none yet. */
  async tagHead(name: string): Promise<boolean> {
    return this.#phase === 'streaming' && this.#staging.tag(name, this.#staging.head.hash);
  }

  /**
   * The first snapshot is complete at this position: what led to it becomes one commit, together with what `finish`
   * changes on the connection that it is given, and readers see it.
   */
  async publishSnapshot(
    position: Position,
    tables: number,
    rows: number,
    finish: (connection: TargetConnection) => Promise<void>,
  ): Promise<void> {
    this.#phase = 'streaming';
    await this.#staging.squash(
      async (connection) => {
        await finish(connection);
        await connection.run('DELETE FROM wal2dolt_commits');
        await this.#row.move(position, this.#phase, connection);
      },
      snapshotMessage(position, tables, rows),
      this.#date(position.commitTime),
      this.#options.author,
    );
    this.#position = position;
    await this.#staging.publish();
  }

  /** The working set has rows of that time: what follows is not to be seen as of an earlier one. */
  notBefore(time: Micros): void {
    this.#date(time);
  }

  /** The server may forget WAL up to here although nothing of it was for us. */
  async recordAcknowledged(end: Lsn): Promise<void> {
    await recordAcknowledged(this.#staging.writer, this.#options.source.slot, end);
  }

  /** Writes rows in a transaction that is open then; of many, with a second connection. */
  async #write(changes: readonly (KeyedChanges | KeylessChanges)[]): Promise<void> {
    const rows = netRows(changes);
    const shared = halves(rows);
    await this.#begin();
    if (shared === null || (await hasForeignKeys(this.#staging.writer))) return this.writer.write(rows);
    const beside = await this.#staging.beside();
    beside.defer('START TRANSACTION');
    const write = async (writer: Writer, half: readonly NetRows[], connection: TargetConnection): Promise<void> => {
      await writer.write(half);
      await connection.flush(); // or it would only begin when the other one is done
    };
    await Promise.all([
      write(this.writer, shared[0], this.#staging.writer),
      write(new Writer(beside, this.exact), shared[1], beside),
    ]);
    // In this order: who throws away what the second wrote throws away the count too.
    await this.#countSpill();
    failpoint('between-halves');
    await beside.run('COMMIT');
    await this.#begin();
  }

  /** Makes the schema change that is in the working set a commit of its own, before something else is written. */
  async #closeSchemaChange(): Promise<void> {
    const change = this.#schemaChange;
    if (change === null) return;
    this.#schemaChange = null;
    await this.#begin();
    await this.#commitPart(schemaMessage({ ...change, endLsn: this.#position.endLsn, part: true }), change.commitTime);
    failpoint('after-schema-commit');
  }

  /** A commit in the middle of a source transaction. A start throws it away unless the transaction's last one follows. */
  async #commitPart(message: string, commitTime: Micros): Promise<void> {
    await this.#row.recordHead(this.#position);
    await this.#row.move(this.#position, this.#phase);
    // Rows may have come to what they were, and a type have got a value more.
    await this.#staging.commitPart(message, this.#date(commitTime), this.#options.author);
    // After START TRANSACTION and DOLT_COMMIT Dolt 2.2 is not back in autocommit.
    await this.#staging.writer.run('COMMIT');
    this.#inTransaction = false;
  }

  async #recordTransactions(transactions: readonly TransactionRecord[]): Promise<void> {
    if (!this.#options.transactions) return;
    for (const statement of insertTransactions(transactions)) await this.#staging.writer.run(statement);
  }

  async #countSpill(): Promise<void> {
    await this.#row.countSpill();
    await this.#staging.writer.run('COMMIT');
    this.#inTransaction = false;
  }

  async #begin(): Promise<void> {
    if (this.#inTransaction) return;
    this.#staging.writer.defer('START TRANSACTION');
    this.#inTransaction = true;
  }

  /** `AS OF` a time finds the first commit that is not later, going back from the head: dates must never decrease. */
  #date(commitTime: Micros): Micros {
    if (commitTime > this.#lastDate) this.#lastDate = commitTime;
    return this.#lastDate;
  }
}
