import pg from 'pg';
import { type LivedTimeline, parseTimelines } from '../core/timeline.js';
import { Wal2DoltError } from '../errors.js';
import { queryRows } from './client.js';

/**
 * The timelines of a server that is on timeline `current`. `client` must be a replication connection.
 * Source: https://www.postgresql.org/docs/current/protocol-replication.html#PROTOCOL-REPLICATION-TIMELINE-HISTORY
 */
export async function readTimelines(client: pg.Client, current: number): Promise<LivedTimeline[]> {
  try {
    return parseTimelines(current, current === 1 ? null : await readHistory(client, current));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Wal2DoltError('E_SOURCE_PROTOCOL', error.message, { cause: error });
  }
}

/** Null where the server has no history file: pg_resetwal makes such timelines. */
async function readHistory(client: pg.Client, timeline: number): Promise<string | null> {
  try {
    const [row] = await queryRows<{ content: string }>(client, `TIMELINE_HISTORY ${timeline}`);
    return row?.content ?? null;
  } catch (error) {
    const cause = error instanceof Wal2DoltError ? error.cause : null;
    if (cause instanceof pg.DatabaseError && cause.code === '58P01') return null; // undefined_file
    throw error;
  }
}
