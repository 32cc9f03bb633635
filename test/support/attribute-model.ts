import type { Attribute, Attributes } from '../../src/core/attribute-facts.js';
import type { RelationColumn } from '../../src/core/change.js';
import type { TableSchema } from '../../src/core/schema.js';

/*
 * What Postgres keeps of a table's columns, and what its commands do to that.
 */

export interface TableModel {
  /** Dropped ones too, in the order of their attnums. */
  readonly rows: readonly Omit<Attribute, 'published'>[];
  readonly fileNode: number;
  /** Attnums that the publication lists; null for all columns. */
  readonly list: readonly number[] | null;
}

type Row = TableModel['rows'][number];

export const EMPTY_MODEL: TableModel = { rows: [], fileNode: 1, list: null };

/** By oid of the type. */
const LAYOUTS = new Map([
  [17, 'text'],
  [23, 'integer'],
  [25, 'text'],
  [1043, 'text'],
]);
/** Between these a column may change without a new file. */
const ALIKE = new Map([
  [17, new Set([17])],
  [23, new Set([23])],
  [25, new Set([25, 1043])],
  [1043, new Set([25, 1043])],
]);
export const TYPES = [...LAYOUTS.keys()];
const layoutOf = (type: number): string => LAYOUTS.get(type) ?? '';

/** `which` of the living columns. */
export type Change =
  | {
      readonly kind: 'add';
      readonly name: string;
      readonly type: number;
      /** With a default, or generated. */
      readonly as: 'plain' | 'filled' | 'stored' | 'virtual';
    }
  | { readonly kind: 'drop' | 'drop expression' | 'set statistics'; readonly which: number }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'rename'; readonly which: number; readonly name: string }
  | { readonly kind: 'retype'; readonly which: number; readonly type: number; readonly rewritten: boolean };

/** The table after a command of the transaction `xid`, or null where Postgres refuses it. */
export function alter(model: TableModel, change: Change, xid: bigint): TableModel | null {
  const living = model.rows.filter(({ dropped }) => !dropped);
  const isFree = (name: string): boolean => living.every((row) => row.name !== name);
  if (change.kind === 'add') {
    if (!isFree(change.name)) return null;
    const { name, type, as } = change;
    const row: Row = {
      attnum: model.rows.length + 1,
      name,
      typeOid: type,
      typmod: -1,
      layout: layoutOf(type),
      generated: as === 'stored' ? 's' : as === 'virtual' ? 'v' : '',
      dropped: false,
      hasMissing: as === 'filled',
      xid,
    };
    const altered = { ...model, rows: [...model.rows, row] };
    return as === 'stored' ? rewrite(altered, xid) : altered;
  }
  if (change.kind === 'truncate') return { ...model, fileNode: model.fileNode + 1 };
  const row = living[change.which % Math.max(living.length, 1)];
  if (!row) return null;
  const put = (what: Partial<Row>): TableModel => ({
    ...model,
    rows: model.rows.map((other) => (other === row ? { ...row, ...what, xid } : other)),
  });
  switch (change.kind) {
    case 'drop':
      if (model.list?.includes(row.attnum)) return null;
      return put({ dropped: true, name: `...${row.attnum}...`, typeOid: 0, generated: '', hasMissing: false });
    case 'drop expression':
      return row.generated === 's' ? put({ generated: '' }) : null;
    case 'set statistics':
      return put({});
    case 'rename':
      return isFree(change.name) ? put({ name: change.name }) : null;
    case 'retype': {
      const layout = layoutOf(change.type);
      const altered = put({ typeOid: change.type, layout });
      return change.rewritten || !ALIKE.get(row.typeOid)?.has(change.type) ? rewrite(altered, xid) : altered;
    }
  }
}

const rewrite = (model: TableModel, xid: bigint): TableModel => ({
  ...model,
  rows: model.rows.map((row) => (row.hasMissing ? { ...row, hasMissing: false, xid } : row)),
  fileNode: model.fileNode + 1,
});

const isPublished = ({ list }: TableModel, { attnum, dropped, generated }: Row): boolean =>
  !dropped && generated === '' && (list === null || list.includes(attnum));

/** Attnums of the columns that are announced. */
export const sentAttnums = (model: TableModel): number[] =>
  model.rows.filter((row) => isPublished(model, row)).map(({ attnum }) => attnum);

export const announce = (model: TableModel): RelationColumn[] =>
  model.rows
    .filter((row) => isPublished(model, row))
    .map(({ name, typeOid, typmod }) => ({ name, typeOid, typmod, key: false }));

export function store(model: TableModel): TableSchema {
  const sent = model.rows.filter((row) => isPublished(model, row));
  return {
    oid: 1,
    schema: 'public',
    name: 't',
    kind: 'r',
    columns: sent.map(({ attnum, name, typeOid, typmod, generated }) => ({
      attnum,
      name,
      type: { oid: typeOid, typmod, name: '', base: '', baseTypmod: -1, kind: 'b', builtin: true },
      notNull: false,
      defaultExpression: null,
      identity: '',
      generated,
    })),
    unpublished: model.rows.filter((row) => !row.dropped && !sent.includes(row)).map(({ name }) => name),
    replicaIdentity: 'd',
    indexes: [],
    constraints: [],
    comment: null,
    rowFilter: null,
    publishedBy: [7],
    fileNode: model.fileNode,
  };
}

export const readAttributes = (model: TableModel): Attributes => ({
  attributes: model.rows.map((row) => ({ ...row, published: isPublished(model, row) })),
  columnList: model.list !== null,
  fileNode: model.fileNode,
  publishedBy: [7],
  layouts: LAYOUTS,
  alike: ALIKE,
  generatedSent: { now: false, xid: null },
  virtualColumns: true,
});
