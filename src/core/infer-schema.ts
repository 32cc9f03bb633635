import { type AnnouncementTime, isSettled } from './announcement-time.js';
import { AttributeFacts } from './attribute-facts.js';
import { type CatalogRelation, typeKey } from './catalog-relation.js';
import type { RelationEvent } from './change.js';
import { indexesAt } from './infer-indexes.js';
import { deduceLineage, type Lineage } from './lineage.js';
import { mayBeRewritten } from './rewrites.js';
import { type Column, type ColumnType, type Constraint, qualifiedName, type TableSchema } from './schema.js';

export type Inferred =
  | { readonly kind: 'unchanged'; readonly doubts: Doubts }
  | {
      readonly kind: 'changed';
      readonly schema: TableSchema;
      readonly doubts: Doubts;
      /** Rows that were there before may show other values than the schemas tell: they have to be copied again. */
      readonly rewritten: boolean;
    }
  | { readonly kind: 'ambiguous'; readonly why: string };

/**
 * Transactions that changed something of the table that was not taken over, since it is not known that they came before. Postgres
 * does not announce the table again for a row that comes when they are known to have: it is to be asked again then.
 */
export type Doubts = ReadonlySet<bigint>;

/**
 * What a table was when its relation was announced: from what it was before (`stored`), the announcement, and what it is
 * by now (`catalog`; null where it was dropped since). Or, `again`, what it was when a later row came, for which it was not
 * announced anew: then its columns are the stored ones.
 *
 * Which attributes the columns are is deduced, see `deduceLineage`. Of the rest:
 * - names, types, replica identity, and which columns identify a row are announced, and therefore exact, but see `isStale`;
 * - NOT NULL only for what identifies a row, and where it holds in `stored` and now, or was set before the announcement; or
 *   for a new column that has a value in older rows. Wrong where somebody took it away and set it again in between: then the target refuses a NULL;
 * - an index is unique where it was in `stored` or was made before the announcement; another new one is a plain index;
 *   one that was dropped since is gone already;
 * - without a full announcement of the key (replica identity FULL or NOTHING), a primary key counts if it is an index
 *   that is unique by the same rule; without one the rows are found by all their values, which is right in any case;
 * - what is inside of a type (labels, columns), as it is now where it was altered before the announcement; else as stored;
 * - defaults, comment, foreign keys, checks, partitions: as they are now. They decide nothing about rows;
 * - how the table is published stays as stored: what changes there is not for the table to say.
 */
export function inferSchema(
  stored: TableSchema,
  relation: RelationEvent,
  catalog: CatalogRelation | null,
  time: AnnouncementTime,
  again = false,
): Inferred {
  if (catalog === null) return inferGone(stored, relation);
  const lineage: Lineage = again
    ? { kind: 'known', attnums: stored.columns.map(({ attnum }) => attnum) }
    : deduceLineage(stored, relation.columns, catalog, time);
  if (lineage.kind === 'ambiguous')
    return ambiguous(relation, catalog, whyAmbiguous(stored, relation, lineage.candidates));
  const inferred = infer(stored, relation, catalog, time, lineage.attnums);
  if (typeof inferred === 'string') return ambiguous(relation, catalog, inferred);
  return inferred.rewritten || !same(stored, inferred.schema)
    ? { kind: 'changed', ...inferred }
    : { kind: 'unchanged', doubts: inferred.doubts };
}

const NO_DOUBTS: Doubts = new Set();

/** By the name that it has by now, too: whoever is told what to do about it has to name it. */
function ambiguous(relation: RelationEvent, catalog: CatalogRelation | null, why: string): Inferred {
  const [name, now] = [relation, catalog?.table ?? relation].map(qualifiedName);
  return { kind: 'ambiguous', why: `${name}${now === name ? '' : `, which is ${now} by now`}: ${why}` };
}

