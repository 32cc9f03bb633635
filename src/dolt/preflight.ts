import { error, type Finding, listed, warning } from '../core/finding.js';
import { trailer } from '../core/message.js';
import { formatLsn, type Lsn } from '../core/position.js';
import { readAcknowledged } from './acknowledged.js';
import type { TargetAddress } from './address.js';
import { readPosition, readTables, type StoredPosition, type StoredTable } from './bookkeeping.js';
import { type Branches, sideBranch, squashBranch } from './branches.js';
import { quoteName, TargetConnection } from './client.js';
import { isHalfForwarded } from './fast-forward.js';
import { isWriterActive } from './locks.js';
import { checkBranchPermissions, checkPrivileges } from './preflight-privileges.js';
import { quoteText } from './sql-text.js';

export interface TargetReport {
  readonly findings: readonly Finding[];
  /** What the staging branch stands at; null where wal2dolt never wrote, or where it could not be read. */
  readonly position: StoredPosition | null;
  /** Up to where WAL was acknowledged while nothing was to be written. */
  readonly acknowledged: Lsn | null;
  readonly tables: readonly StoredTable[];
  /** Whether a run writes it now. */
  readonly isWritten: boolean;
}

/**
 * Everything about the target that a run would stumble over, all at once, changing nothing. What cannot be read of a
 * catalog is found by trying statements that can never succeed.
 *
 * Throws Wal2DoltError where the server cannot be reached or lets us not in.
 */
export async function checkTarget(address: TargetAddress, branches: Branches): Promise<TargetReport> {
  await using server = await TargetConnection.open(address, null);
  const unusable = await checkServer(server);
  if (unusable.length > 0) return reportOf(unusable);
  const names = (await server.rows('SHOW DATABASES')).map(([name]) => name ?? '');
  const exists = names.some((name) => name.toLowerCase() === address.database.toLowerCase());
  const findings = [...(await checkSettings(server)), ...(await checkPrivileges(server, address, exists))];
  if (!exists || findings.some((finding) => finding.code === 'E_TARGET_PRIVILEGE')) return reportOf(findings);

  await using database = await TargetConnection.open(address);
  const existing = (await database.rows('SELECT name FROM dolt_branches')).map(([name]) => name ?? '');
  const inspection = { address, branches, database, existing };
  const report = await readStaging(inspection);
  const { target, staging } = branches;
  const written = [target, staging, squashBranch(staging), sideBranch(staging)];
  findings.push(...(await checkBranchPermissions(database, address.database, written, existing)));
  const foreign = await checkForeign(inspection);
  if (foreign.length > 0) return reportOf([...findings, ...foreign]);
  return {
    ...report,
    findings: [
      ...findings,
      ...(await checkDiverged(inspection)),
      ...(await checkDirty(inspection, report.tables)),
      ...report.findings,
    ],
  };
}

const reportOf = (findings: readonly Finding[]): TargetReport => ({
  findings,
  position: null,
  acknowledged: null,
  tables: [],
  isWritten: false,
});

const OLDEST_VERSION = 2;

async function checkServer(server: TargetConnection): Promise<Finding[]> {
  const [comment, version] = (await server.rows('SELECT @@version_comment, version()'))[0] ?? [];
  if (comment !== 'Dolt') {
    const name = `${comment ?? ''} ${version ?? ''}`.trim();
    return [error('E_TARGET_VERSION', `The target is no Dolt but ${name}. It takes a dolt sql-server, 2.0 or newer.`)];
  }
  const dolt = (await server.value('SELECT dolt_version()')) ?? '';
  if (Number.parseInt(dolt, 10) >= OLDEST_VERSION) return [];
  return [error('E_TARGET_VERSION', `Dolt 2.0 or newer is needed; the target is Dolt ${dolt}.`)];
}

async function checkSettings(server: TargetConnection): Promise<Finding[]> {
  const [commits, replica] =
    (await server.rows('SELECT @@dolt_transaction_commit, @@dolt_read_replica_remote'))[0] ?? [];
  const findings: Finding[] = [];
  if (commits === '1') {
    findings.push(
      error(
        'dolt_transaction_commit',
        'dolt_transaction_commit is on: Dolt would make a commit of every SQL transaction, so that half of a batch became history.',
        'SET GLOBAL dolt_transaction_commit = 0;',
      ),
    );
  }
  if (replica)
    findings.push(
      error(
        'target_replica',
        `The target is a read replica of the Dolt remote ${replica}, which would overwrite what is written here.`,
      ),
    );
  return findings;
}

interface Inspection {
  readonly address: TargetAddress;
  readonly branches: Branches;
  /** Connected to the database. */
  readonly database: TargetConnection;
  /** Names of its branches. */
  readonly existing: readonly string[];
}

const on = ({ address }: Inspection, branch: string): string => quoteName(`${address.database}/${branch}`);

