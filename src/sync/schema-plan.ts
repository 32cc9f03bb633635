import { type DdlSnapshot, saw } from '../core/ddl-snapshot.js';
import { foldName, uniqueNames } from '../core/names.js';
import { selects } from '../core/patterns.js';
import { LSN_ZERO, type Lsn } from '../core/position.js';
import { joinedPartitions, qualifiedName, type TableSchema } from '../core/schema.js';
import { diffTables, type TableDiff } from '../core/schema-diff.js';
import type { TargetTable } from '../core/target.js';
import type { StreamedTable } from './relations.js';
import { hasColumns, type MappingRules, planTables, replanTable } from './tables.js';

/** What is done with one table of the target because of a schema change of the source. */
export type TableAction =
  | { readonly kind: 'create'; readonly table: TargetTable }
  | { readonly kind: 'change'; readonly before: StreamedTable; readonly after: TargetTable; readonly diff: TableDiff }
  /** It stays as it is, with its history. */
  | { readonly kind: 'leave'; readonly oid: number; readonly name: string; readonly why: string }
  /** It was to come, and Dolt never had it. */
  | { readonly kind: 'forget'; readonly oid: number; readonly name: string; readonly why: string }
  /** A table that left gives up its name to one that is followed. */
  | { readonly kind: 'moveAway'; readonly oid: number; readonly from: string; readonly to: string }
  /** Its rows can only be had from Postgres. */
  | { readonly kind: 'copy'; readonly oid: number; readonly name: string; readonly why: string };

/** The target's tables as a plan sees them, and as its own earlier actions leave them. */
export interface KnownTables {
  readonly followed: ReadonlyMap<number, StreamedTable>;
  /** Names in Dolt of the tables that left, by oid. */
  readonly left: ReadonlyMap<number, string>;
  /** Tables that are to be copied: whatever happens to them before that is in their copy. */
  readonly pending: ReadonlySet<number>;
  /** The transaction whose message said last what a table is; null where none did. */
  readonly changedBy: (oid: number) => number | null;
  /** Names in Dolt of tables that are to come. */
  readonly reserved: readonly string[];
  /** Tables that are known to have no row before the change. */
  readonly empty: ReadonlySet<number>;
}

/** What a command, whose transaction commits at `at`, means for the target; in an order that works. Pure. */
export function planSnapshot(
  snapshot: DdlSnapshot,
  { finalLsn: at, xid }: { readonly finalLsn: Lsn; readonly xid: number },
  known: KnownTables,
  rules: MappingRules,
): TableAction[] {
  const plan = new SchemaPlan(known, rules, at);
  // Of a table whose whole definition follows, nothing else is to be deduced.
  const defined = new Set(snapshot.tables.map(({ schema }) => schema.oid));
  for (const { oid } of snapshot.dropped) {
    plan.leave(oid, 'dropped');
    plan.dropPartition(oid, snapshot.command, defined);
  }
  for (const { oid } of snapshot.unpublished) plan.leave(oid, 'not in the publication any more');
  if (snapshot.complete) {
    const carried = new Set(snapshot.tables.map(({ schema }) => schema.oid));
    for (const oid of known.followed.keys()) if (!carried.has(oid)) plan.leave(oid, 'not in the publication any more');
  }
  for (const { schema, name } of snapshot.droppedIndexes) plan.dropIndex(schema, name, snapshot.command, defined);
  const created = new Set([
    ...snapshot.tables.flatMap((table) => (table.created ? [table.schema.oid] : [])),
    // Of a partition the publication sends rows as its root's.
    ...snapshot.unpublished.flatMap((table) => (table.created ? [table.oid] : [])),
  ]);
  for (const table of snapshot.tables) {
    const filled = /^(CREATE TABLE AS|SELECT INTO)$/.test(snapshot.tag);
    const createdEmpty = table.created && !filled;
    const { rewritten } = table;
    const before = known.changedBy(table.schema.oid);
    const news = before === null || before === xid || snapshot.seen === undefined || saw(snapshot.seen, before);
    if (!news && known.followed.has(table.schema.oid)) {
      plan.doubt(table.schema);
      continue;
    }
    const { command } = snapshot;
    plan.define(table.schema, createdEmpty, { rewritten, command, createdPartitions: created });
  }
  return plan.actions;
}

