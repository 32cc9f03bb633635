import type { Row } from '../core/change.js';
import { Wal2DoltError } from '../errors.js';

const NEWLINE = 0x0a;

/**
 * Reads the text format of COPY … TO STDOUT, in pieces cut anywhere: also inside a character or an escape.
 *
 * A newline inside a value is escaped, so a raw newline byte always ends a row, and no byte of a longer UTF-8 character
 * looks like one: whole rows are decoded together, and only what follows the last newline waits for the next piece.
 * The bytes are valid UTF-8: Postgres checks what it sends to a client of that encoding, from SQL_ASCII databases too.
 * Source: https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS (text format)
 */
export class CopyTextParser {
  readonly #columns: number;
  /** Copies of the beginning of a row that has not ended yet: joined once, however many pieces a huge row comes in. */
  #unfinished: Uint8Array[] = [];

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** The rows that this piece completes. The piece may be reused by the caller afterwards. */
  push(piece: Uint8Array): Row[] {
    const end = piece.lastIndexOf(NEWLINE) + 1;
    const rows = end > 0 ? this.#parse(this.#completed(piece.subarray(0, end))) : [];
    // Buffer.from copies; slice() would not, since a Buffer's slice is a view.
    if (end < piece.length) this.#unfinished.push(Buffer.from(piece.subarray(end)));
    return rows;
  }

  /** To be called after the last piece. Throws E_SOURCE_PROTOCOL when a row was cut off. */
  end(): void {
    if (this.#unfinished.length > 0) throw protocolError('the last row has no end');
  }

  #completed(piece: Uint8Array): Uint8Array {
    if (this.#unfinished.length === 0) return piece;
    const whole = Buffer.concat([...this.#unfinished, piece]);
    this.#unfinished = [];
    return whole;
  }

  #parse(bytes: Uint8Array): Row[] {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    const escaped = text.includes('\\');
    const rows: Row[] = [];
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

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unescapeCell(cell: string): string | null {
  if (cell === '\\N') return null;
  let text = '';
  let from = 0;
  // Not by a regular expression with a function: that takes 3 to 9 times as long.
  for (let at = cell.indexOf('\\'); at >= 0; at = cell.indexOf('\\', at + 2)) {
    const character = ESCAPES[cell.charAt(at + 1)];
    text += cell.slice(from, at) + (character ?? '');
    from = character === undefined ? at + 1 : at + 2;
  }
  return text + cell.slice(from);
}

const protocolError = (what: string): Wal2DoltError => new Wal2DoltError('E_SOURCE_PROTOCOL', `COPY: ${what}`);
