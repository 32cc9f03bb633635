import { isUtf8 } from 'node:buffer';
import type { OldRow, RelationColumn, SourceEvent } from '../core/change.js';
import { type Lsn, lsn, type Micros } from '../core/position.js';
import type { Tuple } from '../core/tuple.js';
import { TupleMemory } from '../core/tuple-memory.js';
import { Wal2DoltError } from '../errors.js';

/**
 * Decodes one message of the pgoutput plugin, protocol version 1, text format.
 *
 * Everything is copied out of `message` at once, rows into `memory`: node-postgres overwrites what is behind it with later messages.
 * The whole of it must be consumed; a message that is truncated, longer than it says, unknown, or not valid UTF-8
 * throws a Wal2DoltError E_SOURCE_PROTOCOL. Nothing is guessed and no byte is replaced.
 *
 * Source: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export function decodeMessage(message: Buffer, memory = new TupleMemory()): SourceEvent {
  const input = new Input(message, memory);
  try {
    const event = decode(input);
    input.end();
    return event;
  } catch (error) {
    if (error instanceof Wal2DoltError) throw error;
    // What Buffer throws: a read past the end, or a string longer than JavaScript can hold.
    const reason = error instanceof Error ? error.message : String(error);
    throw new Wal2DoltError('E_SOURCE_PROTOCOL', `${input.place()}: ${reason}`, { cause: error });
  }
}

function decode(input: Input): SourceEvent {
  const tag = input.byte();
  switch (tag) {
    case 0x49: // I
      return { kind: 'insert', oid: input.uint32(), row: newRow(input) };
    case 0x55: // U
      return update(input);
    case 0x44: // D
      return { kind: 'delete', oid: input.uint32(), old: oldRow(input, input.byte()) };
    case 0x42: // B
      return { kind: 'begin', finalLsn: input.lsn(), commitTime: input.time(), xid: input.uint32() };
    case 0x43: // C
      input.byte(); // flags, unused
      return { kind: 'commit', commitLsn: input.lsn(), endLsn: input.lsn(), commitTime: input.time() };
    case 0x52: // R
      return relation(input);
    case 0x59: // Y
      return { kind: 'type', oid: input.uint32(), schema: schemaName(input), name: input.name() };
    case 0x54: // T
      return truncate(input);
    case 0x4d: // M
      return logicalMessage(input);
    case 0x4f: // O
      return { kind: 'origin', lsn: input.lsn(), name: input.name() };
    default:
      throw input.fault(`unknown message ${printByte(tag)}`);
  }
}

function update(input: Input): SourceEvent {
  const oid = input.uint32();
  const tag = input.byte();
  const old = tag === 0x4e ? null : oldRow(input, tag);
  const row = old === null ? input.tuple() : newRow(input);
  return { kind: 'update', oid, old, row };
}

function newRow(input: Input): Tuple {
  const tag = input.byte();
  if (tag !== 0x4e) throw input.fault(`expected a new row (N), found ${printByte(tag)}`);
  return input.tuple();
}

function oldRow(input: Input, tag: number): OldRow {
  if (tag !== 0x4b && tag !== 0x4f) throw input.fault(`expected an old row (K or O), found ${printByte(tag)}`);
  return { full: tag === 0x4f, row: input.tuple() };
}

function relation(input: Input): SourceEvent {
  const oid = input.uint32();
  const schema = schemaName(input);
  const name = input.name();
  const replicaIdentity = String.fromCharCode(input.byte());
  if (!isReplicaIdentity(replicaIdentity)) throw input.fault(`unknown replica identity '${replicaIdentity}'`);
  const count = input.uint16();
  const columns: RelationColumn[] = [];
  for (let index = 0; index < count; index++) {
    const key = (input.byte() & 1) !== 0;
    columns.push({ key, name: input.name(), typeOid: input.uint32(), typmod: input.int32() });
  }
  return { kind: 'relation', oid, schema, name, replicaIdentity, columns };
}

const isReplicaIdentity = (value: string): value is 'd' | 'n' | 'f' | 'i' =>
  value === 'd' || value === 'n' || value === 'f' || value === 'i';

/** The protocol abbreviates `pg_catalog` to an empty string. */
const schemaName = (input: Input): string => input.name() || 'pg_catalog';

function truncate(input: Input): SourceEvent {
  const count = input.uint32();
  const options = input.byte();
  const oids: number[] = [];
  for (let index = 0; index < count; index++) oids.push(input.uint32());
  return { kind: 'truncate', oids, cascade: (options & 1) !== 0, restartIdentity: (options & 2) !== 0 };
}