/** What a relation is of which no message told, as far as that can be known. */
export interface InferredSchema {
  readonly schema: TableSchema;
  /** Postgres may have written its rows again. */
  readonly rewritten: boolean;
  readonly displaced: Displaced;
}

/** By oid: followed tables that were known by the name of another, with the one that they have by now; null for one that is gone. */
export type Displaced = ReadonlyMap<number, Pick<TableSchema, 'schema' | 'name'> | null>;

/** What a table that the stream announced differently, or that is new in it, means for the target. Pure. */
export function planRelation(
  { schema, rewritten, displaced }: InferredSchema,
  at: Lsn,
  known: KnownTables,
  rules: MappingRules,
): TableAction[] {
  const plan = new SchemaPlan(known, rules, at);
  // Two may have changed names: for a moment one of them has none of the two.
  for (const oid of displaced.keys()) plan.giveWay(oid);
  plan.define(schema, false, { rewritten, command: null });
  plan.displace(displaced);
  return plan.actions;
}

/** What takes a table's name from followed ones that have another one by now, before it is copied. Pure. */
export function planGivingWay(displaced: Displaced, at: Lsn, known: KnownTables, rules: MappingRules): TableAction[] {
  const plan = new SchemaPlan(known, rules, at);
  for (const oid of displaced.keys()) plan.giveWay(oid);
  return plan.actions;
}

/** What gives those the names that they have. Pure. */
export function planDisplaced(displaced: Displaced, at: Lsn, known: KnownTables, rules: MappingRules): TableAction[] {
  const plan = new SchemaPlan(known, rules, at);
  plan.displace(displaced);
  return plan.actions;
}

/** What makes room for a name in Dolt that a followed table is to have. Pure. */
export function planName(name: string, oid: number, known: KnownTables, rules: MappingRules): TableAction[] {
  const plan = new SchemaPlan(known, rules, LSN_ZERO);
  plan.freeName(name, oid);
  return plan.actions;
}

/** Whether partitions came that may have rows. */
const attaches = (before: TableSchema, after: TableSchema, createdEmpty: ReadonlySet<number>): boolean =>
  joinedPartitions(before, after).some((oid) => !createdEmpty.has(oid));

function withoutPartition({ partitions = [], leaves, ...table }: TableSchema, partition: number): TableSchema {
  const isOther = (_: unknown, i: number): boolean => partitions[i] !== partition;
  return { ...table, partitions: partitions.filter(isOther), ...(leaves && { leaves: leaves.filter(isOther) }) };
}

class SchemaPlan {
  readonly actions: TableAction[] = [];
  readonly #followed: Map<number, StreamedTable>;
  readonly #left: Map<number, string>;
  readonly #known: KnownTables;
  readonly #rules: MappingRules;
  readonly #at: Lsn;

  constructor(known: KnownTables, rules: MappingRules, at: Lsn) {
    this.#known = known;
    this.#followed = new Map(known.followed);
    this.#left = new Map(known.left);
    this.#rules = rules;
    this.#at = at;
  }

  leave(oid: number, why: string): void {
    const streamed = this.#of(oid);
    if (!streamed) return;
    this.#followed.delete(oid);
    this.#left.set(oid, streamed.table.name);
    this.actions.push({ kind: 'leave', oid, name: streamed.table.name, why });
  }

