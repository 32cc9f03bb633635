import { insertTable, readTables as readStoredTables, updateTable, updateTableState } from '../dolt/bookkeeping.js';
import type { CopyAgain } from './copy-again.js';
import { readSnapshot } from './snapshot.js';
import { planTables, replanTable, restoreTable } from './tables.js';

/** A larger table (bytes in the source) would keep the stream waiting for long. */
const LARGE_BYTES = 32 << 20;

/**
 * Of the tables that are to be copied, those that are large and can join later: new ones, and those of which somebody asked
 * for another copy. They are marked as being copied, which is part of the next commit, so that no crash forgets them.
 */
export async function setAside({ sides, committer, relations, changes, context }: CopyAgain): Promise<void> {
  const { config, staging, rules } = sides;
  const { writer } = staging;
  const able = [...changes.pending.values()].filter(({ canJoin }) => canJoin);
  // Until the first snapshot is complete readers see nothing, whatever waits.
  if (able.length === 0 || committer.phase === 'snapshot') return;
  const { schemas, sizes } = await readSnapshot(
    config,
    null,
    able.map(({ oid }) => oid),
  );
  for (const { oid, name } of able) {
    const schema = schemas.find((found) => found.oid === oid);
    if (!schema || (sizes.get(oid)?.bytes ?? 0) < LARGE_BYTES) continue;
    const [known] = await readStoredTables(writer, oid);
    const before = relations.tables.get(oid)?.table ?? (known ? restoreTable(known, rules) : null);
    const taken = [...relations.tables.values(), ...changes.joining.values()].flatMap(({ table }) =>
      table.source.oid === oid ? [] : [table.name],
    );
    const [planned] = before ? [before] : planTables([schema], rules, taken);
    if (!planned) continue;
    await changes.freeName(planned.name, oid);
    const exists = known !== undefined && (await writer.hasTable(planned.name));
    // What is not there has no other definition than the one of its copy.
    const table = exists || !before ? planned : replanTable(before, schema, rules, taken);
    await committer.prepare(async () => {
      const statements = known ? updateTable(table) : insertTable(table, 'copying');
      for (const statement of statements) await writer.run(statement);
      await writer.run(updateTableState(oid, 'copying'));
      await writer.run('COMMIT');
    });
    changes.join({ oid, table, exists });
    context.logger.info(
      { table: name },
      'the table is large: it is copied beside the stream, and joins when it is complete',
    );
  }
}
