import type { Config } from '../config.js';
import { Horizons } from '../core/horizons.js';
import { trailer } from '../core/message.js';
import { selects } from '../core/patterns.js';
import { formatLsn, LSN_ZERO, type Lsn, maxLsn, minLsn, type Position } from '../core/position.js';
import { qualifiedName } from '../core/schema.js';
import { parseTarget } from '../dolt/address.js';
import type { StoredTable } from '../dolt/bookkeeping.js';
import { Committer } from '../dolt/committer.js';
import { StagingBranch } from '../dolt/staging.js';
import { clientConfig, connectReplication, connectSource } from '../postgres/client.js';
import { areExact, readTriggers } from '../postgres/ddl-triggers.js';
import { recast } from '../postgres/recast.js';
import { identifySystem, settledWal } from '../postgres/system.js';
import { openReplicationStream } from '../postgres/transport.js';
import { beginReplay, beginSnapshot } from './begin.js';
import { changedUntold } from './changed-untold.js';
import { createConstraints } from './constraints.js';
import { copyAgain } from './copy-again.js';
import { goOn, identityOf } from './go-on.js';
import { inferRelation } from './infer-relation.js';
import { interruptOnAbort, unlessAborted } from './interrupt.js';
import { cameBack, leaveTables } from './left-tables.js';
import { PublicationWatch } from './publication-watch.js';
import { publishSnapshot } from './publish-snapshot.js';
import { Relations, type StreamedTable } from './relations.js';
import type { RunContext, Sides } from './run-context.js';
import { askedFor, SchemaChanges } from './schema-changes.js';
import { setAside } from './set-aside.js';
import { type Joining, SideCopies } from './side-copies.js';
import { takeSnapshot } from './snapshot.js';
import { streamChanges } from './stream.js';
import { type MappingRules, restoreTable } from './tables.js';
import { whenFree } from './when-free.js';

/** What may be received and not yet looked at: the batch is what should hold the memory. */
const INBOX_BYTES = 2 * 1024 * 1024;

/**
 * One attempt: connects to both sides, finds out where the target stands, does what is missing, streams. It holds no
 * state that outlives it. Whatever goes wrong is thrown; the next attempt begins with new connections at HEAD's position.
 */
export async function attempt(config: Config, context: RunContext): Promise<void> {
  const source = await connectSource(config.source, 'wal2dolt', context.signal);
  try {
    await using _interrupted = await interruptOnAbort(source, config.source, context.signal);
    const origin = await identify(config, context.signal);
    const branches = { target: config.targetBranch, staging: config.stagingBranch };
    const staging = await StagingBranch.open(parseTarget(config.target), branches, context.alone);
    context.passing.add('E_TARGET_LOCKED');
    context.onBegin(staging.head.hash);
    try {
      const rules: MappingRules = { tables: config.tables, tableName: config.tableName, types: config.types };
      await proceed({ config, source, ...origin, staging, rules }, context);
      await staging[Symbol.asyncDispose]();
    } catch (error) {
      // What still runs in the target must not go on after us.
      staging.destroy();
      throw error;
    }
  } finally {
    await source.end().catch(() => {});
  }
}

