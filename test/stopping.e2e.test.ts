import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bloatBank, createBank, expectRight, historyFaults, startWorkload } from './support/bank.js';
import { type BuiltCli, buildCli } from './support/built-cli.js';
import { startChild } from './support/child.js';
import { createDoltDatabaseName, type DoltDatabase, startDolt } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { drain } from './support/run.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

/** Waits until Dolt writes rows of the database. */
async function isInserting(target: DoltDatabase): Promise<void> {
  for (let busy = false; !busy; await sleep(50)) {
    const processes = await target.sql('show processlist');
    busy = processes.some(({ db, Info }) => db === `${target.name}/wal2dolt` && /^insert/i.test(String(Info)));
  }
}

/** What a stop may take on a busy machine; a huge transaction is given five seconds to end. */
const SECONDS = 10_000;

describe('a signal', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    '%s under load: the open batch is finished, exit 0, and a restart goes on',
    async (signal) => {
      await using source = await createPostgresDatabase();
      await using target = createDoltDatabaseName();
      const settings = { slot: source.name, transactions: true, commit: { maxDelay: '200ms' } };
      await createBank(source);
      await drain(source.url, target.url, settings);
      await using workload = startWorkload(source);
      for (let round = 0; round < 4; round += 1) {
        await using child = startChild(cli, source.url, target.url, settings);
        await child.logged('streaming');
        await child.logged('committed');
        await sleep(Math.random() * 400);
        child.signal(signal);
        const ending = await child.end();
        expect(ending).toMatchObject({ code: 0 });
        expect(ending.ms).toBeLessThan(SECONDS);
        // Published and acknowledged.
        const last = child.log.findLast(({ msg }) => msg === 'committed')?.lsn;
        expect(await target.sql('select end_lsn from wal2dolt_position')).toEqual([{ end_lsn: last }]);
        const [slot] = await source.sql(
          'select confirmed_flush_lsn as lsn from pg_replication_slots where slot_name = $1',
          [source.name],
        );
        expect(slot?.lsn).toBe(last);
      }
      await workload.stop();
      await drain(source.url, target.url, settings);
      await expectRight(source, target);
    },
  );

  it('publishes what the open batch holds', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { slot: source.name, commit: { maxDelay: '1h' } };
    await source.sql('create table t (id int primary key)');
    await drain(source.url, target.url, settings);
    await using child = startChild(cli, source.url, target.url, settings);
    await child.logged('streaming');
    await source.sql('insert into t values (1)');
    await source.sql('insert into t values (2)');
    const sent = `select sent_lsn >= pg_current_wal_flush_lsn() as everything
      from pg_stat_replication join pg_stat_activity using (pid) where datname = current_database()`;
    await expect.poll(() => source.sql(sent)).toEqual([{ everything: true }]);
    await sleep(1_000);
    expect(await target.sql('select id from t')).toEqual([]);
    child.signal('SIGTERM');
    expect(await child.end()).toMatchObject({ code: 0 });
    expect(await target.sql('select id from t')).toEqual([{ id: 1 }, { id: 2 }]);
    expect(child.log.find(({ msg }) => msg === 'committed')).toMatchObject({ transactions: 2, reason: 'shutdown' });
  });

  it('in the middle of a huge transaction ends it within seconds, and it is seen whole or not at all', {
    timeout: 120_000,
  }, async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { slot: source.name, commit: { maxBytes: '1MB' } };
    await source.sql('create table t (id int primary key, v text)');
    await drain(source.url, target.url, settings);
    await source.sql("insert into t values (0, 'before')");
    await source.sql("insert into t select i, repeat('x', 200) from generate_series(1, 200000) i");
    {
      await using child = startChild(cli, source.url, target.url, settings);
      await child.logged('streaming');
      await isInserting(target);
      child.signal('SIGTERM');
      const ending = await child.end();
      expect(ending).toMatchObject({ code: 0 });
      expect(ending.ms).toBeLessThan(SECONDS);
      expect([0, 1, 200_001]).toContain((await target.sql('select count(*) as n from t'))[0]?.n);
    }
    await drain(source.url, target.url, settings);
    expect(await target.sql('select count(*) as n from t')).toEqual([{ n: 200_001 }]);
  });

  it('while Dolt is busy with a part of a huge transaction does not wait for it', { timeout: 120_000 }, async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { slot: source.name, commit: { maxBytes: '60MB' } };
    await source.sql('create table t (id int primary key, v numeric)');
    await drain(source.url, target.url, settings);
    // Each value has to be kept beside its column as well, so that the first part takes Dolt far longer than a stop may.
    await source.sql("insert into t select i, (i || '.0')::numeric from generate_series(1, 250000) i");
    await using child = startChild(cli, source.url, target.url, settings);
    await child.logged('streaming');
    await isInserting(target);
    child.signal('SIGTERM');
    const ending = await child.end();
    expect(ending).toMatchObject({ code: 0 });
    expect(ending.ms).toBeLessThan(SECONDS);
    expect(await target.sql('select count(*) as n from t')).toEqual([{ n: 0 }]);
  });

  it('in the middle of a copy: exit 0, and the copy goes on', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { slot: source.name, transactions: true };
    await createBank(source, 4);
    await bloatBank(source);
    {
      await using child = startChild(cli, source.url, target.url, settings);
      await child.logged('table copied');
      child.signal('SIGINT');
      const ending = await child.end();
      expect(ending).toMatchObject({ code: 0 });
      expect(ending.ms).toBeLessThan(SECONDS);
      expect(await target.sql('show tables')).toEqual([]);
    }
    await drain(source.url, target.url, settings);
    await expectRight(source, target);
  });

  it('while it waits for a server that is away: exit 0', async () => {
    await using child = startChild(cli, 'postgres://postgres@127.0.0.1:1/x', 'mysql://root@127.0.0.1:1/x', {
      retry: { firstDelay: '10s' },
    });
    await child.logged(/trying again/);
    child.signal('SIGTERM');
    expect(await child.end()).toMatchObject({ code: 0 });
  });

  it('a second time ends it at once, whatever it waits for, losing nothing', { timeout: 120_000 }, async () => {
    await using dolt = await startDolt();
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName(dolt);
    const settings = { slot: source.name, commit: { maxBytes: '1MB' } };
    await source.sql('create table t (id int primary key, v text)');
    await drain(source.url, target.url, settings);
    await source.sql("insert into t select i, repeat('x', 200) from generate_series(1, 100000) i");
    {
      await using child = startChild(cli, source.url, target.url, settings);
      await child.logged('streaming');
      await isInserting(target);
      // What it waits for now does not come.
      process.kill(dolt.pid ?? 0, 'SIGSTOP');
      try {
        child.signal('SIGTERM');
        await child.logged(/^stopping/);
        child.signal('SIGTERM');
        expect(await child.end()).toMatchObject({ code: 143 });
      } finally {
        process.kill(dolt.pid ?? 0, 'SIGCONT');
      }
    }
    await drain(source.url, target.url, settings);
    expect(await target.sql('select count(*) as n from t')).toEqual([{ n: 100_000 }]);
  });
});

