import type { SourceTable } from './ddl-workload-catalog.js';
import { insert } from './ddl-workload-rows.js';
import { quote, type Scene, type Statement } from './ddl-workload-scene.js';
import { anyType } from './ddl-workload-values.js';

/** Partitioned tables, and what a publication carries. */
export const PARTITION_STATEMENTS: readonly Statement[] = [
  { name: 'create partitioned table', weight: 2, sql: create },
  { name: 'create partition', weight: 4, sql: createPartition },
  { name: 'attach partition', weight: 5, sql: attach },
  { name: 'attach a new table', weight: 3, sql: createAndAttach },
  { name: 'detach partition', weight: 4, sql: detach },
  { name: 'detach and attach', weight: 3, sql: detachAndAttach },
  { name: 'drop partition', weight: 2, sql: dropPartition },
];

const MOST_PARTITIONED = 2;

const isRoot = ({ kind, parent }: SourceTable): boolean => kind === 'p' && parent === null;

const partitionsOf = (scene: Scene, root: SourceTable): SourceTable[] =>
  scene.tables.filter(({ parent }) => parent === root.oid);

/** By a list of `part`, which is 0 to 3; what has no partition goes into the default one, if there is one. */
export function create(scene: Scene): string | null {
  if (scene.tables.filter(isRoot).length >= MOST_PARTITIONED) return null;
  const schema = scene.schema();
  const name = scene.freeTable(schema);
  if (name === undefined) return null;
  const sql = `${quote(schema)}.${quote(name)}`;
  const keyless = scene.dice.chance(30);
  const key = keyless ? '' : ', primary key (id, part)';
  const of = (suffix: string): string => `${quote(schema)}.${quote(`${name} ${suffix}`)}`;
  const parts = [
    `create table ${of('0')} partition of ${sql} for values in (0)`,
    `create table ${of('1')} partition of ${sql} for values in (1, 2)`,
    ...(scene.dice.chance(60) ? [`create table ${of('default')} partition of ${sql} default`] : []),
  ];
  const identities = keyless
    ? [sql, of('0'), of('1'), ...(parts.length > 2 ? [of('default')] : [])].map(
        (one) => `alter table ${one} replica identity full`,
      )
    : [];
  return [
    `create table ${sql} (id int, part int, a ${anyType(scene.dice, scene.catalog)}, b text${key}) partition by list (part)`,
    ...parts,
    ...identities,
  ].join('; ');
}

/** What no partition of the table has. */
function freeBound(scene: Scene, root: SourceTable): string | undefined {
  const bounds = partitionsOf(scene, root).map(({ bound }) => bound ?? '');
  const free = [0, 1, 2, 3].filter((place) => !bounds.some((bound) => bound.includes(`${place}`)));
  const chosen = scene.dice.some(free, 1 + scene.dice.nat(2));
  const possible = [
    ...(chosen.length > 0 ? [`for values in (${chosen.join(', ')})`] : []),
    ...(bounds.includes('DEFAULT') ? [] : ['default']),
  ];
  return scene.dice.find(possible);
}

const identityFor = (root: SourceTable, sql: string): string =>
  root.replicaIdentity === 'f' ? `; alter table ${sql} replica identity full` : '';

function createPartition(scene: Scene): string | null {
  const root = scene.altered(isRoot);
  const bound = root && freeBound(scene, root);
  if (!root || bound === undefined) return null;
  const sql = `${quote(root.schema)}.${quote(`${root.name} ${scene.numbers(1)}`)}`;
  return `create table ${sql} partition of ${root.sql} ${bound}${identityFor(root, sql)}`;
}

/** One that was detached, with its rows. */
function attach(scene: Scene): string | null {
  const root = scene.altered(isRoot);
  const like = (table: SourceTable): boolean =>
    table.kind === 'r' &&
    table.parent === null &&
    table.columns.length === root?.columns.length &&
    table.columns.every(({ name, type }) =>
      root.columns.some((column) => column.name === name && column.type === type),
    );
  const table = root && scene.dice.find(scene.tables.filter(like));
  const bound = root && freeBound(scene, root);
  return root && table && bound ? `alter table ${root.sql} attach partition ${table.sql} ${bound}` : null;
}

/** With columns in another order, so that they have other numbers than the root's. */
function createAndAttach(scene: Scene): string | null {
  const root = scene.altered(
    (one) => isRoot(one) && one.columns.every(({ generated, identity }) => generated === '' && identity === ''),
  );
  const bound = root && freeBound(scene, root);
  if (!root || bound === undefined) return null;
  const sql = `${quote(root.schema)}.${quote(`${root.name} ${scene.numbers(1)}`)}`;
  const columns = scene.dice
    .shuffle(root.columns)
    .map(({ name, type, notNull }) => `${quote(name)} ${type}${notNull ? ' not null' : ''}`);
  const value = /\d/.exec(bound)?.[0] ?? '7';
  const rows = scene.dice.chance(60)
    ? `insert into ${sql} (id, part) values (${scene.numbers(1)}, ${value}), (${scene.numbers(1)}, ${value}); `
    : '';
  return `create table ${sql} (${columns.join(', ')}); ${rows}alter table ${root.sql} attach partition ${sql} ${bound}${identityFor(root, sql)}`;
}

function detach(scene: Scene): string | null {
  const partition = scene.table(({ parent }) => parent !== null);
  const root = scene.tables.find(({ oid }) => oid === partition?.parent);
  return root && partition ? `alter table ${root.sql} detach partition ${partition.sql}` : null;
}

/** With a row more in between; the same bound, so that all rows fit. */
function detachAndAttach(scene: Scene): string | null {
  const partition = scene.table(({ parent }) => parent !== null);
  const root = scene.tables.find(({ oid }) => oid === partition?.parent);
  if (!root || !partition) return null;
  const between = scene.dice.chance(50) ? insert(scene, partition, 2) : null;
  return [
    `alter table ${root.sql} detach partition ${partition.sql}`,
    ...(between ? [between] : []),
    `alter table ${root.sql} attach partition ${partition.sql} ${partition.bound}`,
  ].join('; ');
}

function dropPartition(scene: Scene): string | null {
  const partition = scene.table(({ parent }) => parent !== null);
  return partition ? `drop table ${partition.sql} cascade` : null;
}

/** Of a publication that lists tables, or schemas. */
export const PUBLICATION_STATEMENTS: readonly Statement[] = [
  {
    name: 'add to publication',
    weight: 3,
    unseen: true,
    sql: (scene) => {
      const table = scene.altered(({ listed, logged }) => !listed && logged);
      return table ? `alter publication wal2dolt add table only ${table.sql}` : null;
    },
  },
  {
    name: 'drop from publication',
    weight: 2,
    unseen: true,
    sql: (scene) => {
      const table = scene.altered(({ listed }) => listed);
      return table ? `alter publication wal2dolt drop table only ${table.sql}` : null;
    },
  },
];

export const SCHEMA_PUBLICATION_STATEMENTS: readonly Statement[] = [
  {
    name: 'add or drop a schema of the publication',
    weight: 2,
    unseen: true,
    sql: (scene) => {
      const schema = scene.dice.pick(scene.territory.schemas.slice(1));
      const published = scene.catalog.schemas.includes(schema);
      return `alter publication wal2dolt ${published ? 'drop' : 'add'} tables in schema ${quote(schema)}`;
    },
  },
];
