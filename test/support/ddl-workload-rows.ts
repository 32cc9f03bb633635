import { identityOf, type SourceColumn, type SourceTable } from './ddl-workload-catalog.js';
import { quote, type Scene, type Statement } from './ddl-workload-scene.js';
import { longText } from './ddl-workload-values.js';

/** Rows of the workload's tables: whatever a table is just now. */
export const ROW_STATEMENTS: readonly Statement[] = [
  { name: 'insert', weight: 30, sql: (scene) => insert(scene, scene.table(insertable), 1 + scene.dice.nat(6)) },
  { name: 'insert many', weight: 3, sql: (scene) => insert(scene, scene.table(insertable), 60) },
  { name: 'insert into a partition', weight: 2, sql: (scene) => insert(scene, scene.table(isPartition), 2) },
  { name: 'update', weight: 22, sql: (scene) => update(scene, scene.table(changeable), false) },
  { name: 'update all', weight: 3, sql: (scene) => update(scene, scene.table(changeable), true) },
  { name: 'update long text', weight: 5, sql: updateLong },
  { name: 'update key', weight: 6, sql: updateKey },
  {
    name: 'delete',
    weight: 8,
    sql: (scene) => {
      const table = scene.table(changeable);
      return table ? `delete from ${table.sql} where ${some(scene, table, 3)}` : null;
    },
  },
  { name: 'truncate', weight: 2, sql: truncate },
];

const isPartition = ({ parent }: SourceTable): boolean => parent !== null;
const insertable = ({ parent }: SourceTable): boolean => parent === null;
const changeable = (table: SourceTable): boolean => table.parent === null && identityOf(table) !== null;

const writable = (column: SourceColumn): boolean => column.generated === '' && column.identity === '';

/** New rows: by a number each, so that keys are new, whichever columns they have. */
export function insert(scene: Scene, table: SourceTable | undefined, count: number): string | null {
  if (!table) return null;
  const columns = table.columns.filter(writable).flatMap((column) => {
    // Left out, a column has its default.
    if (column.hasDefault && scene.dice.chance(40)) return [];
    const value = scene.value(table, column, 'g.n');
    return value === null ? [] : [{ name: quote(column.name), value }];
  });
  const first = scene.numbers(count);
  if (columns.length === 0) return `insert into ${table.sql} default values`;
  return `insert into ${table.sql} (${columns.map(({ name }) => name).join(', ')})
    select ${columns.map(({ value }) => value).join(', ')} from generate_series(${first}, ${first + count - 1}) g (n)
    ${table.indexes.some(({ immediate }) => !immediate) ? '' : 'on conflict do nothing'}`;
}

/** A few rows: those that lie first, so that steps meet. */
const some = (scene: Scene, { sql }: SourceTable, most: number): string =>
  `(tableoid, ctid) in (
    select tableoid, ctid from ${sql} offset ${scene.dice.nat(6)} limit ${1 + scene.dice.nat(most)})`;

/** Rows keep their key. */
export function update(scene: Scene, table: SourceTable | undefined, all: boolean): string | null {
  if (!table) return null;
  const identity = identityOf(table) ?? [];
  const candidates = table.columns.filter(
    (column) =>
      writable(column) &&
      ![...identity, ...table.partitionKey].includes(column.attnum) &&
      !table.indexes.some((index) => index.unique && index.attnums.includes(column.attnum)),
  );
  const from = scene.numbers(1);
  const sets = scene.dice.some(candidates, 1 + scene.dice.nat(3)).flatMap((column) => {
    const value = scene.value(table, column, `${from}`);
    return value === null ? [] : [`${quote(column.name)} = ${value}`];
  });
  if (sets.length === 0) return null;
  return `update ${table.sql} set ${sets.join(', ')}${all ? '' : ` where ${some(scene, table, 5)}`}`;
}

/** A value that Postgres does not send again with later updates of the row. */
function updateLong(scene: Scene): string | null {
  const isLong = ({ type, generated }: SourceColumn): boolean => type === 'text' && generated === '';
  const inIndex = (table: SourceTable, { attnum }: SourceColumn): boolean =>
    table.indexes.some((index) => index.attnums.includes(attnum));
  const table = scene.table(
    (one) => changeable(one) && one.columns.some((column) => isLong(column) && !inIndex(one, column)),
  );
  const column = table && scene.dice.find(table.columns.filter((one) => isLong(one) && !inIndex(table, one)));
  if (!table || !column) return null;
  return `update ${table.sql} set ${quote(column.name)} = ${longText(`${scene.numbers(1)}`)} where ${some(scene, table, 3)}`;
}

function updateKey(scene: Scene): string | null {
  const table = scene.table((one) => changeable(one) && (identityOf(one)?.length ?? 0) > 0);
  if (!table) return null;
  const number = scene.numbers(1);
  const columns = table.columns.filter((column) => identityOf(table)?.includes(column.attnum) && writable(column));
  const sets = columns.flatMap((column) => {
    const value = scene.value(table, column, `${number}`);
    return value === null ? [] : [`${quote(column.name)} = ${value}`];
  });
  return sets.length === 0 ? null : `update ${table.sql} set ${sets.join(', ')} where ${some(scene, table, 1)}`;
}

function truncate(scene: Scene): string | null {
  const table = scene.altered();
  const other = scene.dice.chance(20)
    ? scene.dice.find(scene.tables.filter(({ parent }) => parent === null))
    : undefined;
  if (!table) return null;
  const tables = new Set([table.sql, ...(other ? [other.sql] : [])]);
  return `truncate ${[...tables].join(', ')}${scene.dice.chance(30) ? ' restart identity' : ''} cascade`;
}
