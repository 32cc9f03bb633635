import type pg from 'pg';
import { expect } from 'vitest';
import { trailer } from '../../src/core/message.js';
import { parseMicros } from '../../src/core/position.js';
import { differences, doltContents, postgresContents } from './compare.js';
import type { DoltDatabase } from './dolt.js';
import type { PostgresDatabase } from './postgres.js';

/**
 * A workload whose every Postgres state can be told from a state that Postgres never had:
 *
 * - money moves between accounts, so the sum of all balances never changes;
 * - each transaction leaves the same mark, (client, seq), in a keyed and in a keyless table, and in its client's clock;
 * - a client's transactions come one after the other, so its marks are 1, 2, 3, … without a gap.
 *
 * Beside that, keys and unique values change hands, rows come twice into a table without a key, and savepoints and
 * whole transactions are rolled back.
 */
export async function createBank(source: PostgresDatabase, filler = 0): Promise<void> {
  await source.sql(`
    create table accounts (id int primary key, balance bigint not null);
    insert into accounts select i, ${BALANCE} from generate_series(1, ${ACCOUNTS}) i;
    create table marks (client int, seq int, xid bigint not null, body text, primary key (client, seq));
    create table marks_again (client int, seq int);
    alter table marks_again replica identity full;
    create table clocks (client int primary key, seq int not null);
    insert into clocks select i, 0 from generate_series(1, ${CLIENTS}) i;
    create table things (id int primary key, owner int not null, code text unique, body text);
    create table scraps (client int, what text);
    alter table scraps replica identity full;
  `);
  // More tables make a copy that takes a while.
  for (let n = 1; n <= filler; n += 1) {
    await source.sql(`create table filler_${n} (id int primary key, a text, b numeric, c timestamptz);
      create index on filler_${n} (c);
      insert into filler_${n} select i, repeat('filler ' || i, 5), i / 3.0, now() from generate_series(1, ${5_000 * n}) i;`);
  }
}

/** Makes the bank's tables so large on disk, by rows that are deleted again, that a copy commits each of them by itself. */
export async function bloatBank(source: PostgresDatabase): Promise<void> {
  const rows = [
    ['accounts', '-i, 0', 150_000],
    ['marks', `0, i, 0, repeat('x', 1000)`, 6_000],
    ['marks_again', '0, i', 150_000],
    ['clocks', '-i, 0', 150_000],
    ['things', `-i, 0, null, repeat('x', 1000)`, 6_000],
    ['scraps', `0, repeat('x', 1000)`, 6_000],
  ] as const;
  for (const [table, values, count] of rows) {
    await source.sql(`alter table ${table} set (autovacuum_enabled = false, toast.autovacuum_enabled = false);
      begin; create temp table kept on commit drop as table ${table};
      insert into ${table} select ${values} from generate_series(1, ${count}) i;
      delete from ${table}; insert into ${table} table kept; commit;`);
  }
}

const CLIENTS = 3;
const ACCOUNTS = 50;
const BALANCE = 1000;
/** Ids of a client's things begin at its number times this. */
const THINGS = 1_000_000;

export interface Workload extends AsyncDisposable {
  /** Transactions that Postgres committed so far. */
  readonly committed: number;
  /** Lets the clients finish what they are at. Throws what one of them could not get over. */
  stop(): Promise<void>;
}

export interface WorkloadOptions {
  /** Milliseconds between two transactions of a client. */
  readonly pause?: number;
  /** Goes on after a failure, on a new connection: for tests that end the server. */
  readonly persistent?: boolean;
}

