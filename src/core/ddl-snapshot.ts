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
  /** What went wrong in the trigger, where something did: nothing else is reliable then. */
  readonly failure: string | null;
}
