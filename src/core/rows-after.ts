import { type Retyping, readRetypings } from './alter-command.js';
import { samePrint, sameStored } from './same-text.js';
import type { Column, ColumnType } from './schema.js';
import type { TargetColumn, TargetTable } from './target.js';

/** How the values of a column are made to those of its new type, by the source itself: `text::from::to`. */
export interface Cast {
  readonly attnum: number;
  readonly from: ColumnType;
  readonly to: ColumnType;
  /** By way of text: `text::from::text::to`. */
  readonly byText: boolean;
}

/** Where the rows come from that a table has after a change. */
export type RowsAfter =
  /** Dolt's own ALTER leaves exactly what Postgres shows. */
  | { readonly kind: 'kept' }
  /** The rows before it, written again by the new columns' conversions, some values cast. */
  | { readonly kind: 'converted'; readonly casts: readonly Cast[] }
  /** They can not be known from the rows before it. */
  | { readonly kind: 'copied'; readonly because: string };

export interface DiffHints {
  /** Postgres wrote all rows anew, or it is not known that it did not. */
  readonly rewritten: boolean;
  /** The statement's text; null where it is not known. */
  readonly command: string | null;
  /** The command's tag, e.g. `ALTER TYPE`, where it is known. */
  readonly tag?: string | null;
  /** Partitions that the command created, so that they are empty. */
  readonly createdPartitions?: ReadonlySet<number>;
}

export function rowsAfter(before: TargetTable, after: TargetTable, hints: DiffHints): RowsAfter {
  const because = otherRows(before, after, hints) ?? otherValues(before, after, hints);
  if (because !== null) return { kind: 'copied', because };
  // Nothing tells of a partitioned table whether its partitions were rewritten.
  const rewritten = hints.rewritten || after.source.kind === 'p';
  const commanded = hints.command === null ? null : readRetypings(hints.command, namesOf(before, after));
  const casts: Cast[] = [];
  let stored = true;
  for (const { from, to } of pairsOf(before, after)) {
    const [type, newType] = [from.source.type, to.source.type];
    if (type.oid !== newType.oid || type.typmod !== newType.typmod) {
      const how: Retyping = rewritten ? (commanded?.of(from.source.name, newType.name) ?? 'unknown') : 'cast';
      const same = samePrint(type, newType, rewritten) && !(how === 'by text' && LOSES_BY_TEXT.has(type.base));
      if (!same) casts.push({ attnum: to.source.attnum, from: type, to: newType, byText: how === 'by text' });
    }
    stored &&= sameStored(from, to, isKey(before, from) && isKey(after, to));
  }
  const exact = addedColumns(before, after).every(({ source, conversion }) => {
    return source.missing === undefined || (conversion.isExact?.(source.missing) ?? true);
  });
  return casts.length === 0 && stored && exact ? { kind: 'kept' } : { kind: 'converted', casts };
}

/** Whether the table may have gained or lost rows, or shows columns of which we never had the values. */
function otherRows(before: TargetTable, after: TargetTable, hints: DiffHints): string | null {
  const [old, now] = [before.source, after.source];
  if (old.rowFilter !== now.rowFilter) return 'the row filter of the publication changed';
  const had = new Set(old.partitions);
  const has = new Set(now.partitions);
  if ([...had].some((oid) => !has.has(oid))) return 'a partition left it';
  if ([...has].some((oid) => !had.has(oid) && !hints.createdPartitions?.has(oid))) return 'a partition joined it';
  const added = addedColumns(before, after);
  const revealed = added.find(({ source }) => old.columns.some(({ attnum }) => attnum === source.attnum));
  if (revealed) return `the column ${revealed.source.name} was left out before`;
  if (added.length > 0 && old.unpublished.some((name) => !now.unpublished.includes(name))) {
    return 'a column may have been there unpublished';
  }
  return null;
}

