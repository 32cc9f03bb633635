import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check } from '../src/sync/check.js';
import { type BuiltCli, buildCli } from './support/built-cli.js';
import { startChild } from './support/child.js';
import { differences, doltContents, postgresContents } from './support/compare.js';
import { blocksOf } from './support/document.js';
import { createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase, postgresVersion, startPostgres } from './support/postgres.js';
import { createProxy } from './support/replication.js';
import { configFor, drain, runBroken, startRun } from './support/run.js';
import { keepData, promote, putBack, query, startPromoted, startStandby } from './support/standby.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

const same = async (source: string, target: DoltDatabase): Promise<void> =>
  expect(differences(await doltContents(target.url), await postgresContents(source, target.url))).toEqual([]);

const findings = async (source: string, target: DoltDatabase): Promise<unknown[]> =>
  (await check(configFor(source, target.url, { slot: 'shop' })))
    .filter(({ code }) => code !== 'ddl') // how schema changes are noticed, which is always said
    .map(({ severity, code, message }) => ({ severity, code, message }));

/** The statements of the blocks of this kind in docs/operating.md. */
async function told(info: string): Promise<string[]> {
  const page = await readFile(new URL('../docs/operating.md', import.meta.url), 'utf8');
  const blocks = blocksOf(page.replace(/^ {3}/gm, '')).filter((block) => block.info === info);
  expect(blocks.length).toBeGreaterThan(0);
  return blocks.flatMap(({ text }) => text.split(/;$/m)).filter((statement) => statement.trim() !== '');
}

const LSN = '[0-9A-F]+/[0-9A-F]+';

