import { type Lsn, parseLsn } from '../core/position.js';
import type { Status } from '../sync/status.js';

/** How fast WAL is written and applied, of interest or not. */
export interface Pace {
  readonly writtenBytesPerSecond: number;
  readonly appliedBytesPerSecond: number;
  readonly lagIs: 'growing' | 'shrinking' | 'steady';
  /** If both go on so; null where the lag does not shrink. */
  readonly secondsToCatchUp: number | null;
}

interface Look {
  readonly seconds: number;
  readonly written: Lsn;
  readonly lagBytes: number;
}

/** Commits come in batches: a shorter time would show none, then too many. */
const WINDOW_SECONDS = 60;
/** What Postgres writes by itself, and is acknowledged a while later, is no trend. */
const NOISE_BYTES = 64 * 1024;

/** Compares each look with the oldest of the last minute. */
export class PaceMeter {
  #looks: Look[] = [];

  /** Null at the first look, and after one that has no answer of both sides. */
  add({ time, source, lag }: Pick<Status, 'time' | 'source' | 'lag'>): Pace | null {
    if ('error' in source || lag === null) {
      this.#looks = [];
      return null;
    }
    const now = { seconds: Date.parse(time) / 1000, written: parseLsn(source.walPosition), lagBytes: lag.bytes };
    // Backwards: another server answers now, or the clock was set.
    const before = this.#looks.at(-1);
    if (before && (now.written < before.written || now.seconds <= before.seconds)) this.#looks = [];
    this.#looks = [...this.#looks.filter(({ seconds }) => seconds >= now.seconds - WINDOW_SECONDS), now];
    const [first] = this.#looks;
    return first && first !== now ? paceBetween(first, now) : null;
  }
}

function paceBetween(first: Look, now: Look): Pace {
  const seconds = now.seconds - first.seconds;
  const written = Number(now.written - first.written);
  const grown = now.lagBytes - first.lagBytes;
  const lagIs = Math.abs(grown) < NOISE_BYTES ? 'steady' : grown > 0 ? 'growing' : 'shrinking';
  return {
    writtenBytesPerSecond: Math.round(written / seconds),
    appliedBytesPerSecond: Math.round(Math.max(0, written - grown) / seconds),
    lagIs,
    secondsToCatchUp: lagIs === 'shrinking' ? Math.round((now.lagBytes * seconds) / -grown) : null,
  };
}
