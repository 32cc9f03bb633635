import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trailer } from '../src/core/message.js';
import type { LocalServer } from '../src/servers/local-server.js';
import { check } from '../src/sync/check.js';
import { differences, doltContents, postgresContents } from './support/compare.js';
import { createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase, startPostgres } from './support/postgres.js';
import { configFor, drain } from './support/run.js';
import { expectSame } from './support/streamed.js';

// Its Postgres remembers when each transaction committed.
let postgres: LocalServer;
beforeAll(async () => {
  postgres = await startPostgres({ track_commit_timestamp: 'on' });
});
afterAll(() => postgres[Symbol.asyncDispose]());

/** An empty table, and a slot that was made long ago. */
async function slotBefore(source: PostgresDatabase): Promise<void> {
  await source.sql('create table t (id int primary key, v text); alter table t replica identity full');
  await source.sql('create publication wal2dolt for all tables');
  await source.sql("select pg_create_logical_replication_slot($1, 'pgoutput')", [source.name]);
}

interface Committed {
  readonly xid: number;
  /** As Postgres prints it with `T` and `Z`. */
  readonly time: string;
  readonly ids: readonly number[];
}

/** Runs statements in one transaction, and says what Postgres knows of it and of the table right after. */
async function commit(source: PostgresDatabase, statements: string): Promise<Committed> {
  const [row] = await source.sql(`begin; ${statements}; select txid_current()::text as xid`);
  await source.sql('commit');
  const [known] = await source.sql(
    `select to_char(pg_xact_commit_timestamp(($1::bigint)::text::xid) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
       (select coalesce(json_agg(id order by id), '[]') from t) as ids`,
    [row?.xid],
  );
  await sleep(3); // Dolt keeps milliseconds
  return { xid: Number(row?.xid), time: known?.time, ids: known?.ids };
}

interface DoltCommit {
  readonly hash: string;
  readonly date: string;
  readonly message: string;
  readonly author: string;
}

/** The commits of transactions, the oldest first. */
async function commits(target: DoltDatabase): Promise<DoltCommit[]> {
  const log = await target.sql<DoltCommit>(
    `select commit_hash as hash, date_format(date, '%Y-%m-%dT%H:%i:%s.%f') as date, message,
       concat(author, ' <', author_email, '>') as author from dolt_log`,
  );
  return log.filter(({ message }) => trailer(message, 'Xids') !== null).reverse();
}

const context = (content: string): string =>
  `select pg_logical_emit_message(true, 'wal2dolt.context', $q$${content}$q$)`;
const tag = (transactional: boolean, name: string): string =>
  `select pg_logical_emit_message(${transactional}, 'wal2dolt.tag', '${name}')`;

