import pg from 'pg';
import { expect, test } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { applyFix, checkSourceAt, codes, the } from '../../test/support/preflight.js';
import { formatLsn, lsn, parseLsn } from '../core/position.js';

const withTable = async () => {
  const source = await createPostgresDatabase();
  await source.sql('create table a (id int primary key); create publication wal2dolt for table a');
  return source;
};

test.each([
  ['although the target holds a position', lsn(1n), /changes since the target's position/],
  ['for a target without a position', null, /nothing that could be replayed/],
])('missing %s', async (_what, acknowledged, message) => {
  await using source = await withTable();
  expect(await checkSourceAt(source, { slotState: 'kept', acknowledged })).toMatchObject([
    { code: 'E_SLOT_MISSING', severity: 'error', message: expect.stringMatching(message) },
  ]);
});

test('made for two-phase commit', async () => {
  await using source = await withTable();
  await source.sql(`select pg_create_logical_replication_slot('${source.name}', 'pgoutput', false, true)`);
  const findings = await checkSourceAt(source, { slotState: 'kept' });
  expect(findings).toMatchObject([{ code: 'E_SLOT_INVALID', message: expect.stringContaining('two_phase') }]);
  await applyFix(the('E_SLOT_INVALID', findings), source.sql);
  expect(await checkSourceAt(source)).toEqual([]);
});

test('physical, temporary, or of another plugin', async () => {
  await using source = await withTable();
  const client = await source.client();
  const name = source.name;
  const expectInvalid = async (word: string) => {
    const findings = await checkSourceAt(source, { slotState: 'kept' });
    expect(findings).toMatchObject([
      { code: 'E_SLOT_INVALID', message: expect.stringContaining(word), fix: `slot: wal2dolt_${name}` },
    ]);
    await client.query(`select pg_drop_replication_slot('${name}')`);
  };
  await client.query(`select pg_create_physical_replication_slot('${name}')`);
  await expectInvalid('physical');
  await client.query(`select pg_create_logical_replication_slot('${name}', 'pgoutput', true)`);
  await expectInvalid('temporary');
  const hasPlugin = await client
    .query(`select pg_create_logical_replication_slot('${name}', 'test_decoding')`)
    .catch(() => null);
  if (hasPlugin) await expectInvalid('test_decoding'); // a contrib module, not everywhere
});

test('of another database', async () => {
  await using source = await withTable();
  await using other = await createPostgresDatabase();
  await other.sql(`select pg_create_logical_replication_slot('${other.name}', 'pgoutput')`);
  const findings = await checkSourceAt(source, { slot: other.name, slotState: 'kept' });
  expect(findings).toMatchObject([
    {
      code: 'E_SLOT_INVALID',
      message: expect.stringContaining(`of the database ${other.name}`),
      fix: `slot: wal2dolt_${source.name}`,
    },
  ]);
});

test('advanced by someone else', async () => {
  await using source = await withTable();
  const [created] = await source.sql(`select pg_create_logical_replication_slot('${source.name}', 'pgoutput')`);
  expect(created).toBeDefined();
  const [slot] = await source.sql('select confirmed_flush_lsn from pg_replication_slots where slot_name = $1', [
    source.name,
  ]);
  const acknowledged = parseLsn(slot?.confirmed_flush_lsn);
  expect(await checkSourceAt(source, { slotState: 'kept', acknowledged })).toEqual([]);
  await source.sql('insert into a values (1)');
  await source.sql(`select pg_replication_slot_advance('${source.name}', pg_current_wal_lsn())`);
  const findings = await checkSourceAt(source, { slotState: 'kept', acknowledged });
  expect(findings).toMatchObject([
    { code: 'E_SLOT_ADVANCED', severity: 'error', message: expect.stringContaining(formatLsn(acknowledged)) },
  ]);
});

test('there without a position, begun, then in use', async () => {
  await using source = await withTable();
  await source.sql(`select pg_create_logical_replication_slot('${source.name}', 'pgoutput')`);
  expect(await checkSourceAt(source, { slotState: 'kept' })).toEqual([]);
  expect(await checkSourceAt(source, { slotState: 'begun' })).toEqual([]);
  const leftOver = await checkSourceAt(source);
  expect(codes(leftOver)).toEqual(['E_SLOT_EXISTS']);

  const reader = new pg.Client({ connectionString: source.url, replication: 'database' } as pg.ClientConfig); // the driver passes it on
  reader.on('error', () => {});
  await reader.connect();
  const ended = reader
    .query(`START_REPLICATION SLOT "${source.name}" LOGICAL 0/0 (proto_version '1', publication_names 'wal2dolt')`)
    .catch((error: unknown) => error);
  await expect.poll(async () => codes(await checkSourceAt(source, { slotState: 'kept' }))).toEqual(['E_SLOT_IN_USE']);
  await applyFix(the('E_SLOT_IN_USE', await checkSourceAt(source, { slotState: 'kept' })), source.sql);
  await ended;
  await expect.poll(async () => codes(await checkSourceAt(source, { slotState: 'kept' }))).toEqual([]);

  await applyFix(the('E_SLOT_EXISTS', leftOver), source.sql);
  expect(await checkSourceAt(source)).toEqual([]);
  expect(await checkSourceAt(source, { slotState: 'begun' })).toEqual([]);
});
