import { EVERY_TABLE, parsePattern, type TableOptions } from '../../src/core/patterns.js';
import type { Column, ColumnType, Constraint, Index, ReplicaIdentity, TableSchema } from '../../src/core/schema.js';
import type { TargetTable } from '../../src/core/target.js';
import { type MappingRules, planTables } from '../../src/sync/tables.js';

/*
 * Tables as the catalog would describe them, written down in a line, for tests that need no Postgres.
 */

/** No selection, no options: as without a configuration. */
export const PLAIN_RULES: MappingRules = { tables: EVERY_TABLE, tableName: '{schema}__{table}', types: new Map() };

/** By the name that format_type gives: oid, typname, and the typmod of its arguments. */
const TYPES: Readonly<Record<string, readonly [oid: number, base: string]>> = {
  boolean: [16, 'bool'],
  bytea: [17, 'bytea'],
  bigint: [20, 'int8'],
  smallint: [21, 'int2'],
  integer: [23, 'int4'],
  text: [25, 'text'],
  json: [114, 'json'],
  real: [700, 'float4'],
  'double precision': [701, 'float8'],
  money: [790, 'money'],
  inet: [869, 'inet'],
  character: [1042, 'bpchar'],
  'character varying': [1043, 'varchar'],
  date: [1082, 'date'],
  'time without time zone': [1083, 'time'],
  'timestamp without time zone': [1114, 'timestamp'],
  'timestamp with time zone': [1184, 'timestamptz'],
  interval: [1186, 'interval'],
  bit: [1560, 'bit'],
  numeric: [1700, 'numeric'],
  uuid: [2950, 'uuid'],
  jsonb: [3802, 'jsonb'],
};

/** `numeric(10,2)`, `character varying(20)`, `integer[]`; an unknown name is an enum of the user's. */
export function typeOf(name: string): ColumnType {
  if (name.endsWith('[]')) {
    const element = typeOf(name.slice(0, -2));
    return { ...element, oid: element.oid + 10_000, name, base: `_${element.base}`, element, delimiter: ',' };
  }
  const [, plain = '', first, second] = /^([^(]*)(?:\((\d+)(?:,(\d+))?\))?$/.exec(name) ?? [];
  const known = TYPES[plain];
  const [oid, base] = known ?? [16_500, plain];
  const size =
    first === undefined ? -5 : plain === 'numeric' ? (Number(first) << 16) | Number(second ?? 0) : Number(first);
  const typmod = plain === 'bit' ? Math.max(size, -1) : size + 4;
  return { oid, typmod, name, base, baseTypmod: typmod, kind: known ? 'b' : 'e', builtin: known !== undefined };
}

export interface TableSpec {
  readonly name: string;
  readonly schema?: string;
  readonly oid?: number;
  /** Type by column name, or whatever else is said of it; attnums count from 1. */
  readonly columns: Readonly<Record<string, string | ({ readonly type: string } & Partial<Omit<Column, 'type'>>)>>;
  /** Columns of the primary key. */
  readonly key?: readonly string[];
  readonly deferrable?: boolean;
  /** Columns of each unique index; of the plain ones. */
  readonly unique?: readonly (readonly string[])[];
  readonly indexes?: readonly (readonly string[])[];
  /** Default: 'd'. For 'i': `identityIndex` counts `unique`. */
  readonly identity?: ReplicaIdentity;
  readonly identityIndex?: number;
  readonly constraints?: readonly Constraint[];
  readonly comment?: string;
}

/** Key columns are NOT NULL, as Postgres makes them; the columns of the identity index as well. */
export function schemaOf(spec: TableSpec): TableSchema {
  const names = Object.keys(spec.columns);
  const attnums = (columns: readonly string[]): number[] => columns.map((column) => names.indexOf(column) + 1);
  const identity = spec.identity === 'i' ? spec.unique?.[spec.identityIndex ?? 0] : undefined;
  const index = (columns: readonly string[], what: Partial<Index> = {}): Index => ({
    name: `${spec.name}_${columns.join('_')}_idx`,
    unique: false,
    primary: false,
    immediate: true,
    replicaIdentity: false,
    attnums: attnums(columns),
    definition: '',
    ...what,
  });
  return {
    oid: spec.oid ?? 16_400,
    schema: spec.schema ?? 'public',
    name: spec.name,
    kind: 'r',
    columns: Object.entries(spec.columns).map(([name, said], i): Column => {
      const { type, ...rest } = typeof said === 'string' ? { type: said } : said;
      return {
        attnum: i + 1,
        name,
        type: typeOf(type),
        notNull: [...(spec.key ?? []), ...(identity ?? [])].includes(name),
        defaultExpression: null,
        identity: '',
        generated: '',
        ...rest,
      };
    }),
    unpublished: [],
    replicaIdentity: spec.identity ?? 'd',
    indexes: [
      ...(spec.key ? [index(spec.key, { unique: true, primary: true, immediate: !spec.deferrable })] : []),
      ...(spec.unique ?? []).map((columns) => index(columns, { unique: true, replicaIdentity: columns === identity })),
      ...(spec.indexes ?? []).map((columns) => index(columns)),
    ],
    constraints: spec.constraints ?? [],
    comment: spec.comment ?? null,
    rowFilter: null,
    publishedBy: [],
    fileNode: 0,
  };
}

/** The table in Dolt that wal2dolt plans for it. */
export function targetOf(spec: TableSpec, rules = PLAIN_RULES): TargetTable {
  const [table] = planTables([schemaOf(spec)], rules);
  if (!table) throw new Error('not planned');
  return table;
}

/** Options by pattern, as under `tables` of the configuration. */
export const rulesOf = (options: Record<string, TableOptions>, rest: Partial<MappingRules> = {}): MappingRules => ({
  ...PLAIN_RULES,
  ...rest,
  tables: {
    selection: [],
    options: Object.entries(options).map(([pattern, set]) => ({ pattern: parsePattern(pattern), options: set })),
  },
});

export const plan = (specs: readonly TableSpec[], rules = PLAIN_RULES, taken: readonly string[] = []): TargetTable[] =>
  planTables(specs.map(schemaOf), rules, taken);

export function planned(spec: TableSpec, rules = PLAIN_RULES): TargetTable {
  const [made] = plan([spec], rules);
  if (!made) throw new Error('not planned');
  return made;
}