/** Without a catalog only a table that kept its columns can be told; its name may have changed. */
function inferGone(stored: TableSchema, relation: RelationEvent): Inferred {
  const kept =
    stored.columns.length === relation.columns.length &&
    stored.columns.every(({ name, type }, i) => {
      const column = relation.columns[i];
      return column?.name === name && column.typeOid === type.oid && column.typmod === type.typmod;
    });
  if (!kept)
    return ambiguous(
      relation,
      null,
      'its columns changed and the table was dropped since, so what they were is not known',
    );
  const attnums = stored.columns.map(({ attnum }) => attnum);
  const sure = (): boolean => relation.replicaIdentity === stored.replicaIdentity;
  const indexes = indexesAt(relation, attnums, { now: stored.indexes, stored: stored.indexes, sure, whole: false });
  if (indexes === null) return ambiguous(relation, null, 'its key changed and the table was dropped since');
  const { schema: namespace, name, replicaIdentity } = relation;
  const schema = { ...stored, schema: namespace, name, replicaIdentity, indexes };
  return same(stored, schema)
    ? { kind: 'unchanged', doubts: NO_DOUBTS }
    : { kind: 'changed', schema, rewritten: false, doubts: NO_DOUBTS };
}

function whyAmbiguous(
  stored: TableSchema,
  relation: RelationEvent,
  candidates: readonly (readonly number[])[],
): string {
  if (candidates.some((attnums) => attnums.length === 0))
    return 'no history leads from the columns that are known to those that the stream announces and those that the table has now';
  const unsure = relation.columns.flatMap(({ name }, i) => {
    const attnums = candidates[i] ?? [];
    if (attnums.length < 2) return [];
    const known = attnums.flatMap((attnum) => stored.columns.find((column) => column.attnum === attnum) ?? []);
    const former = known.map((column) => `the former ${column.name}`);
    const added = attnums.length - known.length;
    if (added > 0) former.push(added === 1 ? 'a new column' : `one of ${added} new columns`);
    return [`${name} may be ${former.join(' or ')}`];
  });
  return `the table was changed again since, or it is not known when, so that the column ${unsure.join(', and ')}`;
}

/** A sentence where something can not be known. */
function infer(
  stored: TableSchema,
  relation: RelationEvent,
  catalog: CatalogRelation,
  time: AnnouncementTime,
  attnums: readonly number[],
): { schema: TableSchema; rewritten: boolean; doubts: Doubts } | string {
  const { table } = catalog;
  const facts = new AttributeFacts(stored, catalog, time);
  const doubts = new Set<bigint>();
  const settled = (xid: bigint | undefined): boolean => {
    if (xid === undefined || isSettled(xid, time)) return xid !== undefined;
    doubts.add(xid);
    return false;
  };
  const byKey = relation.replicaIdentity === 'd' || relation.replicaIdentity === 'i';
  const columns: Column[] = [];
  let rewritten = mayBeRewritten(stored, catalog, time);
  for (const [i, { name, typeOid, typmod, key }] of relation.columns.entries()) {
    const attnum = attnums[i] ?? 0;
    const before = stored.columns.find((column) => column.attnum === attnum);
    const now = table.columns.find((column) => column.attnum === attnum);
    const known = now ?? before;
    if (!known) return `the column ${name} is new and by now gone again, so what it shows in older rows is not known`;
    const type = typeAt(typeOid, typmod, stored, catalog, settled);
    if (!type) return `the type of the column ${name} (oid ${typeOid}) was dropped since`;
    const { missing, collation, notNull, ...rest } = known;
    const sameType = isType(known.type, typeOid, typmod);
    if (!before && (!facts.isNew(attnum) || (missing !== undefined && !sameType))) rewritten = true;
    columns.push({
      ...rest,
      name,
      type,
      notNull:
        (byKey && key) ||
        (notNull && (before ? before.notNull : missing !== undefined)) ||
        (notNull && settled(catalog.notNullXids.get(attnum))),
      ...(collation !== undefined && sameType ? { collation } : {}),
      ...(missing !== undefined && sameType ? { missing } : {}),
    });
  }
  const unpublished = unpublishedAt(table, attnums, facts);
  const indexes = indexesAt(relation, attnums, {
    now: table.indexes,
    stored: stored.indexes,
    sure: ({ name }) => settled(catalog.indexXids.get(name)),
    whole: !catalog.columnList && unpublished.length + stored.unpublished.length === 0,
  });
  if (indexes === null) return 'its key changed, and has columns that the publication leaves out';
  const schema: TableSchema = {
    ...table,
    ...(isStale(relation, stored, table) ? nameOf(stored) : nameOf(relation)),
    columns,
    unpublished,
    replicaIdentity: relation.replicaIdentity,
    indexes,
    constraints: constraintsAt(columns, [table, stored]),
    rowFilter: stored.rowFilter,
    publishedBy: stored.publishedBy,
    fileNode: catalog.fileNode,
  };
  return { schema, rewritten, doubts };
}

