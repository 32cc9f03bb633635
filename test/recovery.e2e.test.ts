import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalServer } from '../src/servers/local-server.js';
import { bloatBank, createBank, expectRight, startWorkload, type Workload } from './support/bank.js';
import { createDoltDatabaseName, type DoltDatabase, startDolt } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase, startPostgres } from './support/postgres.js';
import { drain, type Running, startRun } from './support/run.js';

// Servers of this file's own, to end and start again.
let postgres: LocalServer;
let dolt: LocalServer;
beforeAll(async () => {
  [postgres, dolt] = await Promise.all([startPostgres(), startDolt()]);
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await dolt[Symbol.asyncDispose]();
});

const SETTINGS = {
  transactions: true,
  commit: { maxDelay: '40ms', maxBytes: '40kB' },
  retry: { firstDelay: '50ms', maxDelay: '500ms' },
};

/** Stops the workload, waits until the run has published all of it by itself, and stops the run. */
async function settle(
  source: PostgresDatabase,
  target: DoltDatabase,
  workload: Workload,
  running: Running,
): Promise<void> {
  await workload.stop();
  const marks = async (database: PostgresDatabase | DoltDatabase): Promise<string> => {
    const [row] = await database.sql('select count(*) as n from marks');
    return String(row?.n);
  };
  const expected = await marks(source);
  await Promise.race([
    running.ended,
    expect.poll(() => marks(target).catch(String), { timeout: 30_000, interval: 200 }).toBe(expected),
  ]);
  await running.stop();
}

/** Ends it as `kill -QUIT` does: an immediate shutdown, with crash recovery at the next start. */
async function quit(server: LocalServer): Promise<void> {
  process.kill(server.pid ?? 0, 'SIGQUIT');
  await expect.poll(() => server.pid, { timeout: 10_000 }).toBe(null);
}

describe('Postgres that is shut down', () => {
  it.each<[string, (server: LocalServer) => Promise<void>]>([
    ['fast', (server) => server.stop()],
    ['immediately', quit],
    ['by a crash', (server) => server.kill()],
  ])('%s under load is streamed from again', async (_how, end) => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName(dolt);
    await createBank(source);
    await drain(source.url, target.url, SETTINGS);
    await using workload = startWorkload(source, { persistent: true });
    await using running = startRun(source.url, target.url, SETTINGS);
    for (let round = 0; round < 3; round += 1) {
      await sleep(500 + Math.random() * 300);
      const started = Date.now();
      await end(postgres);
      const took = Date.now() - started;
      expect(took).toBeLessThan(5_000);
      await postgres.start();
    }
    await sleep(500);
    await settle(source, target, workload, running);
    await expectRight(source, target);
  });

  it('fast, while nothing happens, does not wait for us', async () => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName(dolt);
    await source.sql('create table t (id int primary key)');
    await drain(source.url, target.url);
    await using running = startRun(source.url, target.url, SETTINGS);
    await source.sql('insert into t values (1)');
    await expect.poll(() => target.sql('select id from t')).toEqual([{ id: 1 }]);
    await sleep(500);
    const started = Date.now();
    await postgres.stop();
    expect(Date.now() - started).toBeLessThan(3_000);
    await postgres.start();
    await source.sql('insert into t values (2)');
    await expect.poll(() => target.sql('select id from t')).toEqual([{ id: 1 }, { id: 2 }]);
    await running.stop();
  });
});

describe('Dolt that ends', () => {
  it.each<[string, (server: LocalServer) => Promise<void>]>([
    ['in order', (server) => server.stop()],
    ['by a crash', (server) => server.kill()],
  ])('%s under load is written again', async (_how, end) => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName(dolt);
    await createBank(source);
    await drain(source.url, target.url, SETTINGS);
    await using workload = startWorkload(source);
    await using running = startRun(source.url, target.url, SETTINGS);
    for (let round = 0; round < 5; round += 1) {
      await sleep(300 + Math.random() * 500);
      await end(dolt);
      await dolt.start();
    }
    await sleep(500);
    await settle(source, target, workload, running);
    await expectRight(source, target);
  });

  it('but for a session of a killed predecessor, which is waited for', async () => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName(dolt);
    await source.sql('create table t (id int primary key)');
    await drain(source.url, target.url);
    const predecessor = await target.connect('wal2dolt');
    await predecessor.query(`select get_lock('wal2dolt/${target.name}/wal2dolt/copy5', 0)`);
    await predecessor.query('start transaction');
    await predecessor.query('insert into t values (666)');
    await using running = startRun(source.url, target.url, SETTINGS);
    await sleep(1_000);
    await predecessor.query('commit');
    predecessor.destroy();

    await source.sql('insert into t values (1)');
    await expect.poll(() => target.sql('select id from t')).toEqual([{ id: 1 }]);
    await running.stop();
  });

  it('between the two steps of a fast-forward, which the next run finishes', async () => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName(dolt);
    await source.sql('create table t (id int primary key); create table u (id int primary key)');
    await drain(source.url, target.url);
    await target.sql('create table notes (id int primary key)');
    await source.sql('insert into t values (1); insert into u values (1)');
    await drain(source.url, target.url);
    // As a kill at the right moment leaves it: the branch is there, its working set is not.
    const main = await target.connect();
    await main.query("call dolt_reset('--hard', 'HEAD~1')");
    await main.query("call dolt_reset('--soft', 'wal2dolt')");
    expect(await target.sql('select * from t')).toEqual([]);

    await source.sql('insert into t values (2)');
    await drain(source.url, target.url);
    expect(await target.sql('select * from t')).toEqual([{ id: 1 }, { id: 2 }]);
    expect(await target.sql('select * from u')).toEqual([{ id: 1 }]);
    expect(await target.sql('select table_name from dolt_status')).toEqual([{ table_name: 'notes' }]);
  });
});

