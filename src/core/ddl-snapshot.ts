import type { TableSchema } from './schema.js';

/** A table of the source by what is left of it. */
export interface TableIdentity {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

export interface DefinedTable {
  readonly schema: TableSchema;
  /** The command created it: it is empty, unless the command filled it (CREATE TABLE AS). */
  readonly created: boolean;
  /** Postgres wrote all of its rows again, which it does not send. */
  readonly rewritten: boolean;
}

/**
 * What the event triggers of the source say about one command, at its place in the WAL: the definitions are those that
 * the command left behind, whatever ran later.
 */
export interface DdlSnapshot {
  readonly publication: string;
  /** As Postgres calls the command, e.g. `ALTER TABLE`. */
  readonly tag: string;
  /** The statement's text as the client sent it; may hold several statements. */
  readonly command: string;
  readonly user: string;
  /** The settings of its session that casts depend on, by name, e.g. `TimeZone`. */
  readonly settings: Readonly<Record<string, string>>;
  /** pg_current_snapshot() of the reading of `tables`: see `saw`. */
  readonly seen?: string;
  /** Every published table that it touched. */
  readonly tables: readonly DefinedTable[];
  /**
   * Tables that it touched and that the publication does not carry, or no longer; partitions, for instance, whose rows come
   * as those of the table above. `created`: by the command, so that they are empty.
   */
  readonly unpublished: readonly (TableIdentity & { readonly created: boolean })[];
  readonly dropped: readonly TableIdentity[];
  /** Indexes that it dropped, in the schema of their table; no more is known of them. */
  readonly droppedIndexes: readonly { readonly schema: string; readonly name: string }[];
  /** The publication itself was altered: `tables` are all that it carries now. */
  readonly complete: boolean;
  /** Where it was altered: the operations that it does not publish now. */
  readonly leavesOut?: readonly string[];
  /** Where the trigger failed: the oids of the tables, or of their partitions, whose rows Postgres wrote again. */
  readonly rewritten: readonly number[];
  /** What went wrong in the trigger, where something did: nothing but `rewritten` is reliable then. */
  readonly failure: string | null;
}

/**
 * Whether a snapshot (`xmin:xmax:xip,…`, as pg_current_snapshot() prints it) was taken when the transaction had ended. xids are
 * compared without their epochs.
 *
 * Not every command locks the tables that it touches against all others (ALTER TYPE, ALTER SCHEMA, CREATE INDEX). Where
 * another transaction changed such a table and ended before this one, but was not seen, this one's definition of the table is
 * older than what the stream has told already.
 * Source: https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
 */
export function saw(snapshot: string, xid: number): boolean {
  const [xmin = '', xmax = '', xip = ''] = snapshot.split(':');
  if (!precedes(xid, low(xmax))) return false;
  return precedes(xid, low(xmin)) || !xip.split(',').some((running) => running !== '' && low(running) === xid);
}

const low = (xid: string): number => Number(BigInt.asUintN(32, BigInt(xid)));

/** As TransactionIdPrecedes() has it: of two xids, the one from which it is less far to the other. */
const precedes = (a: number, b: number): boolean => ((a - b) | 0) < 0;
