import type pg from 'pg';
import type { Config } from '../config.js';
import { failpoint } from '../core/failpoint.js';
import { formatLsn, LSN_ZERO, type Lsn, maxLsn } from '../core/position.js';
import { findTimeline, type LivedTimeline, ownAdvance, sharedUpTo } from '../core/timeline.js';
import { readAcknowledged, recordAcknowledged } from '../dolt/acknowledged.js';
import {
  readTables,
  type SourceIdentity,
  type StoredPosition,
  type StoredTable,
  updateTimeline,
} from '../dolt/bookkeeping.js';
import { Committer } from '../dolt/committer.js';
import type { StagingBranch } from '../dolt/staging.js';
import { Wal2DoltError } from '../errors.js';
import { readSlot, type Slot, slotHealth } from '../postgres/slot.js';
import type { SystemIdentity } from '../postgres/system.js';
import type { RunContext, Sides } from './run-context.js';
import { prepareTriggers } from './triggers.js';

/** What a target of this configuration belongs to, on this server. */
export function identityOf({ systemId, timelines, database }: SystemIdentity, config: Config): SourceIdentity {
  const now = timelines.at(-1);
  if (!now) throw new Wal2DoltError('E_INTERNAL', 'a server without a timeline');
  return {
    systemId,
    timeline: { id: now.id, start: now.start },
    database,
    slot: config.slot,
    publication: config.publication,
  };
}

/**
 * Goes on with a target that has a position: makes sure, before anything is written, that the source is still the one it
 * was written from and that the slot kept all that comes now. Throws E_OTHER_SOURCE, E_SOURCE_BEHIND, E_SOURCE_STANDBY,
 * E_SLOT_MISSING, E_SLOT_LOST, E_SLOT_INVALID, or E_SLOT_ADVANCED where somebody else consumed the slot.
 */
export async function goOn(sides: Sides, position: StoredPosition, context: RunContext): Promise<StoredPosition> {
  const { source, staging, identity, timelines } = sides;
  const ours = requireSameSource(position, await readTables(staging.writer), identity, timelines);
  if (position.endLsn !== LSN_ZERO) await requireSlot(source, staging, position, ours);
  await prepareTriggers(sides, context, position.endLsn !== LSN_ZERO);
  return ours.end === null ? position : followTimeline(sides, position, ours, context);
}

/**
 * The target must belong to this server, database, slot and publication, and all that it holds must have happened on the
 * timeline that the server is on: its own timeline is part of the server's history, and was not left before that point.
 * Returns the timeline of the target in that history. Throws E_OTHER_SOURCE or E_SOURCE_BEHIND.
 *
 * What counts is the data. WAL that was acknowledged beyond it was of no interest: where the server left the timeline in
 * the middle of that, nothing is lost.
 */
export function requireSameSource(
  position: StoredPosition,
  tables: readonly StoredTable[],
  identity: SourceIdentity,
  timelines: readonly LivedTimeline[],
): LivedTimeline {
  const known = position.source;
  const differences = (['systemId', 'database', 'slot', 'publication'] as const).filter(
    (key) => known[key] !== identity[key],
  );
  const words = { systemId: 'system identifier', database: 'database', slot: 'slot', publication: 'publication' };
  const told = differences.map((key) => `${words[key]} ${known[key]}, now ${identity[key]}`);
  const { id, start } = known.timeline;
  const ours = findTimeline(timelines, known.timeline);
  if (ours && told.length === 0) {
    const held = dataUpTo(position, tables);
    const shared = sharedUpTo(ours.end, held);
    if (shared === held) return ours;
    throw new Wal2DoltError(
      'E_SOURCE_BEHIND',
      `the target holds what Postgres wrote on timeline ${id} up to ${formatLsn(held)}, but timeline ${identity.timeline.id}, which the server is on now, left it ${held - shared} bytes of WAL before that, at ${formatLsn(shared)}: the transactions in between do not exist there`,
    );
  }
  if (!ours) {
    told.push(
      `timeline ${id}, which began at ${formatLsn(start)}, is not part of the history of the server's timeline ${identity.timeline.id}`,
    );
  }
  throw new Wal2DoltError('E_OTHER_SOURCE', `the target was written from another source: ${told.join('; ')}`);
}

