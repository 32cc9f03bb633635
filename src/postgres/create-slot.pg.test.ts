import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createPostgresDatabase,
  type PostgresDatabase,
  postgresVersion,
  startPostgres,
} from '../../test/support/postgres.js';
import { parseLsn } from '../core/position.js';
import type { LocalServer } from '../servers/local-server.js';
import { connectSource, queryRows } from './client.js';
import { importSnapshot } from './copy.js';
import { createSlot } from './create-slot.js';
import { readSlot, slotHealth } from './slot.js';

const slotName = (): string => `s_${randomBytes(6).toString('hex')}`;
// Generous: on the shared server, the creation waits for the transactions of other tests too.
const OPTIONS = { temporary: false, failover: false, timeoutMs: 60_000 };

/** The slots of the database, and the walsenders that are connected to it. */
const leftovers = (database: PostgresDatabase): Promise<unknown[]> =>
  database.sql(`select slot_name as what from pg_replication_slots where database = current_database()
    union all select application_name from pg_stat_activity where backend_type = 'walsender' and datname = current_database()`);

/** What the walsenders that make a slot wait for. */
const creators = async (database: PostgresDatabase): Promise<unknown[]> =>
  (
    await database.sql(`select wait_event_type as what from pg_stat_activity
      where application_name = 'wal2dolt snapshot' and datname = current_database()`)
  ).map(({ what }) => what);

describe('createSlot', () => {
  it('draws one line: rows before it are in the snapshot, rows after it in the stream', async () => {
    await using database = await createPostgresDatabase();
    const name = slotName();
    await database.sql(
      `create table t (id int primary key); insert into t values (1); create publication p for table t`,
    );
    const before = BigInt(Date.now()) * 1000n;
    await using snapshot = await createSlot(database.url, { ...OPTIONS, name });
    await database.sql('insert into t values (2)');

    const client = await connectSource(database.url, 'test');
    const reader = await connectSource(database.url, 'test');
    await importSnapshot(reader, snapshot.snapshotName);
    expect(await queryRows(reader, 'select id from public.t')).toEqual([{ id: '1' }]);
    expect(await queryRows(client, 'select id from public.t order by id')).toEqual([{ id: '1' }, { id: '2' }]);
    await expect(queryRows(reader, 'insert into public.t values (3)')).rejects.toMatchObject({
      code: 'E_SOURCE_QUERY',
    });

    const changes = await queryRows<{ lsn: string; kind: string }>(
      client,
      `select lsn, chr(get_byte(data, 0)) as kind from
         pg_logical_slot_peek_binary_changes('${name}', null, null, 'proto_version', '1', 'publication_names', 'p')`,
    );
    expect(changes.filter(({ kind }) => kind === 'I')).toHaveLength(1);
    const commit = changes.find(({ kind }) => kind === 'C');
    expect(parseLsn(commit?.lsn ?? '0/0')).toBeGreaterThanOrEqual(snapshot.consistentPoint);
    expect(snapshot.time).toBeGreaterThanOrEqual(before - 1_000_000n);
    expect(snapshot.time).toBeLessThanOrEqual(BigInt(Date.now()) * 1000n + 1_000_000n);

    const slot = await readSlot(client, name);
    expect(slot).toMatchObject({
      name,
      plugin: 'pgoutput',
      slotType: 'logical',
      database: database.name,
      temporary: false,
      confirmedFlushLsn: snapshot.consistentPoint,
      walStatus: 'reserved',
      invalidationReason: null,
      failover: false,
    });
    expect(slotHealth(slot).state).toBe('ok');
    await client.end();
    await reader.end();
  });

  it('ends the snapshot, not the slot, when it is disposed; a temporary slot ends too', async () => {
    await using database = await createPostgresDatabase();
    const [lasting, temporary] = [slotName(), slotName()];
    const one = await createSlot(database.url, { ...OPTIONS, name: lasting });
    const two = await createSlot(database.url, { ...OPTIONS, name: temporary, temporary: true });
    const client = await connectSource(database.url, 'test');
    expect(await readSlot(client, temporary)).toMatchObject({
      temporary: true,
      active: true,
      activePid: expect.any(Number),
    });
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
    await expect.poll(() => leftovers(database)).toEqual([{ what: lasting }]);
    await expect(importSnapshot(client, one.snapshotName)).rejects.toMatchObject({ code: 'E_STREAM_ENDED' });
    await client.end();
  });

  it('stops waiting when its signal aborts', async () => {
    await using database = await createPostgresDatabase();
    const open = await database.client();
    await open.query('create table t (id int); begin; insert into t values (1)');
    const abort = new AbortController();
    const waiting = expect(
      createSlot(database.url, { ...OPTIONS, name: slotName(), signal: abort.signal }),
    ).rejects.toThrow('stopped');
    await expect.poll(() => creators(database)).toEqual(['Lock']);
    abort.abort(new Error('stopped'));
    await waiting;
    await expect.poll(() => leftovers(database)).toEqual([]);
    await expect(createSlot(database.url, { ...OPTIONS, name: slotName(), signal: abort.signal })).rejects.toThrow(
      'stopped',
    );
  });

  it('fails on a name that is taken or not allowed', async () => {
    await using database = await createPostgresDatabase();
    const name = slotName();
    await (await createSlot(database.url, { ...OPTIONS, name }))[Symbol.asyncDispose]();
    await expect(createSlot(database.url, { ...OPTIONS, name })).rejects.toThrow(`"${name}" already exists`);
    await expect(createSlot(database.url, { ...OPTIONS, name: 'Not "allowed"' })).rejects.toMatchObject({
      code: 'E_SOURCE_QUERY',
    });
  });

  it.runIf(postgresVersion() >= 17)('makes a slot that survives a failover', async () => {
    await using database = await createPostgresDatabase();
    const name = slotName();
    await (await createSlot(database.url, { ...OPTIONS, name, failover: true }))[Symbol.asyncDispose]();
    const client = await connectSource(database.url, 'test');
    expect(await readSlot(client, name)).toMatchObject({ failover: true });
    await client.end();
  });
});

