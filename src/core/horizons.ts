import { type AnnouncementTime, fromXid } from './announcement-time.js';
import type { Lsn } from './position.js';

/** A look at the transactions of the source, and where its WAL ended just after. */
export interface Horizon {
  /** pg_snapshot_xmin: every smaller xid has ended. */
  readonly xmin: bigint;
  /** pg_snapshot_xmax: neither this nor any larger xid has ended. */
  readonly xmax: bigint;
  /** pg_snapshot_xip: of those between, the ones that have not ended. */
  readonly running: readonly bigint[];
  /** Read after the snapshot was taken. */
  readonly lsn: Lsn;
}

/**
 * Whether the look shows that the transaction (32 bits) has ended. One whose commit is in the WAL, and was sent, may not have yet:
 * nobody else sees what it did before its commit is over, which waits for a synchronous standby.
 * Source: CommitTransaction() in Postgres' xact.c (RecordTransactionCommit, then ProcArrayEndTransaction)
 */
export const hasEnded = ({ xmax, running }: Horizon, xid: number): boolean =>
  fromXid(xmax, { xid }) > 0n && running.every((one) => fromXid(one, { xid }) !== 0n);

/** So many are kept: of more, every second one goes. */
const MOST = 2000;
/** A migration tool writes down in the same transaction what it has done, and goes on soon. */
const MOST_SEEN = 10_000;

/**
 * Says of any place in the WAL which transactions had ended there, from looks at the source that were taken meanwhile and
 * from what the stream has shown.
 */
export class Horizons {
  #known: Horizon[] = [];
  #looks = 0;
  readonly #seen = new Set<number>();
  /** The same in a ring, since the first of a set whose first ones were deleted has to be looked for. */
  #inTurn: number[] = [];
  #turn = 0;
  readonly #judged = new Map<number, bigint | null>();

  /**
   * Takes a look. Null where somebody else took one meanwhile: of two that overlap, neither is sure to be the later one,
   * so this one is not taken into account.
   */
  async look(read: () => Promise<Horizon>): Promise<Horizon | null> {
    const before = this.#looks;
    const horizon = await read();
    if (this.#looks !== before) return null;
    this.add(horizon);
    return horizon;
  }

  /** A look that began when all others were over. */
  add(horizon: Horizon): void {
    this.#looks += 1;
    this.#known.push(horizon);
    if (this.#known.length > MOST) this.#known = this.#known.filter((_, i) => i % 2 === 0);
  }

  /** The stream has come to the transaction's commit. */
  ended(xid: number): void {
    if (this.#seen.has(xid)) return;
    const oldest = this.#inTurn[this.#turn];
    if (oldest !== undefined) this.#seen.delete(oldest);
    this.#seen.add(xid);
    this.#inTurn[this.#turn] = xid;
    this.#turn = (this.#turn + 1) % MOST_SEEN;
  }

  /** The stream begins anew at an earlier place: what it has shown comes after that again, and some tables are what they were there. */
  startOver(tables: Iterable<number> = []): void {
    this.#seen.clear();
    this.#inTurn = [];
    this.#turn = 0;
    for (const oid of tables) this.#judged.delete(oid);
  }

  /** Remembers below which xid all had ended when the table was judged; returns what that was the time before, null if never. */
  markJudged(oid: number, settledXid: bigint | null): bigint | null {
    const before = this.#judged.get(oid) ?? null;
    this.#judged.set(oid, settledXid);
    return before;
  }

  /** What is known of the transaction `xid`, whose commit is at this place. */
  at(place: Lsn, xid: number): Required<Pick<AnnouncementTime, 'settledXid' | 'unendedXid' | 'seen'>> {
    const before = this.#known.findLast(({ lsn }) => lsn <= place);
    // A snapshot is sure to be taken after the WAL had come to where the one before it says. It shows others to have ended who
    // altered a table before the transaction wrote a row of it, as they keep it locked until then; the transaction itself may
    // end later than its commit is in the WAL.
    const passed = this.#known.findIndex(({ lsn }) => lsn >= place);
    const after = this.#known.find((horizon, i) => passed >= 0 && i > passed && hasEnded(horizon, xid));
    return { settledXid: before?.xmin ?? null, unendedXid: after?.xmax ?? null, seen: this.#seen };
  }
}
