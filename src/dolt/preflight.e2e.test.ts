import { createConnection } from 'mysql2/promise';
import { expect, inject, test } from 'vitest';
import { createDoltDatabase, createDoltDatabaseName, type DoltDatabase, startDolt } from '../../test/support/dolt.js';
import { startMysql, startReadOnlyDolt } from '../../test/support/odd-targets.js';
import { applyFix, codes, the } from '../../test/support/preflight.js';
import type { Finding } from '../core/finding.js';
import { stepMessage } from '../core/message.js';
import { lsn } from '../core/position.js';
import { recordAcknowledged } from './acknowledged.js';
import { insertPosition, type SourceIdentity } from './bookkeeping.js';
import { parseTarget } from './client.js';
import { checkTarget } from './preflight.js';
import { StagingBranch } from './staging.js';

const BRANCHES = { target: 'main', staging: 'wal2dolt' };
const IDENTITY: SourceIdentity = {
  systemId: '7',
  timeline: { id: 1, start: lsn(0n) },
  database: 'shop',
  slot: 'wal2dolt',
  publication: 'wal2dolt',
};
const POSITION = { endLsn: lsn(0x16b3748n), commitTime: 1_000_000n, xid: 7 };

const check = (url: string, branches = BRANCHES) => checkTarget(parseTarget(url), branches);

/** On one session, as somebody would paste it; without a database of its own, as USE is part of the fix where needed. */
async function fix(finding: Finding, url = inject('doltUrl')): Promise<void> {
  const connection = await createConnection(url);
  await applyFix(finding, (text) => connection.query(text));
  await connection.end();
}

/** A database in which wal2dolt stands at POSITION, published. */
async function ours(database: DoltDatabase): Promise<void> {
  await using staging = await StagingBranch.open(parseTarget(database.url), BRANCHES);
  await staging.writer.run(insertPosition(POSITION, IDENTITY, 'streaming'));
  await staging.commit(stepMessage('a test', POSITION), POSITION.commitTime, 'a <a@b>');
  await staging.publish();
}

async function state(database: DoltDatabase): Promise<unknown> {
  return {
    branches: await database.sql('select name, hash, dirty from dolt_branches order by name'),
    status: await database.sql('select * from dolt_status'),
    tables: await database.sql('show full tables'),
    control: await database.sql('select * from dolt_branch_control'),
  };
}

interface User extends AsyncDisposable {
  readonly name: string;
  readonly url: (database: DoltDatabase) => string;
}

