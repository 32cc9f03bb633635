import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { plainEvent } from '../../test/support/plain-events.js';
import { createPostgresDatabase, type PostgresDatabase, startPostgres } from '../../test/support/postgres.js';
import { createProxy, createSlot, ofKind, takeTransactions, takeUntil } from '../../test/support/replication.js';
import { type Lsn, lsn, parseLsn } from '../core/position.js';
import { clientConfig } from './client.js';
import type { ReplicationStream } from './transport.js';

describe('acknowledging', () => {
  it('the first of two adjacent transactions leaves the second to be sent again', async () => {
    // A server of its own: on the shared one, others write between the two.
    await using server = await startPostgres();
    await using source = await createPostgresDatabase('adjacent', server);
    await source.sql('create table t (id int primary key)');
    const slot = await createSlot(source);
    const [one, two] = await Promise.all([source.client(), source.client()]);
    for (let round = 0; ; round++) {
      expect(round, 'no two commit records met').toBeLessThan(50);
      await using stream = await slot.open();
      const ids = [2 * round, 2 * round + 1];
      await Promise.all([one, two].map((client, index) => client.query(`begin; insert into t values (${ids[index]})`)));
      await Promise.all([one.query('commit'), two.query('commit')]);
      const events = await takeTransactions(stream, 2);
      const [first, second] = ofKind(events, 'commit');
      if (!first || !second) throw new Error('two commits were taken');
      const ends = first.endLsn;
      const meet = second.commitLsn === ends; // else another record or a page's header is between
      stream.acknowledge(meet ? ends : second.endLsn);
      await stream[Symbol.asyncDispose]();
      if (!meet) continue;

      for (const start of [ends, undefined]) {
        await using again = await slot.open(start === undefined ? {} : { start });
        const resent = await takeTransactions(again);
        expect(ofKind(resent, 'commit')).toEqual([second]);
        expect(ofKind(resent, 'insert').map(plainEvent)).toEqual(ofKind(events, 'insert').slice(1).map(plainEvent));
      }
      expect(await slot.confirmedFlush()).toBe(ends);
      return;
    }
  });

  it('confirms exactly that LSN, and nothing before it is asked to', async () => {
    await using source = await createPostgresDatabase();
    await source.sql('create table t (id int primary key)');
    const slot = await createSlot(source);
    const before = await slot.confirmedFlush();
    await using stream = await slot.open({}, { wal_sender_timeout: '1s' });
    await source.sql('insert into t values (1)');
    const [commit] = ofKind(await takeTransactions(stream), 'commit');
    await statuses(source, 2);
    expect(await slot.confirmedFlush()).toBe(before);
    expect(await reportedFlush(source)).toBe(before);

    const end = commit?.endLsn ?? lsn(0n);
    stream.acknowledge(end);
    await expect.poll(() => slot.confirmedFlush()).toBe(end);
    stream.acknowledge(before);
    await statuses(source, 3); // that one, and two of the timer
    expect(await reportedFlush(source)).toBe(end);
  });

  it('only what is durable, where the stream begins later', async () => {
    await using source = await createPostgresDatabase();
    await source.sql('create table t (id int primary key)');
    const slot = await createSlot(source);
    const durable = await slot.confirmedFlush();
    await source.sql('insert into t values (1)');
    const start = await currentLsn(source);
    await using stream = await slot.open({ start, durable }, { wal_sender_timeout: '1s' });
    await source.sql('insert into t values (2)');
    expect(ofKind(await takeTransactions(stream), 'insert').map(plainEvent)).toMatchObject([{ row: ['2'] }]);
    await statuses(source, 2);
    expect(await slot.confirmedFlush()).toBe(durable);
    expect(await reportedFlush(source)).toBe(durable);
  });

  it('is sent at once, and not with the next status of the timer', async () => {
    await using source = await createPostgresDatabase();
    await source.sql('create table t (id int primary key)');
    const slot = await createSlot(source);
    await using stream = await slot.open({}, { wal_sender_timeout: '10min' }); // a status every six minutes
    await source.sql('insert into t values (1)');
    const [commit] = ofKind(await takeTransactions(stream), 'commit');
    const end = commit?.endLsn ?? lsn(0n);
    stream.acknowledge(end);
    await expect.poll(() => slot.confirmedFlush(), { interval: 10 }).toBe(end);
  });

  it.each(['idle', 'busy', 'paused'])('just before the end arrives, on an %s connection', async (state) => {
    await using source = await createPostgresDatabase();
    await source.sql('create table t (id int primary key, v text)');
    const slot = await createSlot(source);
    await source.sql("insert into t values (-1, '')");
    if (state !== 'idle')
      await source.sql("insert into t select i, repeat('x', 100) from generate_series(1, 100000) i");
    await using stream = await slot.open(state === 'paused' ? { highWaterBytes: 1 } : {});
    const [commit] = ofKind(await takeTransactions(stream), 'commit');
    if (state === 'paused') await expect.poll(() => walsenderWaitsFor(source)).toBe('WalSenderWriteData');
    const end = commit?.endLsn ?? lsn(0n);
    stream.acknowledge(end);
    // While no time passes for it: it ends since the server ended, not since that was waited for in vain.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await stream[Symbol.asyncDispose]();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
    expect(await slot.confirmedFlush()).toBe(end);
  });

  it('lets an idle slot follow what is not published', async () => {
    await using source = await createPostgresDatabase();
    const slot = await createSlot(source);
    await source.sql('create unlogged table noise (i int)');
    await using stream = await slot.open();
    await source.sql('create table not_published_yet (i int)');
    const written = await currentLsn(source);
    await takeUntil(stream, (event) => {
      if (event.kind === 'keepalive') stream.acknowledge(event.walEnd);
      return event.kind === 'keepalive' && event.walEnd >= written;
    });
    await expect.poll(() => slot.confirmedFlush()).toSatisfy((confirmed: Lsn) => confirmed >= written);
  });

  it('everything lets a fast shutdown of the server end quickly', async () => {
    await using server = await startPostgres();
    await using source = await createPostgresDatabase('quick', server);
    await source.sql('create table t (id int primary key)');
    const slot = await createSlot(source);
    await using stream = await slot.open();
    await source.sql('insert into t values (1)');
    const following = expect(acknowledgeAll(stream)).rejects.toMatchObject({ code: 'E_STREAM_ENDED' });
    await untilConfirmed(source, slot.confirmedFlush);
    const before = performance.now();
    await server.stop();
    expect(performance.now() - before).toBeLessThan(20_000); // and not for wal_sender_timeout
    await following;
  });
});

