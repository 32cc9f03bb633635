import { uniqueNames } from './names.js';
import { renameOrder } from './rename-order.js';
import { type DiffHints, type RowsAfter, rowsAfter } from './rows-after.js';
import { qualifiedName } from './schema.js';
import type { TargetColumn, TargetTable } from './target.js';

/**
 * What has to be done to a table in Dolt, in an order that always works. Secondary indexes are not among it: they are
 * dropped before the first step and made after the last, as `dolt/alter.ts` finds that they differ.
 */
export type DdlStep =
  | { readonly kind: 'rename table'; readonly from: string; readonly to: string }
  | { readonly kind: 'drop key' }
  | { readonly kind: 'drop column'; readonly name: string }
  | { readonly kind: 'rename column'; readonly from: string; readonly to: string }
  | { readonly kind: 'modify column'; readonly from: TargetColumn; readonly to: TargetColumn }
  /** `missing`: what rows that are there show, as Postgres text. `after`: the column before it, where it is not the last. */
  | {
      readonly kind: 'add column';
      readonly column: TargetColumn;
      readonly missing: string | null;
      readonly after?: string | null;
    }
  /** A column without values, for as long as there is no other. */
  | { readonly kind: 'add placeholder'; readonly name: string }
  | { readonly kind: 'add key'; readonly columns: readonly string[] }
  | { readonly kind: 'comment' };

export interface TableDiff {
  readonly steps: readonly DdlStep[];
  readonly rows: RowsAfter;
  /** In words, for the log and the message: `column v renamed to w`. */
  readonly described: readonly string[];
}

/** What a table needs to become another one of the same oid. Null where there is nothing to do at all, bookkeeping included. */
export function diffTables(before: TargetTable, after: TargetTable, hints: DiffHints): TableDiff | null {
  const rows = rowsAfter(before, after, hints);
  const steps = stepsBetween(before, after);
  const same =
    rows.kind === 'kept' &&
    steps.length === 0 &&
    before.name === after.name &&
    JSON.stringify(before.source) === JSON.stringify(after.source) &&
    JSON.stringify(shape(before)) === JSON.stringify(shape(after));
  return same ? null : { steps, rows, described: describe(before, after) };
}

/**
 * Whether foreign keys and checks that the table has in Dolt, and foreign keys that reference it, are dropped by the change
 * and to be made anew: Dolt refuses to change much of what they are about. Names of tables it carries over.
 */
export const touchesConstraints = (before: TargetTable, after: TargetTable, { steps }: TableDiff): boolean =>
  steps.some(({ kind }) => kind !== 'rename table' && kind !== 'add column' && kind !== 'comment') ||
  JSON.stringify([before.source.indexes, before.source.constraints]) !==
    JSON.stringify([after.source.indexes, after.source.constraints]);

/** What the bookkeeping keeps of a column beside its source. */
const shape = (table: TargetTable): unknown =>
  table.columns.map(({ name, notNull, conversion, sourcePosition }) => [name, notNull, conversion.sql, sourcePosition]);

interface Pair {
  readonly from: TargetColumn;
  readonly to: TargetColumn;
}

const attnumOf = ({ source }: TargetColumn): number => source.attnum;

function stepsBetween(before: TargetTable, after: TargetTable): DdlStep[] {
  const now = new Map(after.columns.map((column) => [attnumOf(column), column]));
  const known = new Set(before.columns.map(attnumOf));
  const pairs = before.columns.flatMap((from): Pair[] => {
    const to = now.get(attnumOf(from));
    return to ? [{ from, to }] : [];
  });
  const dropped = before.columns.filter((column) => !now.has(attnumOf(column)));
  const newKey = keyOf(before).join() !== keyOf(after).join();

  const steps: DdlStep[] = [];
  for (const rename of renameOrder([{ from: before.name, to: after.name }])) {
    steps.push({ kind: 'rename table', ...rename });
  }
  if (newKey && before.key.length > 0) steps.push({ kind: 'drop key' });
  // A table is never without a column.
  const placeholder = pairs.length === 0 ? unusedName([...before.columns, ...after.columns]) : null;
  if (placeholder !== null) steps.push({ kind: 'add placeholder', name: placeholder });
  for (const { name } of dropped) steps.push({ kind: 'drop column', name });
  for (const rename of renameOrder(pairs.map(({ from, to }) => ({ from: from.name, to: to.name })))) {
    steps.push({ kind: 'rename column', ...rename });
  }
  // Those that shrink come first: a row has a limit of declared bytes, also for a moment.
  const growth = ({ from, to }: Pair): number => to.conversion.declaredBytes - from.conversion.declaredBytes;
  for (const { from, to } of pairs.filter(isModified).sort((a, b) => growth(a) - growth(b))) {
    steps.push({ kind: 'modify column', from, to });
  }
  const [first, ...others] = additions(after, known);
  if (first) steps.push(first);
  if (placeholder !== null) steps.push({ kind: 'drop column', name: placeholder });
  steps.push(...others);
  if (newKey && after.key.length > 0) {
    steps.push({ kind: 'add key', columns: after.key.map((position) => after.columns[position]?.name ?? '') });
  }
  if (before.source.comment !== after.source.comment) steps.push({ kind: 'comment' });
  return steps;
}

