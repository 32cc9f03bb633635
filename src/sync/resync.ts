import type pg from 'pg';
import { configError } from '../config/load.js';
import { findTables, isNamed, tableNames } from '../config/named-tables.js';
import type { Config } from '../config.js';
import { selects, type TablePattern } from '../core/patterns.js';
import type { Lsn } from '../core/position.js';
import { qualifiedName } from '../core/schema.js';
import { parseTarget, type TargetAddress } from '../dolt/address.js';
import { readPosition, readTables, type StoredTable, updateTableState } from '../dolt/bookkeeping.js';
import { TargetConnection } from '../dolt/client.js';
import { Committer } from '../dolt/committer.js';
import { isWriterActive } from '../dolt/locks.js';
import { StagingBranch } from '../dolt/staging.js';
import { asWal2DoltError, Wal2DoltError } from '../errors.js';
import { connectReplication, connectSource } from '../postgres/client.js';
import { emitMessage } from '../postgres/logical-message.js';
import type { TableName } from '../postgres/publication.js';
import { readPublishedTables } from '../postgres/published-tables.js';
import { identifySystem } from '../postgres/system.js';
import { identityOf, requireSameSource } from './go-on.js';

/** The prefix of the message that asks a running stream. */
export const RESYNC = 'wal2dolt.resync';

/** A table that is to be copied again, by its name in Postgres now. */
export interface ResyncTable extends TableName {
  readonly oid: number;
}

export type Resync =
  /** A run is going on and was asked, by a message in the WAL at `lsn`. */
  | { readonly how: 'asked'; readonly tables: readonly ResyncTable[]; readonly lsn: Lsn }
  /** No run is going on; the next one finds the mark, which is in this commit. */
  | { readonly how: 'marked'; readonly tables: readonly ResyncTable[]; readonly commit: string };

/**
 * Sees to it that tables are copied again: by the run that is going on, else by the next one. Does not look at what the
 * target knows of their definitions, which may be what keeps the stream from going on.
 *
 * Throws E_CONFIG, before anything is done, for names that no replicated table has, and for tables that the publication or
 * the configuration leaves out; E_OTHER_SOURCE and its like where the target is of another source.
 */
export async function resync(config: Config, names: readonly string[]): Promise<Resync> {
  const patterns = tableNames(names);
  if (patterns.length === 0) throw configError(['resync: give the tables to copy again, as schema.table']);
  const address = parseTarget(config.target);
  const branch = `${address.database}/${config.stagingBranch}`;
  await using target = await TargetConnection.open(address, config.targetBranch);
  const stored = await readTarget(config, target);
  const source = await connectSource(config.source, 'wal2dolt resync');
  try {
    const tables = await resolve(config, stored, source, patterns);
    if (!(await isWriterActive(target, branch))) {
      const commit = await mark(config, address, tables);
      if (commit !== null) return { how: 'marked', tables, commit };
    }
    const left = tables.filter(({ oid }) => stored.some((table) => table.oid === oid && table.state === 'left'));
    if (left.length > 0) {
      const how = 'it is not followed any more, and only a run that begins can take it back: stop the run first';
      throw configError(left.map((table) => `${qualifiedName(table)}: ${how}`));
    }
    const content = {
      publication: config.publication,
      tables: tables.map(qualifiedName),
      oids: tables.map(({ oid }) => oid),
    };
    return { how: 'asked', tables, lsn: await emitMessage(source, RESYNC, content) };
  } finally {
    await source.end().catch(() => {});
  }
}

/**
 * Marks all tables that are followed, since changes of any of them may be missing in the stream. Returns what is to be thrown: `why`,
 * or that with the reason why they could not be marked.
 */
