import type pg from 'pg';

/** Code and length. */
const HEADER = 5;
/** Shorter ones are not worth it. */
const LONG = 1 << 20;

/**
 * Puts long messages of a server together before the driver sees them, each in one piece of memory of its own.
 *
 * Left to itself the driver doubles its buffer again and again while a message arrives, and for what follows begins anew
 * behind it: of a message of 32 MB it held 100 MB. One that comes whole it reads where it is. Short ones pass as they come.
 * Source: https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS
 */
export class LongMessages {
  readonly #next: (piece: Buffer) => void;
  readonly #longFrom: number;
  /** The beginning of a header that is cut off. */
  #header: Buffer = Buffer.alloc(0);
  /** Bytes that have still to come of a short message whose beginning was passed on. */
  #passing = 0;
  #long: Buffer | null = null;
  #filled = 0;

  constructor(next: (piece: Buffer) => void, longFrom = LONG) {
    this.#next = next;
    this.#longFrom = longFrom;
  }

  /** The next bytes of the server; the first are the beginning of a message. */
  push(piece: Buffer): void {
    const rest = this.#long === null ? piece : this.#fill(this.#long, piece);
    if (rest.length > 0) this.#pass(this.#header.length > 0 ? Buffer.concat([this.#header, rest]) : rest);
  }

  /** What is left of the piece. */
  #fill(long: Buffer, piece: Buffer): Buffer {
    const used = piece.copy(long, this.#filled);
    this.#filled += used;
    if (this.#filled === long.length) {
      this.#long = null;
      this.#next(long);
    }
    return piece.subarray(used);
  }

  #pass(bytes: Buffer): void {
    let at = this.#passing;
    let long = 0;
    while (long === 0 && at + HEADER <= bytes.length) {
      const length = 1 + bytes.readUInt32BE(at + 1);
      if (length >= this.#longFrom && at + length > bytes.length) long = length;
      else at += length;
    }
    const end = Math.min(at, bytes.length);
    this.#passing = at - end;
    if (end > 0) this.#next(bytes.subarray(0, end));
    const rest = bytes.subarray(end);
    this.#header = long > 0 ? Buffer.alloc(0) : Buffer.from(rest);
    if (long === 0) return;
    this.#long = Buffer.allocUnsafeSlow(long);
    this.#filled = rest.copy(this.#long);
  }
}

/** Between the connection and its socket, from the next message on: none may be on its way. */
export function gatherLongMessages({ stream }: pg.Connection): void {
  // The driver's parser, which listens like this since the connection stands.
  const listeners = stream.listeners('data') as ((piece: Buffer) => void)[];
  for (const listener of listeners) stream.removeListener('data', listener);
  const messages = new LongMessages((piece) => {
    for (const listener of listeners) listener(piece);
  });
  stream.on('data', (piece: Buffer) => messages.push(piece));
}
