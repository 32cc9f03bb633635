import type { SourceColumn, SourceTable } from './ddl-workload-catalog.js';
import { RETYPE_STATEMENTS } from './ddl-workload-retypes.js';
import { literal, quote, type Scene, type Statement } from './ddl-workload-scene.js';
import { anyType, KEY_TYPES, valueFor } from './ddl-workload-values.js';

/** What ALTER TABLE does to columns. */
export const COLUMN_STATEMENTS: readonly Statement[] = [
  { name: 'add column', weight: 8, sql: (scene) => add(scene, () => '') },
  { name: 'add column with a literal', weight: 4, sql: (scene) => add(scene, literalDefault) },
  { name: 'add column with a constant', weight: 4, sql: (scene) => add(scene, constantDefault) },
  {
    name: 'add column not null',
    weight: 4,
    sql: (scene) => add(scene, (s, type) => suffix(constantDefault(s, type), ' not null')),
  },
  { name: 'add column with a volatile default', weight: 3, sql: addVolatile },
  { name: 'add generated column', weight: 3, sql: addGenerated },
  { name: 'add identity', weight: 2, sql: addIdentity },
  { name: 'add and fill', weight: 3, sql: addAndFill },
  {
    name: 'drop column',
    weight: 8,
    sql: (scene) => onColumn(scene, notLast, ({ name }) => `drop column ${quote(name)} cascade`),
  },
  { name: 'rename column', weight: 8, sql: rename },
  { name: 'rename column by case', weight: 2, sql: renameByCase },
  { name: 'swap columns', weight: 4, sql: swap },
  ...RETYPE_STATEMENTS,
  { name: 'set not null', weight: 4, sql: setNotNull },
  {
    name: 'drop not null',
    weight: 3,
    sql: (scene) =>
      onColumn(
        scene,
        ({ notNull, identity, attnum }, { indexes }) =>
          notNull && identity === '' && !indexes.some((index) => index.primary && index.attnums.includes(attnum)),
        ({ name }) => `alter ${quote(name)} drop not null`,
      ),
  },
  { name: 'set default', weight: 3, sql: setDefault },
  {
    name: 'drop default',
    weight: 2,
    sql: (scene) =>
      onColumn(
        scene,
        ({ hasDefault, generated }) => hasDefault && generated === '',
        ({ name }) => `alter ${quote(name)} drop default`,
      ),
  },
  {
    name: 'drop identity',
    weight: 1,
    sql: (scene) =>
      onColumn(
        scene,
        ({ identity }) => identity !== '',
        ({ name }) => `alter ${quote(name)} drop identity`,
      ),
  },
  {
    name: 'drop expression',
    weight: 1,
    sql: (scene) =>
      onColumn(
        scene,
        ({ generated }) => generated === 's',
        ({ name }) => `alter ${quote(name)} drop expression`,
      ),
  },
  {
    name: 'collate',
    weight: 1,
    sql: (scene) => onColumn(scene, isText, ({ name, type }) => `alter ${quote(name)} type ${type} collate "C"`),
  },
  {
    name: 'set statistics',
    weight: 1,
    sql: (scene) =>
      onColumn(
        scene,
        () => true,
        ({ name }) => `alter ${quote(name)} set statistics 50`,
      ),
  },
];

const isText = ({ type, generated }: SourceColumn): boolean =>
  /^(text|character varying)/.test(type) && generated === '';

const suffix = (text: string | null, more: string): string | null => (text === null ? null : text + more);

const notLast = (_column: SourceColumn, table: SourceTable): boolean => table.columns.length > 2;

function onColumn(
  scene: Scene,
  passes: (column: SourceColumn, table: SourceTable) => boolean,
  action: (column: SourceColumn) => string,
): string | null {
  const table = scene.altered((one) => one.columns.some((column) => passes(column, one)));
  const column = table && scene.column(table, (one) => passes(one, table));
  return table && column ? `alter table ${table.sql} ${action(column)}` : null;
}

function add(scene: Scene, more: (scene: Scene, type: string) => string | null): string | null {
  const table = scene.altered(({ columns }) => columns.length < 12);
  const name = table && scene.freeColumn(table);
  if (!table || !name) return null;
  const type = scene.dice.chance(30) ? scene.dice.pick(KEY_TYPES) : anyType(scene.dice, scene.catalog);
  const text = more(scene, type);
  return text === null ? null : `alter table ${table.sql} add column ${quote(name)} ${type}${text}`;
}

function literalDefault(scene: Scene, type: string): string | null {
  if (!/^(smallint|integer|bigint|numeric|real|double|text|character|boolean)/.test(type) || type.endsWith('[]'))
    return null;
  const text = type === 'boolean' ? 'true' : /^(text|character)/.test(type) ? "it''s" : `${scene.dice.nat(90)}`;
  return ` default '${text}'`;
}

function constantDefault(scene: Scene, type: string): string | null {
  return (
    suffix(valueFor(type, `${scene.dice.nat(200)}`, scene.catalog, scene.dice.chance(50)), '')?.replace(
      /^/,
      ' default ',
    ) ?? null
  );
}

