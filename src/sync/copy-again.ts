import { failpoint } from '../core/failpoint.js';
import { formatLsn, type Lsn } from '../core/position.js';
import type { TableSchema } from '../core/schema.js';
import { diffTables, type TableDiff, touchesConstraints } from '../core/schema-diff.js';
import type { TargetTable } from '../core/target.js';
import { deleteTable, insertTable, updateTable, updateTableState } from '../dolt/bookkeeping.js';
import { changeTable } from '../dolt/change-table.js';
import { createTable } from '../dolt/ddl.js';
import { purgeStatistics } from '../dolt/statistics.js';
import { createSlot } from '../postgres/create-slot.js';
import { copyTables } from './copy-tables.js';
import { readDisplaced } from './infer-relation.js';
import { type Copying, planCopy } from './plan-copy.js';
import type { At, PendingCopy } from './schema-changes.js';
import { planDisplaced, planGivingWay, planName } from './schema-plan.js';
import { readSnapshot } from './snapshot.js';

/** Tables, by their names in Dolt, that have the rows of a position. */
export interface Copies {
  readonly lsn: Lsn;
  readonly tables: readonly string[];
}

/** A table that is copied: as the target has it, and as it is in the snapshot. */
interface Copied {
  readonly copy: PendingCopy;
  readonly before: TargetTable | null;
  readonly after: TargetTable;
}

/**
 * Copies the tables whose rows only Postgres has, into the working set of the staging branch, where everything that was
 * received is written. Their rows are then those of a position that is later than the stream's: until the
 * stream is there too nothing may be committed. Tables that are gone by now stay as they are, and are not followed any more.
 *
 * Throws E_TABLE_REWRITTEN where a table changed again meanwhile: the next attempt begins before all of it.
 */
export async function copyAgain(options: Copying, at: At): Promise<Copies> {
  const { sides, context, committer, changes, relations } = options;
  const { config } = sides;
  const { logger, signal } = context;
  const pending = [...changes.pending.values()];
  failpoint('before-recopy');
  await using snapshot = await createSlot(config.source, {
    name: `${config.slot.slice(0, 40)}_again_${process.pid}`,
    temporary: true,
    failover: false,
    timeoutMs: 0,
    signal,
  });
  const lsn = snapshot.consistentPoint;
  const oids = pending.map(({ oid }) => oid);
  const { schemas, sizes } = await readSnapshot(config, snapshot.snapshotName, signal, oids);
  const copied: Copied[] = [];
  const present = new Map(schemas.map((schema) => [schema.oid, schema]));
  // Names become free before others take them.
  for (const copy of pending) if (!present.has(copy.oid)) await giveUp(options, copy, at);
  const isFollowed = ({ oid }: PendingCopy): boolean => relations.tables.has(oid);
  for (const copy of [...pending.filter(isFollowed), ...pending.filter((one) => !isFollowed(one))]) {
    const schema = present.get(copy.oid);
    if (schema) copied.push(await place(options, copy, schema, lsn, at));
  }
  // What changed the schema is a commit of its own.
  await committer.spill([]);
  logger.info({ lsn: formatLsn(lsn), tables: copied.map(({ copy }) => copy.name) }, 'copying again');
  await copyTables({
    sourceUrl: config.source,
    source: sides.source,
    snapshotName: snapshot.snapshotName,
    commit: async (tables) => {
      for (const { source } of tables) {
        await sides.staging.writer.run(updateTableState(source.oid, 'streaming', lsn));
        await sides.staging.writer.run('COMMIT');
      }
    },
    target: sides.staging,
    exact: committer.exact,
    tables: copied.map(({ after }) => after),
    sizes,
    connections: config.copyConnections,
    progress: context.progress,
    onTable: context.onProgress,
    signal,
  });
  for (const { copy } of copied) changes.settled(copy.oid);
  for (const { copy, before, after } of copied) {
    const diff = before && diffTables(before, after, { rewritten: true, command: null });
    if (!before || (diff && touchesConstraints(before, after, diff))) await changes.constrain(copy.oid);
  }
  committer.notBefore(snapshot.time);
  failpoint('after-recopy');
  return { lsn, tables: copied.map(({ after }) => after.name) };
}

/** Makes the table empty and as it is in the snapshot, of position `lsn`. */
async function place(options: Copying, copy: PendingCopy, schema: TableSchema, lsn: Lsn, at: At): Promise<Copied> {
  const { sides, committer, relations, changes } = options;
  const { writer: connection } = sides.staging;
  const displaced = await readDisplaced(sides.source, relations, schema);
  await changes.rearrange((known, rules) => planGivingWay(displaced, lsn, known, rules));
  const { before, after: planned, isKnown } = await planCopy(options, schema);
  await changes.rearrange((known, rules) => planName(planned.name, copy.oid, known, rules));
  const diff: TableDiff | null = before && diffTables(before, planned, { rewritten: true, command: null });
  const apply = async (head: string): Promise<void> => {
    if (before) {
      await changeTable({
        connection,
        writer: committer.writer,
        exact: committer.exact,
        before,
        after: planned,
        diff: { steps: [], described: [], ...diff, rows: { kind: 'copied', because: copy.why } },
        head,
        recast: null,
      });
    } else {
      await connection.run(createTable(planned));
      await purgeStatistics(connection);
    }
    await connection.run('START TRANSACTION');
    const statements = isKnown ? updateTable(planned) : insertTable(planned, 'copying');
    for (const statement of statements) await connection.run(statement);
    await connection.run(updateTableState(copy.oid, 'copying'));
    await connection.run('COMMIT');
  };
  // Of a table that is as it was, only the rows that differ are to be seen: emptying and filling it is one commit.
  if (before && (diff?.steps.length ?? 0) === 0 && before.name === planned.name) await committer.prepare(apply);
  else {
    await committer.changeSchema([], {
      ...copy.cause,
      xid: at.xid,
      commitTime: at.commitTime,
      changes: [
        ...(diff?.described ?? []).map((change) => `${planned.name}: ${change}`),
        `${planned.name}: copied again, since ${copy.why}`,
      ],
      apply,
    });
  }
  relations.set({ table: planned, snapshotLsn: lsn });
  await changes.rearrange((known, rules) => planDisplaced(displaced, lsn, known, rules));
  return { copy, before, after: planned };
}

/** There is nothing left to copy. */
async function giveUp(
  { sides, context, committer, relations, changes }: Copying,
  copy: PendingCopy,
  at: At,
): Promise<void> {
  const streamed = relations.tables.get(copy.oid);
  changes.settled(copy.oid, streamed?.table.name ?? changes.left.get(copy.oid) ?? null);
  context.logger.warn(
    { table: copy.name, because: copy.why },
    'the table should have been copied, and by now is gone, not published or without columns; what it held in between is not in the history',
  );
  if (!streamed) {
    // It was to come, and Dolt never had it: its name may be another's by now.
    if (changes.left.has(copy.oid)) return;
    return committer.prepare(async () => {
      for (const statement of deleteTable(copy.oid)) await sides.staging.writer.run(statement);
    });
  }
  relations.delete(copy.oid);
  await committer.changeSchema([], {
    ...copy.cause,
    xid: at.xid,
    commitTime: at.commitTime,
    changes: [`${streamed.table.name} is no longer followed: it was gone before it could be copied`],
    apply: async () => {
      await sides.staging.writer.run(updateTableState(copy.oid, 'left'));
      await sides.staging.writer.run('COMMIT');
    },
  });
}
