import { LSN_ZERO, type Lsn, type Micros } from '../core/position.js';
import { diffTables } from '../core/schema-diff.js';
import type { TargetTable } from '../core/target.js';
import { deleteTable, updateTable, updateTableState } from '../dolt/bookkeeping.js';
import { changeTable } from '../dolt/change-table.js';
import { dropConstraints } from '../dolt/constraints.js';
import { createTable, renameTable } from '../dolt/ddl.js';
import { ExactValues } from '../dolt/exact.js';
import { SideBranch } from '../dolt/side-branch.js';
import { purgeStatistics } from '../dolt/statistics.js';
import { Writer } from '../dolt/writer.js';
import { createSlot } from '../postgres/create-slot.js';
import { copyTables } from './copy-tables.js';
import { type Copying, replan } from './plan-copy.js';
import type { JoiningTable } from './schema-changes.js';
import { planName } from './schema-plan.js';
import { readSnapshot } from './snapshot.js';
import { replanTable } from './tables.js';

/** A table that is copied beside the stream. */
interface SideTable extends JoiningTable {
  /** What the side branch has of it; null where that is nothing. */
  readonly before: TargetTable | null;
}

/** As it was at the copy's position. */
interface Copied extends SideTable {
  /** By a name of its own: who has which name in Dolt is decided when it joins. */
  readonly copy: TargetTable;
}

const sideName = (oid: number): string => `wal2dolt_side_${oid}`;

/** Tables that have joined. */
export interface Joined {
  /** By oid, with their names in Dolt. */
  readonly tables: ReadonlyMap<number, string>;
  /** Those that were followed all the time: they have the names that the stream has come to. */
  readonly named: ReadonlySet<number>;
}

/**
 * Copies large tables on a branch beside the staging branch, while the stream goes on with all others. When it is complete
 * the stream is read once more from the copy's position, for these tables only, so that they come to where the others are.
 */
export class SideCopy implements AsyncDisposable {
  readonly #options: Copying;
  readonly #branch: SideBranch;
  readonly #joining: readonly SideTable[];
  readonly #stop = new AbortController();
  readonly #copying: Promise<void>;
  #copied: { readonly lsn: Lsn; readonly time: Micros; readonly tables: readonly Copied[] } | null = null;
  #error: unknown = null;
  #ended = false;

