import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { clients, firstBatches, source } from '../../test/support/copied-rows.js';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { readTables } from './catalog.js';
import { connectSource, queryRows } from './client.js';
import { copyRows } from './copy.js';

describe('copyRows that does not run to its end', () => {
  const setUp = `create table t (id int, body text); create publication p for table t;
    insert into t select i, repeat('x', 100) from generate_series(1, 50000) i;`;

  it('closes the connection when the consumer leaves', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(setUp);
    const { client, table } = await source(database);
    for await (const _ of copyRows(client, table, [0])) break;
    await expect(queryRows(client, 'select 1')).rejects.toMatchObject({ code: 'E_SOURCE_UNREACHABLE' });
  });

  it('fails when Postgres fails in the middle', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(setUp);
    const { client, table } = await source(database);
    const faulty = { ...table, rowFilter: '1 / (id - 40000) < 2' };
    let rows = 0;
    const copy = async (): Promise<void> => {
      for await (const batch of copyRows(client, faulty, [0, 1])) rows += batch.length;
    };
    await expect(copy()).rejects.toMatchObject({
      code: 'E_SOURCE_QUERY',
      message: expect.stringContaining('division by zero'),
    });
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThan(40_000);
  });

  it('fails when the connection is lost in the middle', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(setUp.replace('50000', '500000'));
    const { batches } = await firstBatches(database, {}, 2);
    await database.sql(
      'select pg_terminate_backend(pid) from pg_stat_progress_copy where datname = current_database()',
    );
    const drain = async (): Promise<void> => {
      for await (const _ of batches);
    };
    await expect(drain()).rejects.toMatchObject({ code: 'E_SOURCE_UNREACHABLE' });
  });

  it('fails when Postgres stays silent, but not when the consumer is slow', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(setUp);
    const { batches } = await firstBatches(database, { stallMs: 2_000 });
    await sleep(3_000);
    expect((await batches.next()).done).toBe(false);
    await batches.return(undefined);

    const { client, table } = await source(database);
    const blocker = await database.client();
    await blocker.query('begin; lock table t');
    const started = performance.now();
    await expect(copyRows(client, table, [0], { stallMs: 200 }).next()).rejects.toMatchObject({
      code: 'E_SOURCE_UNREACHABLE',
      message: 'COPY of public.t: Postgres sent nothing for 0.2 s',
    });
    expect(performance.now() - started).toBeLessThan(15_000);
    await blocker.query('rollback');
  });

  it('fails on a database whose text is not UTF-8, instead of changing it', async () => {
    await using server = await createPostgresDatabase();
    const name = `ascii_${randomBytes(6).toString('hex')}`;
    await server.sql(`create database ${name} encoding 'SQL_ASCII' locale 'C' template template0`);
    const url = server.url.replace(server.name, name);
    const client = await connectSource(url, 'test');
    clients.push(client);
    await queryRows(client, 'set client_encoding = sql_ascii');
    await queryRows(client, 'create table public.t (t text)');
    await queryRows(client, `insert into public.t values (E'\\xe9')`);
    await queryRows(client, 'set client_encoding = utf8');
    await queryRows(client, 'create publication p for table public.t');
    const [table] = await readTables(client, 'p');
    await expect(copyRows(client, table ?? expect.fail(), [0]).next()).rejects.toThrow(
      'invalid byte sequence for encoding "UTF8"',
    );
    await client.end();
    await server.sql(`drop database ${name} with (force)`);
  });
});
