import { NULL, TEXT, TEXT_HEADER, TUPLE_HEADER, Tuple } from '../core/tuple.js';
import { Wal2DoltError } from '../errors.js';

const TAB = 0x09;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const N = 0x4e;

/** What the byte after a backslash stands for. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) => byte);
for (const [letter, character] of ['b\b', 'f\f', 'n\n', 'r\r', 't\t', 'v\v']) {
  ESCAPED[letter?.charCodeAt(0) ?? 0] = character?.charCodeAt(0) ?? 0;
}

/** From here on it pays to look for the end of what has no escape, and to copy that at once. */
const LONG = 200;
/** Of a chunk, in which the rows of a copy lie one after the other: taken from the system at once, the more the more is needed. */
const FIRST_CHUNK = 8 << 10;
const CHUNK = 256 << 10;
/** A row so large has its chunk for itself, which goes with it. */
const LARGE = 64 << 10;
/** A chunk that is too small for its row grows by as much again, a huge one by an eighth. */
const HUGE = 4 << 20;

/**
 * Reads the text format of COPY … TO STDOUT, in pieces cut anywhere: also inside a character or an escape.
 *
 * A newline inside a value is escaped, so a raw newline always ends a row, as a raw tab ends a cell. Each byte goes from the piece to the
 * tuple that it belongs to: a huge row is in memory once while it arrives.
 * The bytes are valid UTF-8: Postgres checks what it sends to a client of that encoding, from SQL_ASCII databases too.
 * Source: https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS (text format)
 */
export class CopyTextParser {
  readonly #columns: number;
  #chunk: Buffer = Buffer.allocUnsafeSlow(FIRST_CHUNK);
  /** Where in it the row, its cell, and what is written next begin. */
  #start = 0;
  #cell = 0;
  #to = 0;
  #cells = 0;
  #isNull = false;
  /** The last byte was a backslash. */
  #escaping = false;
  #waiting = 0;

  constructor(columns: number) {
    this.#columns = columns;
    this.#begin();
  }

  /** Bytes that were received of the row that has not ended yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Appends the rows that this piece completes. The piece may be reused by the caller afterwards. */
  push(piece: Buffer, rows: Tuple[] = []): Tuple[] {
    const specials = new Specials(piece);
    let begun = -this.#waiting;
    for (let at = 0; at < piece.length; at += 1) {
      if (this.#escaping) {
        this.#escaped(piece[at] as number); // below the end
        continue;
      }
      at = this.#plain(piece, at, specials);
      if (at === piece.length) break;
      const byte = piece[at];
      if (byte === BACKSLASH) this.#escaping = true;
      else if (byte === TAB) this.#endCell();
      else {
        rows.push(this.#endRow(at - begun));
        begun = at + 1;
      }
    }
    this.#waiting = piece.length - begun;
    return rows;
  }

  /** To be called after the last piece. Throws E_SOURCE_PROTOCOL when a row was cut off. */
  end(): void {
    if (this.#waiting > 0) throw protocolError('the last row has no end');
  }

  /** Takes what comes until the next special byte, and returns where that is. */
  #plain(piece: Buffer, from: number, specials: Specials): number {
    this.#reserve(LONG);
    const chunk = this.#chunk;
    const stop = Math.min(piece.length, from + LONG);
    let at = from;
    let to = this.#to;
    for (; at < stop; at += 1, to += 1) {
      const byte = piece[at] as number; // below the end
      if (byte === TAB || byte === NEWLINE || byte === BACKSLASH) break;
      chunk[to] = byte;
    }
    this.#to = to;
    if (at < from + LONG) return at;
    const end = specials.after(at);
    this.#reserve(end - at);
    this.#to += piece.copy(this.#chunk, this.#to, at, end);
    return end;
  }

  #escaped(byte: number): void {
    this.#escaping = false;
    if (byte === N) this.#isNull = true;
    else {
      this.#reserve(1);
      this.#chunk[this.#to] = ESCAPED[byte] as number; // a byte
      this.#to += 1;
    }
  }

  #endCell(): void {
    if (this.#isNull) {
      this.#chunk[this.#cell] = NULL;
      this.#to = this.#cell + 1;
    } else {
      this.#chunk[this.#cell] = TEXT;
      this.#chunk.writeUInt32BE(this.#to - this.#cell - TEXT_HEADER, this.#cell + 1);
    }
    this.#isNull = false;
    this.#cells += 1;
    this.#reserve(TEXT_HEADER);
    this.#cell = this.#to;
    this.#to += TEXT_HEADER;
  }

  /** `received` are the bytes of the whole row in the text. */
  #endRow(received: number): Tuple {
    const hasNoCells = this.#columns === 0 && received === 0;
    if (!hasNoCells) this.#endCell();
    if (this.#cells !== this.#columns) {
      throw protocolError(`a row has ${this.#cells} columns instead of ${this.#columns}`);
    }
    const row = new Tuple(this.#chunk, this.#start, this.#cell, true);
    this.#chunk.writeUInt16BE(this.#cells, this.#start);
    this.#start = row.end;
    this.#to = row.end;
    if (row.size >= LARGE) this.#moveTo(Buffer.allocUnsafeSlow(FIRST_CHUNK));
    this.#begin();
    return row;
  }

  #begin(): void {
    this.#cells = 0;
    this.#reserve(TUPLE_HEADER + TEXT_HEADER);
    this.#cell = this.#start + TUPLE_HEADER;
    this.#to = this.#cell + TEXT_HEADER;
  }

  /** Room for so many bytes more of the row. */
  #reserve(more: number): void {
    const { length } = this.#chunk;
    if (this.#to + more <= length) return;
    const needed = this.#to - this.#start + more;
    const wanted = needed + Math.max(Math.min(needed, HUGE), Math.floor(needed / 8));
    this.#moveTo(Buffer.allocUnsafeSlow(Math.max(wanted, Math.min(CHUNK, 2 * length))));
  }

  /** What there is of the row goes with it. */
  #moveTo(chunk: Buffer): void {
    this.#chunk.copy(chunk, 0, this.#start, this.#to);
    this.#cell -= this.#start;
    this.#to -= this.#start;
    this.#start = 0;
    this.#chunk = chunk;
  }
}

/** Where in a piece the bytes are that mean something. Each part of it is searched once, however many long cells it has. */
class Specials {
  readonly #piece: Buffer;
  readonly #next = [TAB, NEWLINE, BACKSLASH].map((byte) => ({ byte, at: -1 }));

  constructor(piece: Buffer) {
    this.#piece = piece;
  }

  /** The first one from `from` on, or the piece's end. */
  after(from: number): number {
    let first = this.#piece.length;
    for (const next of this.#next) {
      if (next.at < from) {
        const found = this.#piece.indexOf(next.byte, from);
        next.at = found < 0 ? this.#piece.length : found;
      }
      first = Math.min(first, next.at);
    }
    return first;
  }
}

const protocolError = (what: string): Wal2DoltError => new Wal2DoltError('E_SOURCE_PROTOCOL', `COPY: ${what}`);
