import type { OldRow, RelationEvent } from '../core/change.js';
import type { Lsn } from '../core/position.js';
import type { Cell } from '../core/row.js';
import { keyAttnums, qualifiedName, type ReplicaIdentity, type TableSchema } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import { Tuple } from '../core/tuple.js';
import { Wal2DoltError } from '../errors.js';

/** A table of the target that takes part in the stream. */
export interface StreamedTable {
  readonly table: TargetTable;
  /** Transactions whose commit record lies before it are in the table's copy already. */
  readonly snapshotLsn: Lsn;
}

/** A relation as the stream announced it: which of its cells go where. */
export interface Binding extends StreamedTable {
  row(sent: Tuple): Tuple;
  oldRow(old: OldRow): OldRow;
}

/**
 * Connects the relations of the stream with the tables of the target. pgoutput announces a relation before its first row
 * and again when it may have changed. What it says is compared with what the target's table was made from when a row
 * needs it, not before: what is announced with transactions that the target has already may be older than the target.
 */
export class Relations {
  readonly #tables: Map<number, StreamedTable>;
  readonly #selected: (schema: string, name: string) => boolean;
  readonly #announced = new Map<number, RelationEvent>();
  readonly #bindings = new Map<number, Binding | null>();
  /** What was announced since the last row. */
  #news: number[] = [];

  constructor(tables: Iterable<StreamedTable>, selected: (schema: string, name: string) => boolean) {
    this.#tables = new Map([...tables].map((streamed) => [streamed.table.source.oid, streamed]));
    this.#selected = selected;
  }

  announce(relation: RelationEvent): void {
    this.#news.push(relation.oid);
    this.#announced.set(relation.oid, relation);
    this.#bindings.delete(relation.oid);
  }

