import { failpoint } from '../core/failpoint.js';
import { isPart, trailer } from '../core/message.js';
import { formatLsn, type Micros } from '../core/position.js';
import { Wal2DoltError } from '../errors.js';
import { createAcknowledged } from './acknowledged.js';
import type { TargetAddress } from './address.js';
import { createBookkeeping, readLastCommit, readPosition, type StoredPosition } from './bookkeeping.js';
import { type Branches, createBranches, createDatabase, dropPassing, refuseForeign, squashBranch } from './branches.js';
import { TargetConnection } from './client.js';
import { callCommit, commitOn, readHead, readParents, type StagingHead } from './dolt-commit.js';
import { fastForward, finishFastForward } from './fast-forward.js';
import { BESIDE, lockCopy, lockWriter } from './locks.js';
import { Publisher } from './publisher.js';
import { quoteText } from './sql-text.js';
import { tagName } from './tag-name.js';

const LOG_PAGE = 20;

/**
 * The staging branch and the right to write it.
 *
 * DDL commits implicitly in Dolt, and a large transaction does not fit into one SQL transaction, so everything is
 * written to a branch of its own and the readers' branch is moved by a fast-forward when a state is complete. Whatever
 * a crash leaves in the working set is thrown away on opening: HEAD's position row is the truth.
 */
export class StagingBranch implements AsyncDisposable {
  readonly address: TargetAddress;
  readonly branches: Branches;
  /** Holds the lock; writes rows and makes commits. */
  readonly writer: TargetConnection;
  readonly #alone: () => boolean;
  readonly #publisher: Publisher;
  #head: StagingHead;
  /** The commits since the last state, where a source transaction has several. */
  #parts: StagingHead[] = [];
  #beside: Promise<TargetConnection>;
  /** Looks whether the head has the parent that it was to have. */
  #checking: Promise<void> = Promise.resolve();

  private constructor(
    address: TargetAddress,
    branches: Branches,
    alone: () => boolean,
    writer: TargetConnection,
    publisher: Publisher,
    head: StagingHead,
  ) {
    this.address = address;
    this.branches = branches;
    this.#alone = alone;
    this.writer = writer;
    this.#publisher = publisher;
    this.#head = head;
    // When it is needed, much is on its way already.
    this.#beside = this.#openBeside();
    this.#beside.catch(() => {}); // as in `beside`
  }

  /**
   * Creates database, branches and bookkeeping where they are missing, takes the lock, and goes back to HEAD.
   * Throws E_TARGET_LOCKED, E_TARGET_FOREIGN or E_TARGET_DIVERGED before anything is written.
   * While `alone`, each statement that writes rows is sent by itself.
   */
  static async open(
    address: TargetAddress,
    branches: Branches,
    alone: () => boolean = () => false,
  ): Promise<StagingBranch> {
    await createDatabase(address);
    const connections: TargetConnection[] = [];
    try {
      const first = await TargetConnection.open(address);
      connections.push(first);
      await createBranches(first, branches);
      const writer = await TargetConnection.open(address, branches.staging, { defers: () => !alone() });
      const publisher = await TargetConnection.open(address, branches.target);
      connections.push(writer, publisher);
      await first[Symbol.asyncDispose]();

      await lockWriter(writer, `${address.database}/${branches.staging}`);
      await dropPassing(writer, branches);
      await prepareSession(writer);
      await refuseForeign(publisher, branches);
      await finishFastForward(publisher);
      // To itself, which moves nothing: where it may not be moved, a copy need not be made first.
      await fastForward(publisher, branches.target);
      await writer.run(`CALL DOLT_RESET('--hard')`);
      await writer.run('CALL DOLT_CLEAN()');
      // What a crash left of a source transaction that has several commits goes too: its last one is missing.
      await writer.run(`CALL DOLT_RESET('--hard', ${quoteText(await lastState(writer, 0))})`);
      if (!(await writer.hasTable('wal2dolt_position'))) {
        await createBookkeeping(writer);
        await writer.rows(`CALL DOLT_COMMIT('-A', '-m', 'bookkeeping of wal2dolt')`);
      }
      await createAcknowledged(writer);
      return new StagingBranch(address, branches, alone, writer, new Publisher(publisher), await readHead(writer));
    } catch (error) {
      for (const connection of connections) connection.destroy();
      throw error;
    }
  }

  get head(): StagingHead {
    return this.#head;
  }

