import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2';
import { describe, expect, it } from 'vitest';
import { createDoltDatabase, createDoltDatabaseName, startDolt } from '../../test/support/dolt.js';
import { parseTarget } from './address.js';
import { TargetConnection } from './client.js';
import { BytesSender, StatementBytes } from './statement-bytes.js';

const open = (url: string, defers = false): Promise<TargetConnection> =>
  TargetConnection.open(parseTarget(url), 'main', defers ? { defers: () => true } : {});

it('statements arrive as they are, as text and as bytes', async () => {
  await using database = await createDoltDatabase();
  await using connection = await open(database.url);
  await connection.run('CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)');
  const text = 'é 漢 😀 \u0301 \u007f\u0080\u00ff ÿ \n\t ; -- /* */ # `';
  expect(await connection.run(`INSERT INTO t VALUES (1, '${text}')`)).toBe(1);
  const bytes = Buffer.from(`INSERT INTO t VALUES (2, '${text}')`);
  const running = connection.run(bytes);
  bytes.fill(0);
  expect(await running).toBe(1);
  expect(await connection.rows('SELECT v FROM t ORDER BY id')).toEqual([[text], [text]]);
  const streamed = [];
  for await (const row of connection.stream(`SELECT id FROM t WHERE v = '${text}' ORDER BY id`)) streamed.push(row);
  expect(streamed).toEqual([['1'], ['2']]);
  await expect(connection.run(`SELECT '${text}' FROM nowhere`)).rejects.toMatchObject({ code: 'E_TARGET_QUERY' });
  await expect(connection.run('SELECT 1; SELECT 2')).rejects.toMatchObject({ code: 'E_TARGET_QUERY' });
});

it('a statement of about as many bytes as a packet has at most arrives whole', async () => {
  await using database = await createDoltDatabase();
  await using connection = await open(database.url);
  const most = (1 << 24) - 1;
  for (const length of [-5, -4, -3, -2, -1, 0, 1, most - 4, most - 1].map((more) => most + more)) {
    const [begin, end] = ["SELECT LENGTH('", "')"];
    const text = 'x'.repeat(length - begin.length - end.length);
    expect(await connection.value(begin + text + end)).toBe(String(text.length));
  }
});

describe('a statement is not taken for done', () => {
  it('where the empty one was sent in its place', async () => {
    await using sending = await startSending();
    await sending.send('SELECT 1');
    sending.connection.writePacket = Object.getPrototypeOf(sending.connection).writePacket;
    await expect(sending.send('SELECT 2')).rejects.toMatchObject({ code: 'E_INTERNAL' });
  });

  it('where it did not wait for the one before', async () => {
    await using sending = await startSending();
    const [first, second] = [sending.send('SELECT 1'), sending.send('SELECT 2')];
    await Promise.all([
      expect(first).rejects.toMatchObject({ code: 'E_INTERNAL' }),
      expect(second).rejects.toMatchObject({ code: 'E_INTERNAL' }),
    ]);
  });
});

it('deferred statements go before the next one, whatever it is', async () => {
  await using database = await createDoltDatabase();
  await using connection = await open(database.url, true);
  await connection.run('CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)');
  const defer = (id: number): void => connection.defer(`INSERT INTO t VALUES (${id}, 'é'), (${id + 1}, ';')`);

  defer(1);
  defer(3);
  expect(await connection.run("UPDATE t SET v = 'x' WHERE id > 1")).toBe(3);

  defer(5);
  expect(await connection.rows('SELECT COUNT(*), MAX(id) FROM t')).toEqual([['6', '6']]);
  defer(7);
  expect(await connection.run(`UPDATE t SET v = '${'long '.repeat(10_000)}' WHERE id >= 7`)).toBe(2);
  defer(9);
  defer(11);
  const bytes = Buffer.from(`DELETE FROM t WHERE v = '${'x'.repeat(100_000)}' OR id = 12`);
  const running = connection.run(bytes);
  bytes.fill(0);
  expect(await running).toBe(1);
  defer(13);
  const streamed = [];
  for await (const [id] of connection.stream('SELECT id FROM t ORDER BY id')) streamed.push(id);
  expect(streamed).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '13', '14']);
  expect(await connection.rows('SELECT v FROM t WHERE id IN (1, 10, 13)')).toEqual([['é'], [';'], ['é']]);
});

it.each([
  ['a deferred statement', 'INSERT INTO nowhere VALUES (1)', 'INSERT INTO t VALUES (1)'],
  ['the one behind it', 'INSERT INTO t VALUES (1)', 'INSERT INTO nowhere VALUES (1)'],
])('where %s fails, the transaction and the connection are gone', async (_, deferred, next) => {
  await using database = await createDoltDatabase();
  await using connection = await open(database.url, true);
  await connection.run('CREATE TABLE t (id INT PRIMARY KEY)');
  connection.defer('START TRANSACTION');
  connection.defer(deferred);
  await expect(connection.run(next)).rejects.toMatchObject({
    code: 'E_TARGET_QUERY',
    message: expect.stringMatching(/\(in: INSERT INTO nowhere\)$/),
  });
  expect(connection.isLost).toBe(true);
  await expect(connection.run('COMMIT')).rejects.toThrow('Dolt');
  await using other = await open(database.url);
  expect(await other.rows('SELECT * FROM t')).toEqual([]);
});

