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
