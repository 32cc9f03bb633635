import type { TableRules } from '../core/patterns.js';
import type { Lsn } from '../core/position.js';

/** What a run is going to ask of the source. */
export interface SourceWishes {
  readonly slot: string;
  readonly publication: string;
  readonly tables: TableRules;
  /** A new slot is made to be kept on standby servers. */
  readonly failover: boolean;
  /** How long creating the slot waits for transactions that are open; 0 is without end. */
  readonly slotTimeoutMs: number;
  /**
   * - new: the run makes the slot, and the publication if it is missing;
   * - begun: the target noted that the slot was about to be made, so one that is there is ours;
   * - kept: the slot holds what the target goes on with, and the publication was there all the time.
   */
  readonly slotState: 'new' | 'begun' | 'kept';
  /** Up to where we told Postgres that it may forget; a kept slot beyond that was advanced by someone else. */
  readonly acknowledged: Lsn | null;
}

/** What the checks of slot, publication and tables need to know of the server and our role. */
export interface Server {
  /** `server_version_num`, e.g. 150018. */
  readonly version: number;
  readonly inRecovery: boolean;
  readonly superuser: boolean;
  /** Our role and database, in double quotes where they need them. */
  readonly role: string;
  readonly database: string;
  /** A standby server streams from it. */
  readonly hasStandby: boolean;
}
