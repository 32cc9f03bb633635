import type { DdlSnapshot } from '../core/ddl-snapshot.js';
import { LSN_ZERO, type Lsn, type Micros } from '../core/position.js';
import { qualifiedName } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import type { SchemaChange } from '../dolt/committer.js';
import { type ActionOptions, applyAction, describeAction } from './apply-action.js';
import type { Relations } from './relations.js';
import { type InferredSchema, type KnownTables, planRelation, planSnapshot, type TableAction } from './schema-plan.js';
import type { MappingRules } from './tables.js';

/** The open transaction of the stream. */
export interface At {
  readonly xid: number;
  readonly finalLsn: Lsn;
  readonly commitTime: Micros;
}

/** What caused a change, for the commit's message. */
export type Cause = Pick<SchemaChange, 'tag' | 'command' | 'user'> & Pick<DdlSnapshot, 'settings'>;

/** A table that is copied again as soon as its transaction ends. */
export interface PendingCopy {
  readonly oid: number;
  readonly name: string;
  readonly why: string;
  readonly cause: Cause;
  /** Its rows need not be there when its transaction ends: it is new, or somebody asked for another copy. */
  readonly canJoin: boolean;
}

/** Of a change that was found by the rows that followed it. */
const UNKNOWN: Cause = { tag: 'SCHEMA CHANGE', command: 'found by the rows that followed it', user: '', settings: {} };

/** A large table that is copied beside the stream, and follows it when its copy is complete. */
export interface JoiningTable {
  readonly oid: number;
  /** As the bookkeeping has it. */
  readonly table: TargetTable;
  /** Whether Dolt has the table. */
  readonly exists: boolean;
}

/** A copy that somebody asked for with `wal2dolt resync`. */
export const askedFor = (oid: number, name: string, canJoin = true): PendingCopy => ({
  oid,
  name,
  why: 'that was asked for',
  cause: { tag: 'RESYNC', command: name, user: '', settings: {} },
  canJoin,
});

export interface SchemaChangesOptions extends ActionOptions {
  readonly relations: Relations;
  readonly rules: MappingRules;
  /** Names in Dolt of tables that are not followed any more, by oid. */
  readonly left: ReadonlyMap<number, string>;
}

/** A schema change that is decided and not yet applied; null where nothing changes. */
export interface Decided {
  readonly actions: readonly TableAction[];
  /** In the order in which it is applied; null where there is nothing to apply now. */
  readonly change: SchemaChange | null;
}

const NONE: ReadonlySet<number> = new Set();

/** Follows the source's schema: decides what a change of it means for the target's tables, and changes those. */
export class SchemaChanges {
  readonly #options: SchemaChangesOptions;
  readonly #left: Map<number, string>;
  readonly #pending = new Map<number, PendingCopy>();
  readonly #joining = new Map<number, JoiningTable>();
  /** By oid: the transaction whose message said last what the table is; of one that joins, those before too. */
  readonly #changedBy = new Map<number, readonly At[]>();
  readonly #startedAfter: number | null;

  constructor(options: SchemaChangesOptions) {
    this.#options = options;
    this.#left = new Map(options.left);
    this.#startedAfter = options.committer.position.xid || null;
  }

  /** Tables whose rows are passed over, since a copy that is to come has them. */
  get pending(): ReadonlyMap<number, PendingCopy> {
    return this.#pending;
  }

  /** Tables that are, or are to be, copied beside the stream. Those that are followed already go on being so. */
  get joining(): ReadonlyMap<number, JoiningTable> {
    return this.#joining;
  }

  /** Whether rows of the table are of no interest now, since a copy that is to come has them. */
  passesOver(oid: number): boolean {
    return this.#pending.has(oid) || (this.#joining.has(oid) && !this.#options.relations.tables.has(oid));
  }

  /** Instead of being copied when the open transaction ends. */
  join(table: JoiningTable): void {
    this.#pending.delete(table.oid);
    this.#left.delete(table.oid);
    this.#joining.set(table.oid, table);
  }

  /** It is read again from `position` on: what the stream said of it after that is to come. */
  joined(oid: number, position: Lsn): void {
    this.#joining.delete(oid);
    const changedBy = this.#changedBy.get(oid)?.filter(({ finalLsn }) => finalLsn < position);
    if (changedBy) this.#changedBy.set(oid, changedBy);
  }

