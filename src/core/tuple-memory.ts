import { Tuple } from './tuple.js';

/** Taken from the system at once, the more the more is needed. Many small buffers would cost V8 more than the rows themselves. */
const FIRST_CHUNK = 8 << 10;
const CHUNK = 256 << 10;
/** From here on a row has memory of its own. */
const LARGE = 4 << 10;
/** So that the next version of a row, a little longer, fits where the one before was. */
const ROUND = 32;

/** Where many tuples are kept, for as long as somebody has them. */
export class TupleMemory {
  #chunk: Buffer = Buffer.alloc(0);
  #used = 0;
  #taken = 0;

  /** Bytes that were taken, those included of tuples that nobody has any more. */
  get taken(): number {
    return this.#taken;
  }

  /** Counts what is taken elsewhere on account of the tuples. */
  take(bytes: number): void {
    this.#taken += bytes;
  }

  /** Bytes `start` to `end` of a message, copied. */
  copy(message: Buffer, start: number, end: number, isComplete: boolean): Tuple {
    const size = end - start;
    const room = roomFor(size);
    this.#taken += room;
    if (size >= LARGE) {
      const own = Buffer.allocUnsafeSlow(size);
      message.copy(own, 0, start, end);
      return new Tuple(own, 0, size, isComplete);
    }
    if (this.#used + room > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK, Math.max(FIRST_CHUNK, 2 * this.#chunk.length)));
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += room;
    message.copy(this.#chunk, at, start, end);
    return new Tuple(this.#chunk, at, at + size, isComplete);
  }

  /** Its own copy of a tuple. One that has its memory for itself is kept as it is. */
  keep(tuple: Tuple): Tuple {
    const { bytes, start, end, isComplete } = tuple;
    if (tuple.size < LARGE || bytes.length !== tuple.size) return this.copy(bytes, start, end, isComplete);
    this.#taken += tuple.size;
    return tuple;
  }

  /** A copy of `tuple` in the place of one that was kept here and that nobody will look at again, where it fits there. */
  replace(kept: Tuple, tuple: Tuple): Tuple {
    const { size } = tuple;
    if (size >= LARGE || size > roomFor(kept.size) || kept.size >= LARGE) return this.keep(tuple);
    tuple.bytes.copy(kept.bytes, kept.start, tuple.start, tuple.end);
    return new Tuple(kept.bytes, kept.start, kept.start + size, tuple.isComplete);
  }
}

const roomFor = (size: number): number => Math.ceil(size / ROUND) * ROUND;
