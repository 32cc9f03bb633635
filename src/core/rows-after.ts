import { readRetypings } from './alter-command.js';
import { printsOtherwise } from './rewrites.js';
import { samePrint, sameStored } from './same-text.js';
import { type Column, type ColumnType, joinedPartitions } from './schema.js';
import type { TargetColumn, TargetTable } from './target.js';

/** Where the rows come from that a table has after a change. */
export type RowsAfter =
  /** Dolt's own ALTER leaves exactly what Postgres shows. */
  | { readonly kind: 'kept' }
  /** The rows before it, written again by the new columns' conversions, some values changed. */
  | { readonly kind: 'converted'; readonly casts: readonly Cast[]; readonly relabelled: readonly Relabelled[] }
  /** They can not be known from the rows before it. */
  | { readonly kind: 'copied'; readonly because: string };

/** How the values of a column become those of its new type, by the source itself: `text::from::to`. */
export interface Cast {
  readonly attnum: number;
  readonly from: ColumnType;
  readonly to: ColumnType;
  /** By way of text: `text::from::text::to`. */
  readonly byText: boolean;
}

/** An enum's labels that have other names now. */
export interface Relabelled {
  readonly attnum: number;
  readonly labels: ReadonlyMap<string, string>;
}

export interface DiffHints {
  /** Postgres wrote all rows anew, or it is not known that it did not. */
  readonly rewritten: boolean;
  /** The statement's text; null where it is not known. */
  readonly command: string | null;
  /** Partitions that the command created, so that they are empty. */
  readonly createdPartitions?: ReadonlySet<number>;
}

interface Pair {
  readonly from: TargetColumn;
  readonly to: TargetColumn;
}

export function rowsAfter(before: TargetTable, after: TargetTable, hints: DiffHints): RowsAfter {
  const now = new Map(after.columns.map((column) => [column.source.attnum, column]));
  const pairs = before.columns.flatMap((from): Pair[] => {
    const to = now.get(from.source.attnum);
    return to ? [{ from, to }] : [];
  });
  const known = new Set(before.columns.map(({ source }) => source.attnum));
  const added = after.columns.filter(({ source }) => !known.has(source.attnum));
  const because = otherRows(before, after, added, hints);
  if (because !== null) return copied(because);

  // Of a partitioned table it is not told whether its partitions were rewritten.
  const partitioned = after.source.kind === 'p';
  const retyped = pairs.filter(isRetyped);
  const rewritten =
    hints.rewritten || (partitioned && retyped.some(({ from, to }) => !samePrint(typeOf(from), typeOf(to), true)));
  if (rewritten || partitioned) {
    const filled = added.find(({ source }) => source.missing === undefined && hasOwnValue(source));
    if (filled) return copied(`Postgres gave every row a value for the new column ${filled.source.name}`);
    const generated = pairs.find(isGeneratedAnew);
    if (generated) return copied(`the expression of the generated column ${generated.to.source.name} changed`);
  }
  const inside = pairs.find((pair) => !isRetyped(pair) && changesInside(pair));
  if (inside) return copied(`the type of the column ${inside.to.source.name} changed inside`);
  const casts = rewritten
    ? castsByCommand(before, after, retyped, hints.command)
    : retyped.flatMap((pair) => castOf(pair, false));
  if (typeof casts === 'string') return copied(casts);

  const relabelled = pairs.flatMap(relabelledIn);
  const stored = pairs.every((pair) =>
    sameStored(pair.from, pair.to, isKey(before, pair.from) && isKey(after, pair.to)),
  );
  const exact = added.every(
    ({ source: { missing }, conversion }) => missing === undefined || (conversion.isExact?.(missing) ?? true),
  );
  const kept = casts.length === 0 && relabelled.length === 0 && stored && exact;
  return kept ? { kind: 'kept' } : { kind: 'converted', casts, relabelled };
}

const copied = (because: string): RowsAfter => ({ kind: 'copied', because });

