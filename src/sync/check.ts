import pRetry from 'p-retry';
import type pg from 'pg';
import type { Config } from '../config.js';
import { error, type Finding, formatFindings, info, listed, warning } from '../core/finding.js';
import { selects } from '../core/patterns.js';
import { formatLsn, LSN_ZERO, type Lsn } from '../core/position.js';
import { qualifiedName, type TableSchema } from '../core/schema.js';
import { ownAdvance } from '../core/timeline.js';
import { parseTarget } from '../dolt/address.js';
import type { StoredTable } from '../dolt/bookkeeping.js';
import { checkTarget, type TargetReport } from '../dolt/preflight.js';
import { asWal2DoltError, type ErrorCode, POLICY, Wal2DoltError } from '../errors.js';
import { readAlteredSince } from '../postgres/attributes.js';
import { connectSource, queryRows } from '../postgres/client.js';
import { areExact, readTriggers } from '../postgres/ddl-triggers.js';
import { isLockTimeout } from '../postgres/failure.js';
import { checkReplicationConnection, checkSource } from '../postgres/preflight.js';
import { checkStillPublished, readWantedTables } from '../postgres/preflight-publication.js';
import { checkTriggers } from '../postgres/preflight-triggers.js';
import type { SourceWishes } from '../postgres/preflight-wishes.js';
import { readCarried, readPublication } from '../postgres/publication.js';
import type { SystemIdentity } from '../postgres/system.js';
import { checkMapping, checkStoredMapping } from './check-mapping.js';
import { identityOf, requireSameSource } from './go-on.js';

/**
 * Everything that can be known before a run, on both sides, and all at once. Changes nothing. What keeps one side from
 * being looked at (no connection, a wrong password) is a finding too, and the other side is still checked.
 *
 * Never throws but for defects.
 */
export async function check(config: Config): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const collect = async <T>(look: () => Promise<T>): Promise<T | null> => {
    try {
      return await unlessTorn(look);
    } catch (thrown) {
      findings.push(isLockTimeout(thrown) ? LOCKED : findingOf(thrown));
      return null;
    }
  };
  const target = await collect(() =>
    checkTarget(parseTarget(config.target), { target: config.targetBranch, staging: config.stagingBranch }),
  );
  const client = await collect(() => connectSource(config.source, 'wal2dolt check'));
  if (client) {
    try {
      await queryRows(client, `SET lock_timeout = ${LOCK_MS}`);
      const replication = await checkReplicationConnection(config.source);
      const { finding, left } = checkIdentity(config, target, replication.system);
      // Where the target is of another source, what it knows of a slot is not about ours.
      const known = finding?.severity === 'error' ? null : target;
      const source = (await collect(() => checkSource(client, wishesOf(config, known, left)))) ?? [];
      findings.push(
        ...(finding ? [finding] : []),
        // Without knowing the target's position, nobody knows whether the slot is ours.
        ...source
          .filter((finding) => known !== null || finding.code !== 'E_SLOT_EXISTS')
          .map((finding) => (finding.code === 'E_SLOT_IN_USE' && known?.isWritten ? runs(finding) : finding)),
        ...replication.findings,
        ...((await collect(() => checkTriggers(client, config))) ?? []),
        ...((await collect(() => checkTables(client, config, target))) ?? []),
      );
    } finally {
      await client.end().catch(() => {});
    }
  }
  return [...findings, ...(target?.findings ?? [])];
}

/** The slot is read by whoever writes the target. */
const runs = ({ message }: Finding): Finding => info('running', `A run is going on, and writes the target. ${message}`);

/** Looks again where a table was being altered or dropped. */
const unlessTorn = <T>(look: () => Promise<T>): Promise<T> =>
  pRetry(look, {
    retries: 5,
    minTimeout: 50,
    shouldRetry: ({ error }) => error instanceof Wal2DoltError && error.code === 'E_TABLE_REWRITTEN',
  });

/** Newer Postgres locks a table to print its definition, and may so wait for a migration of the application. */
const LOCK_MS = 3_000;
const LOCKED = warning(
  'locked',
  'A table is locked by another transaction (ALTER TABLE, TRUNCATE, …), so the definitions of the tables were not checked.',
  "SELECT a.pid, a.xact_start, a.query FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.mode = 'AccessExclusiveLock' AND l.granted;",
);

/** For a run, these pass by themselves or are waited for: its killed predecessor may not be quite gone. */
const LEFT_TO_THE_RUN: ReadonlySet<string> = new Set<ErrorCode>(['E_SLOT_IN_USE']);

/**
 * What a run does first: the same checks. Returns what is worth logging.
 *
 * Throws E_CHECK with all findings that are errors; where there is only one that a run would have failed with, that one's
 * own code, so that a server which is not up yet is tried again; E_PUBLICATION_OPERATIONS where that is among them.
 */
