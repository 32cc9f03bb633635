import { isPart } from '../core/message.js';
import type { Lsn, Position } from '../core/position.js';
import { Wal2DoltError } from '../errors.js';
import { countSpill, insertCommit, insertCommitAgain, type Phase, updatePosition } from './bookkeeping.js';
import type { TargetConnection } from './client.js';
import type { StagingBranch } from './staging.js';

/**
 * Where a commit that is being made stands: the row of `wal2dolt_position`, in the working set of the staging branch. It counts what was written since the last commit, in
 * the SQL transactions of those rows: who throws them away throws the count away, and then the row is not as it was left.
 * All of it throws E_TARGET_DIVERGED where that is so.
 */
export class PositionRow {
  readonly #staging: StagingBranch;
  readonly #slot: string;
  #spills = 0;
  /** The last position that has a row in `wal2dolt_commits`, as far as is known. */
  #recorded: Lsn | null = null;

  constructor(staging: StagingBranch, slot: string) {
    this.#staging = staging;
    this.#slot = slot;
  }

  /** Since the last commit. */
  get spills(): number {
    return this.#spills;
  }

  /** Counts one more, in the transaction that is open. */
  async countSpill(): Promise<void> {
    this.#spills += 1;
    await this.#change(countSpill(this.#slot, this.#spills), this.#staging.writer);
  }

  /** Sets it for the commit that comes next. */
  async move(position: Position, phase: Phase, connection: TargetConnection = this.#staging.writer): Promise<void> {
    await this.#change(updatePosition(position, this.#slot, phase, this.#spills), connection);
    this.#spills = 0;
  }

  /** Writes down the commit before this one, and thereby makes sure that it still is the branch's head. */
  async recordHead(position: Position): Promise<void> {
    const { head, writer, branches } = this.#staging;
    if (isPart(head.message)) return; // no state; the one before it is recorded with the first part
    this.#recorded = position.endLsn;
    if ((await writer.run(insertCommitAgain(head, position))) > 0) return;
    throw new Wal2DoltError('E_TARGET_DIVERGED', `someone else committed to branch ${branches.staging}`);
  }

  /**
   * The same for a batch's commit, without the look at the head, where that was not recorded yet: a stranger's commit is found by the
   * parent that this one has then, before readers see it, and by the next start, which finds another one recorded.
   */
  async recordBatchHead(position: Position): Promise<void> {
    const { head, writer } = this.#staging;
    if (this.#recorded === null || this.#recorded === position.endLsn || isPart(head.message))
      return this.recordHead(position);
    this.#recorded = position.endLsn;
    writer.defer(insertCommit(head, position));
  }

  async #change(statement: string, connection: TargetConnection): Promise<void> {
    if ((await connection.run(statement)) === 1) return;
    throw new Wal2DoltError(
      'E_TARGET_DIVERGED',
      `the position row in wal2dolt_position is not as it was left: somebody wrote to branch ${this.#staging.branches.staging}, or reset it`,
    );
  }
}
