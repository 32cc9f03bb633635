import type pg from 'pg';
import type { RelationEvent } from '../core/change.js';
import { inferSchema } from '../core/infer-schema.js';
import { Wal2DoltError } from '../errors.js';
import { readRelation, readSettledXid } from '../postgres/attributes.js';
import type { Relations } from './relations.js';
import type { At } from './schema-changes.js';
import type { InferredSchema } from './stream-schema.js';

/**
 * What a relation is that the stream announced and no message told of, by the catalog as it is now. Null for one that is not
 * followed, and gone or not published by now. Throws E_SCHEMA_AMBIGUOUS where that could be wrong.
 */
export async function inferRelation(
  source: pg.Client,
  { publication, slot }: { readonly publication: string; readonly slot: string },
  relations: Relations,
  relation: RelationEvent,
  at: At,
): Promise<InferredSchema | null> {
  const settledXid = await readSettledXid(source, slot);
  const catalog = await readRelation(source, publication, relation.oid);
  const stored = relations.tables.get(relation.oid)?.table.source;
  if (!stored) {
    return catalog && catalog.publishedBy.length > 0 ? { schema: catalog.table, rewritten: true } : null;
  }
  const inferred = inferSchema(stored, relation, catalog, { xid: at.xid, settledXid });
  if (inferred.kind === 'ambiguous') throw new Wal2DoltError('E_SCHEMA_AMBIGUOUS', inferred.why);
  return inferred.kind === 'changed' ? inferred : { schema: stored, rewritten: false };
}
