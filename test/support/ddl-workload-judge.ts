import { foldName } from '../../src/core/names.js';
import { keyAttnums, qualifiedName, type TableSchema } from '../../src/core/schema.js';
import { differences } from './compare.js';
import type { Mode } from './ddl-workload-follow.js';
import type { DdlHistory, State } from './ddl-workload-history.js';
import type { TableState } from './ddl-workload-look.js';
import {
  type DoltCommit,
  type DoltHistory,
  type DoltTable,
  described,
  type FreshTables,
} from './ddl-workload-target.js';
import { judgeUnannounced } from './ddl-workload-unannounced.js';
import type { Rows } from './source-history.js';

/**
 * Says of every commit that readers may look at what in it is not as Postgres was at the commit's LSN, in words; nothing
 * where all is right.
 */
export async function judgeCommits(
  dolt: DoltHistory,
  fresh: FreshTables,
  history: DdlHistory,
  mode: Mode,
): Promise<string[]> {
  const commits = await dolt.commits();
  const faults = await judgeOrder(dolt, commits);
  for (const commit of commits) {
    if (commit.part) continue;
    const tables = await dolt.at(commit.hash);
    const found: string[][] = [];
    for (const state of history.at(commit.end)) {
      found.push(
        mode === 'triggers' ? await judge(tables, state, history, fresh) : judgeUnannounced(tables, state, history),
      );
    }
    const least = found.sort((a, b) => a.length - b.length)[0] ?? ['there is no such state'];
    faults.push(...least.map((fault) => `${where(commit)}: ${fault}`));
    if (faults.length > 10) break;
  }
  return faults;
}

const where = ({ hash, end, message }: DoltCommit): string =>
  `${hash} at ${end.toString(16)} (${message.split('\n')[0]?.slice(0, 120)})`;

async function judgeOrder(dolt: DoltHistory, commits: readonly DoltCommit[]): Promise<string[]> {
  const faults: string[] = [];
  const published = await dolt.published();
  for (const [i, commit] of commits.entries()) {
    const before = commits[i - 1];
    if (commit.part && published.has(commit.hash)) faults.push(`${where(commit)}: readers saw a part of a transaction`);
    if (before === undefined) continue;
    if (commit.date < before.date) faults.push(`${where(commit)}: has an earlier date than the one before it`);
    // As of a time the newest commit is found that is not later.
    if (before.part && commit.date !== before.date) faults.push(`${where(before)}: can be found by its date`);
    if (commit.end < before.end) faults.push(`${where(commit)}: comes before the one before it`);
    for (const [table, kind] of await dolt.changes(before.hash, commit.hash)) {
      if (kind !== 'dropped' || table.startsWith('wal2dolt_')) continue;
      if (!isUnseen(table, await dolt.at(before.hash), await dolt.at(commit.hash)))
        faults.push(`${where(commit)}: ${table} was dropped`);
    }
  }
  if (commits.at(-1)?.part) faults.push('the newest commit is a part of a transaction');
  return faults;
}

/**
 * The table got a name that another one had, or another name together with a column of its key: then Dolt's difference does not show
 * who became what.
 */
function isUnseen(name: string, before: ReadonlyMap<number, DoltTable>, now: ReadonlyMap<number, DoltTable>): boolean {
  const [oid = 0, was] = [...before].find(([, table]) => table.name === name) ?? [];
  const is = now.get(oid);
  if (!was || !is || is.name === name) return false;
  return (
    [...before].some(([other, table]) => other !== oid && table.name === is.name) ||
    keyNames(was.schema).join() !== keyNames(is.schema).join()
  );
}

const keyNames = (table: TableSchema): string[] =>
  keyAttnums(table).map((attnum) => table.columns.find((column) => column.attnum === attnum)?.name ?? '');

async function judge(
  tables: ReadonlyMap<number, DoltTable>,
  state: State,
  history: DdlHistory,
  fresh: FreshTables,
): Promise<string[]> {
  const faults: string[] = [];
  for (const [oid, postgres] of state.tables) {
    const table = tables.get(oid);
    if (table === undefined || table.state === 'left')
      faults.push(`${qualifiedName(postgres.schema)} is ${table ? 'marked as left' : 'missing'}`);
    else {
      faults.push(...(await compareTable(table, postgres, fresh)));
      const wish = (await fresh.make(postgres.schema)).name;
      if (!isNameFor(table.name, wish, wasShared(oid, state, history)))
        faults.push(`${qualifiedName(postgres.schema)}: it is called ${table.name} in Dolt`);
    }
  }
  for (const [oid, table] of tables) {
    if (state.tables.has(oid)) continue;
    const name = `${qualifiedName(table.schema)} (${table.name})`;
    if (table.state !== 'left') faults.push(`${name} is ${table.state}, and Postgres does not publish it`);
    else faults.push(...compareLeft(oid, table, state, history));
  }
  return faults;
}