describe('back-pressure', () => {
  it('holds a backlog back without losing the connection, though it lasts longer than wal_sender_timeout', async () => {
    await using source = await createPostgresDatabase();
    await source.sql('create table t (id int primary key, v text)');
    const slot = await createSlot(source);
    await using stream = await slot.open({ highWaterBytes: 64 * 1024 }, { wal_sender_timeout: '2s' });
    await source.sql("insert into t select i, repeat('x', 500) from generate_series(1, 60000) i");

    const ids: number[] = [];
    let largest = 0;
    let committed = false;
    for (let batch = 0; !committed; batch++) {
      const events = await stream.take(5_000);
      const rows = ofKind(events, 'insert');
      ids.push(...rows.map((event) => Number(event.row.cell(0))));
      largest = Math.max(
        largest,
        rows.reduce((bytes, event) => bytes + event.row.size, 0),
      );
      committed = events.some((event) => event.kind === 'commit');
      if (batch === 1) await sleep(6_000);
    }
    expect(ids).toEqual(Array.from({ length: 60_000 }, (_, index) => index + 1));
    expect(largest).toBeLessThan(3 * 64 * 1024); // the mark, and what one read of the socket had in hand
  });
});

describe('a silent connection', () => {
  it('is given up when the server does not answer any more', async () => {
    await using source = await createPostgresDatabase();
    await using proxy = await createProxy(source.url);
    const slot = await createSlot(source);
    await using stream = await slot.open({ connection: clientConfig(proxy.url, 'test') }, { wal_sender_timeout: '1s' });
    const silent = acknowledgeAll(stream);
    await sleep(3_000); // an idle one is not silent: the server answers
    expect(await Promise.race([silent, 'alive'])).toBe('alive');
    proxy.fromServer = null;
    const before = performance.now();
    await expect(silent).rejects.toMatchObject({ code: 'E_STREAM_ENDED', message: expect.stringMatching('silent') });
    expect(performance.now() - before).toBeGreaterThan(1_900);
    expect(performance.now() - before).toBeLessThan(15_000);
  });
});