/** Whether the table may have gained or lost rows, or shows columns of which we never had the values. */
function otherRows(
  before: TargetTable,
  after: TargetTable,
  added: readonly TargetColumn[],
  { createdPartitions }: DiffHints,
): string | null {
  const [old, now] = [before.source, after.source];
  if (old.rowFilter !== now.rowFilter) return 'the row filter of the publication changed';
  const has = new Set(now.partitions);
  if (old.partitions?.some((oid) => !has.has(oid))) return 'a partition left it';
  if (joinedPartitions(old, now).some((oid) => !createdPartitions?.has(oid))) return 'a partition joined it';
  const leftOut = added.find(({ source }) => old.columns.some(({ attnum }) => attnum === source.attnum));
  if (leftOut) return `the column ${leftOut.source.name} was left out before`;
  if (added.length > 0 && old.unpublished.some((name) => !now.unpublished.includes(name))) {
    return 'a column may have been there unpublished';
  }
  return null;
}

/** How rows that Postgres wrote anew got their values, where the command tells; else why it does not. */
function castsByCommand(
  before: TargetTable,
  after: TargetTable,
  retyped: readonly Pair[],
  command: string | null,
): Cast[] | string {
  const retypings = command === null ? null : readRetypings(command, [before.source.name, after.source.name]);
  if (!retypings) return 'Postgres wrote its rows anew, by what is not known';
  const ways = retyped.map((pair) => ({ pair, way: retypings.of(pair.from.source.name, typeOf(pair.to).name) }));
  const unknown = ways.find(({ way }) => way === 'unknown');
  if (unknown) return `the column ${unknown.pair.from.source.name} was converted by an expression`;
  if (!retypings.plain) return 'a column was converted by an expression';
  return ways.flatMap(({ pair, way }) => castOf(pair, true, way === 'by text'));
}

function castOf(pair: Pair, rewritten: boolean, byText = false): Cast[] {
  const [from, to] = [typeOf(pair.from), typeOf(pair.to)];
  if (samePrint(from, to, rewritten) && !(byText && PRINTS_OTHERWISE_THAN_TEXT.has(from.base))) return [];
  return [{ attnum: pair.to.source.attnum, from, to, byText }];
}

/** Types of which a cast to text is not what they print. */
const PRINTS_OTHERWISE_THAN_TEXT = new Set(['bool', 'bpchar', 'inet', 'cidr', 'char', 'xml']);

const typeOf = ({ source }: TargetColumn): ColumnType => source.type;

function isRetyped({ from, to }: Pair): boolean {
  const [type, newType] = [typeOf(from), typeOf(to)];
  return type.oid !== newType.oid || type.typmod !== newType.typmod;
}

const isGeneratedAnew = ({ from, to }: Pair): boolean =>
  to.source.generated !== '' && from.source.defaultExpression !== to.source.defaultExpression;

/** Whether rows that Postgres writes anew get something else than NULL. */
const hasOwnValue = ({ defaultExpression, identity, generated, type }: Column): boolean =>
  defaultExpression !== null || identity !== '' || generated !== '' || mayBeDomain(type);

/** Types that come with Postgres itself have lower oids; a domain may have a default of its own. */
const FIRST_OID_OF_INITDB = 10_000;
const mayBeDomain = ({ oid }: ColumnType): boolean => oid >= FIRST_OID_OF_INITDB;

/** Whether values of the same type print otherwise now, in a way that we do not follow. */
const changesInside = (pair: Pair): boolean =>
  printsOtherwise(typeOf(pair.from), typeOf(pair.to)) && relabelledIn(pair).length === 0;

function relabelledIn(pair: Pair): Relabelled[] {
  const [from, to] = [typeOf(pair.from), typeOf(pair.to)];
  if (isRetyped(pair) || from.kind !== 'e' || to.kind !== 'e') return [];
  const names = new Map(to.labels?.map(({ oid, label }) => [oid, label]));
  const labels = (from.labels ?? []).flatMap(({ oid, label }): [string, string][] => {
    const name = names.get(oid);
    return name === undefined || name === label ? [] : [[label, name]];
  });
  return labels.length === 0 ? [] : [{ attnum: pair.to.source.attnum, labels: new Map(labels) }];
}

const isKey = (table: TargetTable, column: TargetColumn): boolean => table.key.includes(table.columns.indexOf(column));
