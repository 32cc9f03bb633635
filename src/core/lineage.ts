import { type AnnouncementTime, fromXid, isSettled } from './announcement-time.js';
import { type Attribute, AttributeFacts, type Attributes, type Time } from './attribute-facts.js';
import type { RelationColumn } from './change.js';
import type { TableSchema } from './schema.js';

/** For each announced column its attnum, or else all that it may be: one of them has several, or none has any. */
export type Lineage =
  | { readonly kind: 'known'; readonly attnums: readonly number[] }
  | { readonly kind: 'ambiguous'; readonly candidates: readonly (readonly number[])[] };

/**
 * Which attributes the columns of an announced relation are, though pgoutput names no attnum: from what they were before
 * (`stored`) and what they are by now (`now`), which may be later than the announcement. Nothing is guessed: the answer
 * is known where every history that leads from the one through the announcement to the other gives the same.
 *
 * What holds in each history:
 * - columns are announced in the order of their attnums, and new ones get the next attnum;
 * - an attnum that was dropped never comes back: what lives now lived from its beginning on;
 * - an attribute whose row in the catalog was last changed before the announcement was then what it is now;
 * - changes of one other transaction all came before the announcement or all after it: a transaction that writes a row
 *   locks out whoever alters the table, from that row to its end;
 * - a column gets a type of another length or alignment, or one that Postgres does not take for the same bytes, only in a new file;
 * - a column that has a value for rows which are older (atthasmissing) has had it from its beginning, and no ALTER TABLE has written
 *   the rows into a new file since;
 * - a column that exists is announced, unless it is generated or not in the publication's list of columns. No column
 *   ever becomes generated, one that may have been is rewritten for, and while the publication carries the table by the
 *   same entries, they list the same columns, which can not be dropped.
 *
 * Source: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html (Relation),
 * https://www.postgresql.org/docs/current/catalog-pg-attribute.html, src/backend/replication/logical/proto.c
 */
export function deduceLineage(
  stored: TableSchema,
  announced: readonly RelationColumn[],
  now: Attributes,
  time: AnnouncementTime,
): Lineage {
  const facts = new AttributeFacts(stored, now, time);
  const found = announced.map(() => new Set<number>());
  for (const times of possibleTimes(now.attributes, time)) collect(facts, announced, times, found);
  const candidates = found.map((attnums) => [...attnums].sort((a, b) => a - b));
  if (announced.length === 0 || candidates.every((attnums) => attnums.length === 1))
    return { kind: 'known', attnums: candidates.flat() };
  return { kind: 'ambiguous', candidates };
}

/** So many other transactions of which it is not known whether they came first are tried in all combinations. */
const MOST_UNKNOWN = 8;

/** By the position of each attribute, in every combination that is possible. */
function possibleTimes(attributes: readonly Attribute[], time: AnnouncementTime): Time[][] {
  const times = attributes.map(({ xid }): Time => {
    if (isSettled(xid, time)) return 'before';
    return typeof time.unendedXid === 'bigint' && xid >= time.unendedXid ? 'after' : 'unknown';
  });
  // From the announcing transaction's xid on, it may be itself or a subtransaction of it: some changes come first, some later.
  const others = new Set(
    attributes.flatMap(({ xid }, i) => (times[i] === 'unknown' && fromXid(xid, time) < 0n ? [xid] : [])),
  );
  if (others.size > MOST_UNKNOWN) return [times];
  let combinations = [times];
  for (const other of others) {
    const decide = (then: Time): Time[][] =>
      combinations.map((known) => known.map((one, i) => (attributes[i]?.xid === other ? then : one)));
    combinations = [...decide('before'), ...decide('after')];
  }
  return combinations;
}

/**
 * Adds to `found` every attribute that a column is in some sequence of attributes that explains all columns: those that
 * can be reached from the first attribute and from which the last one can be reached.
 */
function collect(
  facts: AttributeFacts,
  columns: readonly RelationColumn[],
  times: readonly Time[],
  found: readonly Set<number>[],
): void {
  const { attributes } = facts.now;
  const count = columns.length;
  const at = (i: number): [Attribute, Time] => {
    const attribute = attributes[i];
    if (!attribute) throw new RangeError(`no attribute ${i + 1}`);
    return [attribute, times[i] ?? 'unknown'];
  };
  /** By the attributes that are done: the counts of columns done with which the rest can be explained. */
  const ends: boolean[][] = attributes.map(() => []);
  ends.push([...columns.map(() => false), true]);
  let restAbsent = true;
  for (let i = attributes.length - 1; i >= 0; i--) {
    const [attribute, time] = at(i);
    const silent = facts.canBeSilent(attribute, time);
    restAbsent &&= facts.canBeAbsent(attribute, time);
    for (let done = 0; done <= count; done++) {
      const column = columns[done];
      ends[i]?.push(
        (restAbsent && done === count) ||
          (silent && ends[i + 1]?.[done] === true) ||
          (column !== undefined && ends[i + 1]?.[done + 1] === true && facts.canBe(attribute, time, column)),
      );
    }
  }
  let begins = new Set([0]);
  for (let i = 0; i < attributes.length; i++) {
    const [attribute, time] = at(i);
    const next = new Set<number>();
    for (const done of begins) {
      if (ends[i]?.[done] !== true) continue;
      if (facts.canBeSilent(attribute, time)) next.add(done);
      const column = columns[done];
      if (column === undefined || ends[i + 1]?.[done + 1] !== true || !facts.canBe(attribute, time, column)) continue;
      found[done]?.add(attribute.attnum);
      next.add(done + 1);
    }
    begins = next;
  }
}
