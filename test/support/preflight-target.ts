import { createConnection } from 'mysql2/promise';
import { inject } from 'vitest';
import type { Finding } from '../../src/core/finding.js';
import { stepMessage } from '../../src/core/message.js';
import { lsn } from '../../src/core/position.js';
import { parseTarget } from '../../src/dolt/address.js';
import { insertPosition, type SourceIdentity } from '../../src/dolt/bookkeeping.js';
import { checkTarget } from '../../src/dolt/preflight.js';
import { StagingBranch } from '../../src/dolt/staging.js';
import type { DoltDatabase } from './dolt.js';
import { applyFix } from './preflight.js';

/*
 * Targets for the start-up check, as somebody finds them.
 */

export const BRANCHES = { target: 'main', staging: 'wal2dolt' };
export const IDENTITY: SourceIdentity = {
  systemId: '7',
  timeline: { id: 1, start: lsn(0n) },
  database: 'shop',
  slot: 'wal2dolt',
  publication: 'wal2dolt',
};
export const POSITION = { endLsn: lsn(0x16b3748n), commitTime: 1_000_000n, xid: 7 };

export const check = (url: string, branches = BRANCHES) => checkTarget(parseTarget(url), branches);

/** On one session, as somebody would paste it; without a database of its own, as USE is part of the fix where needed. */
export async function fix(finding: Finding, url = inject('doltUrl')): Promise<void> {
  const connection = await createConnection(url);
  await applyFix(finding, (text) => connection.query(text));
  await connection.end();
}

/** A database in which wal2dolt stands at POSITION, published. */
export async function ours(database: DoltDatabase): Promise<void> {
  await using staging = await StagingBranch.open(parseTarget(database.url), BRANCHES);
  await staging.writer.run(insertPosition(POSITION, IDENTITY, 'streaming'));
  await staging.commit(stepMessage('a test', POSITION), POSITION.commitTime, 'a <a@b>');
  await staging.publish();
}

export async function state(database: DoltDatabase): Promise<unknown> {
  return {
    branches: await database.sql('select name, hash, dirty from dolt_branches order by name'),
    status: await database.sql('select * from dolt_status'),
    tables: await database.sql('show full tables'),
    control: await database.sql(`select * from dolt_branch_control where \`database\` in ('%', '${database.name}')`),
  };
}

export interface User extends AsyncDisposable {
  readonly name: string;
  readonly url: (database: DoltDatabase) => string;
}

export async function createUser(): Promise<User> {
  const admin = await createConnection(inject('doltUrl'));
  const name = `user_${Math.random().toString(36).slice(2)}`;
  await admin.query(`create user '${name}'@'%' identified by 'p-secret'`);
  return {
    name,
    url: (database) => database.url.replace('//root@', `//${name}:p-secret@`),
    async [Symbol.asyncDispose]() {
      await admin.query(`drop user '${name}'@'%'`);
      await admin.end();
    },
  };
}
