import type { OldRow } from './change.js';
import { Contradiction } from './contradiction.js';
import { KeyedTuples } from './keyed-tuples.js';
import { type Cell, UNCHANGED } from './row.js';
import type { TargetTable } from './target.js';
import { Tuple } from './tuple.js';
import { TupleMemory } from './tuple-memory.js';

/** What one key comes to in a batch. */
export interface KeyedEntry {
  /** The key's cells, in key order. */
  readonly key: readonly string[];
  /** A row with this key was in the target before the batch, so it has to go (or be updated). */
  readonly existed: boolean;
  /** The row under this key after the batch; null where there is none. */
  readonly row: Tuple | null;
  /** Key, before the batch, of the row that UNCHANGED cells come from; null where the row is complete. */
  readonly base: readonly string[] | null;
}

/** Rows of a keyless table, counted: `delta` copies come (positive) or go (negative). */
export interface KeylessEntry {
  readonly row: Tuple;
  delta: number;
}

export interface Counts {
  inserted: number;
  updated: number;
  deleted: number;
}

/**
 * The net effect of a batch on one table. Postgres transactions of one batch are published together, so only what they
 * come to has to be written: per key one deletion, one row, or one partial row.
 */
export interface NetChanges {
  readonly table: TargetTable;
  readonly counts: Counts;
  /** TRUNCATE happened: everything that was in the target goes first. */
  readonly truncated: boolean;
  insert(row: Tuple): void;
  update(old: OldRow | null, row: Tuple): void;
  delete(old: OldRow): void;
  truncate(): void;
}

const NUL = '\u0000';

/** Postgres text never contains NUL, so it separates. */
export function keyText(key: readonly string[]): string {
  return key.length === 1 ? (key[0] ?? '') : key.join(NUL);
}

const EXISTED = 1;
const HAS_ROW = 2;

/** What a partial row takes besides, about, until it is written: objects, in which its place among the others is found. */
const PARTIAL_BYTES = 450;

export class KeyedChanges implements NetChanges {
  readonly counts: Counts = { inserted: 0, updated: 0, deleted: 0 };
  truncated = false;
  readonly #memory: TupleMemory;
  #tuples: KeyedTuples;
  /** Of entries with a partial row. */
  #bases = new Map<number, readonly string[]>();

  constructor(
    readonly table: TargetTable,
    memory: TupleMemory,
  ) {
    this.#memory = memory;
    this.#tuples = new KeyedTuples(table, memory);
  }

  insert(row: Tuple): void {
    this.counts.inserted += 1;
    this.#put(row, null);
  }

