import type pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import type { Lsn } from '../core/position.js';
import type { LivedTimeline } from '../core/timeline.js';
import type { SourceIdentity } from '../dolt/bookkeeping.js';
import type { StagingBranch } from '../dolt/staging.js';
import type { ErrorCode } from '../errors.js';
import type { CopyProgress } from '../ops/progress.js';
import type { MappingRules } from './tables.js';

/** What a run gets from outside, and keeps over its attempts. */
export interface RunContext {
  readonly logger: Logger;
  readonly progress: CopyProgress;
  /** Aborted when the run should finish what is open, and end. */
  readonly signal: AbortSignal;
  /** Where the run ends: found by its first attempt, where it was asked for as `current`. */
  until: Lsn | null;
  /**
   * Refusals that can only come from connections of an earlier attempt, of which the server does not know yet that they
   * are lost: what was ours once is waited for, not given up.
   */
  readonly passing: Set<ErrorCode>;
  /** What the staging branch stands at as an attempt begins: the hash of its head. */
  readonly onBegin: (head: string) => void;
  /**
   * Whether the connection to Dolt was lost, with nothing achieved since: then each statement is sent by itself, so that the one is
   * known that Dolt does not survive.
   */
  readonly alone: () => boolean;
  /** Something was achieved: failures before it do not count towards giving up. */
  readonly onProgress: () => void;
}

/** Both sides, connected, as one attempt has them. */
export interface Sides {
  readonly config: Config;
  readonly source: pg.Client;
  readonly identity: SourceIdentity;
  /** The server's history, up to the identity's timeline. */
  readonly timelines: readonly LivedTimeline[];
  readonly staging: StagingBranch;
  readonly rules: MappingRules;
}
