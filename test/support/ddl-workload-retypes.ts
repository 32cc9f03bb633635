import type { SourceColumn, SourceTable } from './ddl-workload-catalog.js';
import { quote, type Scene, type Statement } from './ddl-workload-scene.js';
import { anyType, fitsKey, KEY_TYPES, valueFor } from './ddl-workload-values.js';

/** What changes what a column is, or exchanges it for another one. */
export const RETYPE_STATEMENTS: readonly Statement[] = [
  { name: 'retype', weight: 8, sql: (scene) => retype(scene, true) },
  { name: 'retype by an expression', weight: 4, sql: (scene) => retype(scene, false) },
  { name: 'retype widening', weight: 4, sql: widen },
  { name: 'rename and retype', weight: 4, sql: renameAndRetype },
  { name: 'drop and add alike', weight: 4, sql: (scene) => dropAndAdd(scene, true) },
  { name: 'drop and add otherwise', weight: 4, sql: (scene) => dropAndAdd(scene, false) },
  { name: 'several actions', weight: 4, sql: severalActions },
];

const changesType = ({ generated, identity }: SourceColumn): boolean => generated === '' && identity === '';

/** A column of a key stays one whose values may be in a key. */
function typeFor(scene: Scene, table: SourceTable, { attnum }: SourceColumn): string {
  const indexed = table.indexes.some((index) => index.attnums.includes(attnum));
  return indexed || scene.dice.chance(30) ? scene.dice.pick(KEY_TYPES) : anyType(scene.dice, scene.catalog);
}

function retypeAction(
  scene: Scene,
  table: SourceTable,
  column: SourceColumn,
  casts: boolean,
  as = column.name,
): string | null {
  const type = typeFor(scene, table, column);
  const name = quote(as);
  // A default of the old type often can not be cast.
  const action = `${column.hasDefault ? `alter ${name} drop default, ` : ''}alter ${name} type ${type}`;
  if (casts) return `${action} using ${name}::${scene.dice.chance(70) ? `text::${type}` : type}`;
  const unique = table.indexes.some((index) => index.unique && index.attnums.includes(column.attnum));
  const value = unique ? null : valueFor(type, `length(coalesce(${name}::text, ''))`, scene.catalog, false);
  return value === null ? null : `${action} using ${value}`;
}

function retype(scene: Scene, casts: boolean): string | null {
  const table = scene.altered();
  const column = table && scene.column(table, changesType);
  const action = table && column ? retypeAction(scene, table, column, casts) : null;
  return table && action ? `alter table ${table.sql} ${action}` : null;
}

/** Pairs that need no USING; of some of them Postgres writes no row again. */
const WIDER: readonly (readonly [from: RegExp, to: readonly string[]])[] = [
  [/^smallint$/, ['integer', 'bigint', 'numeric', 'text']],
  [/^integer$/, ['bigint', 'numeric(12,3)', 'double precision', 'character varying(30)']],
  [/^bigint$/, ['numeric(20,6)', 'text', 'integer']],
  [/^numeric\(12,3\)$/, ['numeric(20,6)', 'numeric', 'numeric(14,3)', 'integer', 'text']],
  [/^numeric/, ['numeric', 'text', 'double precision']],
  [/^character varying\(30\)$/, ['character varying(100)', 'character varying(10)', 'text', 'character(8)']],
  [/^character varying/, ['text', 'character varying', 'character varying(30)']],
  [/^character\(/, ['text', 'character varying(30)', 'character(12)']],
  [/^text$/, ['character varying(100)', 'character varying', 'bytea']],
  [/^date$/, ['timestamp without time zone', 'timestamp with time zone']],
  [
    /^timestamp(\(3\))? without/,
    ['timestamp with time zone', 'timestamp(0) without time zone', 'timestamp without time zone', 'date'],
  ],
  [/^timestamp with /, ['timestamp without time zone', 'date']],
  [/^real$/, ['double precision', 'numeric']],
  [/^jsonb?$/, ['jsonb', 'json', 'text']],
  [/^integer\[\]$/, ['bigint[]', 'text[]']],
  [/^time /, ['interval', 'text']],
  [/^bit/, ['bit(16)', 'bit varying(20)']],
];

function widen(scene: Scene): string | null {
  const wider = ({ type }: SourceColumn): readonly string[] => WIDER.find(([from]) => from.test(type))?.[1] ?? [];
  const passes = (column: SourceColumn): boolean => changesType(column) && wider(column).length > 0;
  const table = scene.altered(({ columns }) => columns.some(passes));
  const column = table && scene.column(table, passes);
  if (!table || !column) return null;
  const indexed = table.indexes.some((index) => index.attnums.includes(column.attnum));
  const type = scene.dice.find(wider(column).filter((to) => !indexed || fitsKey(to, scene.catalog)));
  if (type === undefined) return null;
  const drop = column.hasDefault ? `alter ${quote(column.name)} drop default, ` : '';
  return `alter table ${table.sql} ${drop}alter ${quote(column.name)} type ${type}`;
}

function renameAndRetype(scene: Scene): string | null {
  const table = scene.altered();
  const column = table && scene.column(table, changesType);
  const name = table && scene.freeColumn(table);
  if (!table || !column || !name) return null;
  const renaming = `alter table ${table.sql} rename column ${quote(column.name)} to ${quote(name)}`;
  const first = scene.dice.chance(50);
  const action = retypeAction(scene, table, column, true, first ? name : column.name);
  const retyping = `alter table ${table.sql} ${action}`;
  return first ? `${renaming}; ${retyping}` : `${retyping}; ${renaming}`;
}

/** The same name again, of the same type or another. */
function dropAndAdd(scene: Scene, alike: boolean): string | null {
  const table = scene.altered(({ columns }) => columns.length > 1);
  const column = table && scene.column(table, changesType);
  if (!table || !column) return null;
  const type = alike ? column.type : anyType(scene.dice, scene.catalog);
  const value = scene.dice.chance(40) ? valueFor(type, `${scene.dice.nat(100)}`, scene.catalog, false) : null;
  const adding = `add column ${quote(column.name)} ${type}${value === null ? '' : ` default ${value}`}`;
  const dropping = `drop column ${quote(column.name)} cascade`;
  return scene.dice.chance(50)
    ? `alter table ${table.sql} ${dropping}, ${adding}`
    : `alter table ${table.sql} ${dropping}; alter table ${table.sql} ${adding}`;
}

function severalActions(scene: Scene): string | null {
  const table = scene.altered(({ columns }) => columns.length > 2);
  if (!table) return null;
  const columns = scene.dice.shuffle(
    table.columns.filter(
      (column) => changesType(column) && !column.inherited && !table.partitionKey.includes(column.attnum),
    ),
  );
  const names = scene.freeColumns(table);
  const actions = [
    columns[0] && retypeAction(scene, table, columns[0], true),
    columns[1] && `drop column ${quote(columns[1].name)} cascade`,
    names[0] && `add column ${quote(names[0])} ${anyType(scene.dice, scene.catalog)}`,
    names[1] && `add column ${quote(names[1])} int default ${scene.dice.nat(50)}`,
    columns[2] && `alter ${quote(columns[2].name)} drop not null`,
  ].filter((action) => typeof action === 'string');
  const chosen = scene.dice.shuffle(actions).slice(0, 2 + scene.dice.nat(3));
  return chosen.length < 2 ? null : `alter table ${table.sql} ${chosen.join(', ')}`;
}
