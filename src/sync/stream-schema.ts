import type { Logger } from 'pino';
import { isSettled } from '../core/announcement-time.js';
import type { RelationEvent } from '../core/change.js';
import type { DdlSnapshot } from '../core/ddl-snapshot.js';
import type { Horizons } from '../core/horizons.js';
import type { Doubts } from '../core/infer-schema.js';
import { formatLsn, type Lsn } from '../core/position.js';
import { qualifiedName } from '../core/schema.js';
import type { Committer } from '../dolt/committer.js';
import { Wal2DoltError } from '../errors.js';
import { parseDdlMessage } from '../postgres/ddl-message.js';
import type { Closing } from './closing.js';
import { parseResync } from './context.js';
import type { Copies } from './copy-again.js';
import type { InferredRelation } from './infer-relation.js';
import { unlessAborted } from './interrupt.js';
import { type Binding, Mismatch, type Relations } from './relations.js';
import { type At, askedFor, type Decided, type SchemaChanges } from './schema-changes.js';
import type { Joined } from './side-copy.js';

export interface StreamSchemaOptions {
  readonly relations: Relations;
  readonly changes: SchemaChanges;
  readonly committer: Committer;
  /** `again`: it was not announced since it was asked last. Null for a relation that is gone or not published by now, and was never followed. */
  readonly inferSchema: (relation: RelationEvent, at: At, again: boolean) => Promise<InferredRelation | 'gone' | null>;
  /** Oids of followed tables of which the open transaction may have changed what no row tells. */
  readonly changedUntold: (at: At) => Promise<readonly number[]>;
  /** Gets to know which transactions have ended. */
  readonly horizons: Horizons;
  /** Every schema change comes as a message; else a relation that is announced again may have changed in what it does not say. */
  readonly exact: boolean;
  /** Copies what `changes` has pending; everything received is written. */
  readonly copyAgain: (at: At) => Promise<Copies>;
  /** Takes what need not be copied at once out of what `changes` has pending. */
  readonly setAside: () => Promise<void>;
  /** Messages about the schema and about copies name it. */
  readonly publication: string;
  readonly logger: Logger;
}

/** The part of a DDL snapshot that is about tables that join, by the names that they have already. */
function aboutJoining(snapshot: DdlSnapshot, { tables, named }: Joined, relations: Relations): DdlSnapshot {
  const carried = new Set(snapshot.tables.map(({ schema }) => schema.oid));
  const gone = (oid: number) => ({ oid, schema: '', name: '', created: false });
  return {
    ...snapshot,
    tables: snapshot.tables.flatMap((table) => {
      const { oid } = table.schema;
      if (!tables.has(oid)) return [];
      const source = named.has(oid) ? relations.tables.get(oid)?.table.source : undefined;
      const { schema, name } = source ?? table.schema;
      return [{ ...table, schema: { ...table.schema, schema, name } }];
    }),
    unpublished: snapshot.complete
      ? [...tables.keys()].filter((oid) => !carried.has(oid)).map(gone)
      : snapshot.unpublished.filter(({ oid }) => tables.has(oid)),
    dropped: snapshot.dropped,
    complete: false,
  };
}

/**
 * What the stream says about the schema, in its place among the rows: by the messages of the event triggers, and by relations
 * that are not what they were.
 */
export class StreamSchema {
  readonly #options: StreamSchemaOptions;
  readonly #closing: Closing;
  #exact: boolean;
  /** Of tables that were not judged for good: what may come to be known, and the transaction at which that was looked at last. */
  readonly #doubts = new Map<number, { readonly doubts: Doubts; readonly at: Lsn }>();

  constructor(options: StreamSchemaOptions, closing: Closing) {
    this.#options = options;
    this.#closing = closing;
    this.#exact = options.exact;
  }

  /** One that is read again, for tables that join, is called already what the stream had come to. */
  announce(relation: RelationEvent, joining: Joined | null): void {
    const { relations } = this.#options;
    relations.announce(relation);
    if (joining?.named.has(relation.oid)) relations.keepName(relation.oid);
  }