describe('the end of a stream', () => {
  it('leaves nothing open, and take() ends', async () => {
    await using source = await createPostgresDatabase();
    const slot = await createSlot(source);
    const sockets = (): number =>
      process.getActiveResourcesInfo().filter((name) => /TCP|Pipe.*Connect/.test(name)).length;
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = [sockets(), timers()];
    const stream = await slot.open();
    expect(sockets()).toBe((before[0] ?? 0) + 1);
    const waiting = stream.take(60_000).catch((error: unknown) => error);
    await stream[Symbol.asyncDispose]();
    await stream[Symbol.asyncDispose]();
    expect(await untilFailure(waiting, stream)).toMatchObject({ code: 'E_STREAM_ENDED' });
    expect(sockets()).toBe(before[0]);
    expect(timers()).toBeLessThanOrEqual(before[1] ?? 0); // those of others may have ended
    await using again = await slot.open(); // the slot is free
    expect(again).toBeDefined();
  });

  it('an abort leaves an open stream open, so that the last acknowledgement arrives', async () => {
    await using source = await createPostgresDatabase();
    await source.sql('create table t (id int primary key)');
    const slot = await createSlot(source);
    const abort = new AbortController();
    await using stream = await slot.open({ signal: abort.signal });
    await source.sql('insert into t values (1)');
    const [commit] = ofKind(await takeTransactions(stream), 'commit');
    const end = commit?.endLsn ?? lsn(0n);
    abort.abort();
    stream.acknowledge(end);
    await expect.poll(() => slot.confirmedFlush()).toBe(end);
  });
});

/** Behaves like a consumer with nothing pending. Rejects when the stream ends. */
async function acknowledgeAll(stream: ReplicationStream): Promise<never> {
  for (;;) {
    for (const event of await stream.take(60_000)) {
      if (event.kind === 'commit') stream.acknowledge(event.endLsn);
      if (event.kind === 'keepalive') stream.acknowledge(event.walEnd);
    }
  }
}

async function untilFailure(waiting: Promise<unknown>, stream: ReplicationStream): Promise<unknown> {
  const first = await waiting;
  return Array.isArray(first) ? stream.take(0).catch((error: unknown) => error) : first;
}

async function untilConfirmed(source: PostgresDatabase, confirmed: () => Promise<Lsn>): Promise<void> {
  const written = await currentLsn(source);
  await expect.poll(confirmed).toSatisfy((value: Lsn) => value >= written);
}

async function currentLsn(source: PostgresDatabase): Promise<Lsn> {
  const [row] = await source.sql<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
  return parseLsn(row?.lsn ?? '');
}

/** What the walsender of the database's only stream tells of itself. */
async function walsender(source: PostgresDatabase): Promise<Record<string, string>> {
  const [row] = await source.sql<Record<string, string>>(
    `select flush_lsn::text as flushed, reply_time::text as replied, wait_event as waits
     from pg_stat_replication join pg_stat_activity using (pid) where datname = $1`,
    [source.name],
  );
  return row ?? {};
}

/** What the last status said. */
const reportedFlush = async (source: PostgresDatabase): Promise<Lsn> =>
  parseLsn((await walsender(source)).flushed ?? '');

const walsenderWaitsFor = async (source: PostgresDatabase): Promise<unknown> => (await walsender(source)).waits;

/** Waits until so many more statuses have arrived. */
async function statuses(source: PostgresDatabase, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    const { replied } = await walsender(source);
    await expect.poll(async () => (await walsender(source)).replied, { interval: 20 }).not.toBe(replied);
  }
}