describe('a copy', () => {
  it('goes on with the tables that are missing when Dolt or Postgres ended in the middle', {
    timeout: 120_000,
  }, async () => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName(dolt);
    await createBank(source, 4);
    await bloatBank(source);
    await using workload = startWorkload(source, { persistent: true });
    await using running = startRun(source.url, target.url, { ...SETTINGS, copyConnections: 2 });
    const copied = async (): Promise<Map<string, string>> => {
      const staging = await target.connect('wal2dolt').catch(() => null);
      if (!staging) return new Map();
      try {
        const [rows] = await staging.query(
          "select source_table, snapshot_lsn from wal2dolt_tables as of 'HEAD' where state = 'streaming'",
        );
        // Of the statement above.
        return new Map(
          (rows as { source_table: string; snapshot_lsn: string }[]).map((row) => [row.source_table, row.snapshot_lsn]),
        );
      } catch {
        return new Map(); // the tables are not there yet
      } finally {
        staging.destroy();
      }
    };
    let before = new Map<string, string>();
    for (const [server, end] of [
      [dolt, 'kill'],
      [postgres, 'kill'],
      [dolt, 'stop'],
      [postgres, 'stop'],
    ] as const) {
      await expect
        .poll(async () => (await copied()).size, { timeout: 20_000, interval: 20 })
        .toBeGreaterThan(before.size);
      await server[end]();
      await server.start();
      const now = await copied();
      // What was copied before is not copied again.
      for (const [table, lsn] of before) expect(now.get(table), table).toBe(lsn);
      expect(await target.sql('show tables')).toEqual([]);
      before = now;
    }
    await settle(source, target, workload, running);
    await expectRight(source, target);
    const [snapshots] = await target.sql('select count(distinct snapshot_lsn) as n from wal2dolt_tables');
    expect(snapshots?.n).toBeGreaterThan(2);
  });
});

describe('connections that are cut', () => {
  it('of Postgres, the stream or all, are made again', async () => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName(dolt);
    await createBank(source);
    await drain(source.url, target.url, SETTINGS);
    await using workload = startWorkload(source);
    await using running = startRun(source.url, target.url, SETTINGS);
    for (const which of ['wal2dolt stream', 'wal2dolt%', 'wal2dolt stream', 'wal2dolt stream']) {
      const cut =
        'select pg_terminate_backend(pid) from pg_stat_activity where application_name like $1 and datname = $2';
      await expect.poll(() => source.sql(cut, [which, source.name]), { interval: 50 }).not.toEqual([]);
      await sleep(300);
    }
    await settle(source, target, workload, running);
    await expectRight(source, target);
  });

  it('of Dolt, are made again', async () => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName(dolt);
    await createBank(source);
    await drain(source.url, target.url, SETTINGS);
    await using workload = startWorkload(source);
    await using running = startRun(source.url, target.url, SETTINGS);
    for (let round = 0; round < 8; round += 1) {
      await sleep(Math.random() * 300);
      for (const { Id, db } of await target.sql('show processlist')) {
        // The writer in half of the rounds, the publisher in the others.
        if (db === `${target.name}${round % 2 === 0 ? '/wal2dolt' : '/main'}`) await target.sql(`kill ${Id}`);
      }
    }
    await settle(source, target, workload, running);
    await expectRight(source, target);
  });

  it('of Dolt, on our side only: what the server still holds for us is waited for', { timeout: 90_000 }, async () => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName(dolt);
    await source.sql('create table t (id int primary key)');
    await drain(source.url, target.url);
    await using network = await createHalfNetwork(target.url);
    await using running = startRun(source.url, network.url, SETTINGS);
    await source.sql('insert into t values (1)');
    await expect.poll(() => target.sql('select id from t')).toHaveLength(1);
    network.cutNear();
    await source.sql('insert into t values (2)');
    await sleep(12_000); // more than the wait for the lock
    expect(await target.sql('select id from t')).toHaveLength(1);
    network.cutFar();
    await expect.poll(() => target.sql('select id from t'), { timeout: 30_000 }).toHaveLength(2);
    await running.stop();
  });
});

/** A network that can break between us and it, while the server on the other side of it notices nothing. */
async function createHalfNetwork(target: string) {
  const pairs: { near: Socket; far: Socket }[] = [];
  const server = createServer((near) => {
    const far = connect(Number(new URL(target).port), '127.0.0.1');
    pairs.push({ near, far });
    for (const socket of [near, far]) socket.on('error', () => {});
    near.on('data', (chunk) => far.write(chunk));
    far.on('data', (chunk) => near.write(chunk));
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port); // it listens on TCP
  const cut = (side: 'near' | 'far') => (): void => {
    for (const pair of pairs) pair[side].destroy();
  };
  return {
    url: url.href,
    cutNear: cut('near'),
    cutFar: cut('far'),
    async [Symbol.asyncDispose](): Promise<void> {
      cut('far')();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
