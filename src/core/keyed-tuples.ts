import { Contradiction } from './contradiction.js';
import type { TargetTable } from './target.js';
import { Tuple } from './tuple.js';
import type { TupleMemory } from './tuple-memory.js';

/** What an entry takes beside its tuple: its place in each of the lists, which have room for up to twice as many. */
const ENTRY_BYTES = 40;
/** And what the lists take while they are short. */
const TABLE_BYTES = 2 << 10;
const FIRST_ENTRIES = 32;
const IS_COMPLETE = 0x80;
/** Nobody is to know beforehand which keys have the same hash: with many of them a search would take for ever. */
const SEED = Math.floor(Math.random() * 2 ** 32);

/**
 * The latest tuple of each key, and what is to be remembered of it as 7 bits: a hash table in plain memory, with nothing in it for
 * V8 to walk. As objects, the entries take more than the rows, and collecting garbage a third of Node's time. Entries are
 * numbered from 0 in the order in which their keys came, and stay.
 */
export class KeyedTuples {
  readonly #table: TargetTable;
  readonly #memory: TupleMemory;
  readonly #seed: number;
  #size = 0;
  /** By the hash of the key: the number of an entry plus one, or 0. At most half of them are in use. */
  #slots = new Uint32Array(2 * FIRST_ENTRIES);
  #hashes = new Uint32Array(FIRST_ENTRIES);
  #bits = new Uint8Array(FIRST_ENTRIES);
  /** Where the tuples are: in which of the chunks, and where in it. */
  #chunk = new Uint32Array(FIRST_ENTRIES);
  #start = new Uint32Array(FIRST_ENTRIES);
  #length = new Uint32Array(FIRST_ENTRIES);
  #chunks: Buffer[] = [];

  constructor(table: TargetTable, memory: TupleMemory, seed = SEED) {
    this.#table = table;
    this.#memory = memory;
    this.#seed = seed;
    memory.take(TABLE_BYTES);
  }

  /** How many entries there are. */
  get size(): number {
    return this.#size;
  }

  /** The entry with this tuple's key, or -1. Throws a Contradiction for a tuple without its key. */
  find(tuple: Tuple): number {
    return this.#entryAt(this.#slotOf(tuple, this.#hash(tuple)));
  }

  /** A new entry for a tuple with a key that has none. */
  add(tuple: Tuple, bits: number): number {
    if (this.#size === this.#bits.length) this.#grow();
    const entry = this.#size;
    const hash = this.#hash(tuple);
    this.#slots[this.#slotOf(tuple, hash)] = entry + 1;
    this.#hashes[entry] = hash;
    this.#size += 1;
    this.#memory.take(ENTRY_BYTES);
    this.#place(entry, this.#memory.keep(tuple), bits);
    return entry;
  }

  /** As it is now: not to be looked at any more after `replace`. */
  tuple(entry: number): Tuple {
    const bytes = this.#chunks[at(this.#chunk, entry)] as Buffer; // has been there since the entry is
    const start = at(this.#start, entry);
    return new Tuple(bytes, start, start + at(this.#length, entry), (at(this.#bits, entry) & IS_COMPLETE) !== 0);
  }

  bits(entry: number): number {
    return at(this.#bits, entry) & ~IS_COMPLETE;
  }

  setBits(entry: number, bits: number): void {
    this.#bits[entry] = bits | (at(this.#bits, entry) & IS_COMPLETE);
  }

  /** The entry's tuple from now on; it has the same key. */
  replace(entry: number, tuple: Tuple, bits: number): void {
    this.#place(entry, this.#memory.replace(this.tuple(entry), tuple), bits);
  }

  hasSameKey(a: Tuple, b: Tuple): boolean {
    for (const position of this.#table.key) if (!a.hasSameText(position, b)) return false;
    return true;
  }

  #place(entry: number, { bytes, start, size, isComplete }: Tuple, bits: number): void {
    if (this.#chunks[at(this.#chunk, entry)] !== bytes) {
      // What is kept now is in the chunk that is being filled, or in one of its own.
      if (this.#chunks.at(-1) !== bytes) this.#chunks.push(bytes);
      this.#chunk[entry] = this.#chunks.length - 1;
    }
    this.#start[entry] = start;
    this.#length[entry] = size;
    this.#bits[entry] = bits | (isComplete ? IS_COMPLETE : 0);
  }

  #hash(tuple: Tuple): number {
    let hash = this.#seed;
    for (const position of this.#table.key) {
      const mixed = tuple.hashCell(position, hash);
      if (mixed === null) {
        const { name, columns } = this.#table;
        throw new Contradiction(`a row of ${name} came without its key column ${columns[position]?.name}`);
      }
      hash = mixed;
    }
    // Its lowest bits have to depend on all of it.
    return (hash ^ (hash >>> 15)) >>> 0;
  }

  /** Where the entry with this tuple's key is, or would be. */
  #slotOf(tuple: Tuple, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#entryAt(slot);
      if (entry < 0) return slot;
      if (this.#hashes[entry] === hash && this.hasSameKey(this.tuple(entry), tuple)) return slot;
    }
  }

  #entryAt(slot: number): number {
    return at(this.#slots, slot) - 1;
  }

  #grow(): void {
    const room = 2 * this.#size;
    this.#hashes = grown(this.#hashes, new Uint32Array(room));
    this.#bits = grown(this.#bits, new Uint8Array(room));
    this.#chunk = grown(this.#chunk, new Uint32Array(room));
    this.#start = grown(this.#start, new Uint32Array(room));
    this.#length = grown(this.#length, new Uint32Array(room));
    this.#slots = new Uint32Array(2 * room);
    const mask = this.#slots.length - 1;
    for (let entry = 0; entry < this.#size; entry += 1) {
      let slot = at(this.#hashes, entry) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }
}

/** Below its length, always. */
const at = (list: Uint32Array | Uint8Array, index: number): number => list[index] as number;

function grown<List extends Uint32Array | Uint8Array>(from: List, into: List): List {
  into.set(from);
  return into;
}
