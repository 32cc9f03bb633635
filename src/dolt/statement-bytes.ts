import { constants } from 'node:buffer';
import type { Connection, Query } from 'mysql2';
import { Wal2DoltError } from '../errors.js';

/** What mysql2 puts in front of a statement, at most: a length, a number, COM_QUERY, and that there are no attributes. */
const ROOM = 7;
const HEADER = 4;
const COM_QUERY = 3;

const SEPARATOR = Buffer.from(';');

/** A statement as UTF-8. What it is made of may change afterwards. */
export class StatementBytes {
  /** With room in front. */
  readonly #bytes: Buffer;

  /** Throws a RangeError, as `isTooLong` knows it, for more bytes than a string can have characters: such a row could not be read again. */
  constructor(sql: string | Buffer) {
    const length = typeof sql === 'string' ? Buffer.byteLength(sql) : sql.length;
    if (length > constants.MAX_STRING_LENGTH) throw new RangeError(`a statement of ${length} bytes is too long`);
    this.#bytes = Buffer.allocUnsafe(ROOM + length);
    const written = typeof sql === 'string' ? this.#bytes.write(sql, ROOM) : sql.copy(this.#bytes, ROOM);
    // What is behind would be whatever was in memory. Node 22.7 wrote less of some strings than it had said.
    if (written !== length) throw new Wal2DoltError('E_INTERNAL', `a statement of ${length} bytes became ${written}`);
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
 * What mysql2 gives its `writePacket`, which cuts it where it is longer than a packet can be, 2^24 - 1 bytes: another packet begins as long
 * as those before have fewer bytes than there are from `start` to `end`. Right is one more than are to be sent, so that an empty one comes
 * last only where all others are full; with mysql2's own `start` of 0 one comes too behind up to three bytes less, at which Dolt closes the
 * connection. Source: mysql2/lib/packets/packet.js, lib/base/connection.js
 */
interface Packet {
  buffer: Buffer;
  start: number;
  end: number;
}

type Settle = (error: Error | null, result: unknown) => void;

/**
 * Has a connection send bytes. mysql2 takes statements as strings only: of the bytes of a copy it would make a string first, and then bytes
 * again, which costs Node about as much as to make the statements of the rows. So it is given an empty statement, and the packet that comes of
 * that gets other bytes before it is written. Nobody else asks for an empty one. Source: mysql2/lib/packets/query.js
 */
export class BytesSender {
  readonly #connection: Connection;
  #next: StatementBytes | null = null;
  #sent: StatementBytes | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
    const write = connection.writePacket.bind(connection);
    connection.writePacket = (packet: Packet): void => {
      if (this.#next !== null && packet.buffer.length <= ROOM && packet.buffer[HEADER] === COM_QUERY) {
        packet.buffer = this.#next.behind(packet.buffer);
        packet.start = HEADER - 1;
        packet.end = packet.buffer.length;
        this.#sent = this.#next;
        this.#next = null;
      }
      write(packet);
    };
  }

  /** Only when the one before was answered. What `settle` is told is an error where another one, or the empty one, was sent in its place. */
  query(statement: StatementBytes, settle: Settle): Query {
    this.#next = statement;
    return this.#connection.query('', (error, result) => {
      const wasSent = this.#sent === statement;
      this.#sent = null;
      this.#next = null; // it was not even sent where the connection was lost
      if (error || wasSent) settle(error, result);
      else settle(new Wal2DoltError('E_INTERNAL', 'another statement was sent than the one that was to be'), null);
    });
  }
}