const VOLATILE = [
  'double precision default random()',
  'uuid default gen_random_uuid()',
  'timestamp with time zone default clock_timestamp()',
  "bigint default nextval('public.numbers')",
  'numeric default (random() * 1000)::numeric(10,4) not null',
  'text default md5(random()::text)',
];

function addVolatile(scene: Scene): string | null {
  const table = scene.altered();
  const name = table && scene.freeColumn(table);
  return table && name ? `alter table ${table.sql} add column ${quote(name)} ${scene.dice.pick(VOLATILE)}` : null;
}

function addGenerated(scene: Scene): string | null {
  const simple = ({ type, generated }: SourceColumn): boolean =>
    /^(smallint|integer|text)$/.test(type) && generated === '';
  const table = scene.altered(({ columns }) => columns.some(simple));
  const [name, of] = [table && scene.freeColumn(table), table && scene.dice.find(table.columns.filter(simple))];
  if (!table || !name || !of) return null;
  const expression = of.type === 'text' ? `upper(${quote(of.name)})` : `${quote(of.name)}::bigint * 2`;
  const virtual = scene.catalog.version >= 18 && scene.dice.chance(30);
  const type = of.type === 'text' ? 'text' : 'bigint';
  return `alter table ${table.sql} add column ${quote(name)} ${type} generated always as (${expression}) ${virtual ? 'virtual' : 'stored'}`;
}

function addIdentity(scene: Scene): string | null {
  const table = scene.altered();
  const name = table && scene.freeColumn(table);
  if (!table || !name) return null;
  const what = scene.dice.pick([
    'int generated always as identity',
    'bigint generated by default as identity',
    'bigserial',
  ]);
  return `alter table ${table.sql} add column ${quote(name)} ${what}`;
}

/** As migrations do: a column is added, filled, and then must not be null. */
function addAndFill(scene: Scene): string | null {
  const table = scene.altered();
  const name = table && scene.freeColumn(table);
  if (!table || !name) return null;
  const type = anyType(scene.dice, scene.catalog);
  const value = valueFor(type, `${scene.dice.nat(500)}`, scene.catalog, false);
  return `alter table ${table.sql} add column ${quote(name)} ${type};
    update ${table.sql} set ${quote(name)} = ${value};
    alter table ${table.sql} alter ${quote(name)} set not null`;
}

function rename(scene: Scene): string | null {
  const table = scene.altered();
  const column = table && scene.dice.find(table.columns.filter(({ inherited }) => !inherited));
  const name = table && scene.freeColumn(table);
  return table && column && name
    ? `alter table ${table.sql} rename column ${quote(column.name)} to ${quote(name)}`
    : null;
}

function renameByCase(scene: Scene): string | null {
  const other = ({ name }: SourceColumn): string =>
    name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase();
  const renames = (column: SourceColumn): boolean => !column.inherited && other(column) !== column.name;
  const table = scene.altered(({ columns }) => columns.some(renames));
  const column = table && scene.dice.find(table.columns.filter(renames));
  return table && column
    ? `alter table ${table.sql} rename column ${quote(column.name)} to ${quote(other(column))}`
    : null;
}

function swap(scene: Scene): string | null {
  const table = scene.altered(({ columns }) => columns.filter(({ inherited }) => !inherited).length > 1);
  const [a, b] = table
    ? scene.dice.some(
        table.columns.filter(({ inherited }) => !inherited),
        2,
      )
    : [];
  if (!table || !a || !b) return null;
  const change = (from: string, to: string): string =>
    `alter table ${table.sql} rename column ${quote(from)} to ${quote(to)}`;
  return [change(a.name, 'swapped'), change(b.name, a.name), change('swapped', b.name)].join('; ');
}

function setNotNull(scene: Scene): string | null {
  const table = scene.altered();
  const column = table && scene.column(table, ({ notNull }) => !notNull);
  if (!table || !column) return null;
  const name = quote(column.name);
  const value = column.generated === '' ? valueFor(column.type, '3', scene.catalog, true) : null;
  const filling = value === null ? '' : `update ${table.sql} set ${name} = ${value} where ${name} is null; `;
  return `${scene.dice.chance(60) ? filling : ''}alter table ${table.sql} alter ${name} set not null`;
}

function setDefault(scene: Scene): string | null {
  return onColumn(
    scene,
    ({ generated, identity }) => generated === '' && identity === '',
    ({ name, type }) =>
      `alter ${quote(name)} set default ${scene.dice.chance(20) ? 'null' : (valueFor(type, `${scene.dice.nat(300)}`, scene.catalog, scene.dice.chance(50)) ?? 'null')}`,
  );
}

export const comment = (scene: Scene): string | null => {
  const table = scene.table();
  const column = table && scene.dice.chance(50) ? scene.dice.find(table.columns) : undefined;
  if (!table) return null;
  const text = scene.dice.chance(20) ? 'null' : literal(`it's ${scene.numbers(1)}\\ "é"`);
  return column
    ? `comment on column ${table.sql}.${quote(column.name)} is ${text}`
    : `comment on table ${table.sql} is ${text}`;
};
