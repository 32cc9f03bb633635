/**
 * A source table as its catalog describes it: the shape that the snapshot, the stream and the target agree on.
 * Columns are known by attnum and tables by oid, never by name, so that a rename keeps its identity.
 */
export interface Column {
  readonly attnum: number;
  readonly name: string;
  readonly type: ColumnType;
  readonly notNull: boolean;
  /** `pg_get_expr` of the default, or null. */
  readonly defaultExpression: string | null;
  /** '' | 'a' (always) | 'd' (by default). */
  readonly identity: '' | 'a' | 'd';
  /** '' | 's' (stored) | 'v' (virtual, Postgres 18). */
  readonly generated: '' | 's' | 'v';
  /** The name by which the configuration includes or excludes it, where it was renamed since. */
  readonly knownAs?: string;
  /** Its collation, where that is not the type's own. */
  readonly collation?: string;
  /** What rows show that are older than the column and were not rewritten for it (pg_attribute.attmissingval). */
  readonly missing?: string;
}

/**
 * A Postgres type, resolved: a domain carries its base, an array its element. The text that Postgres prints for a
 * value is decided by `base`.
 */
export interface ColumnType {
  readonly oid: number;
  /** atttypmod, -1 when there is none. */
  readonly typmod: number;
  /** `format_type(oid, typmod)`, e.g. `numeric(10,2)`, `character varying(20)`, `public.mood`. */
  readonly name: string;
  /** pg_type.typname of the base type (domains followed), e.g. `numeric`, `varchar`, `mood`, `_int4`. */
  readonly base: string;
  /** Typmod of the base type (a domain's own typmod where it is one). */
  readonly baseTypmod: number;
  /** Of the base type: b base, c composite, e enum, r range, m multirange, p pseudo. Never d. */
  readonly kind: 'b' | 'c' | 'e' | 'r' | 'm' | 'p';
  /** True where the base type lives in pg_catalog: only then does its name say how it prints. */
  readonly builtin: boolean;
  /** For an array: its element's type (itself resolved), and the delimiter between elements. */
  readonly element?: ColumnType;
  readonly delimiter?: string;
  /** For an enum: its labels in order. Their oids (pg_enum) outlive ALTER TYPE … RENAME VALUE. */
  readonly labels?: readonly { readonly oid: number; readonly label: string }[];
  /** For a composite type: what its text consists of, in that order. Absent inside of itself. */
  readonly attributes?: readonly { readonly attnum: number; readonly type: ColumnType }[];
  /** For a range the type of its bounds, for a multirange its range. */
  readonly subtype?: ColumnType;
}

export interface Index {
  readonly name: string;
  readonly unique: boolean;
  readonly primary: boolean;
  /** indimmediate: false for a DEFERRABLE constraint, which may be violated inside a transaction. */
  readonly immediate: boolean;
  readonly replicaIdentity: boolean;
  /** Key columns in order; null where the index has an expression, a predicate, or is no btree or hash. */
  readonly attnums: readonly number[] | null;
  readonly definition: string;
}

export type Constraint = ForeignKey | Check;

export interface ForeignKey {
  readonly kind: 'f';
  readonly name: string;
  readonly definition: string;
  readonly attnums: readonly number[];
  readonly references: { readonly oid: number; readonly attnums: readonly number[] };
  /** pg_constraint.confupdtype and confdeltype: a no action, r restrict, c cascade, n set null, d set default. */
  readonly onUpdate: ReferentialAction;
  readonly onDelete: ReferentialAction;
}

export type ReferentialAction = 'a' | 'r' | 'c' | 'n' | 'd';

export interface Check {
  readonly kind: 'c';
  readonly name: string;
  /** `CHECK ((price > (0)::numeric))`, as pg_get_constraintdef prints it with an empty search_path. */
  readonly definition: string;
}

/** pg_class.relreplident. */
export type ReplicaIdentity = 'd' | 'n' | 'f' | 'i';

