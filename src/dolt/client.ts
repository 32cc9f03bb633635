import { connect, isIP } from 'node:net';
import type { Connection as CallbackConnection } from 'mysql2';
import { type Connection, type ConnectionOptions, createConnection, type ResultSetHeader } from 'mysql2/promise';
import type { TargetTls } from '../config/target-tls.js';
import type { TargetAddress } from './address.js';
import { asTargetError, NOT_SENT } from './failure.js';
import { BytesSender, StatementBytes } from './statement-bytes.js';

/** Without it the system's default holds, which is two hours on Linux: so long would a dead connection be waited on. */
const KEEPALIVE_AFTER_MS = 30_000;

export const quoteName = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** A row of a result: every value as text, NULL as null. */
export type TextRow = readonly (string | null)[];

/**
 * One connection to Dolt. All values travel as text in both directions: statements are complete strings (a prepared
 * `AS OF ?` or a bound Infinity makes Dolt 2.2 panic), results are read without any conversion.
 */
export class TargetConnection implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #sender: BytesSender;
  readonly #options: ConnectionOptions;
  readonly #defers: DeferOptions['defers'];
  #lost: Error | null = null;
  /** To be sent with the next statement. */
  #deferred: Deferred[] = [];
  /** Makes the statement fail that is on its way: mysql2 would never say what became of it. */
  #giveUp: ((error: Error) => void) | null = null;
  /** Resolves when what was asked for last is done. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(connection: Connection, options: ConnectionOptions, defers: DeferOptions['defers']) {
    this.#connection = connection;
    this.#options = options;
    this.#defers = defers;
    this.#sender = new BytesSender(this.#callbacks);
    // Without a listener a lost idle connection would be an uncaught exception.
    connection.on('error', (error: Error) => {
      this.#lost = error;
    });
  }

  /** Connects to the database, or to one branch of it; `null` connects to the server alone. */
  static async open(
    address: TargetAddress,
    branch?: string | null,
    { defers }: DeferOptions = {},
  ): Promise<TargetConnection> {
    const options: ConnectionOptions = {
      host: address.host,
      port: address.port,
      user: address.user,
      password: address.password,
      charset: 'utf8mb4_bin',
      rowsAsArray: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
      multipleStatements: defers !== undefined,
      connectTimeout: 10_000,
      enableKeepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_AFTER_MS,
      typeCast: (field) => field.string('utf8'),
      // Statements are complete: nothing in them is to be looked for.
      queryFormat: (sql) => sql,
      ...(address.tls ? tlsOptions(address, address.tls) : {}),
      ...(branch === null
        ? {}
        : { database: branch === undefined ? address.database : `${address.database}/${branch}` }),
    };
    return TargetConnection.#connect(options, defers);
  }

  static async #connect(options: ConnectionOptions, defers: DeferOptions['defers']): Promise<TargetConnection> {
    try {
      return new TargetConnection(await createConnection(options), options, defers);
    } catch (error) {
      throw asTargetError(error);
    }
  }

  /** It ended while nothing ran on it, as Dolt ends those that do nothing for hours. */
  get isLost(): boolean {
    return this.#lost !== null;
  }

  /** One more connection to the same branch. */
  another(): Promise<TargetConnection> {
    return TargetConnection.#connect(this.#options, this.#defers);
  }

  /** Runs one statement and returns its rows as text. */
  async rows(sql: string): Promise<TextRow[]> {
    const result = await this.#query(sql);
    // rowsAsArray and typeCast above make every row an array of strings and nulls.
    return Array.isArray(result) ? (result as unknown as TextRow[]) : [];
  }

  /** The rows of one statement as they come: no more of them are in memory than Node has received at once. */
  async *stream(sql: string): AsyncGenerator<TextRow> {
    if (this.#lost) throw asTargetError(this.#lost);
    await this.flush();
    try {
      // With more of them waiting, large ones add up. rowsAsArray and typeCast make them what they are.
      for await (const row of this.#callbacks.query(sql).stream({ highWaterMark: 1 })) yield row as TextRow;
    } catch (error) {
      throw asTargetError(error, [sql]);
    }
  }

  /** The first column of the first row, or null. */
  async value(sql: string): Promise<string | null> {
    return (await this.rows(sql))[0]?.[0] ?? null;
  }

  /** Whether the branch has a table of this name, which Dolt compares without regard to case. */
  async hasTable(name: string): Promise<boolean> {
    return (await this.rows('SHOW TABLES')).some(([table]) => table?.toLowerCase() === name.toLowerCase());
  }

  /**
   * Runs one statement and returns how many rows it changed (an update that changes nothing counts). Bytes are UTF-8, and
   * may change as soon as this has returned.
   */
  async run(sql: string | Buffer): Promise<number> {
    const result = await this.#query(sql);
    // A statement without a result set answers with a header.
    return Array.isArray(result) ? 0 : (result as ResultSetHeader).affectedRows;
  }

  /**
   * A statement without rows, sent together with the next one: the way to Dolt and back takes as long as a small statement. To be used
   * within a transaction, which is gone where one of them fails, or a short one behind them, with the connection. `check` is told how many
   * rows it changed, and what it throws is thrown by the next one, which makes nothing of it last. Only where it was opened with `defers`.
   */
  defer(sql: string | Buffer, check: Check | null = null): void {
    this.#deferred.push({ sql: new StatementBytes(sql), check });
  }

  /** Resolves when everything is done that was asked for, with what is deferred. */
  async flush(): Promise<void> {
    const deferred = this.#takeDeferred();
    await this.#inTurn(async () => {
      if (deferred.length > 0) await this.#sendTogether(deferred);
    });
  }

  /** Whether it was opened with `defers`, which says so, and a statement so long (in bytes) may be sent with those that are deferred already. */
  canDefer(length: number): boolean {
    return this.#defers?.() === true && this.#deferred.reduce((sum, { sql }) => sum + sql.length, length) <= SHORT;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lost) this.#connection.destroy();
    else await this.#inTurn(() => this.#connection.end()).catch(() => this.#connection.destroy());
  }

  /** Drops the connection without a goodbye: what is running on it is rolled back by the server, and fails here with what waits behind it. */
  destroy(): void {
    this.#lost ??= Object.assign(new Error('the connection was closed'), { code: NOT_SENT });
    this.#connection.destroy();
    this.#giveUp?.(this.#lost);
  }

  async #query(sql: string | Buffer): Promise<unknown> {
    const bytes = new StatementBytes(sql); // before anything is waited for: they may change then
    const deferred = this.#takeDeferred();
    return this.#inTurn(async () => {
      if (deferred.length === 0) return this.#send([bytes]);
      if (goesWith(deferred, bytes)) return this.#sendTogether([...deferred, { sql: bytes, check: null }]);
      await this.#sendTogether(deferred);
      return this.#send([bytes]);
    });
  }

  #takeDeferred(): readonly Deferred[] {
    const deferred = this.#deferred;
    this.#deferred = [];
    return deferred;
  }

  /** When all that was asked for before is done: mysql2 sends what waits as soon as there is an answer, before it is looked at. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  /**
   * Returns the result of the last one. Where one fails, or a check does, the connection ends, and with it its transaction: Dolt 2.2 goes on
   * after one that failed, which mysql2 does not expect; and whoever sent the last one may not care for those before.
   */
  async #sendTogether(statements: readonly Deferred[]): Promise<unknown> {
    try {
      const result = await this.#send(statements.map(({ sql }) => sql));
      // Of several statements there is an array of results, one for each.
      const results = statements.length === 1 ? [result] : (result as unknown[]);
      for (const [i, { check }] of statements.entries()) check?.((results[i] as ResultSetHeader).affectedRows);
      return results.at(-1);
    } catch (error) {
      this.#lost ??= error as Error; // asTargetError makes one, and so do checks
      this.#connection.destroy();
      throw error;
    }
  }

  /** What fails is told by its beginning. */
  async #send(statements: readonly StatementBytes[]): Promise<unknown> {
    if (this.#lost) throw asTargetError(this.#lost); // while nothing ran: it is not this statement's doing
    let answered = 0;
    try {
      return await new Promise((resolve, reject) => {
        this.#giveUp = reject;
        const settle = (error: Error | null, result: unknown): void => (error ? reject(error) : resolve(result));
        // Told once for each statement.
        this.#sender.query(StatementBytes.together(statements), settle).on('fields', () => {
          answered += 1;
        });
      });
    } catch (error) {
      const unanswered = statements.slice(answered);
      throw asTargetError(
        error,
        unanswered.map((one) => one.head(HEAD)),
      );
    }
  }

  /** What the promise API is made of; it is there, but not in its types. */
  get #callbacks(): CallbackConnection {
    return (this.#connection as unknown as { readonly connection: CallbackConnection }).connection;
  }
}