export async function markAll(config: Config, why: Wal2DoltError): Promise<Wal2DoltError> {
  try {
    const address = parseTarget(config.target);
    await using target = await TargetConnection.open(address, config.targetBranch);
    // Also those that join: Dolt may have them, and follow them until they do.
    const tables = (await readTarget(config, target)).filter(({ state }) => state !== 'left');
    const commit = await mark(
      config,
      address,
      tables.map(({ oid, schema }) => ({ oid, schema: schema.schema, name: schema.name })),
    );
    if (commit === null) throw new Wal2DoltError('E_TARGET_LOCKED', 'another wal2dolt runs');
    return why;
  } catch (error) {
    const reason = `its tables could not be marked to be copied again (${asWal2DoltError(error).message}): before it carries all again, ask for that (wal2dolt resync schema.table …), or begin a first copy that is not complete anew (wal2dolt teardown)`;
    return new Wal2DoltError(why.code, `${why.message}; ${reason}`, { cause: error });
  }
}

/** The tables that are meant, by the names that they have in Postgres now, or else had in what the target knows. */
async function resolve(
  config: Config,
  stored: readonly StoredTable[],
  source: pg.Client,
  names: readonly TablePattern[],
): Promise<ResyncTable[]> {
  const published = await readPublishedTables(source, config.publication);
  const known = stored.map(({ oid, schema }) => {
    const now = published.get(oid) ?? null;
    return { oid, now, names: now ? [now, schema] : [schema] };
  });
  findTables(names, known);
  const problems: string[] = [];
  const found = new Map<number, ResyncTable>();
  for (const name of names) {
    // A name may have gone over from one table to another, or be that of one that is gone too.
    const table =
      known.find(({ now }) => now && name.matches(now.schema, now.name)) ??
      known.find((candidate) => candidate.now && isNamed(candidate, name));
    if (!table?.now) problems.push(`${name.text}: the publication ${config.publication} does not carry it`);
    else if (!selects(config.tables, table.now.schema, table.now.name))
      problems.push(`${name.text}: the configuration leaves it out`);
    else found.set(table.oid, { oid: table.oid, ...table.now });
  }
  if (problems.length > 0) throw configError(problems);
  return [...found.values()];
}

/** What readers see of the target, which must be of this source. */
async function readTarget(config: Config, connection: TargetConnection): Promise<StoredTable[]> {
  const position = await readPosition(connection);
  if (position === null) throw configError(['the first copy is not complete: there is nothing to copy again']);
  const tables = await readTables(connection);
  const client = await connectReplication(config.source, 'wal2dolt resync');
  try {
    const system = await identifySystem(client);
    requireSameSource(position, tables, identityOf(system, config), system.timelines);
  } finally {
    await client.end().catch(() => {});
  }
  return tables;
}

/** In a commit of its own, which readers see. Returns its hash; null where a run has just begun. */
async function mark(config: Config, address: TargetAddress, tables: readonly ResyncTable[]): Promise<string | null> {
  let staging: StagingBranch;
  try {
    staging = await StagingBranch.open(address, { target: config.targetBranch, staging: config.stagingBranch });
  } catch (error) {
    if (error instanceof Wal2DoltError && error.code === 'E_TARGET_LOCKED') return null;
    throw error;
  }
  try {
    const position = await staging.position();
    if (position === null) throw new Wal2DoltError('E_INTERNAL', 'the staging branch has no position');
    const options = { source: position.source, author: config.context.author, transactions: config.transactions };
    const committer = await Committer.open(staging, options, position, position.phase);
    const marked = new Set(
      (await readTables(staging.writer)).flatMap(({ oid, state }) => (state === 'copying' ? [oid] : [])),
    );
    const unmarked = tables.filter(({ oid }) => !marked.has(oid));
    if (unmarked.length > 0) {
      await committer.step(
        `to be copied again: ${unmarked.map(qualifiedName).join(', ')}`,
        unmarked.map(({ oid }) => updateTableState(oid, 'copying')),
      );
    }
    const { hash } = staging.head;
    await staging[Symbol.asyncDispose]();
    return hash;
  } catch (error) {
    staging.destroy();
    throw error;
  }
}