  /** Another table has its name by now. */
  giveWay(oid: number): void {
    const before = this.#of(oid);
    if (!before) return;
    const [name = before.table.name] = uniqueNames([before.table.name], this.#followedNames());
    const after = { ...before.table, name };
    const diff = diffTables(before.table, after, { rewritten: false, command: null });
    if (diff) this.#apply(before, after, { ...diff, described: ['another table has its name'] });
  }

  displace(displaced: Displaced): void {
    for (const [oid, name] of displaced) {
      const streamed = this.#of(oid);
      if (name === null) this.leave(oid, 'dropped');
      else if (streamed) this.define({ ...streamed.table.source, ...name }, false, { rewritten: false, command: null });
    }
  }

  /** A definition that is older than what was told already: how it is now, only its copy shows. */
  doubt(schema: TableSchema): void {
    if (!this.#of(schema.oid) || this.#known.pending.has(schema.oid)) return;
    const why = 'two transactions changed it at the same time';
    this.actions.push({ kind: 'copy', oid: schema.oid, name: qualifiedName(schema), why });
  }

  /** Of a table that is gone, nobody tells any more whose partition it was. */
  dropPartition(partition: number, command: string, but: ReadonlySet<number>): void {
    for (const [oid, { table }] of this.#followed) {
      if (but.has(oid) || !table.source.partitions?.includes(partition)) continue;
      if (this.#of(oid)) this.#change(oid, withoutPartition(table.source, partition), { rewritten: false, command });
    }
  }

  /** Of a dropped index no more is known than its name, which is unique in its schema. */
  dropIndex(schema: string, name: string, command: string, but: ReadonlySet<number>): void {
    for (const [oid, { table }] of this.#followed) {
      if (but.has(oid) || table.source.schema !== schema || !table.source.indexes.some((index) => index.name === name))
        continue;
      const indexes = table.source.indexes.filter((index) => index.name !== name);
      if (this.#of(oid)) this.#change(oid, { ...table.source, indexes }, { rewritten: false, command });
    }
  }

  define(schema: TableSchema, createdEmpty: boolean, hints: Parameters<typeof diffTables>[2]): void {
    const { oid } = schema;
    if (this.#known.pending.has(oid)) return;
    const { tables } = this.#rules;
    const followed = this.#followed.get(oid)?.table;
    const selected = selects(tables, schema.schema, schema.name);
    const possible = hasColumns(schema, tables, followed);
    if (followed) {
      if (!selected) this.leave(oid, `${qualifiedName(schema)} is not selected by the configuration`);
      else if (!possible) this.leave(oid, `${qualifiedName(schema)} has no column that is replicated`);
      else if (this.#of(oid)) this.#change(oid, schema, hints);
    } else if (selected && possible) {
      if (createdEmpty && !this.#left.has(oid)) this.#create(schema);
      else this.actions.push({ kind: 'copy', oid, name: qualifiedName(schema), why: 'it is new in the publication' });
    }
  }

  #create(schema: TableSchema): void {
    const [table] = planTables([schema], this.#rules, this.#followedNames());
    if (!table) return;
    this.freeName(table.name);
    this.#followed.set(schema.oid, { table, snapshotLsn: this.#at });
    this.actions.push({ kind: 'create', table });
  }

  #change(oid: number, schema: TableSchema, hints: Parameters<typeof diffTables>[2]): void {
    const before = this.#followed.get(oid);
    if (!before) return;
    const after = replanTable(before.table, schema, this.#rules, this.#followedNames(oid));
    let diff = diffTables(before.table, after, hints);
    if (diff === null) return;
    const stillEmpty =
      this.#known.empty.has(oid) &&
      // Where it has rows that the publication left out, it is not empty in the source.
      before.table.source.rowFilter === schema.rowFilter &&
      !attaches(before.table.source, schema, hints.createdPartitions ?? new Set());
    if (diff.rows.kind !== 'kept' && stillEmpty) diff = { ...diff, rows: { kind: 'kept' } };
    if (diff.rows.kind === 'copied') {
      this.actions.push({ kind: 'copy', oid, name: qualifiedName(schema), why: diff.rows.because });
      return;
    }
    this.#apply(before, after, diff);
  }

  #apply(before: StreamedTable, after: TargetTable, diff: TableDiff): void {
    if (after.name !== before.table.name) this.freeName(after.name);
    this.#followed.set(after.source.oid, { ...before, table: after });
    this.actions.push({ kind: 'change', before, after, diff });
  }

  /** The table, where the command is news to it. */
  #of(oid: number): StreamedTable | undefined {
    const streamed = this.#followed.get(oid);
    return streamed && streamed.snapshotLsn <= this.#at ? streamed : undefined;
  }

  #followedNames(but?: number): string[] {
    const followed = [...this.#followed].flatMap(([oid, { table }]) => (oid === but ? [] : [table.name]));
    return [...followed, ...this.#known.reserved];
  }

  freeName(name: string, but?: number): void {
    for (const [oid, from] of this.#left) {
      if (oid === but || foldName(from) !== foldName(name)) continue;
      const to = uniqueNames([`${from}_left`], [...this.#followedNames(), ...this.#left.values(), name])[0] ?? from;
      this.#left.set(oid, to);
      this.actions.push({ kind: 'moveAway', oid, from, to });
    }
  }
}
