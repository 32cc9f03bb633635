import type { RowsAfter } from '../core/rows-after.js';
import { type DdlStep, type TableDiff, touchesConstraints } from '../core/schema-diff.js';
import type { TargetTable } from '../core/target.js';
import { Tuple } from '../core/tuple.js';
import { alterTable } from './alter.js';
import { quoteName, type TargetConnection } from './client.js';
import { dropConstraints } from './constraints.js';
import { converter, type Recast } from './convert-rows.js';
import type { ExactValues } from './exact.js';
import { canReadApart, type ExactRow, readKeyedRows, readKeylessRows, readKeylessRowsApart } from './read-rows.js';
import { purgeStatistics } from './statistics.js';
import type { Writer } from './writer.js';

/** Between two SQL commits: Dolt keeps the changes of an open transaction in memory. */
const ROWS_PER_COMMIT = 20_000;

export type { Recast };

export interface TableChange {
  /** Writes the staging branch, where nothing is uncommitted, and is in no transaction. */
  readonly connection: TargetConnection;
  readonly writer: Writer;
  readonly exact: ExactValues;
  readonly before: TargetTable;
  readonly after: TargetTable;
  readonly diff: TableDiff;
  /** Hash of the commit that holds the rows as they are before the change. */
  readonly head: string;
  /** Null where the source can not be asked: what needs a cast is to be copied then. */
  readonly recast: Recast | null;
}

/**
 * Changes a table in the working set of the staging branch, with its rows and their exact values. Returns what became of
 * the rows: as the diff has it, or `copied` where a cast was not to be had; then the table is empty, and they are to be copied.
 * No transaction is open after it.
 */
export async function changeTable(change: TableChange): Promise<RowsAfter> {
  const { connection, before, after, diff } = change;
  const { steps } = diff;
  const rows = withExactValues(change);
  const sql = alterTable(before, after, steps, rows.kind !== 'kept');
  if (touchesConstraints(before, after, diff)) {
    await dropConstraints(connection, before);
  }
  if (rows.kind === 'kept') {
    for (const statement of sql.steps) await connection.run(statement);
    await moveExactValues(change, steps);
  }
  let result: RowsAfter = rows;
  if (rows.kind === 'copied') {
    await empty(change);
    for (const statement of sql.steps) await connection.run(statement);
  }
  if (rows.kind === 'converted') result = await rewrite(change, rows, sql.steps);
  for (const statement of sql.last) await connection.run(statement);
  if (before.name !== after.name) await purgeStatistics(connection);
  return result;
}

type Converted = Extract<RowsAfter, { kind: 'converted' }>;

/** Exact values are found by the row's key: where that changes, or is the whole row, they are written again too. */
function withExactValues({ exact, before, after, diff: { rows } }: TableChange): RowsAfter {
  if (rows.kind === 'copied' || !exact.has(before)) return rows;
  const columns = (table: TargetTable): string => table.columns.map(({ source }) => source.attnum).join();
  const key = (table: TargetTable): string => table.key.map((i) => table.columns[i]?.source.attnum).join();
  const keyless = before.key.length === 0;
  if (rows.kind === 'kept' && key(before) === key(after) && !(keyless && columns(before) !== columns(after)))
    return rows;
  if (keyless && !canReadApart(before)) return { kind: 'copied', because: 'Dolt can not tell its rows apart' };
  return rows.kind === 'converted' ? rows : { kind: 'converted', casts: [], relabelled: [] };
}

async function moveExactValues({ connection, exact, before, after }: TableChange, steps: readonly DdlStep[]) {
  if (!exact.has(before)) return;
  await connection.run('START TRANSACTION');
  for (const step of steps) {
    if (step.kind === 'rename column') await exact.changeColumn(connection, before.name, step.from, step.to);
    if (step.kind === 'drop column') await exact.changeColumn(connection, before.name, step.name, null);
  }
  if (before.name !== after.name) await exact.rename(connection, before.name, after.name);
  await connection.run('COMMIT');
}

async function empty({ connection, exact, before }: TableChange): Promise<void> {
  await connection.run(`TRUNCATE TABLE ${quoteName(before.name)}`);
  if (!exact.has(before)) return;
  await exact.clear(connection, before);
  await connection.run('COMMIT');
}

/** Alters the table while it is empty, and writes its rows again as its new columns hold them. */
async function rewrite(change: TableChange, how: Converted, steps: readonly string[]): Promise<RowsAfter> {
  const { connection, exact, before, after } = change;
  const hasExact = exact.has(before);
  await empty(change);
  const alter = async (): Promise<void> => {
    for (const statement of steps) await connection.run(statement);
  };
  const reader = await connection.another();
  try {
    if (await writeAgain(change, how, await rowsBefore(change, reader, hasExact, alter))) return how;
  } finally {
    reader.destroy(); // it may be in the middle of a result
  }
  await connection.run('ROLLBACK');
  await connection.run(`TRUNCATE TABLE ${quoteName(after.name)}`);
  if (exact.has(after)) await exact.clear(connection, after);
  await connection.run('COMMIT');
  return { kind: 'copied', because: 'its values could not be cast any more' };
}

/** False where a value can not be cast: some rows are written then, and a transaction is open. */
async function writeAgain(
  { connection, writer, before, after, recast }: TableChange,
  how: Converted,
  pages: AsyncIterable<readonly ExactRow[]>,
): Promise<boolean> {
  const convert = converter(before, after, how, recast);
  let uncommitted = 0;
  await connection.run('START TRANSACTION');
  for await (const page of pages) {
    const rows = await convert(page);
    if (rows === null) return false;
    await writer.insert(
      after,
      rows.map((row) => Tuple.of(row)),
    );
    uncommitted += rows.length;
    if (uncommitted < ROWS_PER_COMMIT) continue;
    await connection.run('COMMIT');
    await connection.run('START TRANSACTION');
    uncommitted = 0;
  }
  await connection.run('COMMIT');
  return true;
}

/** The rows as they were; calls `alter` once the working set's table is not needed for that any more. */
async function rowsBefore(
  { connection, before, head }: TableChange,
  reader: TargetConnection,
  hasExact: boolean,
  alter: () => Promise<void>,
): Promise<AsyncIterable<ExactRow[]>> {
  if (before.key.length > 0 || !hasExact) {
    await alter();
    return before.key.length > 0
      ? readKeyedRows(reader, connection, before, head, hasExact)
      : readKeylessRows(reader, before, head);
  }
  const { plain, exact } = await readKeylessRowsApart(connection, reader, before, head);
  const first = await plain.next();
  await connection.run(`TRUNCATE TABLE ${quoteName(before.name)}`);
  await alter();
  return (async function* () {
    if (!first.done) yield first.value;
    yield* plain;
    yield* exact();
  })();
}
