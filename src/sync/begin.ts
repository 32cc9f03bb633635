import type pg from 'pg';
import type { Config } from '../config.js';
import { stepMessage } from '../core/message.js';
import { selects } from '../core/patterns.js';
import { formatLsn, LSN_ZERO, maxLsn, type Position } from '../core/position.js';
import { insertPosition, type SourceIdentity, type StoredPosition, updateTableState } from '../dolt/bookkeeping.js';
import { createIndexes } from '../dolt/ddl.js';
import type { StagingBranch } from '../dolt/staging.js';
import { Wal2DoltError } from '../errors.js';
import { readTables } from '../postgres/catalog.js';
import { createPublication, readPublication, selectTables } from '../postgres/publication.js';
import { readSlot, type Slot, slotHealth } from '../postgres/slot.js';
import { createConstraints } from './constraints.js';
import type { RunContext, Sides } from './run-context.js';
import { createTables } from './snapshot.js';
import { planTables, selectSchemas } from './tables.js';

/** A history that is replayed may begin at any time, so what comes before it is older than all of it. */
const BEFORE_EVERYTHING = 0n;

/**
 * Writes down, before the slot is created, that it will be ours: a crash between the two then leaves a slot that the
 * next attempt may drop. Throws E_SLOT_EXISTS for a slot that is there already, since it may be somebody's.
 */
export async function beginSnapshot(sides: Sides): Promise<StoredPosition> {
  const { config, source, identity } = sides;
  if (await readSlot(source, identity.slot)) {
    throw new Wal2DoltError(
      'E_SLOT_EXISTS',
      `the replication slot ${identity.slot} exists already, and the target does not know it`,
    );
  }
  await ensurePublication(source, config);
  return writePosition(
    sides,
    { endLsn: LSN_ZERO, commitTime: BEFORE_EVERYTHING, xid: 0 },
    'snapshot',
    'before the first snapshot',
  );
}

/** Takes an existing slot as it stands, with all tables empty. Throws E_SLOT_MISSING and its like. */
export async function beginReplay(sides: Sides, context: RunContext): Promise<StoredPosition> {
  const { config, source, staging, identity, rules } = sides;
  const slot = requireUsable(await readSlot(source, identity.slot), identity);
  if (!(await readPublication(source, identity.publication))) {
    throw new Wal2DoltError('E_PUBLICATION_MISSING', `there is no publication ${identity.publication}`);
  }
  const position = { endLsn: slot.confirmedFlushLsn ?? LSN_ZERO, commitTime: BEFORE_EVERYTHING, xid: 0 };
  const tables = planTables(selectSchemas(await readTables(source, config.publication), config.tables), rules);
  await createTables(staging.writer, tables);
  for (const table of tables) {
    for (const statement of createIndexes(table)) await staging.writer.run(statement);
    await staging.writer.run(updateTableState(table.source.oid, 'streaming', position.endLsn));
  }
  await createConstraints(staging.writer, config, tables, context);
  return writePosition(
    sides,
    position,
    'streaming',
    `replay of slot ${identity.slot} from ${formatLsn(position.endLsn)}`,
  );
}

async function writePosition(
  { staging, config, identity }: Sides,
  position: Position,
  phase: 'snapshot' | 'streaming',
  what: string,
): Promise<StoredPosition> {
  await staging.writer.run(insertPosition(position, identity, phase));
  await staging.commit(stepMessage(what, position), position.commitTime, config.context.author);
  return { ...position, source: identity, phase };
}

/** An existing publication is taken as it is. */
async function ensurePublication(source: pg.Client, config: Config): Promise<void> {
  if (await readPublication(source, config.publication)) return;
  const all = config.tables.selection.length === 0;
  const tables = all ? 'all' : await selectTables(source, (schema, name) => selects(config.tables, schema, name));
  await createPublication(source, { name: config.publication, tables });
}

/** The target must belong to this server, database, slot and publication. Throws E_OTHER_SOURCE. */
export function requireSameSource(position: StoredPosition, identity: SourceIdentity): void {
  const known = position.source;
  const differences = (['systemId', 'timeline', 'database', 'slot', 'publication'] as const).filter(
    (key) => known[key] !== identity[key],
  );
  if (differences.length === 0) return;
  const words = {
    systemId: 'system identifier',
    timeline: 'timeline',
    database: 'database',
    slot: 'slot',
    publication: 'publication',
  };
  const told = differences.map((key) => `${words[key]} ${known[key]}, now ${identity[key]}`);
  throw new Wal2DoltError('E_OTHER_SOURCE', `the target was written from another source: ${told.join('; ')}`);
}

/**
 * The slot must still hold all WAL after the position, which only we advance. Throws E_SLOT_MISSING, E_SLOT_LOST,
 * E_SLOT_INVALID, or E_SLOT_ADVANCED where somebody else consumed it.
 */
export async function requireSlot(source: pg.Client, staging: StagingBranch, position: StoredPosition): Promise<void> {
  const { slot: name } = position.source;
  const slot = requireUsable(await readSlot(source, name), position.source);
  const ours = maxLsn(position.endLsn, (await staging.acknowledged(name)) ?? LSN_ZERO);
  const confirmed = slot.confirmedFlushLsn ?? LSN_ZERO;
  if (confirmed > ours) {
    throw new Wal2DoltError(
      'E_SLOT_ADVANCED',
      `the slot ${name} was advanced to ${formatLsn(confirmed)}, but the target stands at ${formatLsn(ours)}`,
    );
  }
}

function requireUsable(slot: Slot | null, identity: SourceIdentity): Slot {
  const { slot: name } = identity;
  if (!slot) throw new Wal2DoltError('E_SLOT_MISSING', `there is no replication slot ${name}`);
  if (slot.plugin !== 'pgoutput' || slot.database !== identity.database) {
    throw new Wal2DoltError(
      'E_SLOT_INVALID',
      `the slot ${name} is of plugin ${slot.plugin ?? 'none'} and database ${slot.database ?? 'none'}`,
    );
  }
  const health = slotHealth(slot);
  if (health.state === 'lost') throw new Wal2DoltError('E_SLOT_LOST', health.sentence);
  return slot;
}