  /** The position at HEAD. Throws E_TARGET_DIVERGED where HEAD is not a commit of ours. */
  async position(): Promise<StoredPosition | null> {
    const position = await readPosition(this.writer);
    const { hash, parent, message } = this.#head;
    if (position && trailer(message, 'Lsn') !== formatLsn(position.endLsn)) throw this.#stranger(hash);
    // A batch's commit records the state before it.
    if (trailer(message, 'Xids') !== null || trailer(message, 'Ddl') !== null) {
      const before = await lastState(this.writer, 1);
      if (before !== (await readLastCommit(this.writer))) throw this.#stranger(parent);
    }
    return position;
  }

  /**
   * Commits the whole working set of the staging branch, data and bookkeeping alike. Returns the commit's hash. Where a copy
   * joins, the stream is read again up to the position that HEAD has: what completes the last transaction's parts may be empty.
   */
  async commit(message: string, date: Micros, author: string): Promise<string> {
    const hash = await this.#commit(['-A', '--allow-empty'], message, date, author);
    this.#parts = [];
    return hash;
  }

  /** Commits the working set in the middle of a source transaction, where it differs from the last commit. */
  async commitPart(message: string, date: Micros, author: string): Promise<void> {
    const clean = (await this.writer.rows('SELECT 1 FROM dolt_status LIMIT 1')).length === 0;
    if (clean) return;
    await this.#commit(['-A'], message, date, author);
    this.#parts.push(this.#head);
  }

  /**
   * Gives the parts since the last state the date of the commit that completes them, and will come next: `AS OF` a time finds the
   * first commit that is not later, and is not to find one of them. What is in the working set stays there.
   */
  async redateParts(date: Micros, author: string): Promise<void> {
    const [first] = this.#parts;
    if (!first || this.#parts.every((part) => part.date === date)) return;
    await this.#settle();
    const beside = squashBranch(this.branches.staging);
    await this.writer.run(`CALL DOLT_BRANCH('-f', ${quoteText(beside)}, ${quoteText(first.parent)})`);
    {
      await using connection = await TargetConnection.open(this.address, beside);
      let parent = first.parent;
      for (const [i, { hash, message }] of this.#parts.entries()) {
        await connection.run(`CALL DOLT_RESET('--hard', ${quoteText(hash)})`);
        await connection.run(`CALL DOLT_RESET('--soft', ${quoteText(parent)})`);
        const head = await commitOn(connection, ['-A'], message, date, author);
        this.#parts[i] = head;
        parent = head.hash;
      }
      await this.writer.run(`CALL DOLT_RESET('--soft', ${quoteText(parent)})`);
    }
    this.#head = this.#parts.at(-1) ?? this.#head;
    await this.writer.run(`CALL DOLT_BRANCH('-D', ${quoteText(beside)})`);
  }

  /** Commits only some tables, while others are still being copied. */
  async commitTables(tables: readonly string[], message: string, date: Micros, author: string): Promise<string> {
    // A table may be called --all.
    await this.writer.rows(`CALL DOLT_ADD('--', ${tables.map(quoteText).join(', ')})`);
    return this.#commit([], message, date, author);
  }

  async #commit(flags: readonly string[], message: string, date: Micros, author: string): Promise<string> {
    await this.#checking;
    await this.#publisher.beforeCommit();
    const parent = this.#head.hash;
    const hash = await callCommit(this.writer, flags, message, date, author);
    this.#head = { hash, parent, message, date };
    this.#checking = this.#checkParent(hash, parent);
    this.#checking.catch(() => {}); // the next commit throws it, and who publishes
    return hash;
  }