function logicalMessage(input: Input): SourceEvent {
  const transactional = (input.byte() & 1) !== 0;
  const position = input.lsn();
  const prefix = input.name();
  const content = input.anyBytes(input.uint32());
  return { kind: 'message', transactional, lsn: position, prefix, content };
}

const printByte = (byte: number): string =>
  byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `0x${byte.toString(16).padStart(2, '0')}`;

/** Microseconds from 1970-01-01 to 2000-01-01, where Postgres counts from. */
const POSTGRES_EPOCH = 946_684_800_000_000n;

/** In bytes: of a text like most this is found out here in less time than a call of Node takes. */
const SHORT = 1024;

/** A reading position in one message. Integers are big-endian; reads past the end throw. */
class Input {
  readonly #buffer: Buffer;
  readonly #memory: TupleMemory;
  #at = 0;

  constructor(buffer: Buffer, memory: TupleMemory) {
    this.#buffer = buffer;
    this.#memory = memory;
  }

  byte(): number {
    const value = this.#buffer.readUInt8(this.#at);
    this.#at += 1;
    return value;
  }

  uint16(): number {
    const value = this.#buffer.readUInt16BE(this.#at);
    this.#at += 2;
    return value;
  }

  uint32(): number {
    const value = this.#buffer.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  int32(): number {
    const value = this.#buffer.readInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  lsn(): Lsn {
    const value = this.#buffer.readBigUInt64BE(this.#at);
    this.#at += 8;
    return lsn(value);
  }

  time(): Micros {
    const value = this.#buffer.readBigInt64BE(this.#at);
    this.#at += 8;
    return value + POSTGRES_EPOCH;
  }

  /** A row, its texts looked at but not made. */
  tuple(): Tuple {
    const buffer = this.#buffer;
    const start = this.#at;
    const count = this.uint16();
    let isComplete = true;
    for (let index = 0; index < count; index++) {
      const kind = this.byte();
      if (kind === 0x74) this.#passText(this.uint32());
      else if (kind === 0x75) isComplete = false;
      else if (kind !== 0x6e)
        throw this.fault(`column ${index + 1} has the format ${printByte(kind)}, only text was asked for`);
    }
    return this.#memory.copy(buffer, start, this.#at, isComplete);
  }

  /** A database in SQL_ASCII sends whatever it was given. */
  #passText(length: number): void {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#buffer.length) throw this.fault(`${length} bytes are announced`);
    if (length <= SHORT && this.#isAscii(start)) return;
    if (!isUtf8(this.#buffer.subarray(start, this.#at))) throw this.fault('a value is not valid UTF-8');
  }

  #isAscii(start: number): boolean {
    let bits = 0;
    for (let at = start; at < this.#at; at += 1) bits |= this.#buffer[at] as number; // below its end
    return bits < 0x80;
  }

  /** A string that ends with a zero byte. */
  name(): string {
    const end = this.#buffer.indexOf(0, this.#at);
    if (end < 0) throw this.fault('a name has no end');
    const value = this.text(end - this.#at);
    this.#at += 1;
    return value;
  }

  text(length: number): string {
    const value = this.anyBytes(length);
    // The replacement character may be the value itself, or what Node put in the place of bytes that are not UTF-8 (a
    // database in SQL_ASCII sends whatever it was given).
    if (value.includes('\uFFFD')) {
      const bytes = this.#buffer.subarray(this.#at - length, this.#at);
      if (!bytes.equals(Buffer.from(value))) throw this.fault('a value is not valid UTF-8');
    }
    return value;
  }

  /** Read as UTF-8, what is not UTF-8 replaced: a logical message of someone else may be binary, and must not stop us. */
  anyBytes(length: number): string {
    const end = this.#at + length;
    if (end > this.#buffer.length) throw this.fault(`${length} bytes are announced`);
    const value = this.#buffer.toString('utf8', this.#at, end);
    this.#at = end;
    return value;
  }

  end(): void {
    if (this.#at !== this.#buffer.length) throw this.fault('the message goes on after its end');
  }

  fault(reason: string): Wal2DoltError {
    return new Wal2DoltError('E_SOURCE_PROTOCOL', `${this.place()}: ${reason}`);
  }

  /** Never any content: a row may hold anything. */
  place(): string {
    const tag = this.#buffer.length > 0 ? printByte(this.#buffer[0] ?? 0) : 'empty';
    return `pgoutput message ${tag} of ${this.#buffer.length} bytes, at byte ${this.#at}`;
  }
}
