import { LSN_ZERO, type Lsn } from '../core/position.js';
import { diffTables } from '../core/schema-diff.js';
import type { TargetTable } from '../core/target.js';
import { updateTable, updateTableState } from '../dolt/bookkeeping.js';
import { changeTable } from '../dolt/change-table.js';
import type { Committer } from '../dolt/committer.js';
import { dropConstraints } from '../dolt/constraints.js';
import { createTable, renameTable } from '../dolt/ddl.js';
import { ExactValues } from '../dolt/exact.js';
import { SideBranch } from '../dolt/side-branch.js';
import { purgeStatistics } from '../dolt/statistics.js';
import { Writer } from '../dolt/writer.js';
import { createSlot } from '../postgres/create-slot.js';
import { copyTables } from './copy-tables.js';
import type { Relations } from './relations.js';
import type { RunContext, Sides } from './run-context.js';
import type { JoiningTable, SchemaChanges } from './schema-changes.js';
import { readSnapshot } from './snapshot.js';
import { replanTable } from './tables.js';

export interface SideCopyOptions {
  readonly sides: Sides;
  readonly context: RunContext;
  readonly committer: Committer;
  readonly relations: Relations;
  readonly changes: SchemaChanges;
}

/** A table that was copied beside the stream, as it was at the copy's position. */
interface SideTable {
  readonly oid: number;
  readonly table: TargetTable;
}

/**
 * Copies large tables on a branch beside the staging branch, while the stream goes on with all others. When it is complete
 * the stream is read once more from the copy's position, for these tables only, so that they come to where the others are.
 */
export class SideCopy implements AsyncDisposable {
  readonly #options: SideCopyOptions;
  readonly #branch: SideBranch;
  readonly #joining: readonly JoiningTable[];
  readonly #stop = new AbortController();
  readonly #copying: Promise<void>;
  #copied: { readonly lsn: Lsn; readonly tables: readonly SideTable[] } | null = null;
  #error: unknown = null;
  #ended = false;

  private constructor(options: SideCopyOptions, branch: SideBranch, joining: readonly JoiningTable[]) {
    this.#options = options;
    this.#branch = branch;
    this.#joining = joining;
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
  static async start(options: SideCopyOptions, joining: readonly JoiningTable[]): Promise<SideCopy> {
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
   * committed. Returns their oids and names in Dolt: they have the rows of the copy's position, all others those of `reached`.
   */
  async takeOver(reached: Lsn): Promise<ReadonlyMap<number, string>> {
    const { sides, committer, relations, changes } = this.#options;
    const { writer } = sides.staging;
    const { lsn, tables } = this.#copied ?? { lsn: reached, tables: [] };
    // One that left meanwhile stays as it is.
    const taken = tables.filter(({ oid }) => changes.joining.has(oid));
    const gone = this.#joining.filter(
      ({ oid }) => changes.joining.has(oid) && !tables.some((table) => table.oid === oid),
    );
    await committer.prepare(async () => {
      for (const { oid, table } of taken) {
        const now = relations.tables.get(oid)?.table.name ?? table.name;
        if (now !== table.name) await writer.run(renameTable(now, table.name));
        await this.#branch.takeOver(table.name);
        await dropConstraints(writer, table);
        for (const statement of updateTable(table)) await writer.run(statement);
        await writer.run(updateTableState(oid, 'streaming', lsn));
        await writer.run('COMMIT');
      }
      for (const { oid } of gone) await writer.run(updateTableState(oid, 'left'));
      await writer.run('COMMIT');
      await committer.exact.reload(writer);
      await purgeStatistics(writer);
    });
    for (const streamed of relations.tables.values()) {
      if (streamed.snapshotLsn < reached) relations.set({ ...streamed, snapshotLsn: reached });
    }
    for (const { oid, table } of taken) {
      relations.set({ table, snapshotLsn: lsn });
      changes.joined(oid);
    }
    for (const { oid } of taken) await changes.constrain(oid);
    for (const { oid } of gone) changes.joined(oid);
    return new Map(taken.map(({ oid, table }) => [oid, table.name]));
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
    const { schemas, sizes } = await readSnapshot(config, snapshot.snapshotName, oids);
    const exact = await ExactValues.load(writer);
    const tables: SideTable[] = [];
    for (const { oid, table: before, exists } of this.#joining) {
      const schema = schemas.find((found) => found.oid === oid);
      if (!schema) continue; // gone by now, which the stream is about to tell
      const table = { ...replanTable(before, schema, rules, []), name: before.name };
      if (exists) {
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
      tables.push({ oid, table });
    }
    await copyTables({
      sourceUrl: config.source,
      snapshotName: snapshot.snapshotName,
      source: sides.source,
      commit: async () => {},
      target: this.#branch,
      exact,
      tables: tables.map(({ table }) => table),
      sizes,
      connections: config.copyConnections,
      progress: context.progress,
      onTable: context.onProgress,
      signal,
    });
    await this.#branch.commit('tables copied beside the stream', config.context.author);
    this.#copied = { lsn: snapshot.consistentPoint, tables };
  }
}