describe('a server that comes back on another timeline', () => {
  it('is gone on with if it has all that is in Dolt, and refused if it has not', async () => {
    await using server = await startPostgres();
    await using source = await createPostgresDatabase('shop', server);
    await using target = createDoltDatabaseName();
    const stored = (): Promise<unknown> =>
      target.sql('select timeline, timeline_start, end_lsn from wal2dolt_position');
    const history = (): Promise<{ message: string }[]> => target.sql("select message from dolt_log('main')");
    await source.sql('create table t (id int primary key, what text); insert into t values (1, $$copied$$)');
    await drain(source.url, target.url);
    await source.sql('insert into t values (2, $$before$$)');
    await drain(source.url, target.url);
    await server.stop();
    await keepData(server, 'earlier');
    await server.start();
    await source.sql('insert into t values (3, $$lost by a restore$$)');
    await drain(source.url, target.url);
    await server.stop();
    await keepData(server, 'later');

    // A recovery to a point before what is in Dolt.
    await putBack(server, 'earlier');
    await startPromoted(server);
    await source.sql('insert into t values (4, $$written after the restore$$)');
    const before = [await stored(), await history()];
    const told = new RegExp(
      `on timeline 1 up to ${LSN}, but timeline 2, .* left it \\d+ bytes of WAL before that, at ${LSN}`,
    );
    await expect(drain(source.url, target.url)).rejects.toMatchObject({
      code: 'E_SOURCE_BEHIND',
      message: expect.stringMatching(told),
    });
    expect(await findings(source.url, target)).toEqual([
      { severity: 'error', code: 'E_SOURCE_BEHIND', message: expect.stringMatching(told) },
    ]);
    expect([await stored(), await history()]).toEqual(before);
    await server.stop();

    // A promotion of a standby that had received everything.
    await putBack(server, 'later');
    await startPromoted(server);
    expect(await findings(source.url, target)).toEqual([
      { severity: 'info', code: 'timeline', message: expect.stringMatching(`on timeline 2 now, .* 1 at ${LSN}`) },
    ]);
    await source.sql('insert into t values (4, $$written after the failover$$)');
    await drain(source.url, target.url);
    await same(source.url, target);
    const [timelines] = await source.sql<{ start: string }>(
      `select split_part(pg_read_file('pg_wal/00000002.history'), E'\\t', 2) as start`,
    );
    expect(await stored()).toMatchObject([{ timeline: 2, timeline_start: timelines?.start }]);
    const messages = (await history()).map(({ message }) => message.split('\n')[0]);
    expect(messages.filter((message) => message?.includes('timeline'))).toEqual([
      'from timeline 1 to timeline 2 of Postgres',
    ]);
    // It is said once.
    expect(await findings(source.url, target)).toEqual([]);
    await drain(source.url, target.url);
    expect(await history()).toHaveLength(messages.length);
    await server.stop();

    // The old primary, up again.
    await putBack(server, 'later');
    await server.start();
    await expect(drain(source.url, target.url)).rejects.toMatchObject({
      code: 'E_OTHER_SOURCE',
      message: expect.stringMatching(`timeline 2, which began at ${LSN}, is not part of the history of .* timeline 1`),
    });
    await server.stop();

    // Another standby of the old primary, which takes the same number for its own timeline.
    await putBack(server, 'earlier');
    await startPromoted(server);
    await source.sql('select pg_switch_wal()'); // it has written as much as the other one
    await expect(drain(source.url, target.url)).rejects.toMatchObject({
      code: 'E_OTHER_SOURCE',
      message: expect.stringMatching(`timeline 2, which began at ${LSN}, is not part of the history of .* timeline 2`),
    });
  });

  it('may have left the old timeline while nothing of interest was acknowledged, which then counts no more', async () => {
    await using server = await startPostgres();
    await using source = await createPostgresDatabase('shop', server);
    await using target = createDoltDatabaseName();
    await source.sql('create table t (id int primary key); insert into t values (1)');
    await drain(source.url, target.url);
    await server.stop();
    await keepData(server, 'earlier');
    await server.start();
    // WAL of which nothing is for Dolt.
    await source.sql('select pg_switch_wal()');
    await drain(source.url, target.url);
    const acknowledged = async (): Promise<bigint> => {
      const connection = await target.connect('wal2dolt');
      const [rows] = await connection.query('select cast(end_lsn_num as char) as lsn from wal2dolt_acknowledged');
      await connection.end();
      return BigInt((rows as { lsn: string }[])[0]?.lsn ?? 0); // of that statement
    };
    const beyond = await acknowledged();
    await server.stop();

    // Somebody else takes a change of the new timeline, at a place that on the old one was acknowledged by us.
    await putBack(server, 'earlier');
    await startPromoted(server);
    await source.sql('insert into t values (2)');
    const [slot] = await source.sql<{ reached: string }>(
      `select pg_replication_slot_advance('shop', pg_current_wal_lsn());
       select confirmed_flush_lsn - '0/0' as reached from pg_replication_slots`,
    );
    expect(BigInt(slot?.reached ?? 0)).toBeLessThan(beyond);
    await expect(drain(source.url, target.url)).rejects.toMatchObject({ code: 'E_SLOT_ADVANCED' });
    await server.stop();

    // The same where our next run dies at the worst moment.
    await putBack(server, 'earlier');
    await startPromoted(server);
    for (const failpoint of ['before-timeline', 'after-timeline']) {
      await using child = startChild(cli, source.url, target.url, { slot: 'shop' }, failpoint);
      expect(await child.end()).toMatchObject({ signal: 'SIGKILL' });
    }
    expect(await acknowledged()).toBeLessThan(beyond);
    await server.stop();
    await keepData(server, 'promoted');
    await server.start();
    await source.sql('insert into t values (2)');
    await source.sql(`select pg_replication_slot_advance('shop', pg_current_wal_lsn())`);
    await expect(drain(source.url, target.url)).rejects.toMatchObject({ code: 'E_SLOT_ADVANCED' });
    await server.stop();

    await putBack(server, 'promoted');
    await server.start();
    await source.sql('insert into t values (2)');
    await drain(source.url, target.url);
    await same(source.url, target);
  });

  it('is gone on with in the middle of the first copy', async () => {
    await using server = await startPostgres();
    await using source = await createPostgresDatabase('shop', server);
    await using target = createDoltDatabaseName();
    for (const name of ['a', 'b', 'c']) {
      await source.sql(
        // Large enough not to be copied together with the others.
        `create table ${name} (id int primary key) with (autovacuum_enabled = false);
         insert into ${name} select generate_series(1, 150000);
         delete from ${name} where id > 2000`,
      );
    }
    const copying = { copyConnections: 1 };
    await runBroken(source.url, target.url, 1, copying);
    await server.stop();
    await startPromoted(server);
    await source.sql('insert into a values (0); delete from b where id < 1000; insert into c values (0)');
    await runBroken(source.url, target.url, 1, copying);
    await drain(source.url, target.url, copying);
    await same(source.url, target);
    expect(await target.sql('select timeline, phase from wal2dolt_position')).toEqual([
      { timeline: 2, phase: 'streaming' },
    ]);
    expect(await target.sql("select message from dolt_log('main') where message like '%timeline%'")).toEqual([]);
  });
});

