import { LSN_ZERO, type Lsn, maxLsn, parseLsn } from './position.js';

/**
 * One line of a server's history. At every promotion of a standby, and at the end of every point-in-time recovery, Postgres
 * leaves the timeline that it was on and writes on under another number.
 *
 * The number alone does not name it: two standbys that are promoted without knowing of each other take the same one. Where
 * it began tells them apart, unless both had received exactly the same; Postgres has nothing more.
 */
export interface Timeline {
  readonly id: number;
  /** Where it left the timeline before it; LSN_ZERO for the first. */
  readonly start: Lsn;
}

/** A timeline as part of a server's history. */
export interface LivedTimeline extends Timeline {
  /** Where the server left it: what ends at or before it happened there, what was written later did not. Null: it is on it. */
  readonly end: Lsn | null;
}

/**
 * The timelines of a server on timeline `current`, the first one first. `history` is the text of that timeline's history
 * file, with a line `number <tab> where it was left <tab> reason` for each one before it; null where there is none, which
 * Postgres takes for a timeline without a past. Throws a TypeError for a line that is none.
 * Source: readTimeLineHistory() in Postgres' src/backend/access/transam/timeline.c
 */
export function parseTimelines(current: number, history: string | null): LivedTimeline[] {
  const timelines: LivedTimeline[] = [];
  let start = LSN_ZERO;
  for (const line of (history ?? '').split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, id, left] = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)(?:\s|$)/.exec(line) ?? [];
    if (id === undefined || left === undefined) throw new TypeError(`not a line of a timeline history: ${line}`);
    const end = parseLsn(left);
    timelines.push({ id: Number(id), start, end });
    start = end;
  }
  return [...timelines, { id: current, start, end: null }];
}

/** The same timeline in a server's history; undefined where it is not part of it. */
export function findTimeline(timelines: readonly LivedTimeline[], wanted: Timeline): LivedTimeline | undefined {
  return timelines.find(({ id, start }) => id === wanted.id && start === wanted.start);
}

/** How much of what was reached on a timeline that was left (null: it was not) did also happen to the one who left it. */
export const sharedUpTo = (left: Lsn | null, reached: Lsn): Lsn => (left !== null && reached > left ? left : reached);

/**
 * Up to where a slot may stand that was advanced by nobody but us, on a server that left our timeline at `left` (null: it
 * did not). `acknowledged` is WAL of no interest to us; what of it the server never had, it may have others in its place.
 */
export function ownAdvance(left: Lsn | null, position: Lsn, acknowledged: Lsn | null): Lsn {
  return maxLsn(position, sharedUpTo(left, acknowledged ?? LSN_ZERO));
}