  /** Whether the table's rows are not needed, since a copy has them, or will. */
  isCopied(oid: number, at: At): boolean {
    const { relations, changes } = this.#options;
    const known = relations.tables.get(oid);
    return changes.passesOver(oid) || (known !== undefined && at.finalLsn < known.snapshotLsn);
  }

  /**
   * Where the relation's rows go; null where they are of no interest, or in the table's copy. `partition`: by which the row came, where
   * that is told. Throws E_SCHEMA_CHANGED or E_SCHEMA_AMBIGUOUS.
   */
  bindingOf(oid: number, at: At, partition: number | null = null): Promise<Binding | null> {
    // Every row asks: what is not told for most of them costs nothing.
    return partition === null ? this.#bindingOf(oid, at) : this.#bindingBy(partition, oid, at);
  }

  /** As `bindingOf`, at once, where nothing has to be done for it, as for almost every row; else undefined. */
  boundAlready(oid: number, at: At): Binding | null | undefined {
    const { relations } = this.#options;
    if (this.isCopied(oid, at)) return null;
    if (!relations.isBound(oid) || this.#doubts.has(oid)) return undefined;
    const found = relations.get(oid);
    return found instanceof Mismatch ? undefined : found;
  }

  async #bindingBy(partition: number, oid: number, at: At): Promise<Binding | null> {
    const binding = await this.#bindingOf(oid, at);
    if (binding === null) return null;
    const { changes } = this.#options;
    await this.#apply(changes.byPartition(oid, partition, at));
    return changes.passesOver(oid) ? null : binding;
  }