describe('a standby that keeps the slot', () => {
  it('is gone on with after its promotion, by the run that was going on', async ({ skip }) => {
    skip(postgresVersion() < 17, 'standbys keep slots from Postgres 17 on');
    await using primary = await startPostgres();
    await using source = await createPostgresDatabase('shop', primary);
    await source.sql('create table t (id int primary key, what text); insert into t values (0, $$copied$$)');
    for (const sql of await told('sql primary')) await query(primary.url, sql);
    const { server, url } = await startStandby(primary);
    await using standby = server;
    const promoted = new URL(source.url);
    promoted.port = String(standby.port);
    await using address = await createProxy(source.url);
    await using target = createDoltDatabaseName();

    const settings = {
      slot: 'wal2dolt',
      slotFailover: true,
      commit: { maxDelay: '100ms' },
      retry: { firstDelay: '100ms', maxDelay: '300ms' },
    };
    const { port, password } = new URL(primary.url);
    const here = `host=127.0.0.1 port=${port} user=postgres password=${password}`;
    const [ready = '', ...standbySettings] = (await told('sql standby')).reverse();
    for (const sql of standbySettings.reverse())
      await query(url, sql.replace('host=primary.example.org port=5432 user=replicator password=secret', here));

    await using running = startRun(address.url, target.url, settings);
    const rows = async (): Promise<number> => {
      const [row] = await target.sql<{ n: number }>('select count(*) as n from t').catch(() => []);
      return row?.n ?? 0;
    };
    await expect.poll(rows).toBe(1);
    let id = 0;
    await expect
      .poll(async () => {
        id += 1;
        await source.sql('insert into t values ($1, $$before$$)', [id]);
        await source.sql('select pg_log_standby_snapshot()');
        return (await query<{ ready: boolean }>(url, ready))[0]?.ready;
      })
      .toBe(true);
    await source.sql('insert into t select i, $$before$$ from generate_series($1::int, $1 + 999) i', [id + 1]);
    await expect.poll(rows).toBe(id + 1001);

    // What the standby has not received does not get to Dolt: the primary's process that sends to it stands still.
    const [sender] = await source.sql<{ pid: number }>(
      `select active_pid as pid from pg_replication_slots where slot_name = 'standby'`,
    );
    process.kill(sender?.pid ?? 0, 'SIGSTOP');
    await source.sql(`update t set what = 'lost with the primary'`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await primary.kill();

    address.server = promoted.href;
    // As it is while the standby is asked, and is none but a standby yet.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await promote(url);
    for (const sql of await told('sql promoted')) await query(url, sql);
    await query(
      promoted.href,
      `insert into t values (-1, 'after'); update t set what = 'twice ' || id where id % 2 = 0`,
    );
    await expect
      .poll(async () => differences(await doltContents(target.url), await postgresContents(promoted.href, target.url)))
      .toEqual([]);
    await running.stop();
    const log = await target.sql<{ message: string }>("select message from dolt_log('main')");
    expect(log.filter(({ message }) => message.startsWith('from timeline 1 to timeline 2'))).toHaveLength(1);
    expect(await target.sql("select * from dolt_history_t where what = 'lost with the primary'")).toEqual([]);
  });
});
