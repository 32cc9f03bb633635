import type pg from 'pg';
import type { Config } from '../config.js';
import { stepMessage } from '../core/message.js';
import { selects } from '../core/patterns.js';
import { formatLsn, LSN_ZERO, type Position } from '../core/position.js';
import type { TableSchema } from '../core/schema.js';
import { insertPosition, type StoredPosition, updateTableState } from '../dolt/bookkeeping.js';
import { createIndexes } from '../dolt/ddl.js';
import { Wal2DoltError } from '../errors.js';
import { readAlteredSince } from '../postgres/attributes.js';
import { readTables } from '../postgres/catalog.js';
import { createPublication, readPublication, selectTables } from '../postgres/publication.js';
import { readSlot } from '../postgres/slot.js';
import { createConstraints } from './constraints.js';
import { requireUsable } from './go-on.js';
import type { RunContext, Sides } from './run-context.js';
import { createTables } from './snapshot.js';
import { planTables, selectSchemas } from './tables.js';
import { prepareTriggers } from './triggers.js';

/** A history that is replayed may begin at any time, so what comes before it is older than all of it. */
const BEFORE_EVERYTHING = 0n;

/**
 * Writes down, before the slot is created, that it will be ours: a crash between the two then leaves a slot that the
 * next attempt may drop. Throws E_SLOT_EXISTS for a slot that is there already, since it may be somebody's.
 */
export async function beginSnapshot(sides: Sides, context: RunContext): Promise<StoredPosition> {
  const { config, source, identity } = sides;
  if (await readSlot(source, identity.slot)) {
    throw new Wal2DoltError(
      'E_SLOT_EXISTS',
      `the replication slot ${identity.slot} exists already, and the target does not know it`,
    );
  }
  await ensurePublication(source, config);
  await prepareTriggers(sides, context, false);
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
  await prepareTriggers(sides, context, true);
  const position = { endLsn: slot.confirmedFlushLsn ?? LSN_ZERO, commitTime: BEFORE_EVERYTHING, xid: 0 };
  const schemas = selectSchemas(await readTables(source, config.publication), config.tables);
  const altered = await readAlteredSince(
    source,
    config.slot,
    schemas.map(({ oid }) => oid),
  );
  const tables = planTables(
    schemas.map((schema) => (altered.has(schema.oid) ? withoutFiles(schema) : schema)),
    rules,
  );
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

/**
 * A table that was altered since its rows were sent: whether Postgres wrote them anew is not known. So its files are not those
 * that it has now, and it is copied where no event trigger tells.
 */
const withoutFiles = ({ leaves, ...schema }: TableSchema): TableSchema => ({
  ...schema,
  fileNode: 0,
  ...(leaves && { leaves: leaves.map(([, joinedBy]) => [0, joinedBy] as const) }),
});

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
