import type { DdlSnapshot, DefinedTable } from '../../src/core/ddl-snapshot.js';
import { parseSelection } from '../../src/core/patterns.js';
import { type Lsn, lsn } from '../../src/core/position.js';
import type { TableSchema } from '../../src/core/schema.js';
import { type KnownTables, planSnapshot, type TableAction } from '../../src/sync/schema-plan.js';
import type { MappingRules } from '../../src/sync/tables.js';
import { PLAIN_RULES, schemaOf, type TableSpec, targetOf } from './tables.js';

/*
 * What is followed, what a command says, and the plan that comes of it.
 */

export const AT = lsn(100n);
export const FRUIT: TableSpec = { name: 'fruit', oid: 1, columns: { id: 'integer', name: 'text' }, key: ['id'] };
export const VEG: TableSpec = { ...FRUIT, name: 'veg', oid: 2 };

export interface Scene {
  readonly followed?: readonly TableSpec[];
  readonly left?: Readonly<Record<number, string>>;
  readonly pending?: readonly number[];
  readonly reserved?: readonly string[];
  readonly empty?: readonly number[];
  readonly snapshotLsn?: Lsn;
}

export const known = ({
  followed = [],
  left = {},
  pending = [],
  reserved = [],
  empty = [],
  snapshotLsn = lsn(7n),
}: Scene): KnownTables => ({
  followed: new Map(followed.map((spec) => [spec.oid ?? 0, { table: targetOf(spec), snapshotLsn }])),
  left: new Map(Object.entries(left).map(([oid, name]) => [Number(oid), name])),
  pending: new Set(pending),
  reserved,
  empty: new Set(empty),
  changedBy: () => null,
});

export const defined = (
  spec: TableSpec,
  what: Partial<DefinedTable> = {},
  schema: Partial<TableSchema> = {},
): DefinedTable => ({
  schema: { ...schemaOf(spec), ...schema },
  created: false,
  rewritten: false,
  ...what,
});

/** A table that is gone, or not published any more. */
export const identity = ({ oid = 0, schema = 'public', name }: TableSpec) => ({ oid, schema, name });

/** What the plan for a command comes to, a line each. */
export function plan(scene: Scene, snapshot: Partial<DdlSnapshot>, rules: Partial<MappingRules> = {}): string[] {
  const whole: DdlSnapshot = {
    publication: 'p',
    tag: 'ALTER TABLE',
    command: '',
    user: 'ann',
    settings: {},
    tables: [],
    unpublished: [],
    dropped: [],
    droppedIndexes: [],
    rewritten: [],
    complete: false,
    failure: null,
    ...snapshot,
  };
  return planSnapshot(whole, { finalLsn: AT, xid: 7 }, known(scene), { ...PLAIN_RULES, ...rules }).map(brief);
}

export function brief(action: TableAction): string {
  switch (action.kind) {
    case 'create':
      return `create ${action.table.name}`;
    case 'change':
      return `change ${action.before.table.name}: ${[...action.diff.described, `rows ${action.diff.rows.kind}`].join(', ')}`;
    case 'leave':
      return `leave ${action.name}: ${action.why}`;
    case 'forget':
      return `forget ${action.name}: ${action.why}`;
    case 'moveAway':
      return `move ${action.from} to ${action.to}`;
    case 'copy':
      return `copy ${action.name}: ${action.why}`;
  }
}

export const without = (spec: TableSpec, column: string): TableSpec => ({
  ...spec,
  columns: Object.fromEntries(Object.entries(spec.columns).filter(([name]) => name !== column)),
});
export const withPrice: TableSpec = { ...FRUIT, columns: { ...FRUIT.columns, price: 'integer' } };
export const only = (...selection: string[]): Partial<MappingRules> => ({
  tables: { selection: selection.map(parseSelection), options: [] },
});
