import { Socket, type SocketConstructorOpts } from 'node:net';
import type { DuplexOptions, Readable } from 'node:stream';

/** In bytes. */
const SMALL = 8 << 10;
/** Small pieces within a millisecond: a transaction of a row or two has less. */
const MANY = 8;
const REST_MS = 1;

/** Stops reading as soon as it is paused; others go on, as it comes, until they have 16 kB. (One with TLS is made of it, and does too.) */
export function pausableSocket(): Socket {
  const options: SocketConstructorOpts & DuplexOptions = { readableHighWaterMark: 1 };
  return new Socket(options);
}

/**
 * Reads what a server sends in small pieces, row by row, in large ones, as long as much comes.
 *
 * A walsender sends every row by itself. Who reads each as soon as it is there has to be woken for each, by the server, and takes longer
 * for it than the server takes to decode: 200,000 rows cost Postgres 15 1.4 s of CPU, and 0.55 s where somebody reads them by 64 kB.
 * So where small pieces come one after the other, they are let gather. What comes alone is read at once.
 */
export class PacedReading {
  readonly #stream: Pick<Readable, 'pause' | 'resume' | 'read'>;
  /** Whoever reads has enough. */
  #stopped = false;
  #rest: NodeJS.Timeout | null = null;
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
    if (length >= SMALL || this.#rest !== null) return;
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
      if (!this.#stopped) this.#stream.read(); // what the stream itself gathered, in one piece
      this.#goOn();
    }, REST_MS);
  }

  #goOn(): void {
    if (!this.#stopped && this.#rest === null) this.#stream.resume();
  }
}
