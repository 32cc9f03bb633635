import { StringDecoder } from 'node:string_decoder';
import type { Row } from '../core/row.js';
import { Wal2DoltError } from '../errors.js';

/**
 * Reads the text format of COPY … TO STDOUT, in pieces cut anywhere: also inside a character or an escape.
 *
 * A newline inside a value is escaped, so a raw newline always ends a row. What follows the last one waits for the next
 * piece as text already, so that a huge row is in memory once while it arrives, not also as bytes.
 * The bytes are valid UTF-8: Postgres checks what it sends to a client of that encoding, from SQL_ASCII databases too.
 * Source: https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS (text format)
 */
export class CopyTextParser {
  readonly #columns: number;
  readonly #decoder = new StringDecoder('utf8');
  /** The beginning of a row that has not ended yet. */
  #unfinished = '';

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Characters of the row that has not ended yet. */
  get waiting(): number {
    return this.#unfinished.length;
  }

  /** Appends the rows that this piece completes. The piece may be reused by the caller afterwards. */
  push(piece: Buffer, rows: Row[] = []): Row[] {
    const text = this.#decoder.write(piece);
    const end = text.lastIndexOf('\n') + 1;
    const complete = end === 0 ? '' : this.#unfinished + text.slice(0, end);
    this.#unfinished = end === 0 ? this.#unfinished + text : text.slice(end);
    return this.#parse(complete, rows);
  }

  /** To be called after the last piece. Throws E_SOURCE_PROTOCOL when a row was cut off. */
  end(): void {
    if (this.#unfinished + this.#decoder.end() !== '') throw protocolError('the last row has no end');
  }

  #parse(text: string, rows: Row[]): Row[] {
    const escaped = text.includes('\\');
    for (let start = 0; start < text.length; ) {
      const end = text.indexOf('\n', start);
      rows.push(this.#row(text.slice(start, end), escaped));
      start = end + 1;
    }
    return rows;
  }

  #row(line: string, escaped: boolean): Row {
    if (this.#columns === 0 && line === '') return [];
    const cells: (string | null)[] = line.split('\t');
    if (cells.length !== this.#columns) {
      throw protocolError(`a row has ${cells.length} columns instead of ${this.#columns}`);
    }
    if (escaped && line.includes('\\')) {
      for (let i = 0; i < cells.length; i++) cells[i] = unescapeCell(cells[i] as string); // split() made it: no hole
    }
    return cells;
  }
}

const BACKSLASH = 0x5c;
/** What the byte after a backslash stands for. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) => byte);
for (const [letter, character] of ['b\b', 'f\f', 'n\n', 'r\r', 't\t', 'v\v']) {
  ESCAPED[letter?.charCodeAt(0) ?? 0] = character?.charCodeAt(0) ?? 0;
}

/** In its bytes: put together from pieces of string, a long cell with many escapes takes six times its size. */
function unescapeCell(cell: string): string | null {
  if (cell === '\\N') return null;
  // A bytea, as a rule, of which no copy is needed.
  if (cell.startsWith('\\\\') && cell.indexOf('\\', 2) < 0) return cell.slice(1);
  const bytes = Buffer.from(cell);
  let to = bytes.indexOf(BACKSLASH);
  if (to < 0) return cell;
  for (let from = to; from < bytes.length; from += 1) {
    let byte = bytes[from] as number; // below its length
    if (byte === BACKSLASH) {
      from += 1;
      byte = ESCAPED[bytes[from] as number] as number; // Postgres ends no cell with half an escape
    }
    bytes[to] = byte;
    to += 1;
  }
  return bytes.toString('utf8', 0, to);
}

const protocolError = (what: string): Wal2DoltError => new Wal2DoltError('E_SOURCE_PROTOCOL', `COPY: ${what}`);
