import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalServer } from '../src/servers/local-server.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase, startPostgres } from './support/postgres.js';
import { createProxy } from './support/replication.js';
import { drain, startRun } from './support/run.js';
import { expectSame, FAST, failure, SPILLING, spilled, stream } from './support/streamed.js';

describe.concurrent('two at once', () => {
  it('on one slot: the second is refused', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await using other = createDoltDatabaseName();
    await source.sql(`alter database ${source.name} set wal_sender_timeout = '20s'`); // it is waited for as long
    await stream(source, target);
    await using running = startRun(source.url, target.url, FAST);
    await source.sql('insert into t values (2)');
    await expect.poll(() => target.sql('select id from t')).toHaveLength(2);
    await expect(drain(source.url, other.url, { snapshot: 'never' })).rejects.toMatchObject({ code: 'E_SLOT_IN_USE' });

    await source.sql('insert into t values (3)');
    await expect.poll(() => target.sql('select id from t')).toHaveLength(3);
    await running.stop();
  });

  it('on one target: the second is refused', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await using running = startRun(source.url, target.url, FAST);
    await source.sql('insert into t values (2)');
    await expect.poll(() => target.sql('select id from t')).toHaveLength(2);
    // Dolt takes the name in any case: it would be the same database.
    const shouted = target.url.replace(/[^/]+$/, (name) => name.toUpperCase());
    await expect(drain(source.url, shouted)).rejects.toMatchObject({ code: 'E_TARGET_LOCKED' });

    await source.sql('insert into t values (3)');
    await expect.poll(() => target.sql('select id from t')).toHaveLength(3);
    await running.stop();
  });
});

describe('a target that someone else wrote', () => {
  it('on the branch of the readers: a commit stops the run, and is never overwritten', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await using running = startRun(source.url, target.url, FAST);
    await target.sql("insert into t values (100, 'theirs')");
    await target.sql("call dolt_commit('-am', 'theirs')");
    await source.sql('insert into t values (2)');
    expect(await failure(running)).toMatch(/^E_TARGET_DIVERGED/);
    await expect(drain(source.url, target.url)).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
    expect(await target.sql('select id from t')).toEqual([{ id: 1 }, { id: 100 }]);

    // What was kept back is there as soon as theirs is out of the way.
    await target.sql("call dolt_reset('--hard', 'HEAD~1')");
    await drain(source.url, target.url);
    await expectSame(source, target);
  });

  it('on the branch of the readers: a change without a commit stops the run, and nothing is lost', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await using running = startRun(source.url, target.url, FAST);
    await target.sql("update t set v = 'theirs'");
    await source.sql('insert into t values (2)');
    expect(await failure(running)).toMatch(/^E_TARGET_DIRTY/);
    await source.sql('insert into t values (3)');
    await expect(drain(source.url, target.url)).rejects.toMatchObject({ code: 'E_TARGET_DIRTY' });
    expect(await target.sql('select id, v from t')).toEqual([{ id: 1, v: 'theirs' }]);

    await target.sql("call dolt_checkout('t')");
    await drain(source.url, target.url);
    await expectSame(source, target);
  });

  it('on the staging branch, between two runs: stops the next', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    const staging = await target.connect('wal2dolt');
    await staging.query("insert into t values (100, 'theirs')");
    await staging.query("call dolt_commit('-am', 'theirs')");
    await expect(drain(source.url, target.url)).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
    expect(await target.sql('select id from t')).toEqual([{ id: 1 }]);
  });

  it('on the staging branch, while a run works: stops it', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await using running = startRun(source.url, target.url, FAST);
    await source.sql('insert into t values (2)');
    await expect.poll(() => target.sql('select id from t')).toHaveLength(2);
    const staging = await target.connect('wal2dolt');
    await staging.query("insert into t values (100, 'theirs')");
    await staging.query("call dolt_commit('-am', 'theirs')");
    await source.sql('insert into t values (3)');
    expect(await failure(running)).toMatch(/^E_TARGET_DIVERGED/);
    expect(await target.sql('select id from t')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('on the staging branch, in the middle of a batch: stops it', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await using running = startRun(source.url, target.url, SPILLING);
    const staging = await spilled(source, target);
    await staging.query("insert into t values (100, 'theirs')");
    await staging.query("call dolt_commit('--skip-empty', '-am', 'theirs')");
    expect(await failure(running)).toMatch(/^E_TARGET_DIVERGED/);
    expect(await target.sql('select id from t')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('by resetting the staging branch in the middle of a batch: what was thrown away is not published as if it were there', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await using running = startRun(source.url, target.url, SPILLING);
    const staging = await spilled(source, target);
    // Dolt refuses it when a statement of the run gets in between.
    const reset = () => staging.query("call dolt_reset('--hard')").then(() => true, String);
    await expect.poll(reset, { interval: 5 }).toBe(true);
    // It stops, or, where the reset met one of its statements, begins again at HEAD; half of the rows is never seen.
    let ended = false;
    running.ended.catch(() => {
      ended = true;
    });
    await expect
      .poll(async () => ended || (await target.sql('select id from t')).length > 2, { timeout: 30_000 })
      .toBe(true);
    expect([2, 59_003]).toContain((await target.sql('select id from t')).length);
    await running[Symbol.asyncDispose]();
    await drain(source.url, target.url);
    expect(await target.sql('select id from t')).toHaveLength(59_003);
  });

  it('on the staging branch, beside the last statements of a batch: stops it, and the next run', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await using running = startRun(source.url, target.url, { commit: { maxDelay: '30ms', maxBytes: '100MB' } });
    const staging = await target.connect('wal2dolt');
    await source.sql("insert into t select i, repeat('x', 100) from generate_series(1000, 60000) i");
    const inserting = async (): Promise<boolean> =>
      (await target.sql('show processlist')).some(
        ({ Info, db }) => db === `${target.name}/wal2dolt` && /^insert into `t`/i.test(Info ?? ''),
      );
    await expect.poll(inserting, { interval: 5 }).toBe(true);
    await staging.query("insert into t values (100, 'theirs')");
    await staging.query("call dolt_commit('-am', 'theirs')");
    expect(await failure(running)).toMatch(/^E_TARGET_DIVERGED/);
    await expect(drain(source.url, target.url)).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
    expect(await target.sql('select id from t')).toEqual([{ id: 1 }]);
  });

  it('by dropping the position', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await using running = startRun(source.url, target.url, FAST);
    await source.sql('insert into t values (2)');
    await expect.poll(() => target.sql('select id from t')).toHaveLength(2);
    await (await target.connect('wal2dolt')).query('delete from wal2dolt_position');
    await source.sql('insert into t values (3)');
    expect(await failure(running)).toMatch(/^E_TARGET_(DIVERGED|CONFLICT)/);
  });
});

