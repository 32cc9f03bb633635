import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { copyAll, firstBatches, source } from '../../test/support/copied-rows.js';
import { createPostgresDatabase, postgresVersion } from '../../test/support/postgres.js';
import type { Row } from '../core/row.js';
import { type CopyOptions, copyRows, importSnapshot, tableSizes } from './copy.js';
import { Turn } from './copy-turn.js';
import { createSlot } from './create-slot.js';

describe('copyRows', () => {
  it('gives every text back, from tables and columns of any name', async () => {
    await using database = await createPostgresDatabase();
    const texts = [
      '',
      'a\tb',
      '\\N',
      '\\.',
      '\\',
      '\b\f\n\r\v',
      '漢字 😀 e\u0301',
      `'"`,
      null,
      'N',
      '\u0001\u007f',
      '\\x41\\101',
    ];
    await database.sql(`create schema "a.B"; create table "a.B"."it's \\ ""t""" (id serial, "per cent %" text, "b" bytea);
      create publication p for table "a.B"."it's \\ ""t"""`);
    for (const text of texts)
      await database.sql(`insert into "a.B"."it's \\ ""t""" values (default, $1, '\\x00ff')`, [text]);
    expect(Object.values(await copyAll(database))).toEqual([texts.map((text, i) => [String(i + 1), text, '\\x00ff'])]);
    expect(Object.values(await copyAll(database, [2, 1]))).toEqual([texts.map((text) => ['\\x00ff', text])]);
    expect(Object.values(await copyAll(database, []))).toEqual([texts.map(() => [])]);
  });

  it('copies what the publication would stream', async () => {
    await using database = await createPostgresDatabase();
    const is18 = postgresVersion() >= 18;
    await database.sql(`
      create table listed (id int primary key, secret text, n int);
      insert into listed select i, 'x', i % 3 from generate_series(1, 5) i;
      create table parent (id int primary key); insert into parent values (1);
      create table heir () inherits (parent); insert into heir values (2);
      create table m (id int) partition by list (id);
      create table m1 partition of m for values in (1); create table m2 partition of m default;
      insert into m values (1), (2);
      create unlogged table m3 partition of m for values in (3); create extension file_fdw;
      create server files foreign data wrapper file_fdw; create foreign table m4 partition of m for values in (4)
        server files options (program 'echo 4'); insert into m values (3);
      create table computed (id int, twice int generated always as (id * 2) stored); insert into computed values (4);
      create table hollow (); insert into hollow default values; insert into hollow default values;
      create table "Empty" (id int);
      create publication p for table listed (id, n) where (id > 1 and n <> 2), only parent, m, computed, hollow, "Empty"
        with (publish_via_partition_root = true ${is18 ? ', publish_generated_columns = stored' : ''});`);
    expect(await copyAll(database)).toEqual({
      listed: [
        ['3', '0'],
        ['4', '1'],
      ],
      parent: [['1']],
      m: [['1'], ['2']],
      computed: [is18 ? ['4', '8'] : ['4']],
      hollow: [[], []],
      Empty: [],
    });
  });

  it('sees the snapshot of the slot on every connection that imports it', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(
      'create table a (id int primary key); create table b (id int primary key); create publication p for table a, b',
    );
    await database.sql('insert into a values (1); insert into b values (1)');
    const name = `s_${randomBytes(6).toString('hex')}`;
    await using snapshot = await createSlot(database.url, {
      name,
      temporary: true,
      failover: false,
      timeoutMs: 60_000,
    });
    await database.sql('insert into a values (2); delete from b; create table c (id int)');
    const workers = await Promise.all([source(database), source(database)]);
    const copied = await Promise.all(
      workers.map(async ({ client, tables }, i) => {
        await importSnapshot(client, snapshot.snapshotName);
        const rows: Row[] = [];
        for await (const batch of copyRows(client, tables[i] ?? expect.fail(), [0]))
          rows.push(...batch.map((row) => row.cells()));
        return rows;
      }),
    );
    expect(copied).toEqual([[['1']], [['1']]]);
  });

  it('raises an error where row-level security would hide rows', async () => {
    await using database = await createPostgresDatabase();
    const role = `r${randomBytes(6).toString('hex')}`;
    await database.sql(`
      create table t (id int primary key); insert into t values (1);
      alter table t enable row level security;
      create role ${role} login password 'x'; grant select on t to ${role}; create publication p for table t`);
    const url = new URL(database.url);
    url.username = role;
    url.password = 'x';
    const { client, table } = await source(database, url.href);
    await expect(copyRows(client, table, [0]).next()).rejects.toMatchObject({ code: 'E_SOURCE_PRIVILEGE' });
    await database.sql(`drop owned by ${role}; drop role ${role}`);
  });

  it('hands out batches of the asked size', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create table t (id int, body text); create publication p for table t;
      insert into t select i, repeat('x', 1000) from generate_series(1, 5000) i`);
    const { client, table } = await source(database);
    const sizes = async (options: CopyOptions): Promise<number[]> => {
      const lengths: number[] = [];
      for await (const batch of copyRows(client, table, [0, 1], options)) lengths.push(batch.length);
      return lengths;
    };
    expect(await sizes({ batchRows: 2000 })).not.toContain(2001);
    expect(await sizes({ batchRows: 999, batchBytes: 1e9 })).toEqual([999, 999, 999, 999, 999, 5]);
    const byBytes = await sizes({ batchBytes: 100_000 });
    expect(byBytes.reduce((sum, length) => sum + length)).toBe(5000);
    expect(Math.max(...byBytes)).toBeLessThan(300); // 100 rows, and what one piece of the socket (64 KiB, or two) adds
  });

  it('reads no faster than it is consumed', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create table t (id int, body text); create publication p for table t;
      insert into t select i, repeat(md5(i::text), 32) from generate_series(1, 100000) i`);
    const { batches } = await firstBatches(database, {});
    await sleep(1000); // unchecked, all would have been read by then
    const [progress] = await database.sql<{ bytes: string }>(
      'select bytes_processed as bytes from pg_stat_progress_copy where datname = current_database()',
    );
    expect(Number(progress?.bytes)).toBeGreaterThan(0);
    expect(Number(progress?.bytes)).toBeLessThan(30e6); // of 103 MB: a batch, and the buffers of both sockets
    let rows = 0;
    for await (const batch of batches) rows += batch.length;
    expect(rows).toBeGreaterThan(90_000);
  });

  it('takes rows larger than a batch', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`create table t (id int, body text); create publication p for table t;
      insert into t select i, repeat('é\\', 4000000) from generate_series(1, 3) i`);
    const { client, table } = await source(database);
    const whole = 'é\\'.repeat(4000000);
    const seen: boolean[] = [];
    for await (const batch of copyRows(client, table, [1])) seen.push(...batch.map((row) => row.cell(0) === whole));
    expect(seen).toEqual([true, true, true]);
  });

  it('reads on in a huge row only while no other copy has one', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`create table t (id int, body text); create publication p for table t;
      insert into t select i, repeat('xyz', 3000000) from generate_series(1, 3) i; insert into t values (4, 'small')`);
    const hugeRows = new Turn();
    let having = 0;
    let most = 0;
    const copy = async (): Promise<number[]> => {
      const { client, table } = await source(database);
      const lengths: number[] = [];
      for await (const batch of copyRows(client, table, [1], { hugeRows })) {
        const huge = batch.some((row) => row.size > 5_000_000);
        if (huge) having += 1;
        most = Math.max(most, having);
        await sleep(100);
        if (huge) having -= 1;
        lengths.push(...batch.map((row) => String(row.cell(0)).length));
      }
      return lengths;
    };
    const rows = [9_000_000, 9_000_000, 9_000_000, 5];
    expect(await Promise.all([copy(), copy(), copy()])).toEqual([rows, rows, rows]);
    expect(most).toBe(1);
  });

  it('gives the turn for huge rows back when it fails', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`create table t (id int, body text); create publication p for table t;
      insert into t values (1, repeat('xyz', 3000000))`);
    const hugeRows = new Turn();
    const { client, table } = await source(database);
    for await (const _ of copyRows(client, table, [1], { hugeRows })) break;
    const again = await source(database);
    let rows = 0;
    for await (const batch of copyRows(again.client, again.table, [1], { hugeRows })) rows += batch.length;
    expect(rows).toBe(1);
  });
});

