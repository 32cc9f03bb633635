import { sideBranch } from './branches.js';
import { TargetConnection } from './client.js';
import { renameTable } from './ddl.js';
import { EXACT_TABLE } from './exact.js';
import { lockWriter } from './locks.js';
import { quoteText } from './sql-text.js';
import { openCopyConnection, prepareSession, type StagingBranch } from './staging.js';

/** What a copy writes to. */
export interface CopyTarget {
  readonly writer: TargetConnection;
  /** One more connection to the branch. `number` makes its lock its own. */
  openCopyConnection(number: number): Promise<TargetConnection>;
}

/** Begins as the staging branch is, and is gone when disposed. */
export class SideBranch implements CopyTarget, AsyncDisposable {
  readonly writer: TargetConnection;
  readonly #staging: StagingBranch;
  readonly #name: string;

  private constructor(staging: StagingBranch, name: string, writer: TargetConnection) {
    this.#staging = staging;
    this.#name = name;
    this.writer = writer;
  }

  /** Waits until the sessions of a predecessor are really over. Throws E_TARGET_LOCKED. */
  static async open(staging: StagingBranch): Promise<SideBranch> {
    const name = sideBranch(staging.branches.staging);
    const branches = await staging.writer.rows(`SELECT 1 FROM dolt_branches WHERE name=${quoteText(name)}`);
    if (branches.length === 0) {
      await staging.writer.run(`CALL DOLT_BRANCH(${quoteText(name)}, ${quoteText(staging.branches.staging)})`);
    }
    const writer = await TargetConnection.open(staging.address, name);
    try {
      await lockWriter(writer, `${staging.address.database}/${name}`);
      await prepareSession(writer);
      await writer.run(`CALL DOLT_RESET('--hard', ${quoteText(staging.head.hash)})`);
      await writer.run('CALL DOLT_CLEAN()');
    } catch (error) {
      writer.destroy();
      throw error;
    }
    return new SideBranch(staging, name, writer);
  }

  async openCopyConnection(number: number): Promise<TargetConnection> {
    return openCopyConnection(this.#staging.address, this.#name, number);
  }

  /** Only what is committed can be taken over. */
  async commit(message: string, author: string): Promise<void> {
    if ((await this.writer.rows('SELECT 1 FROM dolt_status LIMIT 1')).length === 0) return;
    await this.writer.rows(`CALL DOLT_COMMIT('-A', '-m', ${quoteText(message)}, '--author', ${quoteText(author)})`);
  }

  /**
   * Makes the table of this name on the staging branch, which may not have it, what it is here: its definition, its rows, its
   * exact values; and gives it another name there.
   */
  async takeOver(table: string, name: string): Promise<void> {
    const { writer } = this.#staging;
    await writer.rows(`CALL DOLT_CHECKOUT(${quoteText(this.#name)}, ${quoteText(table)})`);
    await writer.run(renameTable(table, name));
    await writer.run(
      `INSERT INTO ${EXACT_TABLE} SELECT ${quoteText(name)}, row_hash, target_column, row_key, value, copies FROM ${EXACT_TABLE} AS OF ${quoteText(this.#name)} WHERE target_table=${quoteText(table)}`,
    );
    await writer.run('COMMIT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.writer.destroy();
    await this.#staging.writer.run(`CALL DOLT_BRANCH('-D', ${quoteText(this.#name)})`).catch(() => {});
  }
}