describe('an end that was asked for', () => {
  it('is exact: what commits at or after it is left for later', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table t (id int primary key)');
    await drain(source.url, target.url);
    const ends: string[] = [];
    for (let id = 1; id <= 5; id += 1) {
      await source.sql('insert into t values ($1)', [id]);
      ends.push((await source.sql('select pg_current_wal_lsn() as lsn'))[0]?.lsn);
    }
    for (const [i, until] of ends.entries()) {
      await drain(source.url, target.url, { until });
      expect(await target.sql('select max(id) as last from t')).toEqual([{ last: i + 1 }]);
      // Asked for again, or for less: nothing is to be done.
      await drain(source.url, target.url, { until });
      await drain(source.url, target.url, { until: ends[0] });
      expect(await target.sql('select max(id) as last from t')).toEqual([{ last: i + 1 }]);
    }
    expect(await target.sql('select count(*) as n from dolt_log')).toEqual([{ n: 7 }]);
  });

  it('divides commits that follow each other without a byte between them', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table t (id int primary key)');
    await drain(source.url, target.url);
    const clients = await Promise.all(Array.from({ length: 8 }, () => source.client()));
    for (const [id, client] of clients.entries()) {
      await client.query('begin');
      await client.query('insert into t values ($1)', [id]);
    }
    const ends: string[] = [];
    for (const client of clients) {
      await client.query('commit');
      ends.push((await source.sql('select pg_current_wal_lsn() as lsn'))[0]?.lsn);
    }
    for (const [i, until] of ends.entries()) {
      await drain(source.url, target.url, { until });
      expect(await target.sql('select count(*) as n from t'), until).toEqual([{ n: i + 1 }]);
    }
  });

  it('current, under load, has all that was committed before, and ends', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await createBank(source);
    await drain(source.url, target.url, { transactions: true });
    await using workload = startWorkload(source, { pause: 1 });
    for (let round = 0; round < 5; round += 1) {
      await sleep(300);
      const [before] = await source.sql('select sum(seq) as n from clocks');
      await drain(source.url, target.url, { transactions: true });
      const [after] = await target.sql('select sum(seq) as n from clocks');
      expect(Number(after?.n)).toBeGreaterThanOrEqual(Number(before?.n));
    }
    await workload.stop();
    await drain(source.url, target.url, { transactions: true });
    await expectRight(source, target);
  });
});

describe('--snapshot only', () => {
  it('is one commit of a Postgres state, and the next run streams from there', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { slot: source.name, transactions: true };
    await createBank(source);
    await using workload = startWorkload(source);
    await using child = startChild(cli, source.url, target.url, { ...settings, snapshot: 'only' });
    expect(await child.end()).toMatchObject({ code: 0 });
    expect(await historyFaults(target)).toEqual({ faults: [], commits: 1 });
    // Once more: there is nothing to do.
    await using again = startChild(cli, source.url, target.url, { ...settings, snapshot: 'only' });
    expect(await again.end()).toMatchObject({ code: 0 });
    expect(await historyFaults(target)).toEqual({ faults: [], commits: 1 });
    await workload.stop();
    await drain(source.url, target.url, settings);
    expect(await expectRight(source, target)).toBeGreaterThan(1);
  });

  it('ends with the whole snapshot when it was killed in the middle, under load', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { slot: source.name, transactions: true, snapshot: 'only' };
    await createBank(source);
    await bloatBank(source);
    await using workload = startWorkload(source);
    await using child = startChild(cli, source.url, target.url, settings, 'after-table:3');
    expect(await child.end()).toMatchObject({ signal: 'SIGKILL' });
    await using again = startChild(cli, source.url, target.url, settings);
    expect(await again.end()).toMatchObject({ code: 0 });
    await workload.stop();
    expect(await historyFaults(target)).toEqual({ faults: [], commits: 1 });
    await drain(source.url, target.url, { ...settings, snapshot: 'initial' });
    await expectRight(source, target);
  });
});
