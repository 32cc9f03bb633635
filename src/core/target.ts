import type { Column, TableSchema } from './schema.js';
import type { SqlBytes } from './sql-bytes.js';

/** How one source column is kept in Dolt. Rows are arrays of cells in the order of `TargetTable.columns`. */
export interface TargetColumn {
  readonly source: Column;
  /** Position of its cell in the rows that Postgres sends for this table (excluded columns leave gaps). */
  readonly sourcePosition: number;
  /** Name in Dolt. */
  readonly name: string;
  readonly notNull: boolean;
  readonly conversion: Conversion;
}

export interface TargetTable {
  readonly source: TableSchema;
  /** Name in Dolt. */
  readonly name: string;
  readonly columns: readonly TargetColumn[];
  /** Positions in `columns` that identify a row, in key order; empty for a keyless table. */
  readonly key: readonly number[];
}

/**
 * A column's way into Dolt and back: chosen once when the schema is known, then called for every value.
 * NULL never gets here.
 */
export interface Conversion {
  /** Dolt column type, e.g. `DECIMAL(10,2)`. */
  readonly sql: string;
  /**
   * Postgres text -> SQL literal, quoted and escaped (Dolt always honours backslash escapes). For a text that the
   * column cannot hold exactly, the literal of the nearest value or `NULL`. Throws Wal2DoltError E_VALUE if the text is not of this type.
   */
  readonly literal: (text: string) => string;
  /**
   * The same value, as one word of SQL or `NULL`: neither a function nor a number with a sign and a fraction, which is two. Of
   * INSERTs that are made of nothing else Dolt does not analyse every value, which takes a third of the time, of wide rows half.
   * Not for comparisons: Dolt takes a quoted number or time for a text there.
   * Source: https://github.com/dolthub/go-mysql-server/blob/main/sql/planbuilder/dml.go (buildInsertValues)
   */
  readonly word: (text: string) => string;
  /**
   * The same for the bytes `start` to `end` of a text in UTF-8, written right away where that is simple and the text is exact. False, with
   * nothing written, where it takes `word` to know more; null: always.
   */
  readonly write: ((text: Buffer, start: number, end: number, sql: SqlBytes) => boolean) | null;
  /** Whether `restore` gives back exactly this text; null where every text of the type is exact. */
  readonly isExact: ((text: string) => boolean) | null;
  /** SQL expression that reads the column (given its quoted name) in a form that `restore` understands. */
  readonly read: (quotedColumn: string) => string;
  /** What `read` returned (always as a string) -> Postgres text. */
  readonly restore: (value: string) => string;
  /**
   * SQL predicate that is true for exactly the rows that hold what `literal` stored (`literal` may be `NULL`): what
   * finds a row of a keyless table again.
   */
  readonly equals: (quotedColumn: string, literal: string) => string;
  /** Whether `equals` may use an index on the column (long text and long bytes: an index with a prefix length). */
  readonly comparable: boolean;
  /** Whether the nearest value may be NULL (NaN): the Dolt column must be nullable, even where the source's is not. */
  readonly nullable: boolean;
  /** Bytes that the column counts towards Dolt's limit of 65,504 for a declared row. */
  readonly declaredBytes: number;
}