  /** Dolt puts a commit after whatever somebody else committed since our SQL transaction began, merged: nobody is to see that. */
  async #checkParent(hash: string, parent: string): Promise<void> {
    const found = await readParents(await this.beside(), hash);
    if (found.length !== 1 || found[0] !== parent) throw this.#stranger(found.at(-1) ?? '');
  }

  /** Everything that was asked for is published, and the head is looked at: branches may move. */
  async #settle(): Promise<void> {
    await this.#publisher.settled();
    await this.#checking;
  }

  #stranger(hash: string): Wal2DoltError {
    const what = `the commit ${hash} of branch ${this.branches.staging} was not made by wal2dolt`;
    return new Wal2DoltError('E_TARGET_DIVERGED', what);
  }

  /**
   * Makes the commits since the readers' branch one, together with what `finish` changes. It is made on a branch beside
   * this one, which then jumps to it: a crash leaves either all of the old commits or the new one.
   */
  async squash(
    finish: (connection: TargetConnection) => Promise<void>,
    message: string,
    date: Micros,
    author: string,
  ): Promise<void> {
    await this.#settle();
    const beside = squashBranch(this.branches.staging);
    await this.writer.run(`CALL DOLT_BRANCH('-f', ${quoteText(beside)}, ${quoteText(this.branches.staging)})`);
    {
      await using connection = await TargetConnection.open(this.address, beside);
      await prepareSession(connection);
      await finish(connection);
      failpoint('before-squash');
      await connection.run(`CALL DOLT_RESET('--soft', ${quoteText(this.branches.target)})`);
      const head = await commitOn(connection, ['-A'], message, date, author);
      failpoint('mid-squash');
      await this.writer.run(`CALL DOLT_RESET('--hard', ${quoteText(head.hash)})`);
      this.#head = head;
    }
    await this.writer.run(`CALL DOLT_BRANCH('-D', ${quoteText(beside)})`);
    failpoint('after-squash');
  }

  /** Moves the readers' branch to the staging branch's HEAD, or beyond. Meanwhile more may be written and committed. */
  publish(): Promise<void> {
    return this.#publisher.publish(this.#head.hash, this.#checking);
  }

  /** Names a commit, as `tagName` has it. An existing or impossible name is no reason to stop: false then. */
  async tag(text: string, hash: string): Promise<boolean> {
    const name = tagName(text);
    if (name === null) return false;
    await this.#publisher.settled(); // what has a name can be seen
    try {
      await this.writer.rows(`CALL DOLT_TAG(${quoteText(name)}, ${quoteText(hash)})`);
      return true;
    } catch (error) {
      if (error instanceof Wal2DoltError && error.code === 'E_TARGET_QUERY') return false;
      throw error;
    }
  }

  /** One more connection to the staging branch, for what is written beside the writer. */
  beside(): Promise<TargetConnection> {
    this.#beside = this.#beside.then(
      (beside) => (beside.isLost ? this.#openBeside() : beside),
      () => this.#openBeside(),
    );
    this.#beside.catch(() => {}); // who needs it tries again
    return this.#beside;
  }

  #openBeside(): Promise<TargetConnection> {
    return openCopyConnection(this.address, this.branches.staging, BESIDE, { defers: () => !this.#alone() });
  }

  /** One more connection to the staging branch, for the copy. `number` makes its lock its own. */
  async openCopyConnection(number: number): Promise<TargetConnection> {
    return openCopyConnection(this.address, this.branches.staging, number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const beside = await this.#beside.catch(() => null);
    await Promise.all([this.writer, this.#publisher, beside].map((one) => one?.[Symbol.asyncDispose]()));
  }

  /** Drops all connections at once, whatever runs on them. */
  destroy(): void {
    this.writer.destroy();
    this.#publisher.destroy();
    void this.#beside.then(
      (beside) => beside.destroy(),
      () => {},
    );
  }
}

/** A connection to a branch for one of several copies, once those of a predecessor are really over. */
export async function openCopyConnection(
  address: TargetAddress,
  branch: string,
  number: number,
  options: { readonly defers?: () => boolean } = {},
): Promise<TargetConnection> {
  const connection = await TargetConnection.open(address, branch, options);
  try {
    await lockCopy(connection, `${address.database}/${branch}`, number);
    await prepareSession(connection);
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** The replica writes rows in the order of their keys, not of their references, and cascades arrive as rows of their own. */
export async function prepareSession(connection: TargetConnection): Promise<void> {
  await connection.run('SET foreign_key_checks=0');
}

/** Hash of the last commit of the branch, `skip` of them left out, that is more than a part of a source transaction. */
async function lastState(connection: TargetConnection, skip: number): Promise<string> {
  for (let start = skip; ; start += LOG_PAGE) {
    const commits = await connection.rows(
      `SELECT commit_hash, message FROM dolt_log LIMIT ${LOG_PAGE} OFFSET ${start}`,
    );
    const found = commits.find(([, message]) => !isPart(message ?? ''));
    if (found) return found[0] ?? '';
    if (commits.length === 0) throw new Wal2DoltError('E_TARGET_DIVERGED', 'the staging branch has no commit of ours');
  }
}
