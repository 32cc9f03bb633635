import { Wal2DoltError } from '../errors.js';
import type { TargetAddress } from './address.js';
import { quoteName, TargetConnection } from './client.js';
import { quoteText } from './sql-text.js';

/** The branches of a target database that are ours. */
export interface Branches {
  /** Readers' branch, which is only ever fast-forwarded. */
  readonly target: string;
  /** Where everything is written first; nobody else writes it. */
  readonly staging: string;
}

/** A branch that is there while commits are made again: the first copy as one, parts of a transaction with another date. */
export const squashBranch = (staging: string): string => `${staging}_squash`;

/** A branch beside the staging branch, where large tables are copied while the stream goes on. */
export const sideBranch = (staging: string): string => `${staging}_side`;

/** Drops the branches that are there for a while only: a run that was killed may have left them. */
export async function dropPassing(connection: TargetConnection, { staging }: Branches): Promise<void> {
  const passing = [squashBranch(staging), sideBranch(staging)].map(quoteText).join(', ');
  for (const [name] of await connection.rows(`SELECT name FROM dolt_branches WHERE name IN (${passing})`)) {
    await connection.run(`CALL DOLT_BRANCH('-D', ${quoteText(name ?? '')})`);
  }
}

/** Creates the target database where the server has none of that name. */
export async function createDatabase(address: TargetAddress): Promise<void> {
  await using server = await TargetConnection.open(address, null);
  const names = await server.rows('SHOW DATABASES');
  if (!names.some(([name]) => name?.toLowerCase() === address.database.toLowerCase())) {
    await server.run(`CREATE DATABASE ${quoteName(address.database)}`);
  }
}

/** Creates those that are missing, the staging branch where the readers' branch is. */
export async function createBranches(connection: TargetConnection, branches: Branches): Promise<void> {
  const names = new Set((await connection.rows('SELECT name FROM dolt_branches')).map(([name]) => name));
  if (!names.has(branches.target)) await connection.rows(`CALL DOLT_BRANCH(${quoteText(branches.target)})`);
  if (!names.has(branches.staging)) {
    await connection.rows(`CALL DOLT_BRANCH(${quoteText(branches.staging)}, ${quoteText(branches.target)})`);
  }
}

/** Refuses a database with tables of someone else, and a readers' branch with commits of someone else. */
export async function refuseForeign(publisher: TargetConnection, branches: Branches): Promise<void> {
  const tables = (await publisher.rows('SHOW TABLES')).map(([name]) => name ?? '');
  if (tables.length > 0 && !tables.includes('wal2dolt_position')) {
    throw new Wal2DoltError(
      'E_TARGET_FOREIGN',
      `the target database holds ${tables.length} tables of someone else, e.g. ${tables[0]}`,
    );
  }
  const base = await publisher.value(
    `SELECT DOLT_MERGE_BASE(${quoteText(branches.target)}, ${quoteText(branches.staging)})`,
  );
  const head = await publisher.value(`SELECT HASHOF(${quoteText(branches.target)})`);
  if (base !== head) {
    throw new Wal2DoltError(
      'E_TARGET_DIVERGED',
      `branch ${branches.target} has commits that wal2dolt did not make (since ${base})`,
    );
  }
}