/** What is not the same in a fresh copy. */
export async function judgeEnd(dolt: DoltHistory, copy: DoltHistory, mode: Mode): Promise<string[]> {
  const [streamed, copied] = [await dolt.at('main'), await copy.at('main')];
  const faults = [...streamed].flatMap(([oid, { state, schema }]) =>
    // Without event triggers, that a table left is noticed in its time.
    state === 'left' || copied.has(oid) || mode === 'relations'
      ? []
      : [`${qualifiedName(schema)} is not in a fresh copy`],
  );
  for (const [oid, wanted] of copied) {
    const table = streamed.get(oid);
    const name = qualifiedName(wanted.schema);
    if (!table) faults.push(`${name} is in a fresh copy only`);
    else {
      if (table.create !== wanted.create)
        faults.push(`${name}: the schema has ${lineDifference(table.create, wanted.create)} of a fresh copy`);
      faults.push(...compareRows(name, table, wanted));
    }
  }
  return faults;
}

/** Schema, rows, and what the bookkeeping says. */
async function compareTable(table: DoltTable, postgres: TableState, fresh: FreshTables): Promise<string[]> {
  const name = qualifiedName(postgres.schema);
  const faults: string[] = [];
  const wanted = await fresh.make(postgres.schema);
  if (table.create !== wanted.create)
    faults.push(`${name}: the schema in Dolt has ${lineDifference(table.create, wanted.create)}`);
  const [booked, source] = [described(table.schema), described(postgres.schema)];
  if (booked !== source) faults.push(`${name}: the bookkeeping has ${lineDifference(booked, source)}`);
  faults.push(...compareRows(name, table, postgres));
  return faults;
}

/** The wish, or with a number where another one had the name. */
const isNameFor = (name: string, wish: string, shared: boolean): boolean =>
  name === wish || (shared && name.startsWith(wish) && /^_\d+$/.test(name.slice(wish.length)));

/** Whether another table had the table's name by then, as Dolt compares names: a number stays when that is gone. */
function wasShared(oid: number, state: State, { states }: DdlHistory): boolean {
  const nameOf = (schema?: TableSchema): string => (schema ? foldName(qualifiedName(schema)) : '');
  const name = nameOf(state.tables.get(oid)?.schema);
  const moments = states.slice(0, states.indexOf(state) + 1).flatMap((one) => one.moments);
  return moments.some(({ tables }) =>
    [...tables].some(([other, { schema }]) => other !== oid && nameOf(schema) === name),
  );
}

function compareRows(name: string, dolt: Rows, postgres: Rows): string[] {
  if (dolt.hash === postgres.hash) return [];
  if (dolt.rows === null || postgres.rows === null) return [`${name}: the rows differ`];
  return differences(new Map([[name, dolt.rows]]), new Map([[name, postgres.rows]]));
}

/**
 * A table that left has the rows that it had then. The transaction in which it left may have changed it before, and what
 * of that is in Dolt is open.
 */
function compareLeft(oid: number, table: DoltTable, state: State, history: DdlHistory): string[] {
  const name = `${qualifiedName(table.schema)} (${table.name}), which left`;
  const now = history.states.indexOf(state);
  const last = history.states.slice(0, now).findLastIndex(({ tables }) => tables.has(oid));
  const leaving = history.states[last + 1];
  const then = history.states[last]?.tables.get(oid);
  // Made and gone in one transaction, or no more than a partition at the end of it.
  if (!then || !leaving) return [];
  const before = history.states.slice(0, last + 1).flatMap(({ moments }) => moments);
  const possible = [
    then,
    ...leaving.moments.flatMap(({ tables }) => tables.get(oid) ?? []),
    ...before
      .flatMap(({ tables }) => tables.get(oid) ?? [])
      // One that is marked is not followed before it is copied; gone by then, it stays as it was.
      .filter((version) => history.marked.has(oid) || wasRewritten(version, then)),
  ];
  if (leaving.touched.has(oid) || leaving.uncertain) return [];
  return possible.some(({ hash }) => hash === table.hash) ? [] : compareRows(name, table, then);
}

/**
 * Whether there came rows of which the stream does not tell. They are copied; but if the table is gone by then, nobody can
 * say any more what they were.
 */
const wasRewritten = ({ schema: a }: TableState, { schema: b }: TableState): boolean =>
  a.fileNode !== b.fileNode || a.partitions?.join() !== b.partitions?.join();

/** What one has and the other has not. */
function lineDifference(a: string, b: string): string {
  const [left, right] = [a.split('\n'), b.split('\n')];
  const only = (of: readonly string[], other: readonly string[]): string =>
    of
      .filter((line) => !other.includes(line))
      .join(' | ')
      .slice(0, 1_000) || 'nothing more';
  return `«${only(left, right)}» instead of «${only(right, left)}»`;
}
