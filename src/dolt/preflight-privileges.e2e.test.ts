import { createConnection } from 'mysql2/promise';
import { expect, inject, test } from 'vitest';
import { createDoltDatabase, createDoltDatabaseName, startDolt } from '../../test/support/dolt.js';
import { codes, the } from '../../test/support/preflight.js';
import { BRANCHES, check, createUser, fix, ours, POSITION, state } from '../../test/support/preflight-target.js';
import { parseTarget } from './address.js';
import { StagingBranch } from './staging.js';

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