interface DeferOptions {
  /** Statements may be sent together; asked of each whether it may be one of them. */
  readonly defers?: (() => boolean) | undefined;
}

type Check = (changed: number) => void;

interface Deferred {
  readonly sql: StatementBytes;
  readonly check: Check | null;
}

/** In bytes; also of all that are sent together. */
const SHORT = 16 << 10;
/** Put together, a long one would be copied once more; and what makes others last has to wait for what is said of them. */
const goesWith = (deferred: readonly Deferred[], next: StatementBytes): boolean =>
  next.length <= SHORT && (PASSING.test(next.head(BEGINNING)) || deferred.every(({ check }) => check === null));

/** What makes nothing last of what was done before, as COMMIT, procedures and DDL do. */
const PASSING = /^\s*(INSERT|UPDATE|DELETE|SELECT)\b/i;
const BEGINNING = 64;
/** Of a statement that fails no more is told. */
const HEAD = 4 << 10;

/**
 * For a host that is an address, mysql2 has the certificate checked against "localhost". Node takes the name to check
 * from the socket before that, so there it must be; a Node that did not would refuse the certificate, not accept another.
 */
function tlsOptions({ host, port }: TargetAddress, { ca }: TargetTls): ConnectionOptions {
  const ssl = { verifyIdentity: true, ...(ca === null ? {} : { ca }) };
  if (isIP(host) === 0) return { ssl };
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEPALIVE_AFTER_MS };
  return { ssl, stream: () => Object.assign(connect({ host, port, noDelay: true, ...keepAlive }), { _host: host }) };
}