it('what a deferred statement changed is looked at before anything is committed', async () => {
  await using database = await createDoltDatabase();
  await using connection = await open(database.url, true);
  await connection.run('CREATE TABLE t (id INT PRIMARY KEY)');
  const changed: number[] = [];
  const note = (count: number): void => void changed.push(count);
  connection.defer('START TRANSACTION');
  connection.defer('INSERT INTO t VALUES (1), (2)', note);
  connection.defer(Buffer.from('DELETE FROM t WHERE id = 2'), note);
  expect(await connection.run('INSERT INTO t VALUES (3), (4), (5)')).toBe(3);
  expect(changed).toEqual([2, 1]);
  connection.defer('DELETE FROM t WHERE id > 3', note);
  await connection.run('COMMIT');
  expect(changed).toEqual([2, 1, 2]);

  for (const lasting of ['SELECT 1', 'COMMIT', `CALL DOLT_COMMIT('-A', '-m', 'x')`, 'CREATE TABLE u (id INT)']) {
    await using connection = await open(database.url, true);
    connection.defer('START TRANSACTION');
    connection.defer('DELETE FROM t WHERE id = 7', (count) => {
      throw new Error(`${count} rows`);
    });
    connection.defer('INSERT INTO t VALUES (8)');
    // Whatever comes next may have been asked for already.
    const [failed, next] = [connection.run(lasting), connection.run('COMMIT')];
    await Promise.all([expect(failed).rejects.toThrow('0 rows'), expect(next).rejects.toThrow()]);
    expect(connection.isLost).toBe(true);
  }
  await using other = await open(database.url);
  expect(await other.rows('SELECT * FROM t ORDER BY id')).toEqual([['1'], ['3']]);
  expect(await other.rows("SELECT message FROM dolt_log WHERE message = 'x'")).toEqual([]);
  expect(await other.hasTable('u')).toBe(false);
});

it('only so much is sent together, and only where that was asked for', async () => {
  await using database = await createDoltDatabase();
  await using plain = await open(database.url);
  expect(plain.canDefer(1)).toBe(false);
  await using connection = await open(database.url, true);
  expect(connection.canDefer(100_000)).toBe(false);
  let deferred = 0;
  while (connection.canDefer(1_000)) {
    connection.defer(`SET @a = '${'x'.repeat(990)}'`);
    deferred += 1;
  }
  expect(deferred).toBeGreaterThan(1);
  expect(deferred).toBeLessThan(100);
  expect(await connection.rows('SELECT LENGTH(@a)')).toEqual([['990']]);
  expect(connection.canDefer(1_000)).toBe(true);
});

it('what was asked for behind several of which one failed gets no answer of theirs', async () => {
  await using database = await createDoltDatabase();
  await using connection = await open(database.url, true);
  await connection.run('CREATE TABLE t (id INT PRIMARY KEY)');
  connection.defer('START TRANSACTION');
  connection.defer('INSERT INTO nowhere VALUES (1)');
  connection.defer('INSERT INTO t VALUES (1), (2)');
  const failed = connection.run('INSERT INTO t VALUES (3), (4), (5)');
  const behind = [connection.run('INSERT INTO t VALUES (6)'), connection.rows('SELECT 7')];
  await expect(failed).rejects.toThrow('nowhere');
  for (const one of await Promise.allSettled(behind)) expect(one.status).toBe('rejected');
  await using other = await open(database.url);
  expect(await other.rows('SELECT * FROM t')).toEqual([]);
});

it('a statement that runs when the connection is dropped fails, and what waits behind it; nothing waits for it', async () => {
  await using database = await createDoltDatabase();
  await using connection = await open(database.url);
  const statements: Promise<unknown>[] = [connection.rows('SELECT SLEEP(60)'), connection.run('SELECT 1')];
  statements.push(connection.flush().then(() => connection.run('SELECT 2')));
  const failures = Promise.allSettled(statements);
  await sleep(50); // the first one is on its way
  connection.destroy();
  for (const failure of await failures) {
    expect(failure).toMatchObject({ status: 'rejected', reason: { code: 'E_TARGET_UNREACHABLE' } });
  }
  await expect(connection.run('SELECT 3')).rejects.toMatchObject({ code: 'E_TARGET_UNREACHABLE' });
  connection.destroy();
  await connection[Symbol.asyncDispose]();
});

it('so it does where Dolt says nothing any more', async () => {
  await using server = await startDolt();
  await using database = createDoltDatabaseName(server);
  const connection = await TargetConnection.open(parseTarget(database.url), null);
  process.kill(server.pid ?? 0, 'SIGSTOP');
  try {
    const statement = connection.run('SELECT SLEEP(2)'); // what is shorter may be answered still: a stop takes a while on a busy machine
    const failure = expect(statement).rejects.toMatchObject({ code: 'E_TARGET_UNREACHABLE' });
    await sleep(50); // it is on its way
    connection.destroy();
    await failure;
    await connection[Symbol.asyncDispose]();
  } finally {
    process.kill(server.pid ?? 0, 'SIGCONT');
  }
});

async function startSending() {
  const database = await createDoltDatabase();
  const connection = createConnection(database.url);
  const sender = new BytesSender(connection);
  const send = (sql: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      sender.query(new StatementBytes(sql), (error, result) => (error ? reject(error) : resolve(result)));
    });
  return {
    connection,
    send,
    async [Symbol.asyncDispose]() {
      connection.destroy();
      await database[Symbol.asyncDispose]();
    },
  };
}