export async function preflight(config: Config): Promise<readonly Finding[]> {
  const findings = await check(config);
  const errors = findings.filter(({ severity, code }) => severity === 'error' && !LEFT_TO_THE_RUN.has(code));
  const codes = errors.flatMap(({ code }) => (isErrorCode(code) ? [code] : []));
  const [only] = errors;
  const [code] = codes;
  if (!only) return findings;
  if (code !== undefined && codes.length === errors.length && (errors.length === 1 || codes.every(isTransient))) {
    const fix = only.fix === undefined || only.fix === POLICY[code].remedy ? '' : `\n${only.fix}`;
    throw new Wal2DoltError(code, `${only.message}${fix}`);
  }
  // What is to be done about it is not only to put the publication right.
  const marks = codes.find((one) => one === 'E_PUBLICATION_OPERATIONS');
  throw new Wal2DoltError(marks ?? 'E_CHECK', `the start-up check failed.\n${formatFindings(errors)}`);
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(POLICY, code);
const isTransient = (code: ErrorCode): boolean => POLICY[code].action === 'retry';

function findingOf(thrown: unknown): Finding {
  const { code, message, policy } = asWal2DoltError(thrown);
  if (code === 'E_INTERNAL') throw thrown;
  return error(code, message, policy.remedy);
}

/** Whether the target belongs to this source; `left` is where the source left the target's timeline, if it did. */
function checkIdentity(
  config: Config,
  target: TargetReport | null,
  system: SystemIdentity | null,
): { readonly finding: Finding | null; readonly left: Lsn | null } {
  if (!target?.position || !system) return { finding: null, left: null };
  const identity = identityOf(system, config);
  try {
    const { id, end } = requireSameSource(target.position, target.tables, identity, system.timelines);
    if (end === null) return { finding: null, left: null };
    const message = `The source was promoted or restored since: it is on timeline ${identity.timeline.id} now, and left timeline ${id} at ${formatLsn(end)}. What the target holds (up to ${formatLsn(target.position.endLsn)}) is before that, so it goes on.`;
    return { finding: info('timeline', message), left: end };
  } catch (thrown) {
    return { finding: findingOf(thrown), left: null };
  }
}

function wishesOf(config: Config, target: TargetReport | null, left: Lsn | null): SourceWishes {
  const position = target?.position ?? null;
  const common = {
    slot: config.slot,
    publication: config.publication,
    tables: config.tables,
    failover: config.slotFailover,
    slotTimeoutMs: config.slotTimeout,
    acknowledged: null,
  };
  if (position === null) return { ...common, slotState: config.snapshot === 'never' ? 'kept' : 'new' };
  if (position.endLsn === LSN_ZERO) return { ...common, slotState: 'begun' };
  const acknowledged = ownAdvance(left, position.endLsn, target?.acknowledged ?? null);
  return { ...common, slotState: 'kept', acknowledged };
}

/** How the tables will look in Dolt; once they are there, that they would still be made the same. */
async function checkTables(client: pg.Client, config: Config, target: TargetReport | null): Promise<Finding[]> {
  const rules = { tables: config.tables, tableName: config.tableName, types: config.types };
  if (target && target.tables.length > 0) {
    const selected = target.tables.filter(({ schema }) => selects(config.tables, schema.schema, schema.name));
    const followed = selected.filter(({ state }) => state !== 'left');
    const leaving = target.tables.filter((table) => table.state !== 'left' && !selected.includes(table));
    const published = await readCarried(client, config.publication);
    const exact = areExact(await readTriggers(client), config.publication);
    return [
      ...checkStoredMapping(followed, rules),
      // A publication that is not there is told as that; what became of one that is there, by the event triggers.
      ...(exact || (published.size === 0 && !(await readPublication(client, config.publication)))
        ? []
        : await checkStillPublished(
            client,
            config.publication,
            published,
            // What is to be copied again has missed something, and will have it.
            followed.filter(({ state }) => state !== 'copying').map(({ schema }) => schema),
          )),
      ...selected.filter(({ state, oid }) => state === 'left' && published.has(oid)).map(cameBack),
      ...(leaving.length > 0 ? [leavesOut(leaving)] : []),
    ];
  }
  const wanted = await readWantedTables(client, config.publication, config.tables);
  const isReplay = config.snapshot === 'never' && !target?.position;
  return [...checkMapping(wanted, rules), ...(isReplay ? await checkReplay(client, config, wanted) : [])];
}

/** A replay begins with tables as they are now, and what they were when the slot's first rows were written is not kept. */
async function checkReplay(client: pg.Client, config: Config, tables: readonly TableSchema[]): Promise<Finding[]> {
  if (areExact(await readTriggers(client), config.publication)) return [];
  const oids = tables.map(({ oid }) => oid);
  const altered = await readAlteredSince(client, config.slot, oids);
  if (altered.size === 0) return [];
  const names = listed(tables.filter(({ oid }) => altered.has(oid)).map(qualifiedName));
  return [
    warning(
      'replay_altered',
      `The slot may hold rows from before these tables were altered, and nothing tells what they were then: ${names}. With its first row such a table is copied as it is now, which leaves its history up to now out; where even that can not be told, the run stops.`,
    ),
  ];
}

function leavesOut(tables: readonly StoredTable[]): Finding {
  const names = listed(tables.map(({ schema }) => qualifiedName(schema)));
  return warning(
    'tables_left',
    `A run leaves out from now on, for good, what the target follows: ${names}. Rows and history stay.`,
  );
}

function cameBack({ schema }: StoredTable): Finding {
  const name = qualifiedName(schema);
  const message = `${name} was not followed for a time, so that its changes since then are missing in the target: a run copies it again.`;
  return warning('table_back', message, `To leave it out: tables: !${name}`);
}
