import type { Column, Index, TableSchema } from '../../src/core/schema.js';
import type { TargetTable } from '../../src/core/target.js';
import { type MappingRules, planTables } from '../../src/sync/tables.js';
import { PLAIN_RULES, typeOf } from './tables.js';

/** A column as `name type`; or with whatever else is to be said of it. */
type Said =
  | string
  | ({ readonly name: string; readonly type: string } & Partial<Omit<Column, 'name' | 'type' | 'attnum'>>);

interface Rest extends Partial<Omit<TableSchema, 'columns' | 'indexes'>> {
  /** attnums of the primary key. Default: 1. */
  readonly key?: readonly number[];
  /** attnums of each other index, by its name; a name that begins with `u` is of a unique one. */
  readonly indexes?: Readonly<Record<string, readonly number[]>>;
  readonly rules?: MappingRules;
}

/** The target's table for columns that are known by attnum: what a table was, or has become. */
export function numbered(columns: Readonly<Record<number, Said>>, rest: Rest = {}): TargetTable {
  const { key = [1], indexes = {}, rules = PLAIN_RULES, ...schema } = rest;
  const index = (name: string, attnums: readonly number[], what: Partial<Index>): Index => ({
    name,
    unique: false,
    primary: false,
    immediate: true,
    replicaIdentity: false,
    attnums,
    definition: `${name} ${attnums}`,
    ...what,
  });
  const [table] = planTables(
    [
      {
        oid: 16_400,
        schema: 'public',
        name: 't',
        kind: 'r',
        unpublished: [],
        replicaIdentity: 'd',
        constraints: [],
        comment: null,
        rowFilter: null,
        publishedBy: [],
        fileNode: 1,
        ...schema,
        columns: Object.entries(columns).map(([attnum, said]): Column => {
          const [, name = '', type = ''] =
            typeof said === 'string' ? (/^(\S+) (.*)$/.exec(said) ?? []) : ['', said.name, said.type];
          return {
            attnum: Number(attnum),
            notNull: key.includes(Number(attnum)),
            defaultExpression: null,
            identity: '',
            generated: '',
            ...(typeof said === 'string' ? {} : said),
            name,
            type: typeOf(type),
          };
        }),
        indexes: [
          ...(key.length > 0 ? [index('t_pkey', key, { unique: true, primary: true })] : []),
          ...Object.entries(indexes).map(([name, attnums]) => index(name, attnums, { unique: name.startsWith('u') })),
        ],
      },
    ],
    rules,
  );
  if (!table) throw new Error('not planned');
  return table;
}
