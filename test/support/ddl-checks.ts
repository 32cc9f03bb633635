import { expect } from 'vitest';
import { type DdlCase, FRUIT_WAS, type Mode, type Shown } from './ddl-case.js';
import { expectIdentity } from './ddl-identity.js';
import type { Moment, Played } from './ddl-play.js';
import { Reader, sorted } from './ddl-shown.js';
import { DoltStates, linesOf, type TableState } from './ddl-state.js';

interface Commit {
  readonly hash: string;
  readonly message: string;
}

/** Everything that holds for a case that was followed in this mode. */
export async function expectFollowed(played: Played, ddlCase: DdlCase, mode: Mode): Promise<void> {
  const { target, schema, moments, failure } = played.playOf(ddlCase, mode);
  const before = moments[0]?.hash;
  if (!before) throw new Error(`nothing was copied for ${ddlCase.name}: ${failure}`);
  await using reader = await Reader.open(target);
  await using states = await DoltStates.open(target.url);
  const was = ddlCase.was ?? (ddlCase.setup === undefined ? FRUIT_WAS : {});
  expect.soft(await reader.shown(was, schema, before), 'AS OF before').toEqual(sorted(was));

  const last = moments.findLast(({ hash }) => hash !== null)?.hash ?? before;
  const commits = await commitsBetween(reader, before, last);
  const limit = mode === 'relations' ? ddlCase.relations : undefined;
  if (limit === 'unseen') return expect(failure).toEqual(expect.toBeOneOf([null, DIVERGED]));
  if (limit === 'stops') return expect(failure).toMatch(/^E_PUBLICATION_CHANGED: /);
  await (mode === 'triggers'
    ? expectStates(commits, moments, states, schema)
    : expectTableStates(commits, moments, states, schema));
  if (limit === 'halts' || (limit === 'may halt' && failure !== null))
    return expect(failure).toMatch(/^E_SCHEMA_AMBIGUOUS: /);
  expect(failure).toBeNull();

  const known = limit === 'looser' ? loose : exactly;
  const shown = mapDefinitions(await reader.shown(ddlCase.is, schema, last), known);
  expect.soft(shown, 'now').toEqual(mapDefinitions(sorted(ddlCase.is), known));
  if (mode === 'triggers') {
    const left = ddlCase.left ?? {};
    expect.soft(await reader.shown(left, schema, last), 'left').toEqual(sorted(left));
    await expectMoments(moments, states, schema);
    await expectTold(commits, ddlCase, schema, reader, before, last);
  }
  await expectAsFresh(played, ddlCase, mode, states, last, known);
  const steps = mode === 'triggers' ? moments : [moments[0], moments.at(-1)].flatMap((moment) => moment ?? []);
  if (!ddlCase.namesMove) await expectIdentity(reader, steps, schema);
  if (ddlCase.keepsRows && limit !== 'copies') await expectRowsKept(commits, reader, schema);
}

const DIVERGED = expect.stringMatching(/^E_TARGET_DIVERGED: /);

/** Those that readers saw after one and up to the other, the oldest first. */
function commitsBetween(reader: Reader, from: string, to: string): Promise<Commit[]> {
  const log = `select commit_hash as hash, message from dolt_log('${from}..${to}') order by commit_order`;
  return reader.rows<Commit>(log);
}

/** What readers saw, but for commits that are only a row of `beat`: they are looked at where everybody was waited for. */
const published = (commits: readonly Commit[]): readonly Commit[] =>
  commits.filter((one) => !isPart(one) && !one.message.startsWith('1 transaction, 1 row, beat +1,'));
const isPart = ({ message }: Commit): boolean => /^Part-Of: /m.test(message);
const isSchemaCommit = ({ message }: Commit): boolean => /^Ddl: /m.test(message);

/** Every commit that readers saw is a state that Postgres had, in the order in which it had them. */
async function expectStates(
  commits: readonly Commit[],
  moments: readonly Moment[],
  states: DoltStates,
  schema: string,
): Promise<void> {
  const had = moments.map(({ postgres }) => String(linesOf(postgres)));
  let reached = 0;
  for (const commit of published(commits)) {
    const { state } = await states.at(commit.hash, schema);
    const at = had.indexOf(String(linesOf(state)), reached);
    const never = [...linesOf(state), ...commit.message.split('\n', 3)];
    expect.soft(at < 0 ? never : [], 'a state that Postgres never had').toEqual([]);
    reached = Math.max(at, reached);
  }
}

/** Every table in every commit that readers saw has the rows that it once had; each is behind until its next row. */
async function expectTableStates(
  commits: readonly Commit[],
  moments: readonly Moment[],
  states: DoltStates,
  schema: string,
): Promise<void> {
  const had = new Set(moments.flatMap(({ postgres }) => [...postgres].map(valuesOf)));
  for (const commit of published(commits)) {
    const { state } = await states.at(commit.hash, schema);
    const never = [...state].filter((table) => !had.has(valuesOf(table))).flatMap(([, { lines }]) => lines);
    expect.soft(never, `rows that Postgres never had: ${commit.message}`).toEqual([]);
  }
}