  update(old: OldRow | null, row: Tuple): void {
    this.counts.updated += 1;
    const full = old && !row.isComplete ? row.over(old.full ? old.row : this.#keyOnly(old.row, UNCHANGED)) : row;
    const before = old?.row ?? full;
    const entry = this.#existing(before);
    const merged = entry < 0 ? full : full.over(this.#tuples.tuple(entry));
    const base = merged.isComplete ? null : entry < 0 ? this.#keyOf(before) : (this.#bases.get(entry) ?? null);
    if (old && !this.#tuples.hasSameKey(before, full)) {
      this.#remove(entry, old);
      this.#put(merged, base);
    } else if (entry < 0) this.#setBase(this.#tuples.add(merged, EXISTED | HAS_ROW), base);
    else {
      this.#tuples.replace(entry, merged, this.#tuples.bits(entry));
      this.#setBase(entry, base);
    }
  }

  delete(old: OldRow): void {
    this.counts.deleted += 1;
    this.#remove(this.#existing(old.row), old);
  }

  truncate(): void {
    this.#tuples = new KeyedTuples(this.table, this.#memory);
    this.#bases.clear();
    this.truncated = true;
  }

  /** How many entries have a partial row. */
  get partial(): number {
    return this.#bases.size;
  }

  /** Whether a partial row has another key than the row that its other cells come from. */
  hasMovedPartial(): boolean {
    for (const [entry, base] of this.#bases) if (keyText(base) !== keyText(this.key(entry))) return true;
    return false;
  }

  /** The numbers of the entries that come to something, in the order in which their keys came. */
  numbers(): Uint32Array {
    const numbers = new Uint32Array(this.#tuples.size);
    let count = 0;
    for (let entry = 0; entry < this.#tuples.size; entry += 1) {
      if (this.#tuples.bits(entry) === 0) continue;
      numbers[count] = entry;
      count += 1;
    }
    return numbers.subarray(0, count);
  }

  entry(number: number): KeyedEntry {
    const tuple = this.#tuples.tuple(number);
    const bits = this.#tuples.bits(number);
    return {
      key: this.#keyOf(tuple),
      existed: (bits & EXISTED) !== 0,
      row: (bits & HAS_ROW) === 0 ? null : tuple,
      base: this.#bases.get(number) ?? null,
    };
  }

  key(number: number): readonly string[] {
    return this.#keyOf(this.#tuples.tuple(number));
  }

  existed(number: number): boolean {
    return (this.#tuples.bits(number) & EXISTED) !== 0;
  }

  isPartial(number: number): boolean {
    return this.#bases.has(number);
  }

  /** The row that is to be written whole; null where there is none, or a partial one. */
  wholeRow(number: number): Tuple | null {
    if ((this.#tuples.bits(number) & HAS_ROW) === 0 || this.isPartial(number)) return null;
    return this.#tuples.tuple(number);
  }

  /** Of a row that has only its key, or of which only that is wanted. */
  #keyOnly(row: Tuple, rest: Cell): Tuple {
    const cells = row.cells();
    return Tuple.of(cells.map((cell, position): Cell => (this.table.key.includes(position) ? cell : rest)));
  }

  #keyOf(row: Tuple): readonly string[] {
    return this.table.key.map((position) => row.cell(position) as string); // was looked at when it was found
  }

  /** The entry of a row that must exist now; -1 where it is known from before the batch only. */
  #existing(before: Tuple): number {
    const entry = this.#tuples.find(before);
    if (entry >= 0 && (this.#tuples.bits(entry) & HAS_ROW) !== 0) return entry;
    if (entry >= 0) throw new Contradiction(`a row of ${this.table.name} changed after it was deleted`);
    if (this.truncated) throw new Contradiction(`a row of ${this.table.name} changed after the table was truncated`);
    return entry;
  }

  #put(row: Tuple, base: readonly string[] | null): void {
    const known = this.#tuples.find(row);
    if (known < 0) {
      this.#setBase(this.#tuples.add(row, HAS_ROW), base);
      return;
    }
    const bits = this.#tuples.bits(known);
    if ((bits & HAS_ROW) !== 0) throw new Contradiction(`two rows of ${this.table.name} have the same key`);
    this.#tuples.replace(known, row, bits | HAS_ROW);
    this.#setBase(known, base);
  }

  #remove(entry: number, old: OldRow): void {
    if (entry < 0) {
      this.#tuples.add(old.full ? this.#keyOnly(old.row, null) : old.row, EXISTED);
      return;
    }
    this.#tuples.setBits(entry, this.#tuples.bits(entry) & EXISTED);
    this.#bases.delete(entry);
  }

  #setBase(entry: number, base: readonly string[] | null): void {
    if (base) {
      if (!this.#bases.has(entry)) this.#memory.take(PARTIAL_BYTES + keyText(base).length);
      this.#bases.set(entry, base);
    } else if (this.#bases.size > 0) this.#bases.delete(entry);
  }
}

/** What an entry of a keyless table takes beside its row and its text, about. */
const ENTRY_BYTES = 150;

export class KeylessChanges implements NetChanges {
  readonly counts: Counts = { inserted: 0, updated: 0, deleted: 0 };
  truncated = false;
  /** While nothing is deleted, a plain list: most keyless tables are only ever appended to. */
  #appended: Tuple[] = [];
  #counted: Map<string, KeylessEntry> | null = null;
  readonly #memory: TupleMemory;

  constructor(
    readonly table: TargetTable,
    memory: TupleMemory,
  ) {
    this.#memory = memory;
  }

  insert(row: Tuple): void {
    this.counts.inserted += 1;
    this.#add(row, 1);
  }

  update(old: OldRow | null, row: Tuple): void {
    this.counts.updated += 1;
    const before = this.#full(old);
    this.#add(before, -1);
    this.#add(row.over(before), 1);
  }

  delete(old: OldRow): void {
    this.counts.deleted += 1;
    this.#add(this.#full(old), -1);
  }

  truncate(): void {
    this.#appended = [];
    this.#counted = null;
    this.truncated = true;
  }

  *entries(): Iterable<KeylessEntry> {
    if (this.#counted) {
      for (const entry of this.#counted.values()) if (entry.delta !== 0) yield entry;
    } else for (const row of this.#appended) yield { row, delta: 1 };
  }

  #full(old: OldRow | null): Tuple {
    if (!old?.full || !old.row.isComplete) {
      throw new Contradiction(`a row of the keyless table ${this.table.name} changed without its old values`);
    }
    return old.row;
  }

  #add(row: Tuple, delta: 1 | -1): void {
    if (!this.#counted) {
      if (delta === 1) {
        this.#memory.take(ENTRY_BYTES);
        this.#appended.push(this.#memory.keep(row));
        return;
      }
      this.#counted = new Map();
      const appended = this.#appended;
      this.#appended = [];
      for (const earlier of appended) this.#count(this.#counted, earlier, earlier, 1);
    }
    this.#count(this.#counted, row, null, delta);
  }

  #count(counted: Map<string, KeylessEntry>, row: Tuple, kept: Tuple | null, delta: number): void {
    const { text } = row;
    const entry = counted.get(text);
    if (entry) {
      entry.delta += delta;
      return;
    }
    this.#memory.take(ENTRY_BYTES + text.length);
    counted.set(text, { row: kept ?? this.#memory.keep(row), delta });
  }
}

/** Rows are kept in `memory`, which counts what they take: that of all tables whose changes are written together. */
export function netChangesOf(table: TargetTable, memory = new TupleMemory()): KeyedChanges | KeylessChanges {
  return table.key.length > 0 ? new KeyedChanges(table, memory) : new KeylessChanges(table, memory);
}