/** While the first snapshot is being made, tables may have been copied from a later state than the position. */
const dataUpTo = (position: StoredPosition, tables: readonly StoredTable[]): Lsn =>
  tables.reduce((max, { snapshotLsn }) => maxLsn(max, snapshotLsn ?? LSN_ZERO), position.endLsn);

/** The slot must still hold all WAL after the position, which only we advance. */
async function requireSlot(
  source: pg.Client,
  staging: StagingBranch,
  position: StoredPosition,
  timeline: LivedTimeline,
): Promise<void> {
  const { slot: name } = position.source;
  const slot = requireUsable(await readSlot(source, name), position.source);
  const ours = ownAdvance(timeline.end, position.endLsn, await readAcknowledged(staging.writer, name));
  const confirmed = slot.confirmedFlushLsn ?? LSN_ZERO;
  if (confirmed > ours) {
    throw new Wal2DoltError(
      'E_SLOT_ADVANCED',
      `the slot ${name} was advanced to ${formatLsn(confirmed)}, but the target stands at ${formatLsn(ours)}`,
    );
  }
}

/** Throws E_SLOT_MISSING, E_SLOT_INVALID, E_SLOT_LOST or E_SOURCE_STANDBY. */
export function requireUsable(slot: Slot | null, identity: SourceIdentity): Slot {
  const { slot: name } = identity;
  if (!slot) throw new Wal2DoltError('E_SLOT_MISSING', `there is no replication slot ${name}`);
  if (slot.plugin !== 'pgoutput' || slot.database !== identity.database) {
    throw new Wal2DoltError(
      'E_SLOT_INVALID',
      `the slot ${name} is of plugin ${slot.plugin ?? 'none'} and database ${slot.database ?? 'none'}`,
    );
  }
  if (slot.copyOnStandby) {
    throw new Wal2DoltError('E_SOURCE_STANDBY', `the slot ${name} is a standby's copy of its primary's slot`);
  }
  const health = slotHealth(slot);
  if (health.state === 'lost') throw new Wal2DoltError('E_SLOT_LOST', health.sentence);
  return slot;
}

/**
 * Writes down that the position is on the server's timeline now: in a commit of its own and before anything is streamed,
 * since from here on more than the next batch belongs to it (what is acknowledged while nothing happens, tables that are
 * copied). What was acknowledged of the old timeline beyond the point where it was left says nothing about the new one,
 * and would hide that somebody else advances the slot: it goes first. A crash leaves us on the old timeline, to do all
 * of it again, or on the new one with all of it done.
 */
async function followTimeline(
  sides: Sides,
  position: StoredPosition,
  left: LivedTimeline,
  { logger }: RunContext,
): Promise<StoredPosition> {
  const { config, staging, identity } = sides;
  const { timeline, slot } = identity;
  const acknowledged = await readAcknowledged(staging.writer, slot);
  if (acknowledged !== null) await recordAcknowledged(staging.writer, slot, sharedUpTo(left.end, acknowledged));
  failpoint('before-timeline');
  const options = { source: identity, author: config.context.author, transactions: config.transactions };
  const committer = await Committer.open(staging, options, position, position.phase);
  await committer.step(`from timeline ${left.id} to timeline ${timeline.id} of Postgres`, [
    updateTimeline(slot, timeline),
  ]);
  failpoint('after-timeline');
  logger.info(
    { lsn: formatLsn(position.endLsn), timeline: timeline.id, was: left.id, left: formatLsn(left.end ?? LSN_ZERO) },
    'the source is on another timeline; what the target holds is part of it',
  );
  return { ...position, source: identity };
}
