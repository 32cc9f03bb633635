import { TargetConnection } from './client.js';
import { EXACT_TABLE } from './exact.js';
import { quoteText } from './sql-text.js';
import { openCopyConnection, prepareSession, type StagingBranch } from './staging.js';

/** A branch beside the staging branch, where large tables are copied while the stream goes on. */
export const sideBranch = (staging: string): string => `${staging}_side`;

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

  static async open(staging: StagingBranch): Promise<SideBranch> {
    const name = sideBranch(staging.branches.staging);
    await staging.writer.run(`CALL DOLT_BRANCH('-f', ${quoteText(name)}, ${quoteText(staging.branches.staging)})`);
    const writer = await TargetConnection.open(staging.address, name);
    await prepareSession(writer);
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

  /** Makes the table of this name on the staging branch what it is here: its definition, its rows, its exact values. */
  async takeOver(table: string): Promise<void> {
    const { writer } = this.#staging;
    await writer.rows(`CALL DOLT_CHECKOUT(${quoteText(this.#name)}, ${quoteText(table)})`);
    const ofTable = `target_table=${quoteText(table)}`;
    await writer.run(`DELETE FROM ${EXACT_TABLE} WHERE ${ofTable}`);
    await writer.run(
      `INSERT INTO ${EXACT_TABLE} SELECT * FROM ${EXACT_TABLE} AS OF ${quoteText(this.#name)} WHERE ${ofTable}`,
    );
    await writer.run('COMMIT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.writer.destroy();
    await this.#staging.writer.run(`CALL DOLT_BRANCH('-D', ${quoteText(this.#name)})`).catch(() => {});
  }
}
