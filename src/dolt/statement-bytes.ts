import { constants } from 'node:buffer';
import type { Connection, Query, QueryError } from 'mysql2';

/** What mysql2 puts in front of a statement, at most: a length, a number, COM_QUERY, and that there are no attributes. */
const ROOM = 7;
const HEADER = 4;
const COM_QUERY = 3;

const SEPARATOR = Buffer.from(';');

/** A statement as UTF-8. What it is made of may change afterwards. */
export class StatementBytes {
  /** With room in front. */
  readonly #bytes: Buffer;

  /** Throws a RangeError for more bytes than a string can have characters: a row of so many could not be read again. */
  constructor(sql: string | Buffer) {
    const length = typeof sql === 'string' ? Buffer.byteLength(sql) : sql.length;
    if (length > constants.MAX_STRING_LENGTH) throw new RangeError(`a statement of ${length} bytes is too long`);
    this.#bytes = Buffer.allocUnsafe(ROOM + length);
    if (typeof sql === 'string') this.#bytes.write(sql, ROOM);
    else sql.copy(this.#bytes, ROOM);
  }

  static together(statements: readonly StatementBytes[]): StatementBytes {
    const [only] = statements;
    if (only && statements.length === 1) return only;
    const parts = statements.flatMap((one) => [SEPARATOR, one.#bytes.subarray(ROOM)]);
    return new StatementBytes(Buffer.concat(parts.slice(1)));
  }

  /** In bytes. */
  get length(): number {
    return this.#bytes.length - ROOM;
  }

  /** So many bytes of its beginning. */
  head(length: number): string {
    return this.#bytes.toString('utf8', ROOM, ROOM + length);
  }

  /** A packet that is as this one of an empty statement, but has these bytes. */
  behind(empty: Buffer): Buffer {
    const packet = this.#bytes.subarray(ROOM - empty.length);
    empty.copy(packet);
    return packet;
  }
}

/**
 * What mysql2 gives its `writePacket`, which cuts it into packets of at most 2^24 - 1 bytes: one more than have come to an end before it is
 * as long as from `start` to `end`. With its own `start` of 0, a statement of 2 to 4 bytes less than that is followed by an empty packet, at
 * which Dolt closes the connection; a byte more than the statement has is right. Source: mysql2/lib/packets/packet.js, lib/base/connection.js
 */
interface Packet {
  buffer: Buffer;
  start: number;
  offset: number;
  end: number;
}

/**
 * Has a connection send bytes. mysql2 takes statements as strings only: of the megabytes of a copy it would make a string first, in V8's own
 * memory, and then bytes again, in a sixth of all the time that a copy takes Node. So it is given an empty statement, and the packet
 * that comes of that gets other bytes before it is written. Nobody else asks for an empty one. Source: mysql2/lib/packets/query.js
 */
export class BytesSender {
  readonly #connection: Connection;
  #next: StatementBytes | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
    const write = connection.writePacket.bind(connection);
    connection.writePacket = (packet: Packet): void => {
      if (this.#next !== null && packet.buffer.length <= ROOM && packet.buffer[HEADER] === COM_QUERY) {
        packet.buffer = this.#next.behind(packet.buffer);
        packet.offset = packet.buffer.length;
        packet.end = packet.buffer.length;
        packet.start = HEADER - 1;
        this.#next = null;
      }
      write(packet);
    };
  }

  /** Only when the one before was answered. An error in place of an answer where the empty statement was sent after all. */
  query(statement: StatementBytes, settle: (error: QueryError | Error | null, result: unknown) => void): Query {
    this.#next = statement;
    return this.#connection.query('', (error, result) => {
      if (error === null && this.#next !== null) settle(new Error('mysql2 sent an empty statement'), null);
      else settle(error, result);
    });
  }
}
