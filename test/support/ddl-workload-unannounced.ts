import { qualifiedName, type TableSchema } from '../../src/core/schema.js';
import { differences } from './compare.js';
import type { DdlHistory, State } from './ddl-workload-history.js';
import type { TableState } from './ddl-workload-look.js';
import type { DoltTable } from './ddl-workload-target.js';

/*
 * Without event triggers a change of schema is noticed with the next row of its table. So at a commit each table is as
 * it was at some moment since its last rows: with the columns and the rows of that moment.
 */

/** What is wrong with the tables of a commit at the LSN of this state. */
export function judgeUnannounced(tables: ReadonlyMap<number, DoltTable>, state: State, history: DdlHistory): string[] {
  const now = history.states.indexOf(state);
  const faults: string[] = [];
  for (const [oid, table] of tables) {
    // Partitions come and go without a row, and so does a whole table.
    if (table.state === 'left' || table.schema.kind === 'p' || !state.tables.has(oid)) continue;
    const moments = momentsOf(oid, now, history);
    const fitting = moments.filter(({ schema }) => columnsOf(schema) === columnsOf(table.schema));
    if (fitting.some(({ hash }) => hash === table.hash)) continue;
    const name = qualifiedName(table.schema);
    const last = fitting.at(-1);
    if (!last) faults.push(`${name}: never had the columns ${columnsOf(table.schema)} since its last rows`);
    else if (!last.rows || !table.rows) faults.push(`${name}: the rows differ`);
    else faults.push(...differences(new Map([[name, table.rows]]), new Map([[name, last.rows]])));
  }
  for (const [oid, { schema }] of state.tables) {
    if (!tables.has(oid) && schema.kind === 'r' && hadRows(oid, now, history))
      faults.push(`${qualifiedName(schema)} is missing`);
  }
  return faults;
}

const columnsOf = ({ columns }: TableSchema): string =>
  columns.map(({ attnum, name, type }) => `${attnum} ${name} ${type.oid}/${type.typmod}`).join();

/** The table as it was at each moment from the last transaction that changed rows of it. */
function momentsOf(oid: number, now: number, { states }: DdlHistory): TableState[] {
  const last = states.slice(0, now + 1).findLastIndex(({ touched }) => touched.has(oid));
  return states
    .slice(Math.max(0, last), now + 1)
    .flatMap(({ moments }) => moments)
    .flatMap(({ tables }) => tables.get(oid) ?? []);
}

/** Whether rows of the table were streamed since the publication has it. */
function hadRows(oid: number, now: number, { states }: DdlHistory): boolean {
  const before = states.slice(0, now + 1);
  const since = before.findLastIndex(({ tables }) => !tables.has(oid)) + 1;
  // In the transaction that made it, rows may have come before it was what it is.
  return before.slice(since + 1).some(({ touched }) => touched.has(oid));
}
