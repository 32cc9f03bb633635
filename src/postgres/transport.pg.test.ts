import { createServer } from 'node:net';
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { plainEvent } from '../../test/support/plain-events.js';
import { createPostgresDatabase, startPostgres } from '../../test/support/postgres.js';
import { createProxy, createSlot, ofKind, takeTransactions, takeUntil } from '../../test/support/replication.js';
import { LSN_ZERO, lsn } from '../core/position.js';
import { UNCHANGED } from '../core/row.js';
import { clientConfig } from './client.js';
import { openReplicationStream } from './transport.js';

describe('what a replication stream yields', () => {
  it('is a transaction as it happened: every kind of change, in order, values as text', async () => {
    await using source = await createPostgresDatabase();
    await source.sql(`
      create type mood as enum ('fine', 'so so');
      create table plain (id int8 primary key, feeling mood, at timestamptz, long text, bin bytea, num float8);
      create table "Full" (a int, b text);
      alter table "Full" replica identity full;
      alter table plain alter long set storage external`);
    const slot = await createSlot(source);
    await using stream = await slot.open();
    await source.sql(`
      set timezone = 'Asia/Tokyo'; set datestyle = 'German'; set bytea_output = 'escape'; set extra_float_digits = -5;
      begin;
      insert into plain values (9007199254740993, 'so so', '2026-11-21 12:00:00.123456+00', repeat('x', 5000), '\\xFF00', 0.1::float8 + 0.2::float8);
      insert into "Full" values (1, 'é 日本 🙂'), (null, '');
      update plain set feeling = 'fine';
      update plain set id = 2;
      update "Full" set b = 'new' where a = 1;
      select pg_logical_emit_message(true, 'in', 'it');
      delete from plain;
      delete from "Full" where a is null;
      truncate plain, "Full" restart identity;
      commit`);
    const events = await takeTransactions(stream);

    const relations = ofKind(events, 'relation');
    // Postgres describes the tables again after TRUNCATE.
    expect(relations.slice(0, 2).map((relation) => [relation.schema, relation.name, relation.replicaIdentity])).toEqual(
      [
        ['public', 'plain', 'd'],
        ['public', 'Full', 'f'],
      ],
    );
    const [plain = 0, full = 0] = relations.map((relation) => relation.oid);
    const changes = events.filter((event) => event.kind !== 'relation' && event.kind !== 'type').map(plainEvent);
    const long = 'x'.repeat(5000);
    const fixed = ['2026-11-21 12:00:00.123456+00', long, '\\xff00', '0.30000000000000004'];
    const partial = ['2026-11-21 12:00:00.123456+00', UNCHANGED, '\\xff00', '0.30000000000000004'];
    const nulls = [null, null, null, null, null];
    expect(changes).toEqual([
      expect.objectContaining({ kind: 'begin' }),
      { kind: 'insert', oid: plain, row: ['9007199254740993', 'so so', ...fixed] },
      { kind: 'insert', oid: full, row: ['1', 'é 日本 🙂'] },
      { kind: 'insert', oid: full, row: [null, ''] },
      { kind: 'update', oid: plain, old: null, row: ['9007199254740993', 'fine', ...partial] },
      {
        kind: 'update',
        oid: plain,
        old: { full: false, row: ['9007199254740993', ...nulls] },
        row: ['2', 'fine', ...partial],
      },
      { kind: 'update', oid: full, old: { full: true, row: ['1', 'é 日本 🙂'] }, row: ['1', 'new'] },
      expect.objectContaining({ kind: 'message', transactional: true, prefix: 'in', content: 'it' }),
      { kind: 'delete', oid: plain, old: { full: false, row: ['2', ...nulls] } },
      { kind: 'delete', oid: full, old: { full: true, row: [null, ''] } },
      { kind: 'truncate', oids: [plain, full], cascade: false, restartIdentity: true },
      expect.objectContaining({ kind: 'commit' }),
    ]);
    const [begin] = ofKind(events, 'begin');
    const [commit] = ofKind(events, 'commit');
    expect(begin?.finalLsn).toBe(commit?.commitLsn);
    expect(commit?.endLsn).toBeGreaterThan(commit?.commitLsn ?? 0n);
    expect(Math.abs(Number(commit?.commitTime) / 1000 - Date.now())).toBeLessThan(60_000);
  });

  it('is a logical message outside of its transaction at once, even if that is rolled back', async () => {
    await using source = await createPostgresDatabase();
    const slot = await createSlot(source);
    await using stream = await slot.open();
    await source.sql(`begin; select pg_logical_emit_message(true, 'inside', 'lost'); select pg_logical_emit_message(false, 'outside', 'ü');
      rollback`);
    const events = await takeUntil(stream, (event) => event.kind === 'message');
    expect(events.filter((event) => event.kind !== 'keepalive')).toEqual([
      expect.objectContaining({ kind: 'message', transactional: false, prefix: 'outside', content: 'ü' }),
    ]);
  });

  it.each(['Pub', 'a b', "it's", 'two "quotes"', 'a,b', 'back\\slash', 'größe', 'select', ' '])(
    'is of the publication %j',
    async (publication) => {
      await using source = await createPostgresDatabase();
      await source.sql('create table t (id int primary key)');
      const slot = await createSlot(source, publication);
      await using stream = await slot.open();
      await source.sql('insert into t values (1)');
      expect(ofKind(await takeTransactions(stream), 'insert')).toHaveLength(1);
    },
  );

  it('is a whole row, however large', async () => {
    await using source = await createPostgresDatabase();
    await source.sql('create table t (id int primary key, v text)');
    const slot = await createSlot(source);
    await using stream = await slot.open();
    await source.sql(
      "insert into t select 1, string_agg(md5(i::text), '') from generate_series(1, 1000000) i; insert into t values (2, 'small')",
    );
    const rows = ofKind(await takeTransactions(stream), 'insert').map((event) => event.row.cells());
    const [expected] = await source.sql('select v from t where id = 1');
    expect(rows[0]?.[1]).toHaveLength(32_000_000);
    expect(rows[0]?.[1] === expected?.v).toBe(true);
    expect(rows[1]).toEqual(['2', 'small']);
  });
});