async function createUser(): Promise<User> {
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

test('a database that does not exist, an empty one, and one of ours are fine, and nothing is changed', async () => {
  await using missing = createDoltDatabaseName();
  expect(await check(missing.url)).toEqual({ findings: [], position: null, acknowledged: null, tables: [] });
  await expect(missing.sql('select 1')).rejects.toThrow('database not found');

  await using database = await createDoltDatabase();
  const empty = await state(database);
  expect((await check(database.url)).findings).toEqual([]);
  expect(await state(database)).toEqual(empty);

  await ours(database);
  const full = await state(database);
  const report = await check(database.url);
  expect(report.findings).toEqual([]);
  expect(report.position).toEqual({ ...POSITION, source: IDENTITY, phase: 'streaming' });
  expect(await state(database)).toEqual(full);
});

test('up to where we acknowledged is read', async () => {
  await using database = await createDoltDatabase();
  await ours(database);
  await using staging = await StagingBranch.open(parseTarget(database.url), BRANCHES);
  await recordAcknowledged(staging.writer, 'wal2dolt', lsn(0x16b4000n));
  expect((await check(database.url)).acknowledged).toBe(0x16b4000n);
});

test('a user without privileges is told all that are missing, and the fix is enough', async () => {
  await using user = await createUser();
  await using missing = createDoltDatabaseName();
  const absent = (await check(user.url(missing))).findings;
  expect(codes(absent)).toEqual(['E_TARGET_PRIVILEGE']);
  expect(absent[0]?.message).toContain('create it');
  expect(JSON.stringify(absent)).not.toContain('p-secret');
  await fix(the('E_TARGET_PRIVILEGE', absent));
  expect((await check(user.url(missing))).findings).toEqual([]);

  await using database = await createDoltDatabase();
  const { findings } = await check(user.url(database));
  const [finding] = findings;
  expect(codes(findings)).toEqual(['E_TARGET_PRIVILEGE']);
  expect(finding?.message).toContain(
    'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, EXECUTE in it',
  );
  await database.sql(
    `grant select, insert, update, delete, create, alter, drop, index, references on \`${database.name}\`.* to '${user.name}'@'%'`,
  );
  expect((await check(user.url(database))).findings[0]?.message).toContain('may not EXECUTE in it');
  await fix(the('E_TARGET_PRIVILEGE', findings));
  expect((await check(user.url(database))).findings).toEqual([]);
});

test('privileges by a role count', async () => {
  await using user = await createUser();
  await using database = await createDoltDatabase();
  const role = `${user.name}_role`;
  await database.sql(`create role ${role}`);
  await database.sql(`grant all on \`${database.name}\`.* to ${role}`);
  await database.sql(`grant ${role} to '${user.name}'@'%'`);
  expect((await check(user.url(database))).findings).toEqual([]);
  await database.sql(`drop role ${role}`);
});

test('who may create databases and nothing else', async () => {
  await using user = await createUser();
  await using missing = createDoltDatabaseName();
  const admin = await createConnection(inject('doltUrl'));
  await admin.query(`grant create on *.* to '${user.name}'@'%'`);
  const { findings } = await check(user.url(missing));
  expect(findings[0]?.message).toContain('may not SELECT, INSERT');
  await fix(the('E_TARGET_PRIVILEGE', findings));
  expect((await check(user.url(missing))).findings).toEqual([]);
  await admin.end();
});

test('a wrong password and a server that is not there', async () => {
  await using user = await createUser();
  await using database = await createDoltDatabase();
  await expect(check(user.url(database).replace('p-secret', 'wrong'))).rejects.toMatchObject({ code: 'E_TARGET_AUTH' });
  await expect(check('mysql://root@127.0.0.1:1/x')).rejects.toMatchObject({ code: 'E_TARGET_UNREACHABLE' });
});

test('tables that are not ours, committed or not, on either branch, or on the one that a new target branch begins from', async () => {
  await using database = await createDoltDatabase();
  await database.sql('create table theirs (id int primary key)');
  const foreign = { code: 'E_TARGET_FOREIGN', severity: 'error', message: expect.stringContaining('theirs') };
  expect((await check(database.url)).findings).toMatchObject([foreign]);
  await database.sql(`call dolt_commit('-Am', 'theirs')`);
  expect((await check(database.url)).findings).toMatchObject([foreign]);
  expect((await check(database.url, { target: 'replica', staging: 'wal2dolt' })).findings).toMatchObject([foreign]);
  await database.sql(`call dolt_branch('wal2dolt')`);
  await database.sql('drop table theirs');
  expect((await check(database.url)).findings).toMatchObject([foreign]);

  const suggested = /mysql:.*/.exec((await check(database.url)).findings[0]?.fix ?? '')?.[0] ?? '';
  expect((await check(suggested)).findings).toEqual([]);
});

test('commits of others on the target branch', async () => {
  await using database = await createDoltDatabase();
  await ours(database);
  await database.sql('create table theirs (id int primary key)');
  await database.sql(`call dolt_commit('-Am', 'theirs')`);
  const { findings, position } = await check(database.url);
  expect(codes(findings)).toEqual(['E_TARGET_DIVERGED']);
  expect(position?.endLsn).toBe(POSITION.endLsn);

  await fix(the('E_TARGET_DIVERGED', findings));
  expect((await check(database.url)).findings).toEqual([]);
  const [kept] = await database.sql(`select name from dolt_branches where name like 'before%'`);
  expect(await database.sql(`show tables as of '${kept?.name}'`)).toContainEqual(expect.objectContaining({}));
  const names = await database.sql(`select message from dolt_log('${kept?.name}') limit 1`);
  expect(names).toEqual([{ message: 'theirs' }]);
});

test('a commit of others on the staging branch', async () => {
  await using database = await createDoltDatabase();
  await ours(database);
  const branch = await database.connect('wal2dolt');
  await branch.query(`call dolt_commit('--allow-empty', '-m', 'a stranger')`);
  const { findings } = await check(database.url);
  expect(findings).toMatchObject([{ code: 'E_TARGET_DIVERGED', message: expect.stringContaining('a stranger') }]);

  await fix(the('E_TARGET_DIVERGED', findings));
  const { findings: left, position } = await check(database.url);
  expect(left).toEqual([]);
  expect(position?.endLsn).toBe(POSITION.endLsn);
  const [kept] = await database.sql(`select name from dolt_branches where name like 'before%'`);
  expect(await database.sql(`select message from dolt_log('${kept?.name}') limit 1`)).toEqual([
    { message: 'a stranger' },
  ]);
});

test('uncommitted changes on the target branch', async () => {
  await using database = await createDoltDatabase();
  await ours(database);
  await database.sql('create table scratch (id int primary key)');
  const other = (await check(database.url)).findings;
  expect(other).toMatchObject([{ code: 'E_TARGET_DIRTY', severity: 'warning' }]);
  await database.sql('update wal2dolt_position set xid = 8');
  const { findings } = await check(database.url);
  expect(findings).toMatchObject([
    { code: 'E_TARGET_DIRTY', severity: 'error', message: expect.stringContaining('wal2dolt_position') },
  ]);
  await (await StagingBranch.open(parseTarget(database.url), BRANCHES))[Symbol.asyncDispose](); // while nothing is to move
  await fix(the('E_TARGET_DIRTY', findings));
  expect((await check(database.url)).findings).toEqual([]);
  await database.sql(`call dolt_stash('pop', 'before_wal2dolt')`);
  expect(await database.sql('select table_name from dolt_status order by 1')).toEqual([
    { table_name: 'scratch' },
    { table_name: 'wal2dolt_position' },
  ]);
});

test('what a crash left uncommitted on the staging branch is nothing to mention', async () => {
  await using database = await createDoltDatabase();
  await database.sql(`call dolt_branch('wal2dolt')`);
  const branch = await database.connect('wal2dolt');
  await branch.query('create table wal2dolt_position (slot varchar(64) primary key)');
  await branch.query('create table orders (id int primary key)');
  expect(await check(database.url)).toMatchObject({ findings: [], position: null });
});

test('branches that the user may not write', async () => {
  await using server = await startDolt();
  await using database = await createDoltDatabase(server);
  await ours(database);
  await database.sql(`create user 'w'@'%' identified by 'p'`);
  await database.sql(`grant all on \`${database.name}\`.* to 'w'@'%'`);
  await database.sql(`delete from dolt_branch_control where user = '%'`);
  // The longest pattern decides.
  await database.sql(`insert into dolt_branch_control values ('%', 'wal2dolt%', '%', '%', 'read')`);
  await database.sql(`insert into dolt_branch_control values ('${database.name}', 'main', 'w', '%', 'read')`);
  const url = database.url.replace('//root@', '//w:p@');
  const { findings } = await check(url);
  expect(codes(findings)).toEqual(['branch_permission']);
  expect(findings[0]?.message).toContain('main and wal2dolt');
  await fix(the('branch_permission', findings), server.url);
  expect((await check(url)).findings).toEqual([]);
  await using staging = await StagingBranch.open(parseTarget(url), BRANCHES);
  expect(await staging.position()).toMatchObject(POSITION);
});

test('branches that the user may not create', async () => {
  await using server = await startDolt();
  await using database = await createDoltDatabase(server);
  await database.sql(`create user 'w'@'%' identified by 'p'`);
  await database.sql(`grant all on \`${database.name}\`.* to 'w'@'%'`);
  await database.sql(`insert into dolt_branch_namespace_control values ('%', 'wal2dolt%', 'root', '%')`);
  const url = database.url.replace('//root@', '//w:p@');
  const before = await state(database);
  const { findings } = await check(url);
  expect(await state(database)).toEqual(before);
  expect(codes(findings)).toEqual(['branch_permission']);
  expect(findings[0]?.message).toContain('may not create the branch wal2dolt and wal2dolt_squash');
  await expect(StagingBranch.open(parseTarget(url), BRANCHES)).rejects.toMatchObject({ code: 'E_TARGET_PRIVILEGE' });
  await fix(the('branch_permission', findings), server.url);
  expect((await check(url)).findings).toEqual([]);
  await using staging = await StagingBranch.open(parseTarget(url), BRANCHES);
  const date = POSITION.commitTime;
  await staging.squash((connection) => connection.run('CREATE TABLE t (a INT)').then(() => {}), 'x', date, 'a <a@b>');
  await staging.publish();
  expect(await database.sql(`show tables like 't'`)).toHaveLength(1);
});

test('a target branch that turns out not to be writable, in a database that had to be created, is told before a copy', async () => {
  await using server = await startDolt();
  await using missing = createDoltDatabaseName(server);
  const admin = await createConnection(server.url);
  await admin.query(`create user 'w'@'%' identified by 'p'`);
  await admin.query(`grant create on *.* to 'w'@'%'`);
  await admin.query(`grant all on \`${missing.name}\`.* to 'w'@'%'`);
  await admin.query('create database other');
  await admin.query('use other');
  await admin.query('delete from dolt_branch_control');
  await admin.end();
  const url = missing.url.replace('//root@', '//w:p@');
  expect((await check(url)).findings).toEqual([]); // nobody can know
  const opening = StagingBranch.open(parseTarget(url), BRANCHES);
  await expect(opening).rejects.toMatchObject({
    code: 'E_TARGET_PRIVILEGE',
    message: expect.stringContaining('does not have the correct permissions on branch `main`'),
  });
  const { findings } = await check(url);
  await fix(the('branch_permission', findings), server.url);
  await using staging = await StagingBranch.open(parseTarget(url), BRANCHES);
  expect(staging.head.message).toBe('bookkeeping of wal2dolt');
});

test('a read-only server', async () => {
  await using server = await startReadOnlyDolt();
  expect((await check(`${server.url}/shop`)).findings).toMatchObject([{ code: 'target_read_only', severity: 'error' }]);
});

test('settings of the server that change what a commit is', async () => {
  await using server = await startDolt();
  await using database = await createDoltDatabase(server);
  await database.sql('set global dolt_transaction_commit = 1');
  const { findings } = await check(database.url);
  expect(codes(findings)).toEqual(['dolt_transaction_commit']);
  await applyFix(the('dolt_transaction_commit', findings), database.sql);
  expect((await check(database.url)).findings).toEqual([]);

  await database.sql(`set global dolt_read_replica_remote = 'origin'`);
  expect(codes((await check(database.url)).findings)).toEqual(['target_replica']);
});

test('a MySQL server', async () => {
  await using server = await startMysql('MySQL Community Server - GPL', '8.4.3');
  const { findings } = await check(`${server.url}/shop`);
  expect(findings).toMatchObject([
    { code: 'E_TARGET_VERSION', message: expect.stringContaining('MySQL Community Server - GPL 8.4.3') },
  ]);
});