const valuesOf = ([oid, { columns, rows }]: readonly [number, TableState]): string =>
  JSON.stringify([oid, [...columns.keys()], rows]);

/** Where all had come, Dolt had exactly what Postgres had. */
async function expectMoments(moments: readonly Moment[], states: DoltStates, schema: string): Promise<void> {
  for (const [i, { postgres, hash }] of moments.entries()) {
    if (hash === null) continue;
    const { state } = await states.at(hash, schema);
    expect.soft(linesOf(state), i === 0 ? 'before' : `after transaction ${i}`).toEqual(linesOf(postgres));
  }
}

/** Where the schema changed, a commit of its own says by which command. */
async function expectTold(
  commits: readonly Commit[],
  { change }: DdlCase,
  schema: string,
  reader: Reader,
  from: string,
  to: string,
): Promise<void> {
  const patch = await reader.rows<{ table_name: string }>(
    `select table_name from dolt_patch('${from}', '${to}') where diff_type = 'schema' and table_name not like 'wal2dolt%'`,
  );
  if (patch.length === 0) return;
  const told = commits.filter(isSchemaCommit).map(({ message }) => message);
  const text = (sql: string): string =>
    sql
      .replaceAll('{schema}', schema)
      .replaceAll('{publication}', 'pub_triggers')
      .trim()
      .split('\n')[0]
      ?.slice(0, 60) ?? '';
  const says = change.some((sql) => told.some((message) => message.includes(text(sql))));
  expect.soft(says ? [] : told, 'the command in a commit message').toEqual([]);
}

/** What the bookkeeping says of a table, by its oid. */
const WRITTEN_DOWN = [
  `select source_schema, source_table, target_table, state, replica_identity from wal2dolt_tables where relation_oid = ?`,
  `select attnum, source_column, source_type, not_null, default_expression, key_position, target_column, target_type
    from wal2dolt_columns where relation_oid = ? order by 1`,
];

/** A copy that is made in the end is no different, but for the order of columns. */
async function expectAsFresh(
  played: Played,
  ddlCase: DdlCase,
  mode: Mode,
  ours: DoltStates,
  last: string,
  known: (definition: string) => string,
): Promise<void> {
  const sortedLines = (definition: readonly string[] | null): readonly string[] | undefined =>
    definition?.map(known).toSorted();
  const { target, schema } = played.playOf(ddlCase, mode);
  const limit = mode === 'relations' ? ddlCase.relations : undefined;
  await using theirs = await DoltStates.open(played.fresh.url);
  await using reader = await Reader.open(target);
  await using freshReader = await Reader.open(played.fresh);
  const fresh = await theirs.at('main', schema);
  const followed = await ours.at(last, schema);
  const compared = [...followed.state].filter(([oid]) => mode === 'triggers' || fresh.state.has(oid));
  expect.soft(linesOf(new Map(compared)), 'as a fresh copy').toEqual(linesOf(fresh.state));
  for (const [oid, table] of fresh.names) {
    const ownName = followed.names.get(oid) ?? table;
    const definition = sortedLines(await freshReader.definition(table));
    expect.soft(sortedLines(await reader.definition(ownName, last)), table).toEqual(definition);
    const exact = `select target_column, row_key, value, copies from wal2dolt_exact where target_table = ? order by 1, 2`;
    const exactly = await freshReader.rows(exact, 'main', [table]);
    expect.soft(await reader.rows(exact, last, [ownName]), `${table} in wal2dolt_exact`).toEqual(exactly);
    for (const written of limit === undefined ? WRITTEN_DOWN : []) {
      const freshly = await freshReader.rows(written, 'main', [String(oid)]);
      expect.soft(await reader.rows(written, last, [String(oid)]), `${table} in the bookkeeping`).toEqual(freshly);
    }
  }
}

/** A commit of the schema changed no row. */
async function expectRowsKept(commits: readonly Commit[], reader: Reader, schema: string): Promise<void> {
  for (const { hash, message } of commits.filter(isSchemaCommit)) {
    const stat = await reader.rows(
      `select * from dolt_diff_stat('${hash}^', '${hash}') where table_name like '${schema}\\_%' and rows_added + rows_deleted + rows_modified > 0`,
    );
    expect.soft(stat, message).toEqual([]);
  }
}

const exactly = (definition: string): string => definition;

/** Without what is only certain once no older row can break it. */
const loose = (definition: string): string =>
  definition.replaceAll('UNIQUE KEY', 'KEY').replaceAll(/ NOT NULL(?= |,|$)/g, '');

const mapDefinitions = (shown: Shown, change: (definition: string) => string): Shown =>
  Object.fromEntries(
    Object.entries(shown).map(([name, [definition, ...rows]]) => [name, [change(definition), ...rows]]),
  );