describe('a stream that cannot be opened', () => {
  it('says why, and leaves the slot free', async () => {
    await using source = await createPostgresDatabase();
    await source.sql('create table t (id int primary key)');
    const slot = await createSlot(source);
    const role = `role_${slot.name}`;
    await source.sql(`create role ${role} login password 'right'`);
    const at = (change: (url: URL) => void): pg.ClientConfig => {
      const url = new URL(source.url);
      change(url);
      return clientConfig(url.href, 'test');
    };
    try {
      await expect(slot.open({ slot: 'not_there' })).rejects.toMatchObject({ code: 'E_SLOT_MISSING' });
      await expect(slot.open({ slot: 'No "slot' })).rejects.toMatchObject({ code: 'E_SLOT_INVALID' });
      const wrongPassword = at((url) => Object.assign(url, { username: role, password: 'wrong' }));
      await expect(slot.open({ connection: wrongPassword })).rejects.toMatchObject({ code: 'E_SOURCE_AUTH' });
      const notPrivileged = at((url) => Object.assign(url, { username: role, password: 'right' }));
      await expect(slot.open({ connection: notPrivileged })).rejects.toMatchObject({ code: 'E_SOURCE_PRIVILEGE' });
      const noDatabase = at((url) => Object.assign(url, { pathname: '/not_there' }));
      await expect(slot.open({ connection: noDatabase })).rejects.toMatchObject({ code: 'E_SOURCE_DATABASE' });
      const noServer = at((url) => Object.assign(url, { port: '1' }));
      await expect(slot.open({ connection: noServer })).rejects.toMatchObject({ code: 'E_SOURCE_UNREACHABLE' });
      const noTls = at((url) => url.searchParams.set('sslmode', 'require'));
      await expect(slot.open({ connection: noTls })).rejects.toMatchObject({ code: 'E_SOURCE_TLS' });

      const other = `other_${slot.name}`;
      await source.sql('select pg_create_logical_replication_slot($1, $2)', [other, 'test_decoding']);
      await expect(slot.open({ slot: other })).rejects.toMatchObject({ code: 'E_SLOT_INVALID' });
      await using elsewhere = await createPostgresDatabase();
      const wrongDatabase = clientConfig(elsewhere.url, 'test');
      await expect(slot.open({ connection: wrongDatabase })).rejects.toMatchObject({ code: 'E_SLOT_INVALID' });

      await using stream = await slot.open();
      await expect(slot.open()).rejects.toMatchObject({ code: 'E_SLOT_IN_USE' });
      await source.sql('insert into t values (1)');
      expect(ofKind(await takeTransactions(stream), 'insert')).toHaveLength(1);
    } finally {
      await source.sql(`drop role ${role}`);
    }
  });

  it('would begin after everything that Postgres has written', async () => {
    await using source = await createPostgresDatabase();
    const slot = await createSlot(source);
    const before = await slot.confirmedFlush();
    await expect(slot.open({ start: lsn(before + 2n ** 32n) })).rejects.toMatchObject({ code: 'E_OTHER_SOURCE' });
    expect(await slot.confirmedFlush()).toBe(before);
  });

  it('is of a slot whose WAL was removed', async () => {
    await using server = await startPostgres({ max_slot_wal_keep_size: '1MB' });
    await using source = await createPostgresDatabase('lost', server);
    const slot = await createSlot(source);
    for (let segment = 0; segment < 3; segment++)
      await source.sql('create table t (); drop table t; select pg_switch_wal()');
    await source.sql('checkpoint');
    await expect(slot.open()).rejects.toMatchObject({ code: 'E_SLOT_LOST' });
  });

  it('is given up at once when aborted, before or while it connects', async () => {
    const blackHole = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await new Promise((resolve) => blackHole.once('listening', resolve));
    const address = blackHole.address();
    const connection: pg.ClientConfig = {
      host: '127.0.0.1',
      port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    };
    const open = (signal: AbortSignal): Promise<unknown> =>
      openReplicationStream({ connection, slot: 's', publication: 'p', start: LSN_ZERO, signal });
    try {
      await expect(open(AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
      const atOnce = new AbortController();
      const opening = open(atOnce.signal);
      atOnce.abort(new Error('at once'));
      await expect(opening).rejects.toThrow('at once');
      await expect(open(AbortSignal.timeout(100))).rejects.toThrow(/timeout/);
    } finally {
      // Waits for its connections: none may be left open.
      await new Promise((resolve) => blackHole.close(resolve));
    }
  });
});

describe('a stream that fails', () => {
  it('gives what came before a message that cannot be read, then E_SOURCE_PROTOCOL', async () => {
    await using source = await createPostgresDatabase();
    await using proxy = await createProxy(source.url);
    await source.sql('create table t (id int primary key, v text)');
    const slot = await createSlot(source);
    await using stream = await slot.open({ connection: clientConfig(proxy.url, 'test') });
    proxy.fromServer = (chunk) => {
      const at = chunk.indexOf('DAMAGE');
      return at < 0 ? chunk : Buffer.concat([chunk.subarray(0, at), Buffer.from([0xff]), chunk.subarray(at + 1)]);
    };
    await source.sql(`insert into t values (1, 'good'), (2, 'DAMAGE'), (3, 'never seen')`);
    const events = await takeUntil(stream, (event) => event.kind === 'insert');
    expect(ofKind(events, 'insert').map((event) => event.row.cells())).toEqual([['1', 'good']]);
    await expect(stream.take(10_000)).rejects.toMatchObject({ code: 'E_SOURCE_PROTOCOL' });
    await expect(stream.take(10_000)).rejects.toMatchObject({ code: 'E_SOURCE_PROTOCOL' });
  });

  it('says so when the publication is gone', async () => {
    await using source = await createPostgresDatabase();
    await source.sql('create table t (id int primary key)');
    const slot = await createSlot(source);
    await source.sql('drop publication pub');
    await using stream = await slot.open();
    await source.sql('insert into t values (1)');
    await expect(takeUntil(stream, (event) => event.kind === 'insert')).rejects.toMatchObject({
      code: 'E_PUBLICATION_MISSING',
    });
    const active = 'select 1 from pg_replication_slots where active and slot_name = $1';
    await expect.poll(() => source.sql(active, [slot.name])).toEqual([]);
  });

  it('says so when its connection is ended from the other side', async () => {
    await using source = await createPostgresDatabase();
    const slot = await createSlot(source);
    await using stream = await slot.open();
    const waiting = takeUntil(stream, () => false);
    const ended = expect(waiting).rejects.toMatchObject({
      code: 'E_STREAM_ENDED',
      message: expect.stringContaining('57P01'),
    });
    await source.sql('select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1', [
      slot.name,
    ]);
    await ended;
    stream.acknowledge(await slot.confirmedFlush()); // on a connection that is gone: nothing happens
  });
});
