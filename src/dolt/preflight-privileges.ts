import { error, type Finding } from '../core/finding.js';
import { Wal2DoltError } from '../errors.js';
import type { TargetAddress } from './address.js';
import { quoteName, type TargetConnection } from './client.js';
import { quoteText } from './sql-text.js';

/**
 * What the user may do in Dolt. It shows nobody but administrators their grants, so they are found by trying statements
 * that can never succeed: privileges are judged first.
 * Source: https://docs.dolthub.com/sql-reference/server/access-management and …/server/branch-permissions
 */

/**
 * The privileges that a run takes, each with what is refused only for want of it: nothing of these names can exist, since
 * Dolt reserves them. ALTER and DROP are for schema changes (DROP for a table's name), REFERENCES for foreign keys.
 */
const PROBES: Readonly<Record<string, (database: string) => string>> = {
  SELECT: (database) => `SELECT 1 FROM ${database}.dolt_wal2dolt_check`,
  INSERT: (database) => `INSERT INTO ${database}.dolt_wal2dolt_check VALUES (1)`,
  UPDATE: (database) => `UPDATE ${database}.dolt_wal2dolt_check SET a = 1`,
  DELETE: (database) => `DELETE FROM ${database}.dolt_wal2dolt_check`,
  CREATE: (database) => `CREATE TABLE ${database}.dolt_wal2dolt_check (a INT)`,
  ALTER: (database) => `ALTER TABLE ${database}.dolt_wal2dolt_check ADD COLUMN a INT`,
  DROP: (database) => `DROP TABLE ${database}.dolt_wal2dolt_check`,
  INDEX: (database) => `CREATE INDEX a ON ${database}.dolt_wal2dolt_check (a)`,
  REFERENCES: (database) =>
    `ALTER TABLE ${database}.dolt_wal2dolt_check ADD FOREIGN KEY (a) REFERENCES ${database}.dolt_wal2dolt_check (a)`,
  EXECUTE: (database) => `CALL ${database}.dolt_wal2dolt_check()`,
};

const GRANTED = Object.keys(PROBES).join(', ');

/** All privileges in the database, which may not exist yet, and the one to create it. */
export async function checkPrivileges(
  server: TargetConnection,
  address: TargetAddress,
  exists: boolean,
): Promise<Finding[]> {
  const name = quoteName(address.database);
  // A database that always exists: this is either refused or fails.
  const creating = await refusal(server, 'CREATE DATABASE information_schema');
  if (/read.?only/i.test(creating)) {
    return [
      error(
        'target_read_only',
        'The Dolt server is read-only. Start it without --readonly, and without behavior.read_only in its configuration.',
      ),
    ];
  }
  const missing: string[] = [];
  for (const [privilege, probe] of Object.entries(PROBES)) {
    if (/denied/i.test(await refusal(server, probe(name)))) missing.push(privilege);
  }
  const mayCreate = exists || !/denied/i.test(creating);
  if (missing.length === 0 && mayCreate) return [];
  const { user, host } = await currentUser(server);
  const cannot = [...(mayCreate ? [] : ['create it']), ...(missing.length > 0 ? [`${missing.join(', ')} in it`] : [])];
  // Nobody sees a database without a privilege in it.
  const what = exists
    ? `In the target database ${address.database}`
    : `The target database ${address.database} does not exist or is hidden, and`;
  return [
    error(
      'E_TARGET_PRIVILEGE',
      `${what} the user ${user} may not ${cannot.join(', nor ')}.`,
      [
        ...(mayCreate ? [] : [`CREATE DATABASE IF NOT EXISTS ${name};`]),
        `GRANT ${GRANTED} ON ${name}.* TO ${quoteText(user)}@${quoteText(host)};`,
      ].join('\n'),
    ),
  ];
}

/** How Dolt refuses a statement that cannot succeed. */
async function refusal(connection: TargetConnection, statement: string): Promise<string> {
  try {
    await connection.rows(statement);
    return '';
  } catch (thrown) {
    if (thrown instanceof Wal2DoltError && thrown.policy.action !== 'retry') return thrown.message;
    throw thrown;
  }
}

/** The account, which is not always the name that was given: `%` stands for any host. */
async function currentUser(connection: TargetConnection): Promise<{ user: string; host: string }> {
  const account = (await connection.value('SELECT current_user()')) ?? '';
  const at = account.lastIndexOf('@');
  return { user: account.slice(0, at), host: account.slice(at + 1) };
}

/** A start that is none: a branch's name has no space. */
const NOWHERE = 'no such commit';

/** Branches of a database that is there: those of them that exist must be writable, and the others may be created. */
export async function checkBranchPermissions(
  connection: TargetConnection,
  name: string,
  branches: readonly string[],
  existing: readonly string[],
): Promise<Finding[]> {
  const closed: string[] = [];
  const reserved: string[] = [];
  for (const branch of branches) {
    if (existing.includes(branch)) {
      const table = `${quoteName(`${name}/${branch}`)}.dolt_wal2dolt_check`;
      if (/permissions on branch/i.test(await refusal(connection, `CREATE TABLE ${table} (a INT)`)))
        closed.push(branch);
    } else {
      const create = `CALL DOLT_BRANCH(${quoteText(branch)}, ${quoteText(NOWHERE)})`;
      if (/cannot create a branch/i.test(await refusal(connection, create))) reserved.push(branch);
    }
  }
  if (closed.length + reserved.length === 0) return [];
  const { user, host } = await currentUser(connection);
  const row = async (table: string, branch: string, ...permission: string[]): Promise<string> => {
    const patterns = await longestPatterns(connection, table, [name, branch]);
    // A row for the user may be there, with less in it.
    return `REPLACE INTO ${table} VALUES (${[...patterns, user, host, ...permission].map(quoteText).join(', ')});`;
  };
  const cannot = [
    ...(closed.length > 0 ? [`write the branch ${closed.join(' and ')} (dolt_branch_control)`] : []),
    ...(reserved.length > 0 ? [`create the branch ${reserved.join(' and ')} (dolt_branch_namespace_control)`] : []),
  ];
  return [
    error(
      'branch_permission',
      `In the target database ${name} the user ${user} may not ${cannot.join(', nor ')}.`,
      [
        // A session without a database has none of these tables, by no name.
        `USE ${quoteName(name)};`,
        ...(await Promise.all(closed.map((branch) => row('dolt_branch_control', branch, 'write')))),
        ...(await Promise.all(reserved.map((branch) => row('dolt_branch_namespace_control', branch)))),
      ].join('\n'),
    ),
  ];
}

/** Of the rows that match, those with the longest patterns decide: a row of ours must have none that is shorter. */
async function longestPatterns(
  connection: TargetConnection,
  table: string,
  names: readonly [database: string, branch: string],
): Promise<readonly string[]> {
  const [database, branch] = names.map(quoteText);
  const rows = await connection.rows(
    `SELECT \`database\`, branch FROM ${table} WHERE ${database} LIKE \`database\` AND ${branch} LIKE branch`,
  );
  return names.map((name, column) =>
    rows.reduce((longest, row) => ((row[column] ?? '').length > longest.length ? (row[column] ?? '') : longest), name),
  );
}
