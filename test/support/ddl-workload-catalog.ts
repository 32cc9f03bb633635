import type pg from 'pg';

/*
 * The source as it is at this moment, in the session that asks: what a step of the workload can be made of.
 */

export interface SourceColumn {
  readonly attnum: number;
  readonly name: string;
  /** `format_type`. */
  readonly type: string;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  readonly identity: '' | 'a' | 'd';
  readonly generated: '' | 's' | 'v';
  readonly inherited: boolean;
}

export interface SourceIndex {
  readonly name: string;
  readonly unique: boolean;
  readonly primary: boolean;
  readonly immediate: boolean;
  /** A replica identity can be made of it. */
  readonly identifies: boolean;
  /** It is the replica identity. */
  readonly replica: boolean;
  readonly attnums: readonly number[];
  /** Of the constraint that it belongs to. */
  readonly constraint: string | null;
}

export interface SourceTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** Quoted, with its schema. */
  readonly sql: string;
  readonly kind: 'r' | 'p';
  readonly logged: boolean;
  /** The table that it is a partition of. */
  readonly parent: number | null;
  /** `FOR VALUES IN (1, 2)`, `DEFAULT`; null for what is no partition. */
  readonly bound: string | null;
  /** It has children by inheritance, or is one. */
  readonly inherits: boolean;
  readonly replicaIdentity: 'd' | 'n' | 'f' | 'i';
  readonly columns: readonly SourceColumn[];
  readonly indexes: readonly SourceIndex[];
  readonly constraints: readonly { readonly name: string; readonly type: string; readonly validated: boolean }[];
  /** Attnums of the key of its partitions. */
  readonly partitionKey: readonly number[];
  /** The publication names it. */
  readonly listed: boolean;
}

export interface SourceType {
  readonly schema: string;
  readonly name: string;
  readonly sql: string;
  readonly kind: 'e' | 'd' | 'c';
  /** Of an enum. */
  readonly labels: readonly string[];
  /** Of a domain. */
  readonly base: string;
  readonly checks: readonly string[];
  /** Of a composite type. */
  readonly attributes: readonly { readonly name: string; readonly type: string }[];
}

export interface SourceCatalog {
  readonly tables: readonly SourceTable[];
  /** By what `format_type` calls it. */
  readonly types: ReadonlyMap<string, SourceType>;
  /** Of the publication; empty for one of all tables. */
  readonly schemas: readonly string[];
  readonly version: number;
}

const TABLES = `
select c.oid::int8::int, n.nspname as schema, c.relname as name, format('%I.%I', n.nspname, c.relname) as sql,
  c.relkind as kind, c.relpersistence = 'p' as logged, case when c.relispartition then i.inhparent::int8::int end as parent,
  pg_get_expr(c.relpartbound, c.oid) as bound,
  not c.relispartition and c.relkind = 'r' and exists (
    select from pg_inherits h where h.inhparent = c.oid or h.inhrelid = c.oid) as inherits,
  c.relreplident as "replicaIdentity",
  (select coalesce(json_agg(json_build_object('attnum', a.attnum, 'name', a.attname,
      'type', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull, 'hasDefault', a.atthasdef,
      'identity', a.attidentity, 'generated', a.attgenerated, 'inherited', a.attinhcount > 0) order by a.attnum), '[]')
    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
  (select coalesce(json_agg(json_build_object('name', x.relname, 'unique', d.indisunique, 'primary', d.indisprimary,
      'immediate', d.indimmediate, 'attnums', d.indkey::int2[], 'constraint', k.conname,
      'replica', d.indisreplident,
      'identifies', d.indisunique and d.indimmediate and d.indisvalid and d.indpred is null and d.indexprs is null
        and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum = any (d.indkey::int2[])
          and not a.attnotnull)) order by x.oid), '[]')
    from pg_index d join pg_class x on x.oid = d.indexrelid
      left join pg_constraint k on k.conindid = d.indexrelid and k.contype in ('p', 'u')
    where d.indrelid = c.oid) as indexes,
  (select coalesce(json_agg(json_build_object('name', k.conname, 'type', k.contype, 'validated', k.convalidated)
      order by k.oid), '[]')
    from pg_constraint k where k.conrelid = c.oid and k.contype in ('f', 'c') and k.conislocal) as constraints,
  (select coalesce(array_to_json(p.partattrs::int2[]), '[]') from (select) one
    left join pg_partitioned_table p on p.partrelid = c.oid) as "partitionKey",
  exists (select from pg_publication_rel r where r.prrelid = c.oid) as listed
from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_inherits i on i.inhrelid = c.oid and c.relispartition
where c.relkind in ('r', 'p') and c.relpersistence <> 't' and n.nspname = any ($1)
order by c.oid`;

