import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Horizons } from '../core/horizons.js';
import { type Lsn, maxLsn, minLsn } from '../core/position.js';
import type { TableSchema } from '../core/schema.js';
import { asWal2DoltError, Wal2DoltError } from '../errors.js';
import { readHorizon } from '../postgres/attributes.js';
import { checkStillPublished } from '../postgres/preflight-publication.js';
import { isBeingAltered, missingOperations, readCarried, readPublication } from '../postgres/publication.js';
import { currentWal } from '../postgres/system.js';

/** Between two looks at the transactions that run, and of how many one is at the publication too. */
const EVERY_MS = 500;
const PUBLICATION_EVERY = 20;
/** Before the publication is looked at again while somebody alters it. */
const ALTERED_MS = 20;
/** How long a look may take, connecting included; it takes milliseconds. */
const LOOK_MS = 30_000;

export interface WatchOptions {
  readonly connect: (signal: AbortSignal) => Promise<pg.Client>;
  readonly publication: string;
  /** As the target has them. */
  readonly tables: () => readonly TableSchema[];
  /**
   * Up to where the stream was received, where event triggers tell what becomes of the tables: then a difference counts only
   * if it is still there when the stream has come to it. Null where nothing tells.
   */
  readonly received: (() => Lsn) | null;
  /** Where the stream begins; the publication was in order then. */
  readonly start: Lsn;
  /** Gets what is learned of the transactions that run. */
  readonly horizons: Horizons;
  readonly logger: Logger;
}

/** From some transaction on, changes are missing in the stream. */
export interface PublicationChange {
  /** What commits before it was received whole. */
  readonly wholeUntil: Lsn;
  readonly error: Wal2DoltError;
}

/**
 * Looks, while the stream runs, whether the publication still carries the tables as it did: nothing in the stream tells.
 * After a change, the stream is whole up to where the WAL stood at the last look before. So what is to be committed waits
 * for a look, unless event triggers tell: see `whole`.
 */
export class PublicationWatch implements AsyncDisposable {
  readonly #options: WatchOptions;
  readonly #stop = new AbortController();
  readonly #finished: Promise<void>;
  #client: Promise<pg.Client> | null = null;
  #looking: Promise<void> | null = null;
  #wholeUntil: Lsn;
  #change: PublicationChange | null = null;
  /** Counts the calls of `startOver`: a look that began before one does not know of the tables. */
  #begun = 0;
  /** Something differed when the WAL was here. */
  #suspectAt: Lsn | null = null;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#wholeUntil = options.start;
    this.#finished = this.#watch();
  }

  get change(): PublicationChange | null {
    return this.#change;
  }

  /**
   * Resolves when all that commits before `end`, which was received, is known to have been received whole: at once while the
   * stream is behind the last look. Throws what changed, or why there can be no look.
   */
  async whole(end: Lsn): Promise<void> {
    const { signal } = this.#stop;
    while (this.#options.received === null && this.#wholeUntil < end) {
      if (this.#change !== null) throw this.#change.error;
      await this.#lookOnce();
      if (this.#change === null && this.#wholeUntil < end) await pause(ALTERED_MS, undefined, { signal });
    }
  }

  /** Tables were copied, and are followed from `position` on: the looks since then left them out. */
  startOver(position: Lsn): void {
    this.#begun += 1;
    this.#wholeUntil = minLsn(this.#wholeUntil, position);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#disconnect(); // a look that waits for a silent server would wait for long
    await this.#finished;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    for (let look = 0; !signal.aborted && this.#change === null; look += 1) {
      try {
        if (look % PUBLICATION_EVERY === 0) await this.#lookOnce();
        const client = await this.#connected();
        await this.#options.horizons.look(() => readHorizon(client));
      } catch (thrown) {
        // The stream notices by itself when the server is gone; the next look has a new connection.
        this.#options.logger.debug({ reason: asWal2DoltError(thrown).message }, 'the publication was not looked at');
        await this.#disconnect();
      }
      await pause(EVERY_MS, undefined, { signal }).catch(() => {});
    }
    await this.#disconnect();
  }

  /** Shared by all who want it at the same time. */
  #connected(): Promise<pg.Client> {
    this.#client ??= this.#options.connect(this.#stop.signal);
    return this.#client;
  }

  /** One look at a time, which all share that want one meanwhile. */
  #lookOnce(): Promise<void> {
    this.#looking ??= this.#lookInTime().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  /** What waits to be committed would wait as long as the system does for a network that drops what is sent. */
  async #lookInTime(): Promise<void> {
    const late = setTimeout(() => void this.#disconnect(), LOOK_MS);
    await this.#look().finally(() => clearTimeout(late));
  }

  async #look(): Promise<void> {
    const begun = this.#begun;
    const client = await this.#connected();
    // Both read before the publication: what commits later, or is not seen yet, may be of one that is changed.
    const reached = await currentWal(client);
    const altered = await isBeingAltered(client, this.#options.publication);
    const { received } = this.#options;
    const told = received !== null && this.#suspectAt !== null && received() >= this.#suspectAt;
    const error = await this.#difference(client);
    if (error === null) {
      if (!altered && begun === this.#begun) this.#wholeUntil = maxLsn(this.#wholeUntil, reached);
      this.#suspectAt = null;
    } else if (received === null || told || error.code === 'E_PUBLICATION_MISSING') {
      this.#change = { wholeUntil: this.#wholeUntil, error };
    } else this.#suspectAt ??= reached;
  }

  async #difference(client: pg.Client): Promise<Wal2DoltError | null> {
    const { publication: name, tables } = this.#options;
    const publication = await readPublication(client, name);
    if (!publication) return new Wal2DoltError('E_PUBLICATION_MISSING', `there is no publication ${name} any more`);
    const missing = missingOperations(publication);
    if (missing.length > 0) {
      const message = `the publication ${name} leaves out ${missing.join(', ')} now`;
      return new Wal2DoltError('E_PUBLICATION_OPERATIONS', message);
    }
    const followed = tables();
    const oids = followed.map(({ oid }) => oid);
    const findings = await checkStillPublished(client, name, await readCarried(client, name, oids), followed);
    const errors = findings.filter(({ severity }) => severity === 'error');
    if (errors.length === 0) return null;
    const told = errors.map(({ message, fix }) => `${message}${fix === undefined ? '' : `\n${fix}`}`);
    return new Wal2DoltError('E_PUBLICATION_CHANGED', told.join('\n'));
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.then((connected) => connected.end()).catch(() => {});
  }
}
