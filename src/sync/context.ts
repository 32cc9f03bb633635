import { z } from 'zod';
import type { TransactionContext } from '../core/batch.js';

const contextSchema = z.looseObject({ author: z.string().optional(), message: z.string().optional() });

/**
 * What a transaction says of itself: `SELECT pg_logical_emit_message(true, 'wal2dolt.context', '{"author":"Ann
 * <ann@example.org>","message":"…"}')`. Whatever it is, it is kept as it came; it is never a reason to stop.
 */
export function parseContext(content: string): TransactionContext {
  try {
    const parsed = contextSchema.safeParse(JSON.parse(content));
    if (parsed.success) return { author: parsed.data.author, message: parsed.data.message, content };
  } catch {
    // Not JSON: kept as text.
  }
  return { content };
}

const resyncSchema = z.looseObject({
  publication: z.string(),
  tables: z.array(z.string()),
  oids: z.array(z.number()).optional(),
});

/** What `wal2dolt resync` asks a running stream for: tables, as `schema.name`, to be copied again. Null where it is something else. */
export function parseResync(content: string): z.infer<typeof resyncSchema> | null {
  try {
    return resyncSchema.safeParse(JSON.parse(content)).data ?? null;
  } catch {
    return null;
  }
}
