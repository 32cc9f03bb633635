import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createPostgresDatabase, startPostgres } from '../../test/support/postgres.js';
import { createProxy } from '../../test/support/replication.js';
import { connectReplication, connectSource, queryRows } from './client.js';

/** Longer than both patiences together. */
const LONG_SECONDS = 25;
const LIMIT = { timeout: 90_000 };

describe.concurrent('a statement', () => {
  it('that the network loses is given up, and so is one whose answer it loses', LIMIT, async () => {
    await using database = await createPostgresDatabase();
    await using network = await createProxy(database.url);
    const lost = async (statement: string, connect: typeof connectSource): Promise<unknown> => {
      const client = await connect(network.url, 'test');
      await queryRows(client, 'begin');
      const answer = queryRows(client, statement).catch((error: unknown) => error);
      await sleep(500); // one is under way, the others were answered
      const next = queryRows(client, 'select 1').catch((error: unknown) => error);
      network.drop();
      return [await answer, await next, await queryRows(client, 'select 1').catch((error: unknown) => error)];
    };
    const failed = { code: 'E_SOURCE_UNREACHABLE' };
    expect(
      await Promise.all([lost('select pg_sleep(2)', connectSource), lost('select pg_sleep(2)', connectReplication)]),
    ).toEqual(Array.from({ length: 2 }, () => Array.from({ length: 3 }, () => expect.objectContaining(failed))));
  });

  it('that takes long is waited for', LIMIT, async () => {
    await using database = await createPostgresDatabase();
    const client = await connectSource(database.url, 'test');
    const walsender = await connectReplication(database.url, 'test');
    const writer = await connectSource(database.url, 'test');
    await queryRows(writer, 'create table public.t (id int)');
    await queryRows(writer, 'begin');
    await queryRows(writer, 'insert into public.t values (1)');
    const slept = queryRows(client, `select 'slept' as it from pg_sleep(${LONG_SECONDS})`);
    const created = queryRows(walsender, `CREATE_REPLICATION_SLOT ${database.name} TEMPORARY LOGICAL pgoutput`);
    await sleep(LONG_SECONDS * 1000);
    await queryRows(writer, 'commit');
    expect(await slept).toEqual([{ it: 'slept' }]);
    expect(await created).toEqual([expect.objectContaining({ slot_name: database.name })]);
    for (const one of [client, walsender, writer]) await one.end();
  });

  it('that takes long is waited for where another server answers at that address by now', LIMIT, async () => {
    await using server = await startPostgres();
    await using other = await startPostgres();
    await using network = await createProxy(server.url);
    const url = new URL(network.url);
    [url.username, url.password] = ['twin', 'x'];
    for (const one of [server, other]) {
      const admin = await connectSource(one.url, 'test');
      await queryRows(admin, "create role twin superuser login password 'x'");
      await admin.end();
    }
    const client = await connectSource(url.href, 'test');
    const slept = queryRows(client, `select 'slept' as it from pg_sleep(${LONG_SECONDS})`);
    network.server = other.url;
    // It can be asked.
    await (await connectSource(url.href, 'test')).end();
    expect(await slept).toEqual([{ it: 'slept' }]);
    await client.end();
  });

  it('whose answer comes slowly is waited for', LIMIT, async () => {
    await using database = await createPostgresDatabase();
    const client = await connectSource(database.url, 'test');
    const answer = queryRows(client, 'select 7 as seven');
    client.connection.stream.pause();
    await sleep(12_000);
    // Asked for by now, and known to be done; it comes in the time that it still has.
    client.connection.stream.resume();
    expect(await answer).toEqual([{ seven: '7' }]);
    await client.end();
  });
});