  private constructor(options: Copying, branch: SideBranch, joining: readonly JoiningTable[]) {
    this.#options = options;
    this.#branch = branch;
    const { relations } = options;
    this.#joining = joining.map((table) => ({
      ...table,
      before: table.exists ? (relations.tables.get(table.oid)?.table ?? table.table) : null,
    }));
    const signal = AbortSignal.any([options.context.signal, this.#stop.signal]);
    this.#copying = this.#copy(signal)
      .catch((error: unknown) => {
        this.#error = error;
      })
      .finally(() => {
        this.#ended = true;
      });
  }

  /** The staging branch must hold everything that was received, committed. */
  static async start(options: Copying, joining: readonly JoiningTable[]): Promise<SideCopy> {
    return new SideCopy(options, await SideBranch.open(options.sides.staging), joining);
  }

  /** Whether the copy is complete. Throws what it failed with. */
  get isComplete(): boolean {
    if (this.#error !== null) throw this.#error;
    return this.#ended;
  }

  /** Resolves when the copy is complete, or has failed. */
  get ended(): Promise<void> {
    return this.#copying;
  }

  /** Of which position the copy is, once it is complete: the stream has to come there, and is read from there once more. */
  get position(): Lsn {
    return this.#copied?.lsn ?? LSN_ZERO;
  }

  /**
   * Puts the copies in the place of the tables on the staging branch, not committed, where everything before `reached` is
   * committed. They have the rows of the copy's position, all others those of `reached`.
   */
  async takeOver(reached: Lsn): Promise<Joined> {
    const { sides, committer, relations, changes } = this.#options;
    const { writer } = sides.staging;
    const { lsn, time, tables } = this.#copied ?? { lsn: reached, time: 0n, tables: [] };
    // One that left meanwhile stays as it is.
    const joining = tables.filter(({ oid }) => changes.joining.has(oid));
    const gone = this.#joining.filter(
      ({ oid }) => changes.joining.has(oid) && !tables.some((table) => table.oid === oid),
    );
    const joined: TargetTable[] = [];
    const followed = new Set(relations.tables.keys());
    for (const streamed of relations.tables.values()) {
      if (streamed.snapshotLsn < reached) relations.set({ ...streamed, snapshotLsn: reached });
    }
    await committer.prepare(async () => {
      for (const { oid, copy, table: planned, before } of joining) {
        const now = relations.tables.get(oid)?.table;
        const { schema, name } = now?.source ?? copy.source;
        const source = { ...copy.source, schema, name };
        const table = { ...copy, source, name: now?.name ?? replan(this.#options, planned, source).name };
        await changes.rearrange((known, rules) => planName(table.name, oid, known, rules));
        const was = now ?? before;
        if (was) {
          await dropConstraints(writer, was);
          await writer.run(renameTable(was.name, copy.name));
          await committer.exact.clear(writer, was);
        }
        await this.#branch.takeOver(copy.name, table.name);
        await dropConstraints(writer, table);
        for (const statement of updateTable(table)) await writer.run(statement);
        await writer.run(updateTableState(oid, 'streaming', lsn));
        await writer.run('COMMIT');
        relations.set({ table, snapshotLsn: lsn });
        joined.push(table);
      }
      for (const { oid, exists } of gone) {
        for (const statement of exists ? [updateTableState(oid, 'left')] : deleteTable(oid))
          await writer.run(statement);
      }
      await writer.run('COMMIT');
      await committer.exact.reload(writer);
      await purgeStatistics(writer);
    });
    if (joining.length > 0) committer.notBefore(time);
    for (const { oid } of [...joining, ...gone]) changes.joined(oid, lsn);
    for (const { oid } of joining) await changes.constrain(oid);
    return {
      tables: new Map(joined.map(({ source, name }) => [source.oid, name])),
      named: new Set([...followed].filter((oid) => joined.some(({ source }) => source.oid === oid))),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#copying;
    await this.#branch[Symbol.asyncDispose]();
  }

  async #copy(signal: AbortSignal): Promise<void> {
    const { sides, context } = this.#options;
    const { config, rules } = sides;
    const { writer } = this.#branch;
    await using snapshot = await createSlot(config.source, {
      name: `${config.slot.slice(0, 40)}_side_${process.pid}`,
      temporary: true,
      failover: false,
      timeoutMs: 0,
      signal,
    });
    const oids = this.#joining.map(({ oid }) => oid);
    const { schemas, sizes } = await readSnapshot(config, snapshot.snapshotName, signal, oids);
    const exact = await ExactValues.load(writer);
    const tables: Copied[] = [];
    for (const joining of this.#joining) {
      const { oid, before } = joining;
      const schema = schemas.find((found) => found.oid === oid);
      if (!schema) continue; // gone by now, which the stream is about to tell
      const table = { ...replanTable(before ?? joining.table, schema, rules, []), name: sideName(oid) };
      if (before) {
        const diff = diffTables(before, table, { rewritten: true, command: null });
        await changeTable({
          connection: writer,
          writer: new Writer(writer, exact),
          exact,
          before,
          after: table,
          diff: { ...(diff ?? { steps: [], described: [] }), rows: { kind: 'copied', because: 'it is copied again' } },
          head: '',
          recast: null,
        });
      } else await writer.run(createTable(table));
      tables.push({ ...joining, copy: table });
    }
    await copyTables({
      sourceUrl: config.source,
      snapshotName: snapshot.snapshotName,
      source: sides.source,
      commit: async () => {},
      target: this.#branch,
      exact,
      tables: tables.map(({ copy }) => copy),
      sizes,
      connections: config.copyConnections,
      progress: context.progress,
      onTable: context.onProgress,
      signal,
    });
    await this.#branch.commit('tables copied beside the stream', config.context.author);
    this.#copied = { lsn: snapshot.consistentPoint, time: snapshot.time, tables };
  }
}