/** Tables on a branch that has no position are someone else's. A branch that is missing is made from the default one. */
async function checkForeign(inspection: Inspection): Promise<Finding[]> {
  const { address, branches, database, existing } = inspection;
  const target = existing.includes(branches.target) ? on(inspection, branches.target) : quoteName(address.database);
  const staging = existing.includes(branches.staging) ? [on(inspection, branches.staging)] : [];
  for (const from of [target, ...staging]) {
    const tables = (await database.rows(`SHOW TABLES FROM ${from}`)).map(([name]) => name ?? '');
    if (tables.length === 0 || tables.includes('wal2dolt_position')) continue;
    return [
      error(
        'E_TARGET_FOREIGN',
        `The target database ${address.database} has tables that wal2dolt did not make, on the branch ${from}: ${listed(tables)}. Give an empty or a new database; wal2dolt creates it.`,
        `target: mysql://${encodeURIComponent(address.user)}@${address.host}:${address.port}/${encodeURIComponent(address.database)}_replica`,
      ),
    ];
  }
  return [];
}

/** The target branch is only ever moved forward to the staging branch, so it must be one of its ancestors. */
async function checkDiverged(inspection: Inspection): Promise<Finding[]> {
  const { branches, database, existing } = inspection;
  if (!existing.includes(branches.target) || !existing.includes(branches.staging)) return [];
  const [target, staging] = [quoteText(branches.target), quoteText(branches.staging)];
  const [base, head] =
    (await database.rows(`SELECT dolt_merge_base(${target}, ${staging}), dolt_hashof(${target})`))[0] ?? [];
  if (base === head) return [];
  return [
    error(
      'E_TARGET_DIVERGED',
      `The branch ${branches.target} has commits that wal2dolt did not make, since ${base}. They can be kept on a branch of their own.`,
      takeBack(inspection, branches.target, head ?? '', base ?? ''),
    ),
  ];
}

/** Keeps what a branch stands at under another name, and takes it back to a commit. */
function takeBack(inspection: Inspection, branch: string, head: string, commit: string): string {
  const kept = quoteText(`before_wal2dolt_${head.slice(0, 8)}`);
  return `USE ${on(inspection, branch)};\nCALL DOLT_BRANCH(${kept}, ${quoteText(branch)});\nCALL DOLT_RESET('--hard', ${quoteText(commit)});`;
}

/** Dolt refuses to move a branch over uncommitted changes of the same tables, and keeps those of others. */
async function checkDirty(inspection: Inspection, tables: readonly StoredTable[]): Promise<Finding[]> {
  const { address, branches, database, existing } = inspection;
  if (!existing.includes(branches.target)) return [];
  const dirty = (await database.rows(`SELECT table_name FROM ${on(inspection, branches.target)}.dolt_status`)).map(
    ([name]) => name ?? '',
  );
  if (dirty.length === 0) return [];
  const ours = new Set(tables.map((table) => table.targetName));
  const inTheWay = dirty.some((name) => ours.has(name) || name.startsWith('wal2dolt_'));
  if (inTheWay) {
    await using target = await TargetConnection.open(address, branches.target);
    if (await isHalfForwarded(target)) return []; // the run does the other half
  }
  return [
    (inTheWay ? error : warning)(
      'E_TARGET_DIRTY',
      `The branch ${branches.target} has uncommitted changes, of ${listed(dirty)}. They can be put aside (CALL DOLT_STASH('pop', 'before_wal2dolt') brings them back).`,
      `USE ${on(inspection, branches.target)};\nCALL DOLT_STASH('push', 'before_wal2dolt', '--include-untracked');`,
    ),
  ];
}

/** Where the staging branch stands: what a run would go on from. */
async function readStaging(inspection: Inspection): Promise<TargetReport> {
  const { address, branches, existing } = inspection;
  if (!existing.includes(branches.staging)) return reportOf([]);
  await using staging = await TargetConnection.open(address, branches.staging);
  // What a crash left uncommitted is thrown away by the next run.
  const committed = await staging.rows(`SHOW TABLES AS OF 'HEAD'`);
  if (!committed.some(([name]) => name === 'wal2dolt_position')) return reportOf([]);
  const position = await readPosition(staging, ` AS OF 'HEAD'`);
  if (!position) return reportOf([]);
  const findings = await checkStaging(inspection, staging, position);
  return {
    findings,
    position,
    acknowledged: await readAcknowledged(staging, position.source.slot),
    tables: await readTables(staging, ` AS OF 'HEAD'`),
    isWritten: await isWriterActive(staging, `${address.database}/${branches.staging}`),
  };
}

/** The last commit of the staging branch must be ours. What is published of it is where a run can begin again. */
async function checkStaging(
  inspection: Inspection,
  staging: TargetConnection,
  position: StoredPosition,
): Promise<Finding[]> {
  const { branches } = inspection;
  const [head, message] = (await staging.rows('SELECT commit_hash, message FROM dolt_log LIMIT 1'))[0] ?? [];
  if (trailer(message ?? '', 'Lsn') === formatLsn(position.endLsn)) return [];
  const said = `The last commit of the branch ${branches.staging} was not made by wal2dolt: ${message?.split('\n')[0]}`;
  const published =
    inspection.existing.includes(branches.target) &&
    (await staging.rows(`SHOW TABLES AS OF ${quoteText(branches.target)}`)).some(
      ([name]) => name === 'wal2dolt_position',
    );
  return [
    published
      ? error('E_TARGET_DIVERGED', said, takeBack(inspection, branches.staging, head ?? '', branches.target))
      : error('E_TARGET_DIVERGED', said),
  ];
}
