import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltCli, buildCli } from '../support/built-cli.js';
import { startChild } from '../support/child.js';
import { MODES } from '../support/ddl-case.js';
import { expectAsCopied } from '../support/ddl-fresh.js';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres.js';
import { drain, runBroken, startRun } from '../support/run.js';
import { FAST } from '../support/streamed.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

/** Tables are copied one after the other, the largest first. */
const ONE_BY_ONE = { ...FAST, copyConnections: 1 };

const SMALL = Array.from({ length: 8 }, (_, i) => `t${i}`);

async function createTables(source: PostgresDatabase, rows: number): Promise<void> {
  await source.sql('create table big (id int primary key, v text)');
  await source.sql(`insert into big select i, repeat('x', 50) || i from generate_series(1, ${rows}) i`);
  for (const name of SMALL) {
    await source.sql(`create table ${name} (id int primary key, a text, b numeric);
      insert into ${name} select i, 'a' || i, i + 0.50 from generate_series(1, 20) i`);
  }
  await source.sql(`create table swapped (id int primary key, a text, b int[]);
    insert into swapped select i, 'a' || i, array[i] from generate_series(1, 20) i`);
}

/** Every kind of change that a table can meet between the beginning of the snapshot and its own copy. */
const CHANGES = [
  `alter table t0 rename a to aa; update t0 set aa = 'x' where id = 1`,
  `alter table t1 drop column a; insert into t1 values (21, 1)`,
  `alter table t2 alter b type text using 'n' || b; update t2 set b = 'b' where id = 2`,
  `alter table t3 add c uuid default gen_random_uuid(); delete from t3 where id = 3`,
  `alter table t4 rename to t44; insert into t44 values (21, 'new', 'infinity')`,
  `begin; alter table t5 drop constraint t5_pkey; alter table t5 add primary key (a); update t5 set id = 0; commit`,
  'drop table t6',
  'truncate t7; alter table t7 add c int default 7; insert into t7 (id) values (1)',
  `create table t8 (id int primary key, v text); insert into t8 values (1, 'a')`,
  // Now a column gives what the other's type does not know.
  `begin; alter table swapped rename a to c; alter table swapped rename b to a; alter table swapped rename c to b;
   insert into swapped (id, a) values (21, array[21]); commit`,
  `update big set v = 'changed' where id % 1000 = 0; alter table t0 add c int default 1; delete from t0 where id = 2`,
];

