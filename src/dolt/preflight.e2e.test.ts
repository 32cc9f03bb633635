import { expect, test } from 'vitest';
import { createDoltDatabase, createDoltDatabaseName, startDolt } from '../../test/support/dolt.js';
import { startMysql, startReadOnlyDolt } from '../../test/support/odd-targets.js';
import { applyFix, codes, the } from '../../test/support/preflight.js';
import {
  BRANCHES,
  check,
  createUser,
  fix,
  IDENTITY,
  ours,
  POSITION,
  state,
} from '../../test/support/preflight-target.js';
import { lsn } from '../core/position.js';
import { recordAcknowledged } from './acknowledged.js';
import { parseTarget } from './address.js';
import { StagingBranch } from './staging.js';

test('a database that does not exist, an empty one, and one of ours are fine, and nothing is changed', async () => {
  await using missing = createDoltDatabaseName();
  expect(await check(missing.url)).toEqual({
    findings: [],
    position: null,
    acknowledged: null,
    tables: [],
    isWritten: false,
  });
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
