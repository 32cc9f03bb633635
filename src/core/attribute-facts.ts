import { type AnnouncementTime, isSettled } from './announcement-time.js';
import type { RelationColumn } from './change.js';
import { leavesOf, type TableSchema } from './schema.js';

/** A row of pg_attribute with attnum > 0; dropped ones stay there for ever. */
export interface Attribute {
  readonly attnum: number;
  /** Of a dropped one: what Postgres calls it then. */
  readonly name: string;
  /** 0 for a dropped one. */
  readonly typeOid: number;
  readonly typmod: number;
  readonly generated: '' | 's' | 'v';
  readonly dropped: boolean;
  /** The publication sends it. */
  readonly published: boolean;
  /** It was added with a value for the rows that were there (atthasmissing), which no generated column is, and no rows were written anew since. */
  readonly hasMissing: boolean;
  /** attlen, attbyval and attalign, which a dropped one keeps. */
  readonly layout: string;
  /** xmin, with epoch: the transaction (or subtransaction) that changed this row last. Of a dropped one: that dropped it. */
  readonly xid: bigint;
}

/** The attributes of a table at a time that may be later than what the stream is telling. */
export interface Attributes extends Pick<TableSchema, 'partitions' | 'leaves'> {
  /** All, dropped ones too, by attnum from 1 on without gaps. */
  readonly attributes: readonly Attribute[];
  /** The publication lists columns of the table. */
  readonly columnList: boolean;
  readonly fileNode: number;
  readonly publishedBy: readonly number[];
  /** `Attribute.layout` of the announced columns' types by oid, as far as they still exist. */
  readonly layouts: ReadonlyMap<number, string>;
  /** Of the same types, all between which and it a column may change without a new file. */
  readonly alike: ReadonlyMap<number, ReadonlySet<number>>;
  /**
   * Whether stored generated columns are sent, and the transaction that changed that last, or something else of the
   * publication; null where nothing ever changes it.
   */
  readonly generatedSent: { readonly now: boolean; readonly xid: bigint | null };
  /** The server has virtual generated columns (Postgres 18), which leave no trace once they are dropped. */
  readonly virtualColumns: boolean;
}

/** Whether an attribute's row was changed last before the announcement, after it, or may have been either. */
export type Time = 'before' | 'after' | 'unknown';

/** Types below are of Postgres itself. */
const FIRST_USER_OID = 16_384;

/** Whether a partition was written anew by nobody: what is done to the columns of a partitioned table is done to all of them. */
function hasSameLeaf(stored: TableSchema, now: Attributes): boolean {
  const had = leavesOf(stored);
  return [...leavesOf(now)].some(([oid, leaf]) => leaf !== null && had.get(oid)?.join() === leaf.join());
}

/**
 * What may have become of an attribute by the time at which its table is announced, which lies between the time when the
 * table was stored and now. See `deduceLineage` for what that follows from.
 */
export class AttributeFacts {
  readonly #stored: ReadonlyMap<number, TableSchema['columns'][number]>;
  /** It had at most so many more columns. */
  readonly #unpublished: number;
  /** Attributes up to this one existed. */
  readonly #lastStored: number;
  /** Since this attribute was added no ALTER TABLE has written the rows anew; TRUNCATE may have given them a new file. */
  readonly #firstKept: number;
  readonly #sameEntries: boolean;
  readonly #sameFile: boolean;
  /** Whether stored generated columns were sent; null where that is not known. */
  readonly #generatedSent: boolean | null;
  readonly now: Attributes;

  constructor(stored: TableSchema, now: Attributes, time: AnnouncementTime) {
    this.#stored = new Map(stored.columns.map((column) => [column.attnum, column]));
    this.#lastStored = stored.columns.at(-1)?.attnum ?? 0;
    this.#unpublished = stored.unpublished.length;
    this.#sameEntries = stored.publishedBy.join() === now.publishedBy.join();
    // Writing them anew fills the value into all rows, and takes it away (RelationClearMissing).
    this.#firstKept = now.attributes.find(({ hasMissing }) => hasMissing)?.attnum ?? Number.POSITIVE_INFINITY;
    this.#sameFile =
      this.#firstKept <= this.#lastStored ||
      (stored.fileNode === 0 ? hasSameLeaf(stored, now) : stored.fileNode === now.fileNode);
    const { now: sent, xid } = now.generatedSent;
    this.#generatedSent = xid === null || isSettled(xid, time) ? sent : null;
    this.now = now;
  }

  /** It may have been announced, as this column. */
  canBe(attribute: Attribute, time: Time, column: RelationColumn): boolean {
    const { attnum, dropped } = attribute;
    // It existed when the table was stored, and was not there: neither published nor unpublished.
    if (attnum < this.#lastStored && !this.#stored.has(attnum) && this.#unpublished === 0) return false;
    if (this.#sameEntries && dropped && this.now.columnList) return false;
    if (this.#sameEntries && !dropped && !attribute.published) {
      if (attribute.generated !== 's' || this.#generatedSent !== null) return false;
    }
    // Another layout needs another file, and so do most other types.
    const kept = this.#sameFile || attnum >= this.#firstKept;
    if (kept && (this.now.layouts.get(column.typeOid) ?? attribute.layout) !== attribute.layout) return false;
    const types = [attribute.typeOid, this.#stored.get(attnum)?.type.oid ?? 0];
    if (kept && !types.every((type) => this.#isAlike(column.typeOid, type))) return false;
    // No column is like one that was dropped.
    return (
      time !== 'before' ||
      (attribute.name === column.name && attribute.typeOid === column.typeOid && attribute.typmod === column.typmod)
    );
  }

  /** Whether a column may be of the announced type and of another, or none, without a new file. One of users' own may be gone by now. */
  #isAlike(announced: number, other: number): boolean {
    return other === 0 || other >= FIRST_USER_OID || (this.now.alike.get(announced)?.has(other) ?? true);
  }

  /** It may have existed, or been dropped, without being announced. */
  canBeSilent(attribute: Attribute, time: Time): boolean {
    const { attnum, dropped, published } = attribute;
    if (dropped && time !== 'after') return true;
    // It lived, and is announced unless it is generated or not listed.
    if (!this.#sameEntries || (!dropped && !published) || (dropped && this.now.columnList)) return true;
    if (dropped && this.now.virtualColumns && !this.#stored.has(attnum)) return true;
    return this.#generatedSent !== true && this.#mayHaveBeenGenerated(attribute, time);
  }

  /** It may not have existed yet, nor any that comes after it. */
  canBeAbsent({ attnum }: Attribute, time: Time): boolean {
    return attnum > this.#lastStored && time !== 'before';
  }

  /** As a stored column: a virtual one stays so until it is dropped. */
  #mayHaveBeenGenerated({ attnum, generated, dropped, hasMissing }: Attribute, time: Time): boolean {
    if (generated !== '') return true;
    if (!dropped && (time === 'before' || hasMissing)) return false;
    const stored = this.#stored.get(attnum);
    if (stored) return stored.generated !== '';
    // It would have been written into a new file.
    return attnum < this.#firstKept && (!this.#sameFile || !this.isNew(attnum));
  }

  /** It certainly did not exist when the table was stored: all that lived then unpublished are others. */
  isNew(attnum: number): boolean {
    if (attnum <= this.#lastStored) return false;
    const others = this.now.attributes.filter(
      (other) => other.attnum < attnum && !other.dropped && !this.#stored.has(other.attnum),
    );
    return others.length >= this.#unpublished;
  }
}
