import { type Cell, type OldRow, type Row, UNCHANGED } from './change.js';
import type { TargetTable } from './target.js';

/** The stream says something that can not follow from what it said before, e.g. inserts a key twice. */
export class Contradiction extends Error {}

/** What one key comes to in a batch. */
export interface KeyedEntry {
  /** The key's cells, in key order. */
  readonly key: readonly string[];
  /** A row with this key was in the target before the batch, so it has to go (or be updated). */
  readonly existed: boolean;
  /** The row under this key after the batch; null where there is none. */
  row: Row | null;
  /** Key, before the batch, of the row that UNCHANGED cells come from; null where the row is complete. */
  base: readonly string[] | null;
}

/** Rows of a keyless table, counted: `delta` copies come (positive) or go (negative). */
export interface KeylessEntry {
  readonly row: Row;
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
  insert(row: Row): void;
  update(old: OldRow | null, row: Row): void;
  delete(old: OldRow): void;
  truncate(): void;
}

const NUL = '\u0000';

/** Postgres text never contains NUL, so it separates. */
export function keyText(key: readonly string[]): string {
  return key.length === 1 ? (key[0] ?? '') : key.join(NUL);
}

function rowText(row: Row): string {
  let text = '';
  for (const cell of row) text += cell === null ? NUL : `${NUL}t${String(cell)}`;
  return text;
}

const isComplete = (row: Row): boolean => !row.includes(UNCHANGED);

/** `over`, its UNCHANGED cells taken from `under`. */
function merge(over: Row, under: Row): Row {
  if (isComplete(over)) return over;
  return over.map((cell, i): Cell => (cell === UNCHANGED ? (under[i] ?? null) : cell));
}

export class KeyedChanges implements NetChanges {
  readonly counts: Counts = { inserted: 0, updated: 0, deleted: 0 };
  readonly entries = new Map<string, KeyedEntry>();
  truncated = false;
  readonly #unchangedRow: Row;

  constructor(readonly table: TargetTable) {
    this.#unchangedRow = table.columns.map(() => UNCHANGED);
  }

  insert(row: Row): void {
    this.counts.inserted += 1;
    this.#put(this.#key(row), row, null);
  }

  update(old: OldRow | null, row: Row): void {
    this.counts.updated += 1;
    const full = old ? merge(row, old.full ? old.row : this.#keyOnly(old.row)) : row;
    const key = this.#key(full);
    const oldKey = old ? this.#key(old.row) : key;
    const text = keyText(key);
    const oldText = keyText(oldKey);
    const source = this.#existing(oldKey, oldText);
    const merged = source.row ? merge(full, source.row) : full;
    const base = isComplete(merged) ? null : source.base;
    if (text === oldText) {
      source.row = merged;
      source.base = base;
      return;
    }
    this.#remove(source, oldText);
    this.#put(key, merged, base);
  }

  delete(old: OldRow): void {
    this.counts.deleted += 1;
    const key = this.#key(old.row);
    const text = keyText(key);
    this.#remove(this.#existing(key, text), text);
  }

  truncate(): void {
    this.entries.clear();
    this.truncated = true;
  }

  /** Of an old row that has only its key: a key stored out of line is UNCHANGED in the new row, and then comes with the old one. */
  #keyOnly(row: Row): Row {
    return row.map((cell, position) => (this.table.key.includes(position) ? cell : UNCHANGED));
  }

  #key(row: Row): string[] {
    return this.table.key.map((position) => {
      const cell = row[position];
      if (typeof cell !== 'string') {
        throw new Contradiction(
          `a row of ${this.table.name} came without its key column ${this.table.columns[position]?.name}`,
        );
      }
      return cell;
    });
  }

  /** The entry of a row that must exist now: known from this batch, or from before it. */
  #existing(key: string[], text: string): KeyedEntry {
    const known = this.entries.get(text);
    if (known) {
      if (known.row === null) throw new Contradiction(`a row of ${this.table.name} changed after it was deleted`);
      return known;
    }
    if (this.truncated) throw new Contradiction(`a row of ${this.table.name} changed after the table was truncated`);
    const entry = { key, existed: true, row: this.#unchangedRow, base: key };
    this.entries.set(text, entry);
    return entry;
  }

  #put(key: string[], row: Row, base: readonly string[] | null): void {
    const text = keyText(key);
    const known = this.entries.get(text);
    if (!known) {
      this.entries.set(text, { key, existed: false, row, base });
      return;
    }
    if (known.row !== null) throw new Contradiction(`two rows of ${this.table.name} have the same key`);
    known.row = row;
    known.base = base;
  }

  #remove(entry: KeyedEntry, text: string): void {
    if (entry.existed) {
      entry.row = null;
      entry.base = null;
    } else this.entries.delete(text);
  }
}

export class KeylessChanges implements NetChanges {
  readonly counts: Counts = { inserted: 0, updated: 0, deleted: 0 };
  truncated = false;
  /** While nothing is deleted, a plain list: most keyless tables are only ever appended to. */
  #appended: Row[] = [];
  #counted: Map<string, KeylessEntry> | null = null;

  constructor(readonly table: TargetTable) {}

  insert(row: Row): void {
    this.counts.inserted += 1;
    this.#add(row, 1);
  }

  update(old: OldRow | null, row: Row): void {
    this.counts.updated += 1;
    const before = this.#full(old);
    this.#add(before, -1);
    this.#add(merge(row, before), 1);
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

  #full(old: OldRow | null): Row {
    if (!old?.full || !isComplete(old.row)) {
      throw new Contradiction(`a row of the keyless table ${this.table.name} changed without its old values`);
    }
    return old.row;
  }

  #add(row: Row, delta: 1 | -1): void {
    if (!this.#counted) {
      if (delta === 1) {
        this.#appended.push(row);
        return;
      }
      this.#counted = new Map();
      const appended = this.#appended;
      this.#appended = [];
      for (const earlier of appended) this.#count(this.#counted, earlier, 1);
    }
    this.#count(this.#counted, row, delta);
  }

  #count(counted: Map<string, KeylessEntry>, row: Row, delta: number): void {
    const text = rowText(row);
    const entry = counted.get(text);
    if (entry) entry.delta += delta;
    else counted.set(text, { row, delta });
  }
}

export function netChangesOf(table: TargetTable): KeyedChanges | KeylessChanges {
  return table.key.length > 0 ? new KeyedChanges(table) : new KeylessChanges(table);
}
