import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import type pg from 'pg';
import type { RelationEvent } from '../core/change.js';
import { type Horizons, hasEnded } from '../core/horizons.js';
import { type Doubts, inferSchema } from '../core/infer-schema.js';
import { qualifiedName, type TableSchema } from '../core/schema.js';
import { Wal2DoltError } from '../errors.js';
import { readHorizon, readName, readRelation, readSettledXid } from '../postgres/attributes.js';
import type { Relations } from './relations.js';
import type { At } from './schema-changes.js';
import type { Displaced, InferredSchema } from './schema-plan.js';

export interface InferredRelation extends InferredSchema {
  readonly doubts: Doubts;
}

/**
 * What a relation is that the stream announced and no message told of, by the catalog as it is now. Null for one that is not
 * followed, and gone or not published by now; `gone` for one that is, and changed before it was dropped, which nobody can
 * tell any more. Throws E_SCHEMA_AMBIGUOUS where that could be wrong.
 */
export async function inferRelation(
  source: pg.Client,
  { publication, slot }: { readonly publication: string; readonly slot: string },
  relations: Relations,
  horizons: Horizons,
  relation: RelationEvent,
  at: At,
  again: boolean,
): Promise<InferredRelation | 'gone' | null> {
  const bySlot = await readSettledXid(source, slot);
  await lookAfter(source, horizons, at.xid);
  const catalog = await pRetry(() => readRelation(source, publication, relation.oid, relation.columns), {
    retries: 10,
    minTimeout: 50,
    maxTimeout: 500,
    // It is being altered or dropped at this moment.
    shouldRetry: ({ error }) => error instanceof Wal2DoltError && error.code === 'E_TABLE_REWRITTEN',
  });
  const known = horizons.at(at.finalLsn, at.xid);
  const settledXid = known.settledXid !== null && known.settledXid > (bySlot ?? 0n) ? known.settledXid : bySlot;
  const stored = relations.tables.get(relation.oid)?.table.source;
  const named = async (schema: TableSchema, rewritten: boolean, doubts: Doubts): Promise<InferredRelation> => ({
    schema,
    rewritten,
    displaced: await readDisplaced(source, relations, schema),
    doubts,
  });
  if (!stored) return catalog && catalog.publishedBy.length > 0 ? named(catalog.table, true, new Set()) : null;
  const storedXid = horizons.markJudged(relation.oid, settledXid);
  const inferred = inferSchema(stored, relation, catalog, { ...known, xid: at.xid, settledXid, storedXid }, again);
  // It is what it was, or it would have been announced: the catalog has gone on.
  if (inferred.kind === 'ambiguous' && again) return named(stored, false, new Set());
  if (inferred.kind === 'ambiguous' && catalog === null) return 'gone';
  if (inferred.kind === 'ambiguous') throw new Wal2DoltError('E_SCHEMA_AMBIGUOUS', inferred.why);
  return inferred.kind === 'changed'
    ? named(inferred.schema, inferred.rewritten, inferred.doubts)
    : named(stored, false, inferred.doubts);
}

/** How long a commit takes that is in the WAL already, where it waits for nobody. */
const COMMIT_MS = 20;

/**
 * Looks twice after the transaction has ended: what had not at the second look ended later. Only then does the catalog show
 * what the transaction did.
 */
export async function lookAfter(source: pg.Client, horizons: Horizons, xid: number): Promise<void> {
  for (let looks = 0; looks < 2; ) {
    const horizon = await horizons.look(() => readHorizon(source));
    if (horizon === null) continue;
    if (hasEnded(horizon, xid)) looks += 1;
    else await sleep(COMMIT_MS);
  }
}

/**
 * Followed tables that are known by its name, and do not have it by now: they were renamed or dropped before, and no row of
 * them told of it. So may those be that are known by the names which these have.
 */
export async function readDisplaced(source: pg.Client, relations: Relations, schema: TableSchema): Promise<Displaced> {
  const displaced = new Map<number, Pick<TableSchema, 'schema' | 'name'> | null>();
  const names = [qualifiedName(schema)];
  for (const name of names) {
    for (const [oid, { table }] of relations.tables) {
      if (oid === schema.oid || displaced.has(oid) || qualifiedName(table.source) !== name) continue;
      const now = await readName(source, oid);
      if (now !== null && qualifiedName(now) === name) continue;
      displaced.set(oid, now);
      if (now) names.push(qualifiedName(now));
    }
  }
  return displaced;
}