export interface TableSchema {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** r ordinary, p partitioned. */
  readonly kind: 'r' | 'p';
  /** Published columns only, in attnum order. */
  readonly columns: readonly Column[];
  /** Columns that exist but are not published (column list, generated, excluded): names, for `check`. */
  readonly unpublished: readonly string[];
  readonly replicaIdentity: ReplicaIdentity;
  readonly indexes: readonly Index[];
  readonly constraints: readonly Constraint[];
  readonly comment: string | null;
  /** The publication's row filter, a SQL expression, or null. */
  readonly rowFilter: string | null;
  /**
   * oids of the catalog rows by which the publication carries it: of the table or an ancestor (pg_publication_rel), its
   * schema (pg_publication_namespace) or all tables (pg_publication). None of them outlives an ALTER PUBLICATION that
   * drops the table or gives it another row filter or column list, nor a DROP PUBLICATION. Others beside it may overrule its
   * row filter.
   */
  readonly publishedBy: readonly number[];
  /** pg_relation_filenode: another one after a rewrite or a TRUNCATE, 0 for a partitioned table. */
  readonly fileNode: number;
  /** oid of the table that it is a partition of, where it is one. */
  readonly partitionOf?: number;
  /** oids of all leaf partitions whose rows are sent as this table's; absent for any other table. */
  readonly partitions?: readonly number[];
  /** Of each of `partitions`, in their order, what is another one where its rows may be others. */
  readonly leaves?: readonly Leaf[];
}

/**
 * Its pg_relation_filenode, and the transactions that made it a partition, and each partitioned table between, of what it
 * is part of: all others where it was detached and attached again.
 */
export type Leaf = readonly [fileNode: number, joinedBy: string];

/**
 * The attnums that identify a row in the target: what Postgres itself replicates updates and deletes by.
 *
 * - REPLICA IDENTITY USING INDEX: that index's columns (a changed primary key that is not part of it arrives without
 *   the old key, so the primary key could not find the row);
 * - otherwise the primary key, unless it is DEFERRABLE: then two rows may share it in the middle of a transaction, and
 *   Postgres does not use it as identity either;
 * - otherwise none: the table is keyless, and its rows are found by all their values.
 *
 * A key whose columns are not all published is no key.
 */
export function keyAttnums(table: Pick<TableSchema, 'indexes' | 'replicaIdentity' | 'columns'>): readonly number[] {
  const published = (attnum: number): boolean => table.columns.some((column) => column.attnum === attnum);
  const usable = (index: Index): boolean =>
    index.immediate && index.unique && (index.attnums?.every(published) ?? false);
  const identity = table.replicaIdentity === 'i' ? table.indexes.find((index) => index.replicaIdentity) : undefined;
  const index = identity ?? table.indexes.find((candidate) => candidate.primary);
  return index && usable(index) ? (index.attnums ?? []) : [];
}

/** Partitions of `after` that `before` did not have, or that were detached from it in between. */
export function joinedPartitions(before: TableSchema, after: TableSchema): number[] {
  const had = leavesOf(before);
  const has = leavesOf(after);
  return (after.partitions ?? []).filter((oid) => {
    const [was, is] = [had.get(oid), has.get(oid)];
    return was === undefined || (was !== null && is != null && was[1] !== is[1]);
  });
}

/** By oid; null where nothing is known of it. */
export const leavesOf = ({
  partitions = [],
  leaves,
}: Pick<TableSchema, 'partitions' | 'leaves'>): ReadonlyMap<number, Leaf | null> =>
  new Map(partitions.map((oid, i) => [oid, leaves?.[i] ?? null]));

/** As messages name a table: a part that `parsePattern` would read otherwise is in double quotes. */
export const qualifiedName = ({ schema, name }: Pick<TableSchema, 'schema' | 'name'>): string =>
  `${namePart(schema)}.${namePart(name)}`;

const namePart = (part: string): string => (/[\s".*,!]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part);
