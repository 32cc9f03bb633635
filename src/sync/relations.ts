import type { Cell, OldRow, RelationEvent, Row } from '../core/change.js';
import { formatLsn, type Lsn } from '../core/position.js';
import { keyAttnums, qualifiedName, type ReplicaIdentity, type TableSchema } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import { Wal2DoltError } from '../errors.js';

/** A table of the target that takes part in the stream. */
export interface StreamedTable {
  readonly table: TargetTable;
  /** Transactions whose commit record lies before it are in the table's copy already. */
  readonly snapshotLsn: Lsn;
}

/** A relation as the stream announced it: which of its cells go where. */
export interface Binding extends StreamedTable {
  row(cells: Row): Row;
  oldRow(old: OldRow): OldRow;
}

/**
 * Connects the relations of the stream with the tables of the target. pgoutput announces a relation before its first
 * row and again when it may have changed; what it says must be what the target's table was made from.
 */
export class Relations {
  readonly #tables: ReadonlyMap<number, StreamedTable>;
  readonly #selected: (schema: string, name: string) => boolean;
  readonly #bindings = new Map<number, Binding | Wal2DoltError | null>();

  constructor(tables: ReadonlyMap<number, StreamedTable>, selected: (schema: string, name: string) => boolean) {
    this.#tables = tables;
    this.#selected = selected;
  }

  /** Throws E_SCHEMA_CHANGED where the relation is not what the target knows. */
  announce(relation: RelationEvent, at: Lsn): void {
    const known = this.#tables.get(relation.oid);
    if (!known) {
      // Partitions are announced too, although their rows come as their root's: only a row makes it an error.
      const selected = this.#selected(relation.schema, relation.name);
      this.#bindings.set(relation.oid, selected ? changed(relation, at, this.#describeUnknown(relation)) : null);
      return;
    }
    const difference = describeDifference(known.table.source, relation);
    if (difference !== null) throw changed(relation, at, difference);
    this.#bindings.set(relation.oid, bind(known, relation));
  }

  #describeUnknown({ schema, name }: RelationEvent): string {
    for (const { table } of this.#tables.values()) {
      if (table.source.schema === schema && table.source.name === name)
        return 'it is another table than before: the one of this name was dropped (or renamed), and a new one created';
    }
    return 'the table is new';
  }

  /** Null for a table that is not replicated. Throws E_SCHEMA_CHANGED for one that is new. */
  get(oid: number): Binding | null {
    const binding = this.#bindings.get(oid);
    if (binding instanceof Wal2DoltError) throw binding;
    if (binding === undefined)
      throw new Wal2DoltError('E_SOURCE_PROTOCOL', `a row came for relation ${oid}, which was not announced`);
    return binding;
  }
}

function changed(relation: RelationEvent, at: Lsn, what: string): Wal2DoltError {
  return new Wal2DoltError(
    'E_SCHEMA_CHANGED',
    `${relation.schema}.${relation.name}, in the transaction that commits at ${formatLsn(at)}: ${what}`,
  );
}

function bind(known: StreamedTable, relation: RelationEvent): Binding {
  const positions = known.table.columns.map((column) => column.sourcePosition);
  const whole = positions.length === relation.columns.length && positions.every((position, i) => position === i);
  const row = whole
    ? (cells: Row): Row => cells
    : (cells: Row): Row => positions.map((position): Cell => cells[position] ?? null);
  return { ...known, row, oldRow: (old) => (whole ? old : { full: old.full, row: row(old.row) }) };
}

/** One sentence on the first difference that matters to the rows, or null. */
function describeDifference(known: TableSchema, relation: RelationEvent): string | null {
  const announced = `${relation.schema}.${relation.name}`;
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
