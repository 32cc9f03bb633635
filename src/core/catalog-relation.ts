import type { Attributes } from './attribute-facts.js';
import type { ColumnType, TableSchema } from './schema.js';

/** A table as the catalog knows it, at a time that may be later than what the stream is telling. */
export interface CatalogRelation extends Attributes {
  readonly table: TableSchema;
  /** Of each attnum, the transaction that changed whether it is NOT NULL last, or something else of it. */
  readonly notNullXids: ReadonlyMap<number, bigint>;
  /** Of each index by name, the transaction that changed its row in pg_index last. */
  readonly indexXids: ReadonlyMap<string, bigint>;
  /** By oid, of the users' types among its columns' and the announced: the transaction that altered it, or one inside, last. */
  readonly typeXids: ReadonlyMap<number, bigint>;
  /** The announced columns' types by `typeKey`, as far as they still exist. */
  readonly types: ReadonlyMap<string, ColumnType>;
  /** The transaction that created the table. */
  readonly creationXid: bigint;
}

/** Names a type with its modifier. */
export const typeKey = (oid: number, typmod: number): string => `${oid}/${typmod}`;
