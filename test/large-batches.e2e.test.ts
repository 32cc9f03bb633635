import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BuiltCli, buildCli } from './support/built-cli.js';
import { startChild } from './support/child.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from './support/postgres.js';
import { drain } from './support/run.js';
import { expectSame } from './support/streamed.js';

/*
 * Batches that are large enough to be written by two connections, each with a range of the keys.
 */

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

const ROWS = 6_000;

/** What Dolt's second connection may write, and what it may not: values that change hands, rows that are the same. */
async function createTables(source: PostgresDatabase): Promise<void> {
  await source.sql(`
    create table numbered (id int primary key, v text, f float8);
    create table lettered (id uuid primary key, n int); create index on lettered (n);
    create table paired (a int, b text, v text, primary key (a, b));
    create table distinct_values (id int primary key, u int unique deferrable initially deferred, v text);
    create table same (v text); alter table same replica identity full;
    create table texts (id int primary key, n int, body text); alter table texts alter body set storage external;
    insert into numbered select i, 'v' || i, case when i % 7 = 0 then 'NaN'::float8 else i / 8.0 end from generate_series(1, ${ROWS}) i;
    insert into lettered select md5(i::text)::uuid, i from generate_series(1, ${ROWS}) i;
    insert into paired select i % 50, 'b' || i, 'v' from generate_series(1, ${ROWS}) i;
    insert into distinct_values select i, i, 'v' from generate_series(1, ${ROWS}) i;
    insert into same select 'v' || i % 10 from generate_series(1, ${ROWS}) i;
    insert into texts select i, 0, repeat('x', 3000) from generate_series(1, 3000) i`);
}

/** Several transactions, of which each changes thousands of rows, in the order of no key. */
async function change(source: PostgresDatabase, round: number): Promise<void> {
  await source.sql(`
    update numbered set v = v || '${round}', f = case when id % 5 = ${round} then 'NaN'::float8 else f + 1 end where id % 3 > 0;
    delete from numbered where id % 11 = ${round};
    insert into numbered select i, 'new', 'Infinity' from generate_series(${(round + 1) * 10_000}, ${(round + 1) * 10_000 + 3_000}) i;
    update lettered set n = n + 1; delete from lettered where n % 9 = ${round};
    update numbered set id = -id where id % 13 = ${round};
    update paired set b = b || '-${round}' where a % 4 = ${round}; delete from paired where a = ${round};
    begin; update distinct_values set u = ${ROWS} + 1 - u; commit;
    delete from distinct_values where id % 17 = ${round}; insert into distinct_values select -i, -i, 'v' from generate_series(${round} * 1000 + 1, ${round} * 1000 + 500) i;
    insert into same select 'v' || i % 10 from generate_series(1, 3000) i; delete from same where v = 'v${round}';
    update texts set n = n + 1`);
}

const SETTINGS = { commit: { maxDelay: '300ms' } };

it('are what they come to, whichever connection wrote them', { timeout: 120_000 }, async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await createTables(source);
  await drain(source.url, target.url, SETTINGS);
  for (const round of [0, 1, 2]) {
    await change(source, round);
    await drain(source.url, target.url, SETTINGS);
    await expectSame(source, target);
  }
  // In memory there is room for a part of them only.
  for (const round of [3, 4]) await change(source, round);
  await drain(source.url, target.url, { commit: { maxDelay: '10s', maxBytes: '2MB' } });
  await expectSame(source, target);
});

it('are whole after a kill between the two, or none of it is there', { timeout: 120_000 }, async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await createTables(source);
  const settings = { ...SETTINGS, slot: source.name };
  await drain(source.url, target.url, settings);
  for (const [round, failpoint] of ['between-halves', 'after-apply', 'between-halves:2', 'after-commit'].entries()) {
    await change(source, round);
    // For one that is reached twice, in more than one part.
    const commit = failpoint.endsWith(':2') ? { ...settings.commit, maxBytes: '2MB' } : settings.commit;
    await using child = startChild(cli, source.url, target.url, { ...settings, commit }, failpoint);
    expect(await child.end(), failpoint).toMatchObject({ signal: 'SIGKILL' });
  }
  await drain(source.url, target.url, settings);
  await expectSame(source, target);
});

it('are written by one connection where foreign keys are to be kept', { timeout: 120_000 }, async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  const settings = { ...SETTINGS, foreignKeys: true };
  await source.sql(`create table parents (id int primary key, v text);
    create table children (id int primary key, parent int references parents)`);
  await drain(source.url, target.url, settings);
  await source.sql(`insert into parents select i, 'v' from generate_series(1, ${ROWS}) i;
    insert into children select i, ${ROWS} + 1 - i from generate_series(1, ${ROWS}) i`);
  await drain(source.url, target.url, settings);
  await source.sql(`delete from children where id % 2 = 0; delete from parents where id % 2 = 1;
    update children set parent = parent where id % 3 = 0`);
  await drain(source.url, target.url, settings);
  await expectSame(source, target);
});
