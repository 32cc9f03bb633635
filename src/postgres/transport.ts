import type pg from 'pg';
import { LogicalReplicationService } from 'pg-logical-replication';
import type { StreamEvent } from '../core/change.js';
import { formatLsn, type Lsn, lsn, maxLsn, parseLsn } from '../core/position.js';
import { TupleMemory } from '../core/tuple-memory.js';
import { Wal2DoltError } from '../errors.js';
import { decodeMessage } from './decoder.js';
import { asSourceError } from './failure.js';
import { Inbox } from './inbox.js';
import { listenFromTheStart } from './listen-from-the-start.js';
import { liveness, SilenceDetector } from './liveness.js';
import { gatherLongMessages } from './long-messages.js';
import { PacedReading, pausableSocket } from './paced-reading.js';
import { identifySystem } from './system.js';
import { readSlotState, startReplication } from './walsender.js';

export interface ReplicationStream extends AsyncDisposable {
  /**
   * All events that wait (at least one), in WAL order; [] when `timeoutMs` passed. One call at a time.
   * Rejects when the stream failed or ended, after the events before that were taken: E_STREAM_ENDED for a lost connection,
   * E_SOURCE_PROTOCOL for a message that cannot be read, else as `asSourceError` classifies what the server said.
   */
  take(timeoutMs: number): Promise<readonly StreamEvent[]>;
  /**
   * Tells Postgres that everything before `position` may be forgotten: the end LSN of a transaction, or `walEnd` of a
   * keepalive. Sent at once (so it answers a keepalive that asks) and repeated until the next; a smaller one than before
   * repeats the one before. Does nothing on a connection that ended.
   */
  acknowledge(position: Lsn): void;
  /** Ends the connection; the last acknowledged LSN arrives first. Never throws, may be called twice. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ReplicationOptions {
  /** Of a role that may replicate; without `replication`. Its `options` must pin how values are printed. */
  readonly connection: pg.ClientConfig;
  /** Who must answer: during a failover that may be another server than a moment ago, which is E_STREAM_ENDED. */
  readonly server?: { readonly systemId: string; readonly timeline: number };
  readonly slot: string;
  /** By its exact name. */
  readonly publication: string;
  /** End LSN of the last transaction that is not wanted, or LSN_ZERO: from where the slot stands. The slot never goes back. */
  readonly start: Lsn;
  /** End LSN of the last transaction that is durable, where that is not `start`: nothing later is acknowledged unasked. */
  readonly durable?: Lsn;
  /**
   * How much may wait to be taken, in bytes as received plus a guess for each event's objects. Twice of it may be in memory:
   * one batch taken, one waiting. Beside a batch that is so much by itself, as a huge row makes it, nothing waits.
   */
  readonly highWaterBytes?: number;
  /** Aborts the opening; an open stream stays as it is, for the last acknowledgement. */
  readonly signal?: AbortSignal;
}

/**
 * Starts logical replication (pgoutput version 1, with logical messages) and resolves when Postgres accepted it. Rejects with
 * a Wal2DoltError as `asSourceError` classifies it, or with the reason of `signal`. A publication that does not exist is
 * only found when the first change is decoded: then `take` rejects with E_PUBLICATION_MISSING.
 *
 * Source: https://www.postgresql.org/docs/current/protocol-replication.html
 */
export async function openReplicationStream(options: ReplicationOptions): Promise<ReplicationStream> {
  options.signal?.throwIfAborted();
  const stream = new PostgresStream(options);
  try {
    await stream.open();
    return stream;
  } catch (error) {
    await stream[Symbol.asyncDispose]();
    throw options.signal?.aborted ? options.signal.reason : error;
  }
}

const DEFAULT_HIGH_WATER = 8 * 1024 * 1024;
/** What an event takes beside its text: objects, arrays, string headers. A guess, so that small rows count as well. */
const EVENT_OVERHEAD = 256;
/** How long the server may take to begin; connecting included; it takes milliseconds. */
const OPENING_MS = 30_000;
/** How long the server may take to read our farewell; it takes milliseconds. */
const FAREWELL_MS = 1_000;

// The library does not export the class that it asks for.
type OutputPlugin = Parameters<LogicalReplicationService['subscribe']>[0];