describe('tableSizes', () => {
  it('counts what was analysed, and weighs everything, through partition roots', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      create table plain (id int); insert into plain select generate_series(1, 1234);
      create table fresh (id int, body text); alter table fresh alter body set storage external;
      insert into fresh values (1, repeat('x', 1000000));
      create table empty (id int);
      create table m (id int) partition by range (id);
      create table m1 partition of m for values from (0) to (100);
      create table m2 partition of m for values from (100) to (1000) partition by list (id);
      create table m2a partition of m2 default;
      insert into m select generate_series(0, 499);
      analyze plain; analyze m;
      create publication p for table plain, fresh, empty, m with (publish_via_partition_root = true);`);
    const { client, tables } = await source(database);
    const sizes = await tableSizes(client, tables);
    const named = (of: 'rows' | 'bytes') =>
      Object.fromEntries(tables.map((table) => [table.name, sizes.get(table.oid)?.[of]]));
    expect(named('rows')).toEqual({ plain: 1234, fresh: null, empty: null, m: 500 });
    const { plain, fresh, empty, m } = named('bytes');
    expect(fresh).toBeGreaterThan(1_000_000);
    expect(empty).toBe(0);
    // 36 bytes a row and no more than that again, in pages of 8 kB.
    expect(plain).toBeGreaterThan(1234 * 36);
    expect(m).toBeGreaterThanOrEqual(3 * 8192);
    expect(m).toBeLessThan(plain ?? 0);
  });
});
