import { insertTable, updateTable, updateTableState } from '../dolt/bookkeeping.js';
import { type Copying, planCopy } from './plan-copy.js';
import { planName } from './schema-plan.js';
import { readSnapshot } from './snapshot.js';

/** A larger table (bytes in the source) would keep the stream waiting for long. */
const LARGE_BYTES = 32 << 20;

/**
 * Of the tables that are to be copied, those that are large and can join later: new ones, and those of which somebody asked
 * for another copy. They are marked as joining, which is part of the next commit, so that no crash forgets them.
 */
export async function setAside(options: Copying): Promise<void> {
  const { sides, committer, relations, changes, context } = options;
  const { config, staging } = sides;
  const { writer } = staging;
  const able = [...changes.pending.values()].filter(({ canJoin }) => canJoin);
  // Until the first snapshot is complete readers see nothing, whatever waits.
  if (able.length === 0 || committer.phase === 'snapshot') return;
  const { schemas, sizes } = await readSnapshot(
    config,
    null,
    context.signal,
    able.map(({ oid }) => oid),
  );
  for (const { oid, name } of able) {
    const schema = schemas.find((found) => found.oid === oid);
    if (!schema || (sizes.get(oid)?.bytes ?? 0) < LARGE_BYTES) continue;
    const { before, after, isKnown } = await planCopy(options, schema);
    // What is there is what the stream makes of it, until its copy takes its place.
    const table = before ?? after;
    if (!before) await changes.rearrange((known, rules) => planName(table.name, oid, known, rules));
    // One that came back is not followed before that, and is found again as what it is.
    if (!before || relations.tables.has(oid)) {
      await committer.prepare(async () => {
        const statements = isKnown ? updateTable(table) : insertTable(table, 'joining');
        for (const statement of statements) await writer.run(statement);
        await writer.run(updateTableState(oid, 'joining'));
        await writer.run('COMMIT');
      });
    }
    changes.join({ oid, table, exists: before !== null });
    context.logger.info(
      { table: name },
      'the table is large: it is copied beside the stream, and joins when it is complete',
    );
  }
}
