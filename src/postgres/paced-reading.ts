import { Socket, type SocketConstructorOpts } from 'node:net';
import type { DuplexOptions, Readable } from 'node:stream';

/** In bytes. */
const SMALL = 8 << 10;
/** Reads of small pieces within a millisecond: a transaction of a row or two has less. */
const MANY = 8;
const REST_MS = 1;

/** Stops reading as soon as it is paused. Others go on, as it comes, until they have 16 or 64 kB; so does what the driver makes of it for TLS. */
export function pausableSocket(): Socket {
  const options: SocketConstructorOpts & DuplexOptions = { readableHighWaterMark: 1 };
  return new Socket(options);
}

/**
 * Reads what a server sends in small pieces, row by row, in large ones, as long as much comes.
 *
 * A walsender sends every row by itself. Who is faster than it, and reads each as soon as it is there, has to be woken for each, by the
 * server, which takes longer than to decode it: 200,000 rows cost Postgres 15 1.4 s of CPU, and 0.55 s where somebody reads them by 64 kB.
 * So where small pieces come one after the other, they are let gather. A transaction of a row or two is read at once.
 */
export class PacedReading {
  readonly #stream: Pick<Readable, 'pause' | 'resume' | 'read'>;
  /** Whoever reads has enough. */
  #stopped = false;
  #rest: NodeJS.Timeout | null = null;
  /** A small piece came in this turn of the event loop: with TLS one read gives a piece for each row that was in it. */
  #counted = false;
  /** When the first of the small pieces came that are counted, as `performance.now` has it. */
  #since = 0;
  #small = 0;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on('data', (piece: Buffer) => this.#read(piece.length));
  }

  pause(): void {
    this.#stopped = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#stopped = false;
    this.#goOn();
  }

  #read(length: number): void {
    if (length >= SMALL || this.#rest !== null || this.#counted) return;
    this.#counted = true;
    setImmediate(() => {
      this.#counted = false;
    });
    const now = performance.now();
    if (now - this.#since > 1) {
      this.#since = now;
      this.#small = 0;
    }
    this.#small += 1;
    if (this.#small < MANY) return;
    this.#small = 0;
    this.#stream.pause();
    this.#rest = setTimeout(() => {
      this.#rest = null;
      if (!this.#stopped) this.#stream.read(); // what the stream itself gathered: in one piece, as a rule
      this.#goOn();
    }, REST_MS);
  }

  #goOn(): void {
    if (!this.#stopped && this.#rest === null) this.#stream.resume();
  }
}