describe('a slot', () => {
  const drop = (source: PostgresDatabase): Promise<unknown> =>
    source.sql('select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1', [
      source.name,
    ]);

  it('that is gone stops the run, and the history stays', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await drop(source);
    await source.sql('insert into t values (2)');
    await expect(drain(source.url, target.url)).rejects.toMatchObject({ code: 'E_SLOT_MISSING' });
    expect(await target.sql('select id from t')).toEqual([{ id: 1 }]);
  });

  it('that is gone and came back under the same name holds not the same WAL', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await drop(source);
    await source.sql('insert into t values (2)');
    await source.sql("select pg_create_logical_replication_slot($1, 'pgoutput')", [source.name]);
    await expect(drain(source.url, target.url)).rejects.toMatchObject({ code: 'E_SLOT_ADVANCED' });
  });

  it('that someone else advanced stops the run, also after we advanced it ourselves', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await source.sql('create temp table noise as select 1 as a');
    await drain(source.url, target.url);
    await source.sql('insert into t values (2)');
    await source.sql('select pg_replication_slot_advance($1, pg_current_wal_lsn())', [source.name]);
    await expect(drain(source.url, target.url)).rejects.toMatchObject({ code: 'E_SLOT_ADVANCED' });
    expect(await target.sql('select id from t')).toEqual([{ id: 1 }]);
  });
});

describe('a slot that changes between two attempts of one run', () => {
  it.each([
    ['is advanced', 'E_SLOT_ADVANCED', 'select pg_replication_slot_advance($1, pg_current_wal_lsn())'],
    ['is dropped', 'E_SLOT_MISSING', 'select pg_drop_replication_slot($1)'],
  ])('%s: the next attempt is the last', async (_what, code, change) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await using network = await createProxy(source.url);
    await stream(source, target);
    await using running = startRun(network.url, target.url, FAST);
    await source.sql("insert into t values (2, 'b')");
    await expect.poll(() => target.sql('select id from t')).toHaveLength(2);
    network.server = 'postgres://127.0.0.1:1'; // nobody is there until the slot is changed
    await source.sql(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and backend_type = 'walsender'",
      [source.name],
    );
    await source.sql("insert into t values (3, 'c')");
    await expect.poll(() => source.sql(change, [source.name]).then(() => true, String)).toBe(true);
    network.server = source.url;
    expect(await failure(running)).toMatch(new RegExp(`^${code}`));
    expect(await target.sql('select id from t')).toHaveLength(2);
  });
});

describe('another server', () => {
  let twin: LocalServer;
  beforeAll(async () => {
    twin = await startPostgres();
  });
  afterAll(() => twin[Symbol.asyncDispose]());

  it('with a database and a slot of the same names is not taken for the first', async () => {
    await using source = await createPostgresDatabase();
    await using other = await createPostgresDatabase(source.name, twin);
    await using target = createDoltDatabaseName();
    await stream(source, target);
    await other.sql('create table t (id int primary key, v text); create publication wal2dolt for all tables');
    await other.sql("select pg_create_logical_replication_slot($1, 'pgoutput')", [source.name]);
    await expect(drain(other.url, target.url)).rejects.toMatchObject({ code: 'E_OTHER_SOURCE' });
    await drain(source.url, target.url);
    await expectSame(source, target);
  });
});
