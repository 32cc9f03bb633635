import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltCli, buildCli } from './support/built-cli.js';
import { startChild } from './support/child.js';
import { createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { drain, runBroken } from './support/run.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

const tag = (name: string, transactional = true): string =>
  `select pg_logical_emit_message(${transactional}, 'wal2dolt.tag', $q$${name}$q$)`;

/** Each tag with the last row of the state that it names. */
async function tags(target: DoltDatabase): Promise<Record<string, unknown>> {
  const names = await target.sql<{ name: string }>('select tag_name as name from dolt_tags order by tag_name');
  const entries = names.map(async ({ name }) => {
    const [row] = await target.sql(`select max(id) as last from t as of '${name}'`);
    return [name, row?.last];
  });
  return Object.fromEntries(await Promise.all(entries));
}

describe('tags', () => {
  it('that a crash kept from being made are made at the next start, as they would have been', {
    timeout: 240_000,
  }, async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { slot: source.name, commit: { maxTransactions: 1 } };
    await source.sql('create table t (id int primary key)');
    await drain(source.url, target.url, settings);
    const expected: Record<string, number> = {};
    let id = 0;
    const write = async (): Promise<void> => {
      id += 1;
      await source.sql(`begin; insert into t values (${id}); ${tag(`\n  t/${id}\t`)}; commit`);
      expected[`t/${id}`] = id;
    };
    // A backlog, and transactions that go on coming while it is worked off: the next ones wait in the pipeline.
    for (let i = 0; i < 20; i += 1) await write();
    let over = false;
    const load = (async () => {
      while (!over) {
        await write();
        await sleep(50);
      }
    })();
    for (const failpoint of [
      'after-commit',
      'after-commit:2',
      'after-commit:7',
      'before-acknowledge',
      'after-commit',
    ]) {
      await using child = startChild(cli, source.url, target.url, settings, failpoint);
      expect(await child.end(), failpoint).toMatchObject({ signal: 'SIGKILL' });
    }
    over = true;
    await load;
    await drain(source.url, target.url, settings);
    expect(await tags(target)).toEqual(expected);
  });

  it('from before the first snapshot was complete name nothing: tables are of different times there', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { copyConnections: 1, commit: { maxTransactions: 1 } };
    // Small tables are copied together: one is not.
    await source.sql(`create table t (id int primary key); create table u (id int primary key);
      insert into t values (1); alter table u set (autovacuum_enabled = false);
      insert into u select generate_series(1, 150000); delete from u where id > 1`);
    await runBroken(source.url, target.url, 1, settings);
    await source.sql(`begin; insert into t values (2); insert into u values (2); ${tag('early')}; commit`);
    await source.sql(`insert into t values (3); insert into u values (3)`);
    await drain(source.url, target.url, settings);
    expect(await target.sql('select (select count(*) from t) t, (select count(*) from u) u')).toEqual([{ t: 3, u: 3 }]);
    expect(await tags(target)).toEqual({});
    await source.sql(`insert into t values (4); ${tag('now')}`);
    await drain(source.url, target.url, settings);
    expect(await tags(target)).toEqual({ now: 4 });
  });

  it('that Dolt cannot have stop nothing, now and at the next start', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table t (id int primary key)');
    await drain(source.url, target.url);
    const bad = ['a b', 'a\nb', 'é', 'a..b', 'x'.repeat(100_000), '-d', '', ' ', 'refs/heads/main', 'HEAD', 'head'];
    for (const [i, name] of bad.entries()) await source.sql(`insert into t values (${i}); ${tag(name)}`);
    await source.sql(tag('head', false));
    for (let round = 0; round < 2; round += 1) {
      await drain(source.url, target.url, { commit: { maxTransactions: 1 }, retry: { giveUpAfter: '1s' } });
      expect(await target.sql('select count(*) as n from t')).toEqual([{ n: bad.length }]);
      expect(await tags(target)).toEqual({});
    }
    await source.sql(`insert into t values (100); ${tag('good')}`);
    await drain(source.url, target.url);
    expect(await tags(target)).toEqual({ good: 100 });
  });

  it('name the state with a copy only if nothing came before that', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(
      'create table t (id int primary key); create table u (id int primary key); insert into t values (1)',
    );
    await drain(source.url, target.url);
    await source.sql(`begin; alter table t add column a uuid default gen_random_uuid(); ${tag('same')}; commit`);
    await drain(source.url, target.url);
    expect(await tags(target)).toEqual({ same: 1 });
    for (const between of [
      'insert into u values (1)',
      'insert into t values (2)',
      'truncate t',
      'alter table t add column d int',
    ]) {
      await source.sql(`begin; alter table t add column b uuid default gen_random_uuid(); ${tag('passed')}; commit`);
      await source.sql(between);
      await drain(source.url, target.url);
      expect(await tags(target), between).toEqual({ same: 1 });
      await source.sql('alter table t drop column b');
    }
  });

  it('that can not be made are told with the commit that comes next', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { slot: source.name, until: 'current' };
    await source.sql('create table t (id int primary key); insert into t values (1)');
    await drain(source.url, target.url, settings);
    await source.sql(`begin; alter table t add column a uuid default gen_random_uuid(); ${tag('passed')}; commit`);
    await source.sql(`insert into t values (2)`);
    await using child = startChild(cli, source.url, target.url, settings);
    await child.end();
    const told = child.log.filter(({ tag }) => tag !== undefined);
    const [head] = await target.sql<{ hash: string }>('select commit_hash as hash from dolt_log limit 1');
    expect(told).toMatchObject([{ tag: 'passed', tables: ['t'], commit: head?.hash }]);
  });
});
