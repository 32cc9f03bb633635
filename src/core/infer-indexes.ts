import type { RelationEvent } from './change.js';
import type { Index } from './schema.js';

interface KnownIndexes {
  /** At a time that may be later than the announcement. */
  readonly now: readonly Index[];
  /** At a time before it. */
  readonly stored: readonly Index[];
  /** Whether an index that is there now was like that at the announcement. */
  sure(index: Index): boolean;
  /** Every column of the table is announced. */
  readonly whole: boolean;
}

/**
 * The indexes of a table when it was announced, such that `keyAttnums` finds the key that was announced. Null where its
 * columns can not be known, since some are not announced.
 *
 * REPLICA IDENTITY FULL and NOTHING announce no key: then the primary key counts if it is sure to have been there. Without
 * a key the rows are found by all their values, which is right whether there was one or not.
 */
export function indexesAt(relation: RelationEvent, attnums: readonly number[], known: KnownIndexes): Index[] | null {
  const { replicaIdentity } = relation;
  const marked = attnums.filter((_, i) => relation.columns[i]?.key === true);
  const others = known.now.flatMap((index) => asOf(index, attnums, known));
  /** What Postgres marks are the announced columns of the index. */
  const isMarked = (index: Index): boolean =>
    index.unique &&
    index.immediate &&
    index.attnums !== null &&
    (!known.whole || index.attnums.every((attnum) => attnums.includes(attnum))) &&
    sameSet(
      index.attnums.filter((attnum) => attnums.includes(attnum)),
      marked,
    );
  const all = [...known.now, ...known.stored];

  if (replicaIdentity === 'd') {
    const primary =
      all.find((index) => index.primary && isMarked(index)) ??
      made(`${relation.name}_pkey`, { primary: true }, marked, known.whole);
    if (primary === null) return null;
    const rest = others.map((index) => (index.primary && index.immediate ? plain(index) : index));
    return primary
      ? put(
          primary,
          rest.filter((index) => !index.primary),
        )
      : rest;
  }
  if (replicaIdentity === 'i') {
    const rest = others.map((index) => (index.replicaIdentity ? { ...index, replicaIdentity: false } : index));
    const identity =
      all.find((index) => index.replicaIdentity && isMarked(index)) ??
      (marked.length > 0 ? all.find(isMarked) : undefined) ??
      made(`${relation.name}_identity`, { replicaIdentity: true }, marked, known.whole);
    if (identity === null) return null;
    if (identity) return put({ ...identity, replicaIdentity: true }, rest);
    return rest.map((index) => (index.primary && !known.sure(index) ? plain(index) : index));
  }
  return others.map((index) => (index.primary && !known.sure(index) ? plain(index) : index));
}

/** An index that there is now, as far as it is sure to have been there. */
function asOf(index: Index, attnums: readonly number[], { stored, sure }: KnownIndexes): Index[] {
  if (stored.some((other) => sameIndex(index, other)) || sure(index)) return [index];
  const had = index.attnums?.every((attnum) => attnums.includes(attnum)) ?? true;
  return had ? [plain(index)] : [];
}

/** It refuses nothing. */
const plain = (index: Index): Index => ({ ...index, unique: false, primary: false, replicaIdentity: false });

/** Undefined where nothing is marked. */
function made(name: string, what: Partial<Index>, marked: readonly number[], whole: boolean): Index | undefined | null {
  if (marked.length === 0) return undefined;
  if (!whole) return null;
  const index = { name, unique: true, primary: false, immediate: true, replicaIdentity: false, definition: '' };
  return { ...index, ...what, attnums: marked };
}

/** In the place of the one of its name. */
function put(index: Index, others: readonly Index[]): Index[] {
  if (!others.some(({ name }) => name === index.name)) return [index, ...others];
  return others.map((other) => (other.name === index.name ? index : other));
}

function sameIndex(a: Index, b: Index): boolean {
  return (
    a.name === b.name &&
    a.unique === b.unique &&
    a.primary === b.primary &&
    a.immediate === b.immediate &&
    a.attnums?.join() === b.attnums?.join()
  );
}

const sameSet = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((attnum) => b.includes(attnum));