describe.each(MODES)('changes of schema in the middle of the first copy (%s)', (ddl) => {
  it('are followed while it goes on', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await createTables(source, 50_000);
    await using running = startRun(source.url, target.url, { ...ONE_BY_ONE, ddl });
    await expect
      .poll(async () => {
        const staging = await target.connect('wal2dolt');
        return (await staging.query('select 1 from big limit 1'))[0];
      })
      .toHaveLength(1);
    for (const change of CHANGES) await source.sql(change);
    const staging = await target.connect('wal2dolt');
    const [phase] = await staging.query('select phase from wal2dolt_position');
    expect(phase, 'the copy was over before the changes were').toEqual([{ phase: 'snapshot' }]);
    const published = expect
      .poll(() => target.sql('select count(*) as n from big').catch(() => []), { timeout: 60_000 })
      .toHaveLength(1);
    await Promise.race([published, running.ended]);
    await running.stop();
    await drain(source.url, target.url, { ddl });
    await expectAsCopied(source, target);
  });

  it('are followed after it was broken off', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await createTables(source, 2_000);
    await runBroken(source.url, target.url, 3, { ...ONE_BY_ONE, ddl });
    for (const change of CHANGES) await source.sql(change);
    await drain(source.url, target.url, { ...ONE_BY_ONE, ddl });
    await expectAsCopied(source, target);
  });

  it('are those of tables that are copied already, and of what their constraints are about', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`create table big (id int primary key, n int constraint positive check (n > 0), m int, v text);
      create table small (id int primary key, big_id int constraint belongs references big);
      insert into big select i, i, -i, repeat('x', 500) from generate_series(1, 20000) i; insert into small values (1, 1)`);
    const settings = { ...ONE_BY_ONE, ddl, foreignKeys: true, checks: true };
    await runBroken(source.url, target.url, 1, settings);
    const staging = await target.connect('wal2dolt');
    const [copied] = await staging.query('select source_table, state from wal2dolt_tables order by 1');
    expect(copied).toMatchObject([{ state: 'streaming' }, { state: 'copying' }]);
    await source.sql(`alter table big rename to bigger; begin; alter table bigger rename n to x;
      alter table bigger rename m to n; alter table bigger rename x to m; commit`);
    await source.sql('insert into bigger values (0, 1, -1)');
    await drain(source.url, target.url, settings);
    const [bigger] = await target.sql('show create table bigger');
    expect(bigger?.['Create Table']).toMatch(/CONSTRAINT `positive` CHECK \(\(?`m` > 0/);
    const [small] = await target.sql('show create table small');
    expect(small?.['Create Table']).toMatch(
      /CONSTRAINT `belongs` FOREIGN KEY \(`big_id`\) REFERENCES `bigger` \(`id`\)/,
    );
    expect(await target.sql('select m, n from bigger where id < 2')).toEqual([
      { m: 1, n: -1 },
      { m: 1, n: -1 },
    ]);
  });

  it('are followed right after the place at which all copies belong together', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await createTables(source, 60_000);
    // One batch has what comes before the changes and after them.
    const settings = { ...ONE_BY_ONE, ddl, commit: { maxDelay: '5s' } };
    await runBroken(source.url, target.url, 1, settings);
    {
      await using child = startChild(cli, source.url, target.url, { ...settings, slot: source.name }, 'after-table');
      expect(await child.end()).toMatchObject({ signal: 'SIGKILL' });
    }
    const staging = await target.connect('wal2dolt');
    expect((await staging.query(`select 1 from wal2dolt_tables where state <> 'streaming'`))[0]).toEqual([]);
    await source.sql(`insert into big values (0, 'before')`);
    for (const change of [
      'alter table big rename to bigger',
      `insert into bigger values (-1, 'after')`,
      ...CHANGES.slice(0, -1),
    ])
      await source.sql(change);
    await drain(source.url, target.url, settings);
    await expectAsCopied(source, target);
  });

  it('are those of the partitions of a table that is not copied yet', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await createTables(source, 2_000);
    await source.sql(`create table parted (id int primary key, v text) partition by list (id);
      create table p1 partition of parted for values in (1); create table p2 partition of parted for values in (2);
      insert into parted values (1, 'a'), (2, 'b');
      create publication wal2dolt for all tables with (publish_via_partition_root)`);
    await runBroken(source.url, target.url, 0, { ...ONE_BY_ONE, ddl });
    await source.sql(`alter table parted detach partition p2; create table p3 partition of parted for values in (3);
      insert into parted values (3, 'c'); comment on table t1 is 'by now'`);
    await drain(source.url, target.url, { ...ONE_BY_ONE, ddl, retry: { giveUpAfter: '5s' } });
    await source.sql(`update parted set v = 'd' where id = 3; insert into p2 values (22, 'e')`);
    await drain(source.url, target.url, { ...FAST, ddl });
    await expectAsCopied(source, target);
  });

  it('leave out a table without columns until it has one', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table bare (); alter table bare replica identity full; insert into bare default values');
    await drain(source.url, target.url, { ddl });
    expect(await target.sql('show tables')).not.toContainEqual(
      expect.objectContaining({ [`Tables_in_${target.name}`]: 'bare' }),
    );
    await source.sql('insert into bare default values');
    await source.sql('alter table bare add column id int; insert into bare values (3)');
    await drain(source.url, target.url, { ddl });
    await expectAsCopied(source, target);
    expect(await target.sql('select id from bare')).toHaveLength(3);
  });
});