export function startWorkload(source: PostgresDatabase, options: WorkloadOptions = {}): Workload {
  const { pause = 10, persistent = false } = options;
  const state = { stopped: false, committed: 0 };
  const working = Promise.all(
    Array.from({ length: CLIENTS }, async (_, index) => {
      const client = index + 1;
      while (!state.stopped) {
        try {
          await work(source, client, pause, state);
        } catch (error) {
          if (!persistent) throw error;
          await sleep(100);
        }
      }
    }),
  );
  working.catch(() => {
    state.stopped = true; // reported by stop()
  });
  const stop = async (): Promise<void> => {
    state.stopped = true;
    await working;
  };
  return {
    get committed() {
      return state.committed;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function work(
  source: PostgresDatabase,
  client: number,
  pause: number,
  state: { stopped: boolean; committed: number },
): Promise<void> {
  const connection = await source.client();
  try {
    const { rows } = await connection.query('select seq from clocks where client = $1', [client]);
    let seq = Number(rows[0]?.seq);
    while (!state.stopped) {
      if (await transact(connection, client, seq + 1)) {
        seq += 1;
        state.committed += 1;
      }
      await sleep(Math.random() * 2 * pause);
    }
  } finally {
    await connection.end().catch(() => {});
  }
}

/** One transaction; false where it was rolled back. */
async function transact(connection: pg.Client, client: number, seq: number): Promise<boolean> {
  const run = (text: string, values: readonly unknown[] = []) => connection.query(text, [...values]);
  const from = random(ACCOUNTS - 1) + 1;
  const to = from + 1 + random(ACCOUNTS - from);
  const first = client * THINGS;
  await run('begin');
  await run(`insert into marks values ($1, $2, txid_current(), repeat('m', $3))`, [client, seq, random(200)]);
  // In the order of ids, so that clients do not wait for each other in a circle.
  const amount = random(100) - 50;
  await run('update accounts set balance = balance - $2 where id = $1', [from, amount]);
  await run('update accounts set balance = balance + $2 where id = $1', [to, amount]);
  const many = seq % 20 === 0 ? 300 : 3;
  await run(
    `insert into things select $1::int + i, $2::int, $2::int || '-' || i, repeat('t', i % 50) from generate_series($3::int, $4::int) i`,
    [first, client, seq * 300, seq * 300 + many - 1],
  );
  if (seq % 3 === 0) {
    await run('savepoint s');
    await run('delete from things where owner = $1', [client]);
    await run('insert into scraps select $1, $2::text from generate_series(1, 5)', [client, 'never']);
    await run('rollback to s');
  }
  if (seq % 4 === 0)
    await run('update things set id = id + 500000 where owner = $1 and id % 7 = 0 and id < $2', [
      client,
      first + 500_000,
    ]);
  if (seq % 5 === 0) await run('delete from things where owner = $1 and id % 5 = $2', [client, random(5)]);
  if (seq % 6 === 0) {
    // Two codes change hands within the transaction, and two keys.
    const { rows } = await run('select id, code from things where owner = $1 order by id limit 2', [client]);
    const [one, two] = rows;
    if (two) {
      await run('update things set code = $2 where id = $1', [one.id, `free ${client}`]);
      await run('update things set code = $2 where id = $1', [two.id, one.code]);
      await run('update things set code = $2 where id = $1', [one.id, two.code]);
      await run('update things set id = -id where id = $1', [one.id]);
      await run('update things set id = $2 where id = $1', [two.id, one.id]);
      await run('update things set id = $2 where id = $1', [-one.id, two.id]);
    }
  }
  await run(`insert into scraps select $1, 'scrap ' || i % 3 from generate_series(1, 4) i`, [client]);
  if (seq % 2 === 0)
    await run('delete from scraps where ctid in (select ctid from scraps where client = $1 limit 3)', [client]);
  if (seq % 7 === 0) await run(`update scraps set what = 'scrap 1' where client = $1 and what = 'scrap 2'`, [client]);
  await run('update clocks set seq = $2 where client = $1', [client, seq]);
  await run('insert into marks_again values ($1, $2)', [client, seq]);
  const commit = random(10) > 0;
  await run(commit ? 'commit' : 'rollback');
  return commit;
}

/** The target holds what Postgres holds, and its history nothing that Postgres never held. Returns the number of commits. */
export async function expectRight(source: PostgresDatabase, target: DoltDatabase): Promise<number> {
  expect(differences(await doltContents(target.url), await postgresContents(source.url, target.url))).toEqual([]);
  const { faults, commits } = await historyFaults(target);
  expect(faults.slice(0, 10)).toEqual([]);
  return commits;
}

/** What is wrong with the published history, commit by commit; empty where each commit is a state that Postgres had. */
export async function historyFaults(target: DoltDatabase): Promise<{ faults: string[]; commits: number }> {
  const connection = await target.connect();
  const rows = async <R>(sql: string): Promise<R[]> => (await connection.query(sql))[0] as R[]; // of that statement
  const log = await rows<{ hash: string; date: string; message: string }>(
    `select commit_hash as hash, date_format(date, '%Y-%m-%dT%H:%i:%s.%f') as date, message from dolt_log('main')`,
  );
  // Dolt's own first commit is no state of anything.
  const commits = log.filter(({ message }) => trailer(message, 'Lsn') !== null).reverse();
  const faults: string[] = [];
  if (commits.length !== log.length - 1) faults.push(`${log.length - 1 - commits.length} commits are not of wal2dolt`);

  let before = { lsn: 0n, date: parseMicros('0001-01-01T00:00:00'), hash: '', unrecorded: null as bigint | null };
  const seqs = new Map<number, number>();
  for (const { hash, date, message } of commits) {
    const fault = (what: string): number => faults.push(`${hash} (${message.split('\n')[0]}): ${what}`);
    const at = (table: string): string => `${table} as of '${hash}'`;
    const [position] = await rows<{ lsn: string; text: string; phase: string }>(
      `select cast(end_lsn_num as char) as lsn, end_lsn as text, phase from ${at('wal2dolt_position')}`,
    );
    const lsn = BigInt(position?.lsn ?? 0);
    if (lsn <= before.lsn) fault(`position ${lsn} does not come after ${before.lsn}`);
    if (position?.phase !== 'streaming') fault(`phase ${position?.phase}`);
    if (trailer(message, 'Lsn') !== position?.text) fault(`says ${trailer(message, 'Lsn')}, holds ${position?.text}`);
    if (parseMicros(date) < before.date) fault(`date ${date} is before that of ${before.hash}`);

    const [sums] = await rows<{
      money: string;
      accounts: string;
      transactions: string;
      xids: string;
      recorded: string | null;
    }>(
      `select (select cast(sum(balance) as char) from ${at('accounts')}) as money,
         (select cast(count(*) as char) from ${at('accounts')}) as accounts,
         (select cast(coalesce(sum(xid), 0) as char) from ${at('wal2dolt_transactions')}) as transactions,
         (select cast(coalesce(sum(xid), 0) as char) from ${at('marks')}) as xids,
         (select commit_hash from ${at('wal2dolt_commits')} order by end_lsn_num desc limit 1) as recorded`,
    );
    if (Number(sums?.money) !== ACCOUNTS * BALANCE || Number(sums?.accounts) !== ACCOUNTS) {
      fault(`${sums?.money} in ${sums?.accounts} accounts`);
    }
    if ((sums?.recorded ?? '') !== before.hash)
      fault(`records ${sums?.recorded} as the commit before it, not ${before.hash}`);
    // Marks that came with the copy are of transactions that were not streamed: as many in every commit.
    const unrecorded = BigInt(sums?.xids ?? 0) - BigInt(sums?.transactions ?? 0);
    if (before.unrecorded !== null && unrecorded !== before.unrecorded) fault('marks and recorded transactions differ');

    const marks = `select client, count(*) as n, count(distinct seq) as different, max(seq) as last from`;
    type Marks = { client: number; n: number; different: number; last: number };
    const keyed = await rows<Marks>(`${marks} ${at('marks')} group by client order by client`);
    const keyless = await rows<Marks>(`${marks} ${at('marks_again')} group by client order by client`);
    if (JSON.stringify(keyed) !== JSON.stringify(keyless)) fault('marks are incomplete');
    const clocks = await rows<{ client: number; seq: number }>(
      `select client, seq from ${at('clocks')} where seq > 0 order by client`,
    );
    if (JSON.stringify(clocks) !== JSON.stringify(keyed.map(({ client, last }) => ({ client, seq: last })))) {
      fault('clocks and marks differ');
    }
    for (const { client, n, different, last } of keyed) {
      if (n !== last || different !== last) fault(`client ${client} has ${n} marks up to ${last}`);
      if (last < (seqs.get(client) ?? 0)) fault(`client ${client} goes back to ${last}`);
      seqs.set(client, last);
    }
    const [never] = await rows<{ n: number }>(`select count(*) as n from ${at('scraps')} where what = 'never'`);
    if (never?.n !== 0) fault('holds what was rolled back');
    before = { lsn, date: parseMicros(date), hash, unrecorded };
  }
  await connection.end();
  return { faults, commits: commits.length };
}

const random = (below: number): number => Math.floor(Math.random() * below);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