  async #bindingOf(oid: number, at: At): Promise<Binding | null> {
    const { relations, changes } = this.#options;
    if (this.isCopied(oid, at)) return null;
    const isNews = !relations.isBound(oid);
    const found = relations.get(oid);
    if (found instanceof Mismatch) await this.#follow(found.relation, found.difference, at);
    else if (found && isNews && !this.#exact) await this.#follow(relations.announced(oid), null, at);
    else if (found && this.#knowsMore(oid, at)) await this.#follow(relations.announced(oid), null, at, true);
    else return found;
    if (changes.passesOver(oid)) return null;
    const now = relations.get(oid);
    if (!(now instanceof Mismatch)) return now;
    const where = `in the transaction that commits at ${formatLsn(at.finalLsn)}`;
    throw new Wal2DoltError('E_SCHEMA_CHANGED', `${qualifiedName(now.relation)}, ${where}: ${now.difference}`);
  }

  /** A message of the event triggers, in the open transaction. Where tables join, what it says of others is known. */
  async command(content: string, at: At, joining: Joined | null): Promise<void> {
    const { changes, relations, publication, logger, committer } = this.#options;
    const told = parseDdlMessage(content);
    // A trigger that failed may not even know for whom.
    if (told.publication !== publication && (told.failure === null || told.publication !== '')) return;
    if (told.leavesOut && told.leavesOut.length > 0) await this.#lose(told.leavesOut, at);
    const snapshot = joining ? aboutJoining(told, joining, relations) : told;
    if (snapshot.failure !== null) {
      // What the command did is found by the relations that are announced after it; what they do not tell is asked now.
      this.#exact = false;
      logger.warn({ command: snapshot.tag, reason: snapshot.failure }, 'the event trigger of the source failed');
      const changed = await unlessAborted(this.#closing.late, this.#options.changedUntold(at));
      return this.#apply(changes.byRewrite([...told.rewritten, ...changed], at));
    }
    const empty = new Set<number>();
    const copied = changes.copiedBy(snapshot, at);
    if (copied.length > 0) {
      await this.#writeAll();
      for (const table of copied) if (await committer.isEmpty(table)) empty.add(table.source.oid);
    }
    await this.#apply(changes.bySnapshot(snapshot, at, empty));
  }

  /**
   * From here on changes are missing in the stream, perhaps only for a time, and nothing tells of each. Only where all tables
   * are copied later does that not matter.
   */
  async #lose(operations: readonly string[], at: At): Promise<void> {
    const { changes, relations, publication } = this.#options;
    const incomplete = [...relations.tables].some(
      ([oid, { snapshotLsn }]) => snapshotLsn <= at.finalLsn && !changes.passesOver(oid),
    );
    if (!incomplete) return;
    if (!this.#closing.batch.isInTransaction) await this.#closing.closeEarlier();
    await this.#closing.pipeline.drain();
    throw new Wal2DoltError(
      'E_PUBLICATION_OPERATIONS',
      `the publication ${publication} left out ${operations.join(', ')} from ${formatLsn(at.finalLsn)} on`,
    );
  }

  /** A message of `wal2dolt resync`. True where tables are to be copied again. */
  resync(content: string): boolean {
    const { changes, publication, relations, logger } = this.#options;
    const request = parseResync(content);
    if (request === null || request.publication !== publication) return false;
    const followed = [...relations.tables.values()].map(({ table }) => table.source);
    for (const [i, name] of request.tables.entries()) {
      // A rename may be on its way.
      const oid = request.oids?.[i] ?? followed.find((source) => qualifiedName(source) === name)?.oid;
      if (oid === undefined) logger.warn({ table: name }, 'no such table is followed, so it is not copied again');
      else changes.copy(askedFor(oid, name));
    }
    return changes.pending.size > 0;
  }

  /** Tables whose rows only Postgres has are copied, between two transactions. What follows is held until it is where they are. */
  async copyPending(at: At): Promise<void> {
    const { changes, copyAgain, setAside } = this.#options;
    if (changes.pending.size === 0) return;
    await this.#writeAll();
    await setAside();
    if (changes.pending.size === 0) return;
    const { lsn, tables } = await unlessAborted(this.#closing.late, copyAgain(at));
    this.#closing.hold(lsn, tables);
  }

  /** No message told of what the relation is now. */
  async #follow(relation: RelationEvent, difference: string | null, at: At, again = false): Promise<void> {
    const { changes, inferSchema, relations, logger } = this.#options;
    const { oid } = relation;
    const table = qualifiedName(relation);
    this.#doubts.delete(oid);
    if (difference !== null) logger.info({ table }, difference);
    await this.#apply(changes.byDetached(oid, at));
    // It may wait for a transaction that waits for a standby.
    const inferred = await unlessAborted(this.#closing.late, inferSchema(relation, at, again));
    if (inferred === null) {
      logger.warn({ table }, 'rows of a table that is gone, or not published, by now are left out');
      return relations.ignore(oid);
    }
    if (inferred === 'gone') {
      logger.warn({ table }, 'the table changed and was dropped since, so its last rows are not known');
      await this.#apply(changes.byLoss(oid, at));
      return relations.ignore(oid);
    }
    if (inferred.doubts.size > 0) this.#doubts.set(oid, { doubts: inferred.doubts, at: at.finalLsn });
    await this.#apply(changes.byRelation(inferred, at));
    if (relations.tables.has(oid)) relations.keepName(oid);
    else relations.ignore(oid);
  }

  /** Whether more is known of a table than when it was judged last, though it was not announced again. */
  #knowsMore(oid: number, { xid, finalLsn }: At): boolean {
    const known = this.#doubts.get(oid);
    if (!known || known.at === finalLsn) return false;
    this.#doubts.set(oid, { ...known, at: finalLsn });
    const time = { xid, ...this.#options.horizons.at(finalLsn, xid) };
    return [...known.doubts].some((doubt) => isSettled(doubt, time));
  }

  async #apply(decided: Decided | null): Promise<void> {
    if (decided === null) return;
    const { batch, pipeline } = this.#closing;
    // Transactions before this one, unless rows of this one are among theirs already.
    if (!batch.isInTransaction) await this.#closing.closeEarlier();
    batch.changedSchema();
    const { change } = decided;
    if (change === null) return;
    const rows = batch.spill();
    await pipeline.submit(() => this.#options.committer.changeSchema(rows, change));
    await pipeline.drain();
  }

  /** Brings all that was received into the working set. */
  async #writeAll(): Promise<void> {
    await this.#closing.spill();
    await this.#closing.pipeline.drain();
  }
}
