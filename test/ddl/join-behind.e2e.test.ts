import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltCli, buildCli } from '../support/built-cli.js';
import { startChild } from '../support/child.js';
import { MODES } from '../support/ddl-case.js';
import { createDoltDatabaseName, type DoltDatabase } from '../support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres.js';
import { drain } from '../support/run.js';
import { expectSame, FAST } from '../support/streamed.js';

/*
 * A large table that is copied beside the stream while the stream is far behind: its copy is complete, of a later state than
 * all other tables are in.
 */

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

/** A streamed table, and a new one that is too large to be copied while the stream waits. */
async function addLarge(source: PostgresDatabase, target: DoltDatabase, ddl: string): Promise<void> {
  await source.sql(`create table small (id int primary key); create publication wal2dolt for table small;
    create table large (id int primary key, body text); alter table large alter body set storage external;
    insert into large select i, repeat(md5(i::text), 125) from generate_series(1, 9000) i`);
  await drain(source.url, target.url, { ddl });
  await source.sql('alter publication wal2dolt add table large');
  await source.sql(`insert into large values (0, 'first')`);
}

/** Every transaction writes one row to each table. */
const write = (source: PostgresDatabase, from: number, to: number): Promise<unknown> =>
  source.sql(`do $$ begin for i in ${from}..${to} loop
    insert into small values (i); insert into large values (1000000 + i, 'new'); commit; end loop; end $$`);

/** How many of those transactions each published commit has, by both tables: from the one on that shows the large one. */
async function published(target: DoltDatabase): Promise<{ small: number; large: number }[]> {
  const counts: { small: number; large: number }[] = [];
  for (const { commit_hash: hash } of await target.sql('select commit_hash from dolt_log')) {
    const tables = await target.sql(`select 1 from wal2dolt_tables as of '${hash}'
      where target_table = 'large' and state = 'streaming'`);
    if (tables.length === 0) break;
    const [row] = await target.sql(`select (select count(*) from small as of '${hash}') as small,
      (select count(*) from large as of '${hash}' where id > 1000000) as large`);
    counts.push({ small: Number(row?.small), large: Number(row?.large) });
  }
  return counts;
}

describe.each(MODES)('a copy beside the stream that is complete before the stream has come to it (%s)', (ddl) => {
  it('waits for it: nothing is lost, and what is published is a state of Postgres', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await addLarge(source, target, ddl);
    await write(source, 1, 1_500);
    // The stream takes longer than the copy.
    await drain(source.url, target.url, { ddl, commit: { maxTransactions: 1 } });
    await expectSame(source, target);
    const counts = await published(target);
    expect(counts.length).toBeGreaterThan(0);
    expect(counts).toEqual(counts.map(({ small }) => ({ small, large: small })));
    await write(source, 1_501, 1_510);
    await drain(source.url, target.url, { ...FAST, ddl });
    await expectSame(source, target);
  });

  it('is waited for where the server is quiet, and the next run begins where it ended', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await addLarge(source, target, ddl);
    await drain(source.url, target.url, { ...FAST, ddl });
    await expectSame(source, target);
    await drain(source.url, target.url, { ...FAST, ddl });
    await write(source, 1, 10);
    await drain(source.url, target.url, { ...FAST, ddl });
    await expectSame(source, target);
  });

  it.each(['before-join', 'after-join', 'before-release'])('is not there after a crash (%s)', async (failpoint) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await addLarge(source, target, ddl);
    await write(source, 1, 100);
    {
      await using child = startChild(cli, source.url, target.url, { ...FAST, slot: source.name, ddl }, failpoint);
      expect(await child.end()).toMatchObject({ signal: 'SIGKILL' });
    }
    await write(source, 101, 110);
    await drain(source.url, target.url, { ...FAST, ddl });
    await expectSame(source, target);
    await drain(source.url, target.url, { ...FAST, ddl });
    expect(await target.sql('select name from dolt_branches order by name')).toEqual([
      { name: 'main' },
      { name: 'wal2dolt' },
    ]);
  });
});