/**
 * On pg-logical-replication's service, which knows the replication sub-protocol. What it leaves to us, or what we do not
 * leave to it, because its way loses data or ends the process, is said at each place.
 */
class PostgresStream implements ReplicationStream {
  readonly #options: ReplicationOptions;
  readonly #service: LogicalReplicationService;
  readonly #inbox: Inbox<StreamEvent>;
  readonly #memory = new TupleMemory();
  /** Our own, so that it can be destroyed at any time: the library gives its client away only when connected. */
  readonly #socket = pausableSocket();
  readonly #closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
  #client: pg.Client | null = null;
  #reading: PacedReading | null = null;
  #acknowledged: Lsn;
  #started = false;
  #timer: NodeJS.Timeout | undefined;
  #silence = new SilenceDetector(0);
  #tickMs = 0;
  #closing: Promise<void> | null = null;

  constructor(options: ReplicationOptions) {
    this.#options = options;
    this.#acknowledged = options.durable ?? options.start;
    this.#inbox = new Inbox(options.highWaterBytes ?? DEFAULT_HIGH_WATER, {
      pause: () => this.#reading?.pause(),
      resume: () => {
        this.#silence.heard();
        this.#reading?.resume();
      },
    });
    const connection: pg.ClientConfig = {
      ...options.connection,
      stream: () => {
        options.signal?.throwIfAborted(); // connecting would bring a destroyed socket back to life
        return this.#socket;
      },
    };
    this.#service = new LogicalReplicationService(connection, {
      // Its own timer acknowledges what was received, durable or not; its flow control goes on after a handler that failed.
      acknowledge: { auto: false, timeoutSeconds: 0 },
      flowControl: { enabled: false },
    });
    listenFromTheStart(this.#service, connection);
  }

  async open(): Promise<void> {
    this.#options.signal?.addEventListener('abort', this.#onAbort);
    // A failure comes as a rejection of subscribe(), which carries the SQLSTATE, and again as this event, which without a
    // listener would be thrown; but a connection that ends before the start comes as this event only.
    let reported: unknown = null;
    this.#service.on('error', (error) => {
      reported ??= error;
    });
    this.#service.on('heartbeat', (walEnd, _wrongTime, replyRequested) =>
      this.#keepalive(parseLsn(walEnd), replyRequested),
    );
    const started = new Promise<void>((resolve) => this.#service.on('start', () => resolve(this.#onStart())));
    const plugin: OutputPlugin = {
      options: null,
      name: 'pgoutput',
      start: (client) => this.#startReplication(client),
      parse: (message) => this.#receive(message),
    };
    // Always with a start: without one it goes on after what was received last, durable or not.
    const ended = this.#service.subscribe(plugin, this.#options.slot, formatLsn(this.#options.start)).then(
      () => this.#fail(reported ?? new Error('Postgres ended the replication')),
      (error: unknown) => this.#fail(error),
    );
    // A network that swallows what is sent would be waited on for a quarter of an hour.
    const late = setTimeout(() => {
      const message = `Postgres did not begin to stream within ${OPENING_MS / 1000} s`;
      this.#fail(new Wal2DoltError('E_SOURCE_UNREACHABLE', message));
    }, OPENING_MS);
    try {
      await Promise.race([started, ended.then(() => Promise.reject(this.#inbox.failure))]);
      this.#options.signal?.throwIfAborted();
    } finally {
      clearTimeout(late);
      this.#options.signal?.removeEventListener('abort', this.#onAbort);
    }
  }

  take(timeoutMs: number): Promise<readonly StreamEvent[]> {
    return this.#inbox.take(timeoutMs);
  }

  acknowledge(position: Lsn): void {
    this.#acknowledged = maxLsn(this.#acknowledged, position);
    this.#sendStatus(false);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #startReplication(client: pg.Client): Promise<unknown> {
    this.#client = client;
    const { server, slot, publication, start, durable = start } = this.#options;
    if (server) await this.#requireServer(client, server);
    const state = await readSlotState(client, slot);
    if (state.lost) throw new Wal2DoltError('E_SLOT_LOST', `the replication slot ${slot} has been invalidated`);
    if (start > state.written) {
      // Postgres would wait for it, and skip what it writes until then.
      const message = `the target stands at ${formatLsn(start)}, but Postgres has written only up to ${formatLsn(state.written)}`;
      throw new Wal2DoltError('E_OTHER_SOURCE', message);
    }
    // Never a status before where the slot stands: older servers would move it back.
    this.#acknowledged = maxLsn(durable, state.confirmed);

    const timings = liveness(state.walSenderTimeoutMs);
    this.#tickMs = timings.tickMs;
    this.#silence = new SilenceDetector(timings.silentTicks);
    gatherLongMessages(client.connection);
    this.#reading = new PacedReading(client.connection.stream);
    client.connection.stream.on('data', () => this.#silence.heard()); // bytes: a large row may take minutes
    client.on('notice', (notice) => this.#notice(notice));
    return client.query(startReplication(slot, publication, start));
  }

  async #requireServer(client: pg.Client, server: NonNullable<ReplicationOptions['server']>): Promise<void> {
    const { systemId, timelines } = await identifySystem(client);
    const timeline = timelines.at(-1)?.id;
    if (systemId === server.systemId && timeline === server.timeline) return;
    const message = `another server answers than a moment ago: system ${systemId}, timeline ${timeline}`;
    throw new Wal2DoltError('E_STREAM_ENDED', message);
  }

  #onStart(): void {
    this.#started = true;
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
  }

  /** Runs inside the socket's event: whatever is thrown here would end the process. `message` is overwritten later. */
  #receive(message: Buffer): void {
    if (this.#inbox.failure) return;
    try {
      this.#inbox.push(decodeMessage(message, this.#memory), message.length + EVENT_OVERHEAD);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** In order with the events. Not answered here: one that Postgres sends while it shuts down would come back at once, endlessly. */
  #keepalive(walEnd: Lsn, replyRequested: boolean): void {
    if (this.#inbox.failure) return;
    const before = this.#inbox.last;
    // A server that is busy with what is not published sends many.
    if (before?.kind !== 'keepalive') this.#inbox.push({ kind: 'keepalive', walEnd, replyRequested }, EVENT_OVERHEAD);
    else
      this.#inbox.replaceLast({ kind: 'keepalive', walEnd, replyRequested: replyRequested || before.replyRequested });
  }

  /** Postgres 18 only warns that the publication is gone, and leaves the changes out; before, it is an error. */
  #notice(notice: { code: string | undefined; routine: string | undefined; message: string | undefined }): void {
    if (notice.code !== '55000' || notice.routine !== 'LoadPublications') return;
    this.#fail(new Wal2DoltError('E_PUBLICATION_MISSING', notice.message ?? 'Postgres left out the publication'));
  }

  #tick(): void {
    this.#sendStatus(true);
    if (this.#silence.tick(!this.#inbox.paused)) this.#fail(new Error('Postgres is silent, although asked to answer'));
  }

  /**
   * The only place that sends an LSN. The library adds one to it (the protocol wants "the last byte + 1"), but an end LSN is that
   * sum already: one more, and a transaction whose commit record begins exactly there would never be sent again.
   */
  #sendStatus(answer: boolean): void {
    if (this.#acknowledged === 0n) return;
    void this.#service.acknowledge(formatLsn(lsn(this.#acknowledged - 1n)), answer).catch((error) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#inbox.fail(this.#classify(error));
    this.#socket.destroy(); // a slot stays in use as long as its connection is open
  }

  #classify(error: unknown): Wal2DoltError {
    const failure = asSourceError(error);
    if (!this.#started || failure.code !== 'E_SOURCE_UNREACHABLE') return failure;
    return new Wal2DoltError('E_STREAM_ENDED', failure.message, { cause: error });
  }

  readonly #onAbort = (): void => {
    this.#socket.destroy();
  };

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.#inbox.fail(new Wal2DoltError('E_STREAM_ENDED', 'the replication stream was closed'));
    if (this.#started && this.#client) {
      // The server reads our messages in order, so the last status before this. It must not find the connection broken
      // first: so what it still sends is read, and dropped.
      this.#client.connection.end();
      this.#reading?.resume();
      const timer = setTimeout(() => this.#socket.destroy(), FAREWELL_MS);
      await this.#closed;
      clearTimeout(timer);
    }
    this.#socket.destroy();
    await this.#closed; // before the library takes its listeners away: an error after that would be thrown
    await this.#service.destroy().catch(() => {});
  }
}