const TYPES = `
select n.nspname as schema, t.typname as name, format('%I.%I', n.nspname, t.typname) as sql,
  format_type(t.oid, null) as called, t.typtype as kind, format_type(t.typbasetype, t.typtypmod) as base,
  (select coalesce(json_agg(e.enumlabel order by e.enumsortorder), '[]') from pg_enum e where e.enumtypid = t.oid) as labels,
  (select coalesce(json_agg(k.conname order by k.oid), '[]') from pg_constraint k
    where k.contypid = t.oid and k.contype = 'c') as checks,
  (select coalesce(json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod))
    order by a.attnum), '[]') from pg_attribute a
    where a.attrelid = t.typrelid and t.typrelid <> 0 and a.attnum > 0 and not a.attisdropped) as attributes
from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
where n.nspname = any ($1) and t.typtype in ('e', 'd', 'c') and (c.oid is null or c.relkind = 'c')
order by t.oid`;

/** What is in these schemas. Locks no table. */
export async function readSource(client: pg.Client, schemas: readonly string[]): Promise<SourceCatalog> {
  const { rows } = await client.query<{ source: string }>(
    `select json_build_object(
       'tables', (select coalesce(json_agg(t), '[]') from (${TABLES}) t),
       'types', (select coalesce(json_agg(t), '[]') from (${TYPES}) t),
       'schemas', (select coalesce(json_agg(n.nspname), '[]') from pg_publication_namespace p
         join pg_namespace n on n.oid = p.pnnspid),
       'version', current_setting('server_version_num')::int / 10000)::text as source`,
    [schemas],
  );
  // As the statement builds it.
  const source = JSON.parse(rows[0]?.source ?? '') as Omit<SourceCatalog, 'types'> & {
    readonly types: readonly (SourceType & { readonly called: string })[];
  };
  return {
    ...source,
    tables: source.tables.map((table) => ({ ...table, columns: table.columns.map(withPlainType) })),
    types: new Map(
      source.types.map(({ called, ...type }) => [
        plainType(called),
        { ...type, base: plainType(type.base ?? ''), attributes: type.attributes.map(withPlainType) },
      ]),
    ),
  };
}

/** A session may have quote_all_identifiers on. */
const plainType = (type: string): string => type.replace(/^"([a-z0-9_]+)"/, '$1');

const withPlainType = <T extends { readonly type: string }>(one: T): T => ({ ...one, type: plainType(one.type) });

/** Which of 0 to 3 the partitions have a place for. */
export function placesOf(catalog: SourceCatalog, table: SourceTable): readonly number[] {
  const bounds =
    table.bound === null
      ? catalog.tables.filter(({ parent }) => parent === table.oid).map((one) => one.bound)
      : [table.bound];
  const named = bounds.flatMap((bound) => bound?.match(/\d+/g) ?? []).map(Number);
  const siblings = catalog.tables.filter(({ parent }) => parent !== null && parent === table.parent);
  if (!bounds.includes('DEFAULT')) return named;
  const elsewhere = siblings.flatMap(({ bound }) => bound?.match(/\d+/g) ?? []).map(Number);
  return [0, 1, 2, 3].filter((place) => !elsewhere.includes(place));
}

/** The columns of the primary key or whatever else rows are identified by; null where they can not be. */
export function identityOf(table: SourceTable): readonly number[] | null {
  const key = table.indexes.find(({ primary }) => primary);
  switch (table.replicaIdentity) {
    case 'n':
      return null;
    case 'f':
      return [];
    case 'd':
      return key?.immediate ? key.attnums : null;
    case 'i':
      return table.indexes.find(({ replica }) => replica)?.attnums ?? null;
  }
}
