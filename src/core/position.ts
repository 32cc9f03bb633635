/**
 * Where we are in the source's write-ahead log.
 *
 * An LSN is a byte offset into the WAL, printed as two hexadecimal halves (`0/16B3748`). Here it is a branded bigint,
 * so that a number of something else can never be compared with one.
 * Source: https://www.postgresql.org/docs/current/datatype-pg-lsn.html
 */
declare const lsnBrand: unique symbol;
export type Lsn = bigint & { readonly [lsnBrand]: 'Lsn' };

/** The cast is the brand itself: every bigint that enters the program as an LSN passes here. */
export const lsn = (value: bigint): Lsn => value as Lsn;

export const LSN_ZERO = lsn(0n);

/** Parses `0/16B3748` (padded or not). Throws a TypeError on anything else. */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (!match) throw new TypeError(`not an LSN: ${JSON.stringify(text)} (expected something like 0/16B3748)`);
  return lsn((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`));
}

/** Prints as Postgres does: unpadded upper-case hexadecimal halves. */
export function formatLsn(value: Lsn): string {
  return `${(value >> 32n).toString(16).toUpperCase()}/${(value & 0xffffffffn).toString(16).toUpperCase()}`;
}

export const maxLsn = (a: Lsn, b: Lsn): Lsn => (a > b ? a : b);
export const minLsn = (a: Lsn, b: Lsn): Lsn => (a < b ? a : b);

/** Microseconds since 1970-01-01 UTC, as a bigint: Postgres' own resolution, which a JavaScript Date would lose. */
export type Micros = bigint;

/** What Dolt can date a commit by: the years 1 to 9999. */
const FIRST: Micros = -62_135_596_800_000_000n;
const LAST: Micros = 253_402_300_799_999_999n;

/**
 * `2026-11-21T12:00:00.123456Z`, the form that Dolt's `--date` takes and that DATETIME(6) holds (without T and Z). A
 * commit time beyond that is brought to the nearest: a transaction that was replicated into the source has the one
 * that its replication origin gave, which may be anything, `infinity` too.
 */
export function formatMicros(time: Micros): string {
  const micros = time < FIRST ? FIRST : time > LAST ? LAST : time;
  const millis = micros >= 0n ? micros / 1000n : (micros - 999n) / 1000n;
  const rest = micros - millis * 1000n;
  const iso = new Date(Number(millis)).toISOString();
  return `${iso.slice(0, -1)}${rest.toString().padStart(3, '0')}Z`;
}

/** Parses `2026-11-21T12:00:00.123456` (UTC, with or without a Z at the end). */
export function parseMicros(text: string): Micros {
  return (
    BigInt(Date.parse(`${text.slice(0, 23).replace(/Z$/, '')}Z`)) * 1000n +
    BigInt(text.slice(23, 26).replace(/Z$/, '') || '0')
  );
}

/** The end of the last source transaction that is in the target, with what is known of it. */
export interface Position {
  /** End LSN of the transaction's commit record. */
  readonly endLsn: Lsn;
  readonly commitTime: Micros;
  readonly xid: number;
}

/**
 * The one rule for what may be acknowledged to Postgres, which then removes the WAL before it.
 *
 * While anything read from the socket is not yet durable in Dolt, that is the end LSN of the last durable transaction.
 * When nothing is pending (no open transaction, no open batch, nothing being written), everything that the server says
 * it has sent was either durable or of no interest, so its position may be acknowledged: otherwise a slot on a busy
 * server with a quiet publication would hold WAL for ever. Never goes backwards.
 */
export class Acknowledgeable {
  #durable: Lsn;
  #idle: Lsn = LSN_ZERO;

  constructor(start: Lsn) {
    this.#durable = start;
  }

  /** A transaction's end LSN that is inside a published Dolt commit. */
  durable(end: Lsn): void {
    this.#durable = maxLsn(this.#durable, end);
  }

  /** The server's position (`walEnd` of a keepalive) at a moment when nothing was pending. */
  idle(walEnd: Lsn): void {
    this.#idle = maxLsn(this.#idle, walEnd);
  }

  get current(): Lsn {
    return maxLsn(this.#durable, this.#idle);
  }
}