const nameOf = ({ schema, name }: { readonly schema: string; readonly name: string }) => ({ schema, name });

/**
 * Whether the name of the announcement is an older one than that which is known already. A partition can be written while its
 * root is renamed, and any table while its schema is: the transaction, if it ends later, announces what it saw.
 */
function isStale(relation: RelationEvent, stored: TableSchema, now: TableSchema): boolean {
  return qualifiedName(now) === qualifiedName(stored) && (stored.kind === 'p' || relation.name === stored.name);
}

/**
 * A type that was altered since the table was stored, but not for sure before the announcement, is taken as it was: nothing
 * is announced because of that, so it is noticed later in any case.
 */
function typeAt(
  oid: number,
  typmod: number,
  stored: TableSchema,
  { table, types, typeXids }: CatalogRelation,
  settled: (xid: bigint | undefined) => boolean,
): ColumnType | undefined {
  const find = (columns: readonly Column[]): ColumnType | undefined =>
    columns.find((column) => isType(column.type, oid, typmod))?.type;
  const now = find(table.columns) ?? types.get(typeKey(oid, typmod));
  const before = find(stored.columns);
  if (!before || !now) return now ?? before;
  return typeXids.has(oid) && !settled(typeXids.get(oid)) ? before : now;
}

const isType = (type: ColumnType, oid: number, typmod: number): boolean => type.oid === oid && type.typmod === typmod;

/** Rather too many than too few: whoever is announced later and was not among them is new. */
function unpublishedAt(table: TableSchema, attnums: readonly number[], facts: AttributeFacts): string[] {
  const last = attnums.at(-1) ?? 0;
  const silent = table.columns.filter(({ attnum }) => {
    const attribute = facts.now.attributes[attnum - 1];
    if (attnums.includes(attnum) || !attribute) return false;
    return attnum < last || facts.canBeSilent(attribute, 'unknown');
  });
  return [...table.unpublished, ...silent.map(({ name }) => name)];
}

/** Foreign keys of its columns; checks as they were printed when all of its columns were called as they are here. */
function constraintsAt(columns: readonly Column[], known: readonly TableSchema[]): Constraint[] {
  const has = (attnum: number): boolean => columns.some((column) => column.attnum === attnum);
  const printed = known.find((table) =>
    columns.every(({ attnum, name }) =>
      table.columns.some((column) => column.attnum === attnum && column.name === name),
    ),
  );
  const foreignKeys = known[0]?.constraints.filter(({ kind }) => kind === 'f') ?? [];
  return [
    ...(printed?.constraints.filter(({ kind }) => kind === 'c') ?? []),
    ...foreignKeys.filter((constraint) => constraint.kind === 'f' && constraint.attnums.every(has)),
  ];
}

/** Of what JSON can hold; in objects whatever the order. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return left.size === right.size && [...left].every(([key, value]) => right.has(key) && same(value, right.get(key)));
}
