import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltCli, buildCli } from './support/built-cli.js';
import { type Child, startChild } from './support/child.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { startRun } from './support/run.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

describe('a copy', () => {
  it('begins with the largest table, though never analysed, and commits small ones together', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(`create table a_few (id int primary key, code text unique); create table none (id int primary key);
      create table m_many (id int primary key, body text); create table z_most (id int primary key, body text);
      insert into a_few select i, 'code ' || i from generate_series(1, 100) i; analyze a_few;
      insert into m_many select i, repeat('x', 1000) from generate_series(1, 6000) i;
      insert into z_most select i, repeat('x', 1000) from generate_series(1, 12000) i;`);
    await using child = startChild(cli, source.url, target.url, {
      slot: source.name,
      snapshot: 'only',
      copyConnections: 1,
    });
    expect(await child.end()).toMatchObject({ code: 0 });
    const tables = (message: string): unknown[] =>
      child.log.filter(({ msg }) => msg === message).map(({ table }) => table);
    expect(tables('copying table')).toEqual(['public.z_most', 'public.m_many', 'public.a_few', 'public.none']);
    expect(tables('table copied')).toEqual(['z_most', 'm_many', 'a_few', 'none']);
    const [most, many, few, none] = child.log.filter(({ msg }) => msg === 'table copied').map(({ hash }) => hash);
    expect(few).toBe(none);
    expect(new Set([most, many, few]).size).toBe(3);
    const counts = await target.sql(`select (select count(*) from z_most) as z, (select count(*) from m_many) as m,
      (select count(*) from a_few) as a, (select count(*) from a_few where code = 'code 7') as found`);
    expect(counts).toEqual([{ z: 12_000, m: 6_000, a: 100, found: 1 }]);
  });

  it.each(['', 'partition by range (id)'])(
    'lets a transaction alter several tables, copied or not (%s)',
    async (how) => {
      await using source = await createPostgresDatabase();
      await using target = createDoltDatabaseName();
      await source.sql(`create table most (id int primary key, v text); create table many (id int primary key, v text);
      create table few (id int primary key, v text) ${how}; ${how && 'create table part partition of few default'};
      alter table most alter v set storage external; alter table many alter v set storage external;
      insert into most select i, repeat(md5(i::text), 100) from generate_series(1, 14000) i;
      insert into many select i, repeat(md5(i::text), 100) from generate_series(1, 8000) i;
      insert into few select i, repeat(md5(i::text), 200) from generate_series(1, 3000) i`);
      await using running = startRun(source.url, target.url, { copyConnections: 2 });
      // The third is copied by whoever is ready first.
      const copies = `select 1 from pg_stat_activity where application_name like 'wal2dolt copy%' and query like 'COPY%'
      and state = 'active' and datname = current_database()`;
      await expect.poll(() => source.sql(copies), { interval: 10 }).toHaveLength(2);
      const application = await source.client();
      await application.query('begin; alter table few add column x int');
      const altered = application.query('alter table most add column x int; commit').then(() => 'altered');
      expect(await Promise.race([altered, running.ended, sleep(40_000, 'waits', { ref: false })])).toBe('altered');
    },
  );
});

/** The most memory that a process had, in MB. Only Linux tells it of another process. */
async function peakOf(child: Child): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

describe.runIf(process.platform === 'linux')('huge rows', () => {
  it('take eight times their text at most, copied from four tables at once or streamed', {
    timeout: 240_000,
  }, async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const ROW_MB = 32;
    const BASE_MB = 120;
    const rows = `select i, 1, repeat(md5(i::text), ${(ROW_MB << 20) / 32}) from generate_series`;
    for (const table of ['h1', 'h2', 'h3', 'h4']) {
      await source.sql(`create table ${table} (id int primary key, n int, body text);
        alter table ${table} alter body set storage external; insert into ${table} ${rows}(1, 2) i`);
    }
    await using child = startChild(cli, source.url, target.url, { slot: source.name, copyConnections: 4 });
    await child.logged('streaming');
    expect(await peakOf(child)).toBeLessThan(BASE_MB + 8 * ROW_MB);

    await source.sql(`begin; insert into h1 ${rows}(3, 5) i; commit; update h1 set n = 2`);
    const streamed = `select count(*) as n, min(n) as least, min(length(body)) as shortest from h1 where n = 2`;
    await expect
      .poll(() => target.sql(streamed), { timeout: 120_000, interval: 500 })
      .toEqual([{ n: 5, least: 2, shortest: ROW_MB << 20 }]);
    expect(await peakOf(child)).toBeLessThan(BASE_MB + 8 * ROW_MB);
    child.signal('SIGTERM');
    expect(await child.end()).toMatchObject({ code: 0 });
  });
});
