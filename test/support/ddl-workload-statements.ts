import { COLUMN_STATEMENTS } from './ddl-workload-columns.js';
import type { Dice } from './ddl-workload-dice.js';
import { KEY_STATEMENTS } from './ddl-workload-keys.js';
import { TABLE_STATEMENTS } from './ddl-workload-objects.js';
import {
  PARTITION_STATEMENTS,
  PUBLICATION_STATEMENTS,
  SCHEMA_PUBLICATION_STATEMENTS,
} from './ddl-workload-partitions.js';
import { ROW_STATEMENTS } from './ddl-workload-rows.js';
import { literal, quote, type Scene, type Statement, type Territory } from './ddl-workload-scene.js';
import { TYPE_STATEMENTS } from './ddl-workload-types.js';

export const MAIN: Territory = {
  schemas: ['public', 'sales', 'archive'],
  tableNames: ['orders', 'items', 'notes', 'Users', 'log', 'tags', 'events', 'stock', 'Orders', 'naïve'],
  everything: true,
};

/** Of the second session. */
export const SIDE: Territory = { schemas: ['side'], tableNames: ['one', 'two', 'three', 'four'], everything: false };

/** What has to be there before any step. */
export const PRELUDE = `
  create schema sales; create schema archive; create schema side; create schema steady;
  create sequence public.numbers;
  create type public.mood as enum ('sad', 'ok', 'happy');
  create domain public.amount as numeric(12,3);
  create domain sales.code as varchar(30) check (value <> 'never');
  create type public.pair as (x int, y text);
  create table steady.pulse (id int primary key, beats int not null);
  insert into steady.pulse values (1, 0);
`;

interface Made {
  readonly name: string;
  readonly kind: 'rows' | 'ddl';
  readonly sql: string;
}

export interface Choice {
  /** Of a hundred statements, about so many change the schema. */
  readonly ddlShare: number;
  readonly publication: 'all' | 'schemas' | 'list';
  /** Whether there may be statements that are `unseen`. */
  readonly unseen: boolean;
}

/** The statement of a step: the dice are thrown until something is possible. */
export function makeStatement(scene: Scene, { ddlShare, publication, unseen }: Choice): Made {
  const groups = [
    { weight: 55, statements: COLUMN_STATEMENTS },
    { weight: 18, statements: KEY_STATEMENTS },
    { weight: 18, statements: TABLE_STATEMENTS },
    ...(scene.territory.everything
      ? [
          { weight: 10, statements: TYPE_STATEMENTS },
          { weight: 8, statements: PARTITION_STATEMENTS },
          { weight: publication === 'list' ? 8 : 0, statements: PUBLICATION_STATEMENTS },
          { weight: publication === 'schemas' ? 3 : 0, statements: SCHEMA_PUBLICATION_STATEMENTS },
        ]
      : []),
  ];
  for (;;) {
    const changes = scene.dice.chance(ddlShare);
    const statement = scene.dice.weighted(changes ? scene.dice.weighted(groups).statements : ROW_STATEMENTS);
    const sql = statement.unseen && !unseen ? null : statement.sql(scene);
    if (sql === null) continue;
    const inFunction = changes && scene.dice.chance(8);
    return {
      name: statement.name,
      kind: changes ? 'ddl' : 'rows',
      sql: inFunction ? `do $do$ begin execute ${literal(sql)}; end $do$` : sql,
    };
  }
}

/** The settings of a transaction's session, which decide how Postgres prints and reads values and names. */
export function makeSettings(dice: Dice): string[] {
  if (dice.chance(70)) return [];
  return dice.some(
    [
      `set local datestyle = '${dice.pick(['German, DMY', 'SQL, MDY', 'Postgres, DMY'])}'`,
      `set local timezone = '${dice.pick(['Asia/Tokyo', 'America/New_York'])}'`,
      `set local intervalstyle = '${dice.pick(['sql_standard', 'iso_8601', 'postgres_verbose'])}'`,
      `set local bytea_output = 'escape'`,
      `set local extra_float_digits = 0`,
      `set local search_path = 'sales', 'public'`,
      `set local session_replication_role = 'replica'`,
      `set local lc_monetary = 'C'`,
      `set local quote_all_identifiers = on`,
      `set local xmloption = 'document'`,
    ],
    3,
  );
}

export const BARE_STATEMENTS: readonly Statement[] = [
  {
    name: 'create index concurrently',
    weight: 3,
    sql: (scene) => {
      const table = scene.altered(({ kind }) => kind === 'r');
      const column = table && scene.column(table, ({ type }) => !/^(json$|point)/.test(type));
      return table && column
        ? `create index concurrently i${scene.numbers(1)} on ${table.sql} (${quote(column.name)})`
        : null;
    },
  },
  {
    name: 'detach partition concurrently',
    weight: 3,
    sql: (scene) => {
      const partition = scene.table(({ parent }) => parent !== null);
      const root = scene.tables.find(({ oid }) => oid === partition?.parent);
      return root && partition ? `alter table ${root.sql} detach partition ${partition.sql} concurrently` : null;
    },
  },
  { name: 'vacuum full', weight: 2, sql: (scene) => suffixed('vacuum full ', scene.altered()?.sql) },
  { name: 'reindex', weight: 1, sql: (scene) => suffixed('reindex table concurrently ', scene.altered()?.sql) },
  { name: 'analyze', weight: 1, sql: (scene) => suffixed('analyze ', scene.table()?.sql) },
];

const suffixed = (text: string, sql: string | undefined): string | null => (sql === undefined ? null : text + sql);