  /**
   * With each row (of 0, with what is none): the partition by which it came to its partitioned table, where that is told. pgoutput
   * announces the one and then the other before the first such row. Source: maybe_send_schema() in Postgres' pgoutput.c
   */
  cameBy(oid: number): number | null {
    if (this.#news.length === 0) return null;
    const [root, leaf = null] = this.#news.slice(-2);
    this.#news = [];
    return root === oid ? leaf : null;
  }

  /** The tables that take part, by oid. */
  get tables(): ReadonlyMap<number, StreamedTable> {
    return this.#tables;
  }

  /** The relation as it was announced last. */
  announced(oid: number): RelationEvent {
    const relation = this.#announced.get(oid);
    if (relation) return relation;
    throw new Wal2DoltError('E_SOURCE_PROTOCOL', `a row came for relation ${oid}, which was not announced`);
  }

  /** Whether it was compared since it was announced last. */
  isBound(oid: number): boolean {
    return this.#bindings.has(oid);
  }

  /** The table is in the target as this from now on. */
  set(streamed: StreamedTable): void {
    const { oid } = streamed.table.source;
    this.#tables.set(oid, streamed);
    this.#bindings.delete(oid);
    this.keepName(oid);
  }

  /**
   * Until it is announced again, the relation is called what its table is called: pgoutput announces a partitioned table whose
   * name or schema changed, and the tables of a schema whose name did, only when something else changes.
   */
  keepName(oid: number): void {
    const relation = this.#announced.get(oid);
    const source = this.#tables.get(oid)?.table.source;
    if (relation && source) this.#announced.set(oid, { ...relation, schema: source.schema, name: source.name });
  }

  /** The table does not take part any more. */
  delete(oid: number): void {
    this.#tables.delete(oid);
    this.ignore(oid);
  }

  /** Nothing of it is wanted, until it is announced again. */
  ignore(oid: number): void {
    this.#bindings.set(oid, null);
  }

  /**
   * Which cells of a relation's rows go where. Null for a relation that is not replicated; a Mismatch for one that is, but is
   * not what the target was made from.
   */
  get(oid: number): Binding | Mismatch | null {
    const binding = this.#bindings.get(oid);
    if (binding !== undefined) return binding;
    const relation = this.announced(oid);
    const known = this.#tables.get(oid);
    if (!known) {
      return this.#selected(relation.schema, relation.name)
        ? new Mismatch(relation, this.#describeUnknown(relation))
        : null;
    }
    const difference = describeDifference(known.table.source, relation);
    if (difference !== null) return new Mismatch(relation, difference);
    const bound = bind(known, relation);
    this.#bindings.set(oid, bound);
    return bound;
  }

  #describeUnknown({ schema, name }: RelationEvent): string {
    for (const { table } of this.#tables.values()) {
      if (table.source.schema === schema && table.source.name === name)
        return 'it is another table than before: the one of this name was dropped (or renamed), and a new one created';
    }
    return 'the table is new';
  }
}

/** A relation that the target's tables do not fit. */
export class Mismatch {
  constructor(
    readonly relation: RelationEvent,
    /** What is different, as half a sentence. */
    readonly difference: string,
  ) {}
}

function bind(known: StreamedTable, relation: RelationEvent): Binding {
  const positions = known.table.columns.map((column) => column.sourcePosition);
  const whole = positions.length === relation.columns.length && positions.every((position, i) => position === i);
  const row = whole
    ? (sent: Tuple): Tuple => sent
    : (sent: Tuple): Tuple => {
        const cells = sent.cells();
        return Tuple.of(positions.map((position): Cell => cells[position] ?? null));
      };
  return { ...known, row, oldRow: (old) => (whole ? old : { full: old.full, row: row(old.row) }) };
}

/** One sentence on the first difference that matters to the rows, or null. */
function describeDifference(known: TableSchema, relation: RelationEvent): string | null {
  const announced = qualifiedName(relation);
  if (announced !== qualifiedName(known)) return `it was called ${qualifiedName(known)}`;
  for (const [i, column] of known.columns.entries()) {
    const other = relation.columns[i];
    if (!other) return `the column ${column.name} is gone`;
    if (other.name !== column.name) {
      if (relation.columns.some(({ name }) => name === column.name)) return `the column ${other.name} is new`;
      const gone = known.columns.some(({ name }) => name === other.name);
      return `the column ${column.name} is ${gone ? 'gone' : `now ${other.name}`}`;
    }
    if (other.typeOid !== column.type.oid || other.typmod !== column.type.typmod)
      return `the type of column ${column.name} (was ${column.type.name}) changed`;
  }
  const added = relation.columns[known.columns.length];
  if (added) return `the column ${added.name} is new`;
  if (!sameKey(known, relation.replicaIdentity)) return 'the replica identity changed';
  const identity = identityAttnums(known, relation.replicaIdentity);
  const marked = relation.columns.flatMap((column, i) => (column.key ? [known.columns[i]?.attnum ?? 0] : []));
  const identified = relation.replicaIdentity === 'd' || relation.replicaIdentity === 'i';
  if (identified && identity !== null && marked.join() !== identity.join()) return 'its key changed';
  return null;
}

/**
 * The published columns that Postgres marks in an announcement: those of the replica identity's index, in the table's
 * order, also where a column list leaves out others of them. Null where the catalog does not tell.
 */
function identityAttnums(known: TableSchema, now: ReplicaIdentity): readonly number[] | null {
  const index =
    now === 'i' && known.replicaIdentity === 'i'
      ? known.indexes.find((candidate) => candidate.replicaIdentity)
      : known.indexes.find((candidate) => candidate.primary && candidate.immediate);
  if (!index) return [];
  const { attnums } = index;
  return attnums && known.columns.flatMap(({ attnum }) => (attnums.includes(attnum) ? [attnum] : []));
}

function sameKey(known: TableSchema, now: ReplicaIdentity): boolean {
  return keyAttnums(known).join() === keyAttnums({ ...known, replicaIdentity: now }).join();
}
