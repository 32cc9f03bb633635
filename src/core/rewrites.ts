import type { AnnouncementTime } from './announcement-time.js';
import type { CatalogRelation } from './catalog-relation.js';
import { type ColumnType, leavesOf, type TableSchema } from './schema.js';

/**
 * Whether rows may have been written anew, with other values, since the table was stored. Postgres sends none of them. It may
 * have happened later than the announcement, and in columns that are announced later or never: it is not asked again.
 *
 * It takes a new file: of the table, or of a partition. And a column that was altered, or dropped after that: TRUNCATE, VACUUM
 * FULL, CLUSTER and the like make new files too, and leave every value as it was.
 */
export function mayBeRewritten(
  stored: TableSchema,
  { table, attributes, fileNode, creationXid }: CatalogRelation,
  { storedXid = null }: AnnouncementTime,
): boolean {
  const isOld = (xid: bigint): boolean => storedXid !== null && xid < storedXid;
  if (attributes.every(({ xid }) => xid === creationXid || isOld(xid))) return false;
  if (table.kind === 'r') return stored.fileNode !== fileNode;
  const had = leavesOf(stored);
  return [...leavesOf(table)].some(([oid, leaf]) => had.has(oid) && had.get(oid)?.[0] !== leaf?.[0]);
}

/** Whether values print otherwise, though they are stored as before: by other labels, or other columns inside. */
export function printsOtherwise(before: ColumnType, now: ColumnType): boolean {
  const labels = new Map(now.labels?.map(({ oid, label }) => [oid, label]));
  if (before.labels?.some(({ oid, label }) => (labels.get(oid) ?? label) !== label)) return true;
  if (before.attributes?.length !== now.attributes?.length) return true;
  const inner = (type: ColumnType): (ColumnType | undefined)[] => [
    type.element,
    type.subtype,
    ...(type.attributes ?? []).map((attribute) => attribute.type),
  ];
  const others = inner(now);
  return (
    before.attributes?.some(({ attnum }, i) => now.attributes?.[i]?.attnum !== attnum) ||
    inner(before).some((type, i) => {
      const other = others[i];
      return type !== undefined && other !== undefined && (type.oid !== other.oid || printsOtherwise(type, other));
    })
  );
}