const keyOf = (table: TargetTable): number[] =>
  table.key.map((position) => table.columns[position]?.source.attnum ?? 0);

const unusedName = (columns: readonly TargetColumn[]): string =>
  uniqueNames(
    ['wal2dolt_placeholder'],
    columns.map(({ name }) => name),
  )[0] ?? '';

/** Whether its definition in Dolt may be another one. */
function isModified({ from, to }: Pair): boolean {
  const definition = ({ source, notNull, conversion }: TargetColumn): string =>
    JSON.stringify([conversion.sql, notNull, source.defaultExpression, source.generated, source.identity]);
  return definition(from) !== definition(to);
}

function additions(after: TargetTable, known: ReadonlySet<number>): DdlStep[] {
  const lastKnown = after.columns.findLastIndex((column) => known.has(attnumOf(column)));
  return after.columns.flatMap((column, i): DdlStep[] => {
    if (known.has(attnumOf(column))) return [];
    const step = { kind: 'add column', column, missing: column.source.missing ?? null } as const;
    return [i > lastKnown ? step : { ...step, after: after.columns[i - 1]?.name ?? null }];
  });
}

function describe(before: TargetTable, after: TargetTable): string[] {
  const said: string[] = [];
  const [old, now] = [before.source, after.source];
  if (qualifiedName(old) !== qualifiedName(now)) {
    said.push(`table ${qualifiedName(old)} renamed to ${qualifiedName(now)}`);
  }
  const columns = new Map(now.columns.map((column) => [column.attnum, column]));
  for (const column of old.columns) {
    const same = columns.get(column.attnum);
    const name = same?.name ?? column.name;
    if (!same) said.push(`column ${name} dropped`);
    else {
      if (same.name !== column.name) said.push(`column ${column.name} renamed to ${name}`);
      if (same.type.name !== column.type.name)
        said.push(`column ${name} from ${column.type.name} to ${same.type.name}`);
      if (same.notNull !== column.notNull) said.push(`column ${name} ${same.notNull ? 'not null' : 'nullable'}`);
      if (same.defaultExpression !== column.defaultExpression) said.push(`default of column ${name} changed`);
    }
  }
  const known = new Set(old.columns.map(({ attnum }) => attnum));
  for (const { attnum, name, type } of now.columns)
    if (!known.has(attnum)) said.push(`column ${name} ${type.name} added`);
  if (keyOf(before).join() !== keyOf(after).join()) {
    const names = after.key.map((position) => after.columns[position]?.source.name ?? '');
    said.push(names.length > 0 ? `key is now (${names.join(', ')})` : 'no key any more');
  }
  said.push(
    ...describeNamed('index', old.indexes, now.indexes),
    ...describeNamed('constraint', old.constraints, now.constraints),
  );
  if (old.comment !== now.comment) said.push('comment changed');
  if (old.replicaIdentity !== now.replicaIdentity) said.push('replica identity changed');
  if (old.rowFilter !== now.rowFilter) said.push('row filter changed');
  if (list(old.partitions) !== list(now.partitions)) said.push('partitions changed');
  return said;
}

const list = (oids: readonly number[] | undefined): string => [...(oids ?? [])].sort((a, b) => a - b).join();

interface Named {
  readonly name: string;
  readonly definition: string;
}

function describeNamed(what: string, before: readonly Named[], after: readonly Named[]): string[] {
  const without = (some: readonly Named[], others: readonly Named[]): readonly Named[] =>
    some.filter(({ name, definition }) => !others.some((o) => o.name === name && o.definition === definition));
  const gone = without(before, after);
  const come = without(after, before);
  const changed = come.filter(({ name }) => gone.some((other) => other.name === name)).map(({ name }) => name);
  return [
    ...gone.filter(({ name }) => !changed.includes(name)).map(({ name }) => `${what} ${name} dropped`),
    ...come.map(({ name }) => `${what} ${name} ${changed.includes(name) ? 'changed' : 'added'}`),
  ];
}
