import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bloatBank, createBank, expectRight, historyFaults, startWorkload } from './support/bank.js';
import { type BuiltCli, buildCli } from './support/built-cli.js';
import { startChild } from './support/child.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from './support/postgres.js';
import { drain } from './support/run.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

/** Small batches and little memory, so that a kill finds every kind of moment. */
const settingsFor = (source: PostgresDatabase): Record<string, unknown> => ({
  slot: source.name,
  transactions: true,
  commit: { maxDelay: '40ms', maxBytes: '40kB' },
});

describe('a process killed while it streams', () => {
  it('loses nothing, repeats nothing, and publishes only what Postgres was', { timeout: 240_000 }, async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = settingsFor(source);
    await createBank(source);
    await drain(source.url, target.url, settings);

    const points = ['after-apply', 'after-commit', 'before-acknowledge', 'after-spill'];
    const named = points.flatMap((point) => [point, `${point}:2`, `${point}:7`]);
    const rounds = [...named, ...Array<undefined>(18).fill(undefined)];
    await using workload = startWorkload(source);
    for (const failpoint of rounds) {
      await using child = startChild(cli, source.url, target.url, settings, failpoint);
      if (failpoint === undefined) {
        // Three of four while it streams, the others while it starts.
        if (Math.random() < 0.75) await child.logged('streaming');
        await sleep(Math.random() * 1000);
        child.signal('SIGKILL');
      }
      expect(await child.end(), failpoint ?? 'at random').toMatchObject({ signal: 'SIGKILL' });
    }
    await workload.stop();
    await drain(source.url, target.url, settings);

    const commits = await expectRight(source, target);
    expect(commits).toBeGreaterThan(60);
    const [recorded] = await target.sql(
      'select count(*) as n, count(distinct xid) as different from wal2dolt_transactions',
    );
    expect(recorded).toEqual({ n: workload.committed, different: workload.committed });
  });
});

describe('a process killed while it copies', () => {
  it('goes on with the tables that are missing, and shows none before all are there', {
    timeout: 240_000,
  }, async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { ...settingsFor(source), copyConnections: 1 };
    await createBank(source, 6);
    await bloatBank(source);
    // These are copied and committed together.
    await source.sql(`do $$ begin for n in 1..30 loop
      execute format('create table tiny_%s (id int primary key, at timestamptz)', n);
      execute format('create index on tiny_%s (at)', n);
      execute format('insert into tiny_%s select i, now() from generate_series(1, 5) i', n);
    end loop; end $$`);
    const group = 30;
    const tables = 6 + 6 + group;

    await using workload = startWorkload(source);
    const copied: string[] = [];
    const rounds = [
      ...['before-slot', 'after-slot', 'after-create', 'after-table', 'after-table:2'],
      ...Array<undefined>(4).fill(undefined),
      ...['before-squash', 'mid-squash', 'after-squash'],
    ];
    for (const failpoint of rounds) {
      await using child = startChild(cli, source.url, target.url, settings, failpoint);
      if (failpoint === undefined) {
        await child.logged(/^copying$|^going on/);
        await sleep(Math.random() * 500);
        child.signal('SIGKILL');
      }
      expect(await child.end(), failpoint ?? 'at random').toMatchObject({ signal: 'SIGKILL' });
      copied.push(...child.log.filter(({ msg }) => msg === 'table copied').map(({ table }) => String(table)));
      expect(await target.sql('show tables'), failpoint ?? 'at random').toEqual([]);
    }
    expect([...copied].sort()).toEqual([...new Set(copied)].sort());
    // One of the kills may come between a commit and its line in the log.
    expect(copied.length).toBeGreaterThanOrEqual(tables - group);
    await workload.stop();
    await drain(source.url, target.url, settings);

    await expectRight(source, target);
    expect(await target.sql('select name from dolt_branches order by name')).toEqual([
      { name: 'main' },
      { name: 'wal2dolt' },
    ]);
    const [snapshot] = await target.sql("select count(*) as n from dolt_log where message like 'copied %'");
    expect(snapshot).toEqual({ n: 0 });
  });

  it('is shown as a whole when the run that goes on with it has an end', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = settingsFor(source);
    await createBank(source);
    await bloatBank(source);
    await using workload = startWorkload(source);
    await using child = startChild(cli, source.url, target.url, settings, 'after-table:2');
    await child.end();
    await drain(source.url, target.url, settings);
    await workload.stop();
    expect(await historyFaults(target)).toEqual({ faults: [], commits: 1 });
    await drain(source.url, target.url, settings);
    await expectRight(source, target);
  });
});