/** Whether there are values in it that do not follow from the old ones. */
function otherValues(before: TargetTable, after: TargetTable, hints: DiffHints): string | null {
  const partitioned = after.source.kind === 'p';
  const filled = addedColumns(before, after).find(
    ({ source }) => source.missing === undefined && (hints.rewritten || partitioned) && hasOwnValue(source),
  );
  if (filled) return `Postgres gave every row a value for the new column ${filled.source.name}`;
  const pairs = pairsOf(before, after);
  const generated = pairs.find(
    ({ from, to }) =>
      to.source.generated !== '' &&
      (hints.rewritten || partitioned) &&
      from.source.defaultExpression !== to.source.defaultExpression,
  );
  if (generated) return `the expression of the generated column ${generated.to.source.name} changed`;
  if (altersValuesOfTypes(hints) && after.columns.some(({ source }) => isUsersType(source.type))) {
    return 'a type of its columns changed';
  }
  const retyped = pairs.filter(({ from, to }) => {
    const [type, newType] = [from.source.type, to.source.type];
    return (
      (type.oid !== newType.oid || type.typmod !== newType.typmod) && !(partitioned && samePrint(type, newType, true))
    );
  });
  if (!hints.rewritten && !(partitioned && retyped.length > 0)) return null;
  const commanded = hints.command === null ? null : readRetypings(hints.command, namesOf(before, after));
  if (!commanded) return 'Postgres wrote its rows anew, by what is not known';
  const unknown = retyped.find(({ from, to }) => commanded.of(from.source.name, to.source.type.name) === 'unknown');
  if (unknown) return `the column ${unknown.from.source.name} was converted by an expression`;
  return commanded.plain ? null : 'a column was converted by an expression';
}

/** Types that print otherwise than they are cast to text. */
const LOSES_BY_TEXT = new Set(['bool', 'bpchar', 'inet', 'cidr', 'char', 'name', 'xml']);

/** Whether rows that Postgres writes anew get something else than NULL. */
const hasOwnValue = (column: Column): boolean =>
  column.defaultExpression !== null || column.identity !== '' || column.generated !== '' || mayBeDomain(column.type);

/** What comes with Postgres itself has lower oids; a domain may have a default of its own. */
const FIRST_OID_OF_INITDB = 10_000;
const mayBeDomain = ({ oid }: ColumnType): boolean => oid >= FIRST_OID_OF_INITDB;

/**
 * `ALTER TYPE` shows in the values of a table where it renames a label, or adds and drops attributes: nothing else of the
 * table changes then.
 */
function altersValuesOfTypes({ tag, command }: DiffHints): boolean {
  if (tag !== 'ALTER TYPE') return false;
  const harmless =
    /^\s*alter\s+type\s+(?:[\w$]+|"(?:[^"]|"")+")(?:\s*\.\s*(?:[\w$]+|"(?:[^"]|"")+"))?\s+(?:add\s+value|rename\s+to|rename\s+attribute|set\s+schema|owner\s+to)\s[^;]*;?\s*$/i;
  return command === null || !harmless.test(command);
}

const isUsersType = (type: ColumnType): boolean =>
  !type.builtin || (type.element !== undefined && isUsersType(type.element));

const isKey = (table: TargetTable, column: TargetColumn): boolean => table.key.includes(table.columns.indexOf(column));

/** A command on the parent of a partition names the parent. */
function namesOf(before: TargetTable, after: TargetTable): string[] {
  return [before.source.name, after.source.name];
}

function pairsOf(
  before: TargetTable,
  after: TargetTable,
): { readonly from: TargetColumn; readonly to: TargetColumn }[] {
  const now = new Map(after.columns.map((column) => [column.source.attnum, column]));
  return before.columns.flatMap((from) => {
    const to = now.get(from.source.attnum);
    return to ? [{ from, to }] : [];
  });
}

function addedColumns(before: TargetTable, after: TargetTable): TargetColumn[] {
  const known = new Set(before.columns.map(({ source }) => source.attnum));
  return after.columns.filter(({ source }) => !known.has(source.attnum));
}
