import { type Cell, type Row, UNCHANGED } from './row.js';

/** Before the cells: how many there are. */
export const TUPLE_HEADER = 2;
export const TEXT = 0x74; // t
export const NULL = 0x6e; // n
const UNCHANGED_TOAST = 0x75; // u
/** Before the text of a cell: its kind, and how many bytes it has. */
export const TEXT_HEADER = 5;

/**
 * A row as pgoutput sends it: how many cells, and of each its kind, its length and its text as valid UTF-8. In bytes it takes
 * half of what its strings would, outside of the heap that V8 has to walk; what is never asked for is never made.
 * Source: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html (TupleData)
 */
export class Tuple {
  constructor(
    /** Nothing of it from `start` to `end` may change while the tuple is in use. */
    readonly bytes: Buffer,
    readonly start: number,
    readonly end: number,
    /** No cell is UNCHANGED. */
    readonly isComplete: boolean,
  ) {}

  static of(cells: Row): Tuple {
    let size = TUPLE_HEADER;
    for (const cell of cells) size += typeof cell === 'string' ? TEXT_HEADER + Buffer.byteLength(cell) : 1;
    const bytes = Buffer.allocUnsafe(size);
    let at = bytes.writeUInt16BE(cells.length);
    for (const cell of cells) {
      if (typeof cell !== 'string') at = bytes.writeUInt8(cell === null ? NULL : UNCHANGED_TOAST, at);
      else {
        bytes[at] = TEXT;
        const length = bytes.write(cell, at + TEXT_HEADER);
        at = bytes.writeUInt32BE(length, at + 1) + length;
      }
    }
    return new Tuple(bytes, 0, size, !cells.includes(UNCHANGED));
  }

  /** In bytes. */
  get size(): number {
    return this.end - this.start;
  }

  /** How many cells it has. */
  get length(): number {
    const { bytes, start } = this;
    return ((bytes[start] as number) << 8) | (bytes[start + 1] as number); // it begins with them; asked for with every comparison of keys
  }

  /** All cells, made anew with each call. */
  cells(): Row {
    const { bytes } = this;
    const count = this.length;
    const cells: Cell[] = new Array(count);
    let at = this.start + TUPLE_HEADER;
    for (let i = 0; i < count; i += 1) {
      const kind = bytes[at];
      if (kind === TEXT) {
        const from = at + TEXT_HEADER;
        at = from + bytes.readUInt32BE(at + 1);
        cells[i] = bytes.toString('utf8', from, at);
      } else {
        cells[i] = kind === NULL ? null : UNCHANGED;
        at += 1;
      }
    }
    return cells;
  }

  /** Visits all cells: where the text of each lies in `bytes`, or what it is without one. */
  eachCell(
    visit: (position: number, start: number, end: number, without: null | typeof UNCHANGED | undefined) => void,
  ): void {
    const { bytes } = this;
    const count = this.length;
    let at = this.start + TUPLE_HEADER;
    for (let i = 0; i < count; i += 1) {
      const kind = bytes[at];
      if (kind === TEXT) {
        const from = at + TEXT_HEADER;
        at = from + bytes.readUInt32BE(at + 1);
        visit(i, from, at, undefined);
      } else {
        at += 1;
        visit(i, at, at, kind === NULL ? null : UNCHANGED);
      }
    }
  }

  /** One of its cells; NULL behind the last. */
  cell(position: number): Cell {
    const at = this.#at(position);
    if (at >= this.end) return null;
    const kind = this.bytes[at];
    if (kind !== TEXT) return kind === NULL ? null : UNCHANGED;
    const from = at + TEXT_HEADER;
    return this.bytes.toString('utf8', from, from + this.bytes.readUInt32BE(at + 1));
  }

  /** `hash` with a cell's text in it, a number of 32 bits; null for a cell without text. */
  hashCell(position: number, hash: number): number | null {
    const { bytes } = this;
    const at = this.#at(position);
    if (bytes[at] !== TEXT || at >= this.end) return null;
    const from = at + TEXT_HEADER;
    const to = from + bytes.readUInt32BE(at + 1);
    // FNV-1a. Source: https://www.rfc-editor.org/rfc/rfc9923
    let mixed = Math.imul(hash ^ (to - from), 0x01000193);
    for (let i = from; i < to; i += 1) mixed = Math.imul(mixed ^ (bytes[i] as number), 0x01000193); // below the end
    return mixed;
  }

  /** Whether another tuple has the same text at this position. */
  hasSameText(position: number, other: Tuple): boolean {
    const at = this.#at(position);
    const there = other.#at(position);
    if (at >= this.end || this.bytes[at] !== TEXT || there >= other.end || other.bytes[there] !== TEXT) return false;
    const end = at + TEXT_HEADER + this.bytes.readUInt32BE(at + 1);
    for (let i = at + 1, j = there + 1; i < end; i += 1, j += 1) if (this.bytes[i] !== other.bytes[j]) return false;
    return true;
  }

  /** Where a cell begins; the end for one behind the last. */
  #at(position: number): number {
    const { bytes } = this;
    if (position >= this.length) return this.end;
    let at = this.start + TUPLE_HEADER;
    for (let i = 0; i < position; i += 1) at += bytes[at] === TEXT ? TEXT_HEADER + bytes.readUInt32BE(at + 1) : 1;
    return at;
  }

  /** The same for the same cells, and only for those. */
  get text(): string {
    return this.bytes.toString('latin1', this.start, this.end);
  }

  /** Its UNCHANGED cells taken from `under`. */
  over(under: Tuple): Tuple {
    if (this.isComplete) return this;
    const below = under.cells();
    return Tuple.of(this.cells().map((cell, i): Cell => (cell === UNCHANGED ? (below[i] ?? null) : cell)));
  }
}

/** What JavaScript throws for a text that is longer than a string can be: for one that is put together, and for one made of bytes. */
export const isTooLong = (error: unknown): error is Error =>
  error instanceof Error && ('code' in error ? error.code === 'ERR_STRING_TOO_LONG' : error instanceof RangeError);