describe('createSlot, where transactions are open', () => {
  // A server of their own: on the shared one, the transactions of other tests would be waited for and named as well.
  let server: LocalServer;
  beforeAll(async () => {
    server = await startPostgres({ max_prepared_transactions: 5 });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** A session with a transaction that has written. */
  const writer = async (database: PostgresDatabase, name: string): Promise<{ client: pg.Client; pid: number }> => {
    const client = await database.client();
    await client.query(`set application_name = '${name}'; begin; select pg_current_xact_id()`);
    const { rows } = await client.query('select pg_backend_pid() as pid');
    return { client, pid: rows[0].pid };
  };
  const messageOf = (database: PostgresDatabase, url = database.url): Promise<string> =>
    createSlot(url, { ...OPTIONS, name: slotName(), timeoutMs: 500 }).then(
      () => 'created',
      (error: { code?: string; message: string }) => `${error.code}: ${error.message}`,
    );

  it('gives up, names them, and leaves nothing behind', async () => {
    await using database = await createPostgresDatabase(undefined, server);
    const { client, pid } = await writer(database, 'forgotten');
    expect(await messageOf(database)).toMatch(
      new RegExp(
        `^E_SLOT_TIMEOUT: slot \\w+ could not be created within 0.5 s, waiting for pid ${pid} \\(\\w+, ${database.name}, forgotten, idle in transaction, since 20[^,]*\\)$`,
      ),
    );
    await expect.poll(() => leftovers(database)).toEqual([]);

    // The line is drawn once the transaction has ended.
    const waiting = createSlot(database.url, { ...OPTIONS, name: slotName(), temporary: true });
    await expect.poll(() => creators(database)).toEqual(['Lock']);
    await client.query('commit');
    await (await waiting)[Symbol.asyncDispose]();
  });

  it('names all of them, in every database, the oldest first, and no more than five', async () => {
    await using database = await createPostgresDatabase(undefined, server);
    await using other = await createPostgresDatabase(undefined, server);
    await database.sql(`begin; select pg_current_xact_id(); prepare transaction 'it''s'`);
    const open = [];
    for (const name of ['a', 'b', 'c']) open.push(await writer(name === 'b' ? other : database, name));
    const reader = await database.client();
    await reader.query('begin isolation level repeatable read; select 1 from pg_class');
    const [a, b, c] = open.map(({ pid }) => `pid ${pid}`);
    expect(await messageOf(database)).toMatch(
      new RegExp(
        `waiting for the prepared transaction 'it''s' \\([^)]*\\), ${a} [^)]*\\), ${b} [^)]*\\), ${c} [^)]*\\)$`,
      ),
    );

    // A role that may not see what others do sees as much of their transactions.
    const role = `r_${randomBytes(6).toString('hex')}`;
    await database.sql(`create role ${role} login replication password 'x'`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'x';
    const told = await messageOf(database, url.href);
    for (const what of ["the prepared transaction 'it''s'", a, b, c]) expect(told).toContain(`${what} (`);
    await database.sql(`drop role ${role}`);

    for (const name of ['d', 'e', 'f']) open.push(await writer(database, name));
    expect(await messageOf(database)).toMatch(new RegExp(`, pid ${open[3]?.pid} [^)]*\\), and 2 more$`));
    await database.sql(`rollback prepared 'it''s'`);
  });
});