describe('a replayed slot, one commit a transaction', () => {
  it('gives each transaction its state, time, author and message', async () => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName();
    await slotBefore(source);
    const made = [
      await commit(source, "insert into t values (1, 'a'), (2, 'b')"),
      await commit(
        source,
        `${context('{"author":"Ann <ann@example.org>","message":"Names\\n\\nas agreed"}')}; update t set v = 'c' where id = 1`,
      ),
      await commit(source, `${context('{"author":"bob"}')}; delete from t where id = 2`),
      await commit(source, `insert into t values (3, 'x'); savepoint s; insert into t values (4, 'no'); rollback to s`),
      await commit(source, `insert into t values (5, 'y'); ${tag(true, 'v1')}`),
      await commit(source, `${context('not JSON')}; update t set id = id + 10 where id = 5`),
      await commit(source, "truncate t; insert into t values (7, 'after')"),
    ];
    await source.sql("begin; insert into t values (8, 'never'); rollback");
    await source.sql(tag(false, 'v2'));
    await source.sql('create temp table empty_transactions as select 1 as a');
    await drain(source.url, target.url, { snapshot: 'never', commit: { maxTransactions: 1 }, transactions: true });

    expect(differences(await doltContents(target.url), await postgresContents(source.url, target.url))).toEqual([]);
    const log = await commits(target);
    expect(log.map(({ message }) => Number(trailer(message, 'Xids')))).toEqual(made.map(({ xid }) => xid));
    expect(log.map(({ message }) => trailer(message, 'Commit-Time'))).toEqual(made.map(({ time }) => time));
    expect(log.map(({ date }) => date.slice(0, 23))).toEqual(made.map(({ time }) => time.slice(0, 23)));
    const own = 'wal2dolt <wal2dolt@localhost>';
    expect(log.map(({ author }) => author)).toEqual([
      own,
      'Ann <ann@example.org>',
      'bob <unknown>',
      own,
      own,
      own,
      own,
    ]);
    expect(log.map(({ message }) => message.split('\n')[0])).toEqual([
      expect.stringMatching(/^1 transaction, 2 rows, t \+2, to 0\//),
      'Names',
      expect.stringMatching(/^1 transaction, 1 row, t -1, to 0\//),
      expect.stringMatching(/^1 transaction, 1 row, t \+1, to 0\//),
      expect.stringMatching(/^1 transaction, 1 row, t \+1, to 0\//),
      expect.stringMatching(/^1 transaction, 1 row, t /),
      expect.stringMatching(/^1 transaction, 2 rows, t emptied \+1, to 0\//),
    ]);
    expect(log[1]?.message).toMatch(
      /^Names\n\nas agreed\n\n1 transaction, 1 row, t ~1, to 0\/\w+\n\nLsn: 0\/\w+\nXids: \d+\nCommit-Time: /,
    );

    for (const [i, { time, ids }] of made.entries()) {
      const moment = time.replace('T', ' ').replace('Z', '');
      for (const at of [`'${log[i]?.hash}'`, `timestamp('${moment}')`]) {
        const rows = await target.sql(`select id from t as of ${at} order by id`);
        expect(
          rows.map(({ id }) => id),
          at,
        ).toEqual(ids);
      }
    }
    const tags = await target.sql('select tag_name as name, tag_hash as hash from dolt_tags order by tag_name');
    expect(tags).toEqual([
      { name: 'v1', hash: log[4]?.hash },
      { name: 'v2', hash: log[6]?.hash },
    ]);
    const recorded = await target.sql(
      'select xid, row_count as `rows`, context from wal2dolt_transactions order by end_lsn_num',
    );
    expect(recorded.map(({ xid }) => Number(xid))).toEqual(made.map(({ xid }) => xid));
    expect(recorded.map(({ context: content }) => content)).toEqual([
      null,
      '{"author":"Ann <ann@example.org>","message":"Names\\n\\nas agreed"}',
      '{"author":"bob"}',
      null,
      null,
      'not JSON',
      null,
    ]);
  });

  it('goes on in parts, to the LSN that was asked for', async () => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName();
    await slotBefore(source);
    const settings = { snapshot: 'never', commit: { maxTransactions: 1 } };
    const ends: string[] = [];
    for (let id = 1; id <= 6; id += 1) {
      await commit(source, `insert into t values (${id})`);
      ends.push((await source.sql('select pg_current_wal_lsn() as lsn'))[0]?.lsn);
    }
    for (const [i, until] of ends.entries()) {
      if (i % 2 === 0) continue;
      await drain(source.url, target.url, { ...settings, until });
      expect(await commits(target)).toHaveLength(i + 1);
    }
  });
});

describe('one commit of several transactions', () => {
  it('says what each said of itself, and ends where a tag asks for it', async () => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName();
    await slotBefore(source);
    const made = [
      await commit(source, `${context('{"author":"Ann <a@x.org>","message":"first"}')}; insert into t values (1)`),
      await commit(source, `${context('{"author":"Bob <b@x.org>"}')}; insert into t values (2)`),
      await commit(source, `insert into t values (3); ${tag(true, 'release 1')}`),
      await commit(source, `insert into t values (4); ${tag(true, 'release-1')}`),
      await commit(source, 'insert into t values (5)'),
    ];
    await source.sql(tag(false, 'end'));
    await commit(source, 'insert into t values (6)');
    await drain(source.url, target.url, { snapshot: 'never' });

    const log = await commits(target);
    expect(log.map(({ message }) => trailer(message, 'Transactions'))).toEqual(['3', '1', '1', '1']);
    expect(log.map(({ message }) => trailer(message, 'Reason'))).toEqual(['tag', 'tag', 'tag', 'until']);
    expect(log[0]?.author).toBe('wal2dolt <wal2dolt@localhost>');
    expect(log[0]?.message).toContain(`\n\n${made[0]?.xid}: Ann <a@x.org>: first\n${made[1]?.xid}: Bob <b@x.org>`);
    // Dolt takes no blank in the name of a tag: that one is left out, and the commit stands.
    expect(await target.sql('select tag_name as name, tag_hash as hash from dolt_tags order by tag_name')).toEqual([
      { name: 'end', hash: log[2]?.hash },
      { name: 'release-1', hash: log[1]?.hash },
    ]);
  });
});

describe('a replayed slot, without event triggers', () => {
  it.for([
    ['', ''],
    ['partition by range (id)', '; create table leaf partition of t default'],
  ])('of a table %s that Postgres wrote anew meanwhile gives what is in Postgres', async ([kind, leaf], { expect }) => {
    await using source = await createPostgresDatabase(undefined, postgres);
    await using target = createDoltDatabaseName();
    await source.sql(`create table t (id int primary key, v int) ${kind} ${leaf};
      create table kept (id int primary key, w text); alter table kept alter w type int using w::int`);
    await source.sql('create publication wal2dolt for all tables with (publish_via_partition_root)');
    await source.sql("select pg_create_logical_replication_slot($1, 'pgoutput')", [source.name]);
    await source.sql('insert into t values (1, 1); insert into kept values (1, 1)');
    await source.sql('alter table t alter v type int using v + 100');
    const settings = { snapshot: 'never', ddl: 'relations', commit: { maxTransactions: 1 } };
    const findings = await check(configFor(source.url, target.url, { ...settings, slot: source.name }));
    expect(findings.filter(({ code }) => code === 'replay_altered')).toMatchObject([
      { severity: 'warning', message: expect.stringMatching(/: public\.t\./) },
    ]);
    await source.sql('insert into kept values (2, 2)');
    await drain(source.url, target.url, settings);
    await expectSame(source, target);
    await source.sql('insert into t values (2, 2); insert into kept values (3, 3)');
    await drain(source.url, target.url, settings);
    await expectSame(source, target);
    // Only what is not known is copied, and only once.
    const copies = await target.sql(`select message from dolt_log where message regexp '[a-z]+ copied'`);
    expect(copies.map(({ message }) => /\w+ copied/.exec(message)?.[0])).toEqual(['t copied']);
  });
});
