/** Most commits of who keeps up are of a row or two. */
const FIRST = 4 << 10;
/** What is larger is given back after use. */
const KEPT = 4 << 20;
/** From here on it pays to look for the end of what needs no escape, and to copy that at once. */
const LONG = 200;

const QUOTE = 0x27;
const BACKSLASH = 0x5c;
const ZERO = 0x30;

/** A SQL statement that is being written, in UTF-8. */
export class SqlBytes {
  #bytes = Buffer.allocUnsafeSlow(FIRST);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written, until something is written again. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT) this.#bytes = Buffer.allocUnsafeSlow(FIRST);
  }

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  text(text: string): void {
    if (text.length < LONG && this.#ascii(text)) return;
    this.#reserve(3 * text.length > KEPT ? Buffer.byteLength(text) : 3 * text.length);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** Bytes as they are. */
  copy(from: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    if (end - start >= LONG) from.copy(this.#bytes, this.#length, start, end);
    else for (let i = start, to = this.#length; i < end; i += 1, to += 1) this.#bytes[to] = from[i] as number; // below the end
    this.#length += end - start;
  }

  /** UTF-8 as a SQL string; what is escaped, and why: `escapeString`. */
  string(from: Buffer, start: number, end: number): void {
    this.#reserve(end - start + 2 * LONG + 2);
    this.byte(QUOTE);
    if (end - start < LONG) this.#escape(from, start, end);
    else {
      for (let at = start; at < end; ) {
        const special = specialAt(from, at, end);
        this.copy(from, at, special);
        const next = Math.min(special + LONG, end);
        this.#reserve(2 * LONG + 2);
        this.#escape(from, special, next);
        at = next;
      }
    }
    this.byte(QUOTE);
  }

  #escape(from: Buffer, start: number, end: number): void {
    const bytes = this.#bytes;
    let to = this.#length;
    for (let i = start; i < end; i += 1) {
      const byte = from[i] as number; // below the end
      if (byte === QUOTE || byte === BACKSLASH || byte === 0) {
        bytes[to] = BACKSLASH;
        to += 1;
      }
      bytes[to] = byte === 0 ? ZERO : byte;
      to += 1;
    }
    this.#length = to;
  }

  #ascii(text: string): boolean {
    this.#reserve(LONG);
    const bytes = this.#bytes;
    const to = this.#length;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      bytes[to + i] = code;
    }
    this.#length += text.length;
    return true;
  }

  /** Grows by as much again, of a huge statement by an eighth: often enough a few bytes more are all that is missing. */
  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(needed + Math.max(Math.min(needed, KEPT), Math.floor(needed / 8)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

function specialAt(from: Buffer, start: number, end: number): number {
  for (let i = start; i < end; i += 1) {
    const byte = from[i];
    if (byte === QUOTE || byte === BACKSLASH || byte === 0) return i;
  }
  return end;
}
