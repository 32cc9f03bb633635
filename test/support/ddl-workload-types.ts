import type { SourceType } from './ddl-workload-catalog.js';
import { literal, quote, type Scene, type Statement } from './ddl-workload-scene.js';

/** Enums, domains and composite types, of columns and of none. */
export const TYPE_STATEMENTS: readonly Statement[] = [
  { name: 'add enum value', weight: 4, sql: addValue },
  { name: 'rename enum value', weight: 4, unseen: true, sql: renameValue },
  { name: 'rename type', weight: 3, sql: renameType },
  { name: 'move type', weight: 1, sql: moveType },
  { name: 'create type', weight: 2, sql: createType },
  { name: 'drop type', weight: 1, sql: dropType },
  { name: 'alter domain', weight: 4, sql: alterDomain },
  { name: 'alter composite', weight: 4, unseen: true, sql: alterComposite },
];

const MOST_TYPES = 8;

function type(scene: Scene, kind?: SourceType['kind']): SourceType | undefined {
  return scene.dice.find([...scene.catalog.types.values()].filter((one) => kind === undefined || one.kind === kind));
}

function addValue(scene: Scene): string | null {
  const own = type(scene, 'e');
  if (!own || own.labels.length > 8) return null;
  const place = scene.dice.pick([
    '',
    ` before ${literal(own.labels[0] ?? '')}`,
    ` after ${literal(own.labels[0] ?? '')}`,
  ]);
  return `alter type ${own.sql} add value ${literal(`label ${scene.numbers(1)}`)}${place}`;
}

function renameValue(scene: Scene): string | null {
  const own = type(scene, 'e');
  const label = own && scene.dice.find(own.labels);
  if (!own || label === undefined) return null;
  return `alter type ${own.sql} rename value ${literal(label)} to ${literal(`it's ${scene.numbers(1)}`)}`;
}

const renaming = (own: SourceType): string => (own.kind === 'd' ? 'domain' : 'type');

function renameType(scene: Scene): string | null {
  const own = type(scene);
  return own ? `alter ${renaming(own)} ${own.sql} rename to ${quote(`Type${scene.numbers(1)}`)}` : null;
}

function moveType(scene: Scene): string | null {
  const own = type(scene);
  const schema = own && scene.dice.find(scene.territory.schemas.filter((one) => one !== own.schema));
  return own && schema ? `alter ${renaming(own)} ${own.sql} set schema ${quote(schema)}` : null;
}

function createType(scene: Scene): string | null {
  if (scene.catalog.types.size >= MOST_TYPES) return null;
  const name = `public.type${scene.numbers(1)}`;
  return scene.dice.pick([
    `create type ${name} as enum ('one', 'two', 'three')`,
    `create domain ${name} as numeric(12,3) check (value is not null or true)`,
    `create domain ${name} as varchar(30)`,
    `create type ${name} as (x int, "Y" text)`,
  ]);
}

function dropType(scene: Scene): string | null {
  const own = type(scene);
  if (!own || scene.catalog.types.size < 3) return null;
  return `drop ${renaming(own)} ${own.sql}${scene.dice.chance(40) ? ' cascade' : ''}`;
}

function alterDomain(scene: Scene): string | null {
  const own = type(scene, 'd');
  if (!own) return null;
  const check = own.checks[0];
  return `alter domain ${own.sql} ${scene.dice.pick([
    'set default null',
    'drop default',
    'drop not null',
    `add constraint k${scene.numbers(1)} check (value is not null or true)`,
    `add constraint k${scene.numbers(1)} check (length(value::text) < 1000) not valid`,
    ...(check === undefined ? [] : [`drop constraint ${quote(check)}`, `validate constraint ${quote(check)}`]),
  ])}`;
}

function alterComposite(scene: Scene): string | null {
  const own = type(scene, 'c');
  const attribute = own && scene.dice.find(own.attributes);
  if (!own || !attribute) return null;
  const fresh = quote(`x${scene.numbers(1)}`);
  return `alter type ${own.sql} ${scene.dice.pick([
    `add attribute ${fresh} ${scene.dice.pick(['int', 'text', 'date'])}`,
    own.attributes.length > 1 ? `drop attribute ${quote(attribute.name)}` : `add attribute ${fresh} int`,
    `rename attribute ${quote(attribute.name)} to ${fresh}`,
    `alter attribute ${quote(attribute.name)} type text`,
  ])}`;
}
