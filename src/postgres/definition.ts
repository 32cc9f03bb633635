import { z } from 'zod';
import type { Column, ColumnType, TableSchema } from '../core/schema.js';
import { Wal2DoltError } from '../errors.js';

/** The JSON that sql/wal2dolt.sql makes of catalogs, and what it means. */

const identifier = z.int().nonnegative();
const attnum = z.int();

const column = z.object({
  attnum,
  name: z.string(),
  published: z.boolean(),
  typeOid: identifier,
  typmod: z.int(),
  notNull: z.boolean(),
  defaultExpression: z.string().nullable(),
  identity: z.enum(['', 'a', 'd']),
  generated: z.enum(['', 's', 'v']),
  collation: z.string().nullable(),
  missing: z.string().nullable(),
});

const index = z.object({
  name: z.string(),
  unique: z.boolean(),
  primary: z.boolean(),
  immediate: z.boolean(),
  replicaIdentity: z.boolean(),
  definition: z.string(),
  /** attnums, 0 for an expression; null where the index cannot identify rows by plain equality. */
  key: z.array(attnum).nullable(),
});

const action = z.enum(['a', 'r', 'c', 'n', 'd']);
const constraint = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('c'), name: z.string(), definition: z.string() }),
  z.object({
    kind: z.literal('f'),
    name: z.string(),
    definition: z.string(),
    attnums: z.array(attnum),
    references: z.object({ oid: identifier, attnums: z.array(attnum) }),
    onUpdate: action,
    onDelete: action,
  }),
]);

/** Of `wal2dolt.tables`. */
export const tableDefinition = z.object({
  oid: identifier,
  schema: z.string(),
  name: z.string(),
  kind: z.enum(['r', 'p']),
  replicaIdentity: z.enum(['d', 'n', 'f', 'i']),
  comment: z.string().nullable(),
  rowFilter: z.string().nullable(),
  publishedBy: z.array(identifier),
  fileNode: identifier,
  partitionOf: identifier.nullable(),
  partitions: z.array(identifier).nullable(),
  leaves: z.array(z.tuple([identifier, z.string()])).nullish(),
  columns: z.array(column),
  indexes: z.array(index),
  constraints: z.array(constraint),
});
export type TableDefinition = z.output<typeof tableDefinition>;

/** Of `wal2dolt.types`: a type with a modifier. */
export const typeDefinition = z.object({
  oid: identifier,
  typmod: z.int(),
  name: z.string(),
  typname: z.string(),
  typtype: z.enum(['b', 'c', 'd', 'e', 'r', 'm', 'p']),
  delimiter: z.string(),
  builtin: z.boolean(),
  /** oid and modifier of what a domain is over, of an array's element, of a range's subtype. */
  next: z.tuple([identifier, z.int()]).nullable(),
  labels: z.array(z.object({ oid: identifier, label: z.string() })).nullable(),
  /** attnum, oid and modifier. */
  attributes: z.array(z.tuple([attnum, identifier, z.int()])).nullable(),
});
export type TypeDefinition = z.output<typeof typeDefinition>;

/** The tables with their types resolved. Throws E_TABLE_REWRITTEN where one is missing: it vanished while the catalog was read. */
export function toSchemas(tables: readonly TableDefinition[], types: readonly TypeDefinition[]): TableSchema[] {
  const typeOf = resolver(types);
  return tables.map(({ columns, indexes, partitionOf, partitions, leaves, ...table }) => ({
    ...table,
    columns: columns
      .filter(({ published }) => published)
      .map(({ published: _, typeOid, typmod, collation, missing, ...column }): Column => {
        const type = typeOf(typeOid, typmod);
        return { ...column, type, ...present({ collation, missing }) };
      }),
    unpublished: columns.filter(({ published }) => !published).map(({ name }) => name),
    indexes: indexes.map(({ key, ...index }) => ({ ...index, attnums: key?.includes(0) ? null : key })),
    ...present({ partitionOf, partitions, leaves }),
  }));
}

/** Without what is null or undefined. */
function present<T extends object>(object: T): { [K in keyof T]?: NonNullable<T[K]> } {
  // The cast: the entries are those of the object.
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value != null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

function resolver(types: readonly TypeDefinition[]): (oid: number, typmod: number) => ColumnType {
  const keyOf = (oid: number, typmod: number): string => `${oid}/${typmod}`;
  const known = new Map(types.map((type) => [keyOf(type.oid, type.typmod), type]));
  const resolved = new Map<string, ColumnType>();
  /** Composites that are being resolved: a type that is inside of itself, as an array, ends there. */
  const open = new Set<number>();

  const find = (oid: number, typmod: number): TypeDefinition => {
    const type = known.get(keyOf(oid, typmod));
    if (!type) throw new Wal2DoltError('E_TABLE_REWRITTEN', `type ${oid} vanished while the catalog was read`);
    return type;
  };
  const resolve = (oid: number, typmod: number): ColumnType => {
    const key = keyOf(oid, typmod);
    const done = resolved.get(key);
    if (done) return done;
    const type = find(oid, typmod);
    let base = type;
    while (base.typtype === 'd' && base.next !== null) base = find(...base.next);
    const made: ColumnType = {
      oid,
      typmod,
      name: type.name,
      base: base.typname,
      baseTypmod: base.typmod,
      // The cast: the loop above has left all domains behind.
      kind: base.typtype as ColumnType['kind'],
      builtin: base.builtin,
      ...inside(base),
    };
    if (open.size === 0) resolved.set(key, made);
    return made;
  };
  const inside = ({ oid, typtype, next, labels, attributes }: TypeDefinition): Partial<ColumnType> => {
    if (labels !== null) return { labels };
    if (attributes !== null) {
      if (open.has(oid)) return {};
      open.add(oid);
      const fields = attributes.map(([attnum, typeOid, typmod]) => ({ attnum, type: resolve(typeOid, typmod) }));
      open.delete(oid);
      return { attributes: fields };
    }
    if (next === null) return {};
    const inner = resolve(...next);
    return typtype === 'r' || typtype === 'm'
      ? { subtype: inner }
      : { element: inner, delimiter: find(...next).delimiter };
  };
  return resolve;
}
