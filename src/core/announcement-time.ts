/**
 * What is known about the time of the announcement. It was made by a row of a transaction whose commit has a place in the
 * WAL (the commit record's LSN). The xids have their epoch, except the transaction's own. See `Horizons`.
 */
export interface AnnouncementTime {
  /** Of the transaction. */
  readonly xid: number;
  /** Every smaller xid had ended before that place. */
  readonly settledXid: bigint | null;
  /** This xid and every larger one ended after that place, or at least altered nothing before that the transaction wrote rows of. */
  readonly unendedXid?: bigint | null;
  /** Xids, without their epoch, of transactions whose commits came before. */
  readonly seen?: ReadonlySet<number>;
  /** Every smaller xid had ended when the table was as it is stored: the `settledXid` of the announcement before. */
  readonly storedXid?: bigint | null;
}

/** Whether the transaction ended before the announcement. */
export const isSettled = (xid: bigint, time: AnnouncementTime): boolean =>
  time.seen?.has(Number(BigInt.asUintN(32, xid))) === true ||
  // The announcing one had not ended, whatever the horizon says.
  (time.settledXid !== null && xid < time.settledXid && xid < time.settledXid - fromXid(time.settledXid, time));

/** How far an xid is from the announcing transaction's, which has no epoch; they are less than 2^31 apart. */
export const fromXid = (xid: bigint, time: Pick<AnnouncementTime, 'xid'>): bigint =>
  BigInt.asIntN(32, xid - BigInt(time.xid));