  get left(): ReadonlyMap<number, string> {
    return this.#left;
  }

  /** Followed tables whose rows a command would have copied again, if they have any. */
  copiedBy(snapshot: DdlSnapshot, at: At): TargetTable[] {
    const { relations, rules } = this.#options;
    const actions = planSnapshot(snapshot, at, this.#known(NONE), rules);
    return actions.flatMap((action) => (action.kind === 'copy' ? (relations.tables.get(action.oid)?.table ?? []) : []));
  }

  /** What a command of the open transaction comes to; `empty` are tables that are known to have no row before it. */
  bySnapshot(snapshot: DdlSnapshot, at: At, empty: ReadonlySet<number>): Decided | null {
    const actions = planSnapshot(snapshot, at, this.#known(empty), this.#options.rules);
    for (const { schema } of snapshot.tables) {
      const before = this.#joining.has(schema.oid) ? this.#changedBy.get(schema.oid) : undefined;
      this.#changedBy.set(schema.oid, [...(before ?? []), at]);
    }
    for (const { oid } of snapshot.dropped) this.#pending.delete(oid);
    // Rows that a command writes come before its message.
    for (const { schema } of snapshot.tables) {
      const pending = this.#pending.get(schema.oid);
      if (pending?.cause === UNKNOWN) this.#pending.set(schema.oid, { ...pending, cause: snapshot });
    }
    return this.#decide([...actions, ...this.#abandoned(snapshot)], snapshot, at);
  }

  /** Tables that are gone before their copy was complete. */
  #abandoned({ dropped, unpublished, complete, tables }: DdlSnapshot): TableAction[] {
    const gone = new Set([...dropped, ...unpublished].map(({ oid }) => oid));
    const carried = new Set(tables.map(({ schema }) => schema.oid));
    return [...this.#joining.values()].flatMap(({ oid, exists, table: { name } }): TableAction[] => {
      if (this.#options.relations.tables.has(oid)) return [];
      if (!gone.has(oid) && !(complete && !carried.has(oid))) return [];
      return [{ kind: exists ? 'leave' : 'forget', oid, name, why: 'it was gone before its copy was complete' }];
    });
  }

  /** What a relation comes to that the stream announced as it was not known. */
  byRelation(inferred: InferredSchema, at: At): Decided | null {
    const actions = planRelation(inferred, at.finalLsn, this.#known(NONE), this.#options.rules);
    return this.#decide(actions, UNKNOWN, at);
  }

  /** What tables come to that a command changed, or whose rows (of a partitioned one, its partitions') it wrote anew, where no more is known. */
  byRewrite(oids: readonly number[], at: At): Decided | null {
    const { tables } = this.#options.relations;
    const actions = [...tables.values()].flatMap(({ table: { source } }): TableAction[] => {
      const isOf = [source.oid, ...(source.partitions ?? [])].some((oid) => oids.includes(oid));
      if (!isOf || this.passesOver(source.oid) || at.finalLsn < (tables.get(source.oid)?.snapshotLsn ?? LSN_ZERO))
        return [];
      return [
        {
          kind: 'copy',
          oid: source.oid,
          name: qualifiedName(source),
          why: 'Postgres changed it, or wrote its rows anew, by what is not known',
        },
      ];
    });
    return this.#decide(actions, UNKNOWN, at);
  }

  /** What a followed table comes to that changed, and was dropped before anybody looked. */
  byLoss(oid: number, at: At): Decided | null {
    const name = this.#options.relations.tables.get(oid)?.table.name ?? '';
    return this.#decide([{ kind: 'leave', oid, name, why: 'it changed and was dropped' }], UNKNOWN, at);
  }

  /**
   * What a row comes to that a partitioned table got by a partition: that may have left it before anybody looked, and then its rows are
   * in neither as they should be. Null where it is one still.
   */
  byPartition(root: number, partition: number, at: At): Decided | null {
    const { tables } = this.#options.relations;
    const { partitions } = tables.get(root)?.table.source ?? {};
    if (!partitions || partitions.includes(partition)) return null;
    const copy = (oid: number): TableAction[] => {
      const table = this.passesOver(oid) ? undefined : tables.get(oid)?.table;
      if (!table) return [];
      return [{ kind: 'copy', oid, name: qualifiedName(table.source), why: 'a partition came and left' }];
    };
    return this.#decide([...copy(root), ...copy(partition)], UNKNOWN, at);
  }

  /**
   * What a row comes to of a table that was a partition of a followed one: it is not any more, or was not for a time. Null where it
   * was none, or the followed one is to be copied already.
   */
  byDetached(partition: number, at: At): Decided | null {
    for (const [oid, { table }] of this.#options.relations.tables) {
      if (!table.source.partitions?.includes(partition) || this.passesOver(oid)) continue;
      const why = 'a partition left it';
      return this.#decide([{ kind: 'copy', oid, name: qualifiedName(table.source), why }], UNKNOWN, at);
    }
    return null;
  }

  /** The table is copied again when the open transaction ends. */
  copy(copy: PendingCopy): void {
    this.#pending.set(copy.oid, copy);
    this.#options.logger.info({ table: copy.name, because: copy.why }, 'the table is to be copied');
  }

  /** A copy was made; or could not be, of a table that stays as `leftAs`. */
  settled(oid: number, leftAs: string | null = null): void {
    this.#pending.delete(oid);
    if (leftAs === null) this.#left.delete(oid);
    else this.#left.set(oid, leftAs);
  }

  /** Creates foreign keys and checks of a table that was copied. */
  async constrain(oid: number): Promise<void> {
    await this.#options.constrain(oid);
  }

  /** Does at once, in the working set, what a plan makes of the tables. */
  async rearrange(plan: (known: KnownTables, rules: MappingRules) => TableAction[]): Promise<void> {
    for (const action of plan(this.#known(NONE), this.#options.rules)) {
      this.#register(action);
      await applyAction(this.#options, action, '', {});
    }
  }

  #known(empty: ReadonlySet<number>): KnownTables {
    const pending = new Set([...this.#pending.keys(), ...this.#joining.keys()].filter((oid) => this.passesOver(oid)));
    const { tables } = this.#options.relations;
    // What a run before this one has followed up to its last transaction may be news to a transaction that was open then.
    const changedBy = (oid: number): number | null => this.#changedBy.get(oid)?.at(-1)?.xid ?? this.#startedAfter;
    const reserved = [...this.#joining.values()].flatMap(({ oid, table }) => (tables.has(oid) ? [] : [table.name]));
    return { followed: tables, left: this.#left, pending, reserved, empty, changedBy };
  }

  #decide(actions: readonly TableAction[], cause: Cause, at: At): Decided | null {
    if (actions.length === 0) return null;
    for (const action of actions) {
      if (action.kind === 'copy') {
        this.copy({ ...action, cause, canJoin: !this.#options.relations.tables.has(action.oid) });
      }
      this.#register(action);
    }
    const now = actions.filter(({ kind }) => kind !== 'copy');
    if (now.length === 0) return { actions, change: null };
    const { xid, commitTime } = at;
    const { tag, command, user, settings } = cause;
    const apply = async (head: string): Promise<void> => {
      for (const action of now) {
        const rows = await applyAction(this.#options, action, head, settings);
        // A cast was not to be had.
        if (action.kind !== 'change' || rows?.kind !== 'copied') continue;
        const { source } = action.after;
        this.copy({ oid: source.oid, name: qualifiedName(source), why: rows.because, cause, canJoin: false });
      }
    };
    return { actions, change: { tag, command, user, xid, commitTime, changes: now.flatMap(describeAction), apply } };
  }

  /** From now on the stream's rows meet the tables as they will be when the change is applied. */
  #register(action: TableAction): void {
    const { relations } = this.#options;
    if (action.kind === 'create') relations.set({ table: action.table, snapshotLsn: LSN_ZERO });
    else if (action.kind === 'change') relations.set({ ...action.before, table: action.after });
    else if (action.kind === 'moveAway') this.#left.set(action.oid, action.to);
    else if (action.kind === 'leave' || action.kind === 'forget') {
      this.#pending.delete(action.oid);
      this.#joining.delete(action.oid);
      relations.delete(action.oid);
      if (action.kind === 'leave') this.#left.set(action.oid, action.name);
    }
  }
}