async function proceed(sides: Sides, context: RunContext): Promise<void> {
  const { config, source, staging, identity, rules } = sides;
  let position = await staging.position();
  // A crash may have come between the commit and its tag.
  const tag = position?.phase === 'streaming' ? trailer(staging.head.message, 'Tag') : null;
  if (tag !== null) await staging.tag(tag, staging.head.hash);
  if (position) position = await goOn(sides, position, context);
  else position = config.snapshot === 'never' ? await beginReplay(sides, context) : await beginSnapshot(sides, context);
  if (config.until === 'current') context.until ??= await settledWal(source);

  if (position.phase === 'snapshot') position = await takeSnapshot(sides, position, context);
  const committer = await Committer.open(
    staging,
    { source: identity, author: config.context.author, transactions: config.transactions },
    position,
    position.phase,
  );
  const all = await leaveTables(sides, committer, context.logger);
  const stored = all.filter(({ state }) => state !== 'left');
  const relations = new Relations(await streamedTables(stored, staging, rules), (schema, name) =>
    selects(config.tables, schema, name),
  );
  const onComplete = (reached: Position): Promise<void> =>
    publishSnapshot(sides, context, committer, relations, reached);

  let completeAt: Lsn | null = null;
  if (position.phase === 'snapshot') {
    completeAt = stored.reduce((max, table) => maxLsn(max, table.snapshotLsn ?? LSN_ZERO), position.endLsn);
    if (completeAt === position.endLsn) {
      await onComplete(position);
      completeAt = null;
    }
  } else await staging.publish();
  if (config.snapshot === 'only' && completeAt === null) return;

  const asked = context.until ?? (config.until === 'current' ? null : (config.until ?? null));
  // A copy that was broken off is shown before the run ends, though it belongs together later than where that was asked for.
  const until = config.snapshot === 'only' ? completeAt : asked && maxLsn(asked, completeAt ?? asked);
  const changes = new SchemaChanges({
    relations,
    committer,
    staging,
    rules,
    left: new Map(all.flatMap(({ oid, targetName, state }) => (state === 'left' ? [[oid, targetName]] : []))),
    constrain: async (oid) => {
      if (committer.phase === 'snapshot') return; // they are created when it is complete
      const followed = [...relations.tables.values()].map(({ table }) => table);
      await createConstraints(staging.writer, config, followed, context, new Set([oid]));
    },
    recast: (settings) => (cast, texts) => recast(source, cast, settings, texts),
    logger: context.logger,
  });
  const horizons = new Horizons();
  const exact = areExact(await readTriggers(source), config.publication);
  for (const { oid, schema, state } of stored) {
    if (state === 'streaming' || position.phase === 'snapshot') continue;
    // What was marked while no run was there may be what the stream can not go on with: it is not followed before it is copied.
    changes.copy(askedFor(oid, qualifiedName(schema), state === 'joining'));
  }
  for (const { oid, schema } of await cameBack(source, config, all)) {
    changes.copy({ ...askedFor(oid, qualifiedName(schema)), why: 'it was not followed for a time' });
  }
  let received = committer.position.endLsn;
  await using watch = new PublicationWatch({
    connect: (signal) => connectSource(config.source, 'wal2dolt watch', signal),
    publication: config.publication,
    tables: () =>
      [...relations.tables.values()].map(({ table }) => table.source).filter(({ oid }) => !changes.passesOver(oid)),
    received: exact ? () => received : null,
    start: committer.position.endLsn,
    horizons,
    logger: context.logger,
  });
  context.logger.info(
    { lsn: formatLsn(committer.position.endLsn), slot: config.slot, tables: relations.tables.size },
    'streaming',
  );
  const copying = { sides, context, committer, relations, changes };
  await using side = new SideCopies(copying);
  for (let joining: Joining | null = null; ; ) {
    horizons.startOver(joining?.tables.keys());
    const start = joining?.from ?? committer.position.endLsn;
    await using stream = await whenFree(source, config.slot, context, () =>
      openReplicationStream({
        connection: clientConfig(config.source, 'wal2dolt stream'),
        server: { systemId: identity.systemId, timeline: identity.timeline.id },
        slot: config.slot,
        publication: config.publication,
        start,
        // What is read once more is not acknowledged: where the slot stands tells what was decided before it.
        durable: minLsn(start, committer.position.endLsn),
        highWaterBytes: INBOX_BYTES,
        signal: context.signal,
      }),
    );
    context.passing.add('E_SLOT_IN_USE');
    const reached = await streamChanges({
      stream,
      committer,
      relations,
      changes,
      inferSchema: (relation, at, again) => inferRelation(source, config, relations, horizons, relation, at, again),
      changedUntold: (at) => changedUntold(copying, horizons, at.xid),
      horizons,
      exact,
      copyAgain: async (at) => {
        const copies = await copyAgain(copying, at);
        watch.startOver(copies.lsn);
        return copies;
      },
      setAside: () => setAside(copying),
      publication: config.publication,
      policy: config.commit,
      until,
      watch,
      onReceived: (reached) => {
        received = reached;
      },
      completeAt,
      onComplete,
      onCommit: context.onProgress,
      side,
      joining,
      signal: context.signal,
      logger: context.logger,
    });
    if (reached === null) return;
    completeAt = null;
    joining = await side.join(reached);
    if (joining !== null) watch.startOver(joining.from);
  }
}

async function identify(config: Config, signal: AbortSignal): Promise<Pick<Sides, 'identity' | 'timelines'>> {
  const client = await connectReplication(config.source, 'wal2dolt identify', signal);
  try {
    const system = await unlessAborted(signal, identifySystem(client));
    return { identity: identityOf(system, config), timelines: system.timelines };
  } finally {
    await client.end().catch(() => {});
  }
}

/** The tables of the target that take part in the stream. */
async function streamedTables(
  stored: readonly StoredTable[],
  staging: StagingBranch,
  rules: MappingRules,
): Promise<StreamedTable[]> {
  const tables: StreamedTable[] = [];
  for (const one of stored) {
    const table = restoreTable(one, rules);
    // The copy of a table that is to join may have been broken off.
    if (one.state !== 'streaming' && !(await staging.writer.hasTable(table.name))) continue;
    tables.push({ table, snapshotLsn: one.snapshotLsn ?? LSN_ZERO });
  }
  return tables;
}
