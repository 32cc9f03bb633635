import { connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { parseTarget } from '../src/dolt/address.js';
import { TargetConnection } from '../src/dolt/client.js';
import { freePort } from '../src/servers/port.js';
import { createDoltDatabase, createDoltDatabaseName, type DoltDatabase, startDolt } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from './support/postgres.js';
import { drain } from './support/run.js';

/** What happens to a connection when a statement passes: it ends before Dolt sees it, or when Dolt answers. */
type Fate = 'pass' | 'cut' | 'cut the answer';

interface Proxy extends AsyncDisposable {
  /** The database's URL, by way of the proxy. */
  readonly url: string;
  /** Asked for everything that is sent to Dolt. */
  fate: (sent: string) => Fate;
  /** Connections that Dolt was not there for. */
  refused: number;
}

/** Between wal2dolt and a real Dolt: ends connections at statements, as a panic of Dolt's does. */
async function startProxy(target: DoltDatabase): Promise<Proxy> {
  const behind = new URL(target.url);
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const dolt = connect(Number(behind.port), behind.hostname);
    const end = () => {
      client.destroy();
      dolt.destroy();
    };
    let answered = true;
    for (const socket of [client, dolt]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (data) => {
      const fate = proxy.fate(data.toString('latin1'));
      answered = fate !== 'cut the answer';
      if (fate === 'cut') end();
      else dolt.write(data);
    });
    dolt
      .on('error', () => (proxy.refused += 1))
      .on('data', (data) => {
        if (answered) client.write(data);
        else end();
      });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = new URL(target.url);
  url.port = String(port);
  const proxy: Proxy = {
    url: url.href,
    fate: () => 'pass',
    refused: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

const SETTINGS = { retry: { firstDelay: '20ms', maxDelay: '100ms' }, commit: { maxTransactions: 1 } };

/** The first `times` times that a statement with this text passes. */
function first(times: number, text: string, fate: Fate): { fate: Proxy['fate']; count: () => number } {
  let count = 0;
  return {
    fate: (sent) => {
      if (!sent.includes(text) || count >= times) return 'pass';
      count += 1;
      return fate;
    },
    count: () => count,
  };
}

const idsIn = async (database: PostgresDatabase | DoltDatabase, table: string): Promise<number[]> =>
  (await database.sql(`select id from ${table} order by id`)).map(({ id }) => Number(id));

it('a panic in Dolt ends the connection, and is told with its statement', async () => {
  await using database = await createDoltDatabase();
  await database.sql('create table t (id int primary key, a int, g int generated always as (a + 1) virtual, key (g))');
  await database.sql('insert into t (id, a) values (1, 1)');
  await using connection = await TargetConnection.open(parseTarget(database.url));
  await expect(connection.run('REPLACE INTO t (id, a) VALUES (1, 7)')).rejects.toMatchObject({
    code: 'E_TARGET_LOST',
    message: 'Dolt: the connection was lost (in: REPLACE INTO t (id, a))',
  });
  // Whatever comes on this connection now was never sent.
  await expect(connection.run('SELECT 1')).rejects.toMatchObject({ code: 'E_TARGET_UNREACHABLE' });
  expect(await database.sql('select a from t')).toEqual([{ a: 1 }]);
});

it('a statement that ends every connection halts the run, with all before it saved', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using proxy = await startProxy(target);
  await source.sql('create table good (id int primary key); create table bad (id int primary key)');
  await drain(source.url, proxy.url, SETTINGS);
  await source.sql('insert into good values (1)');
  await source.sql('insert into bad values (1)');
  await source.sql('insert into good values (2)');

  const crash = first(100, 'INSERT INTO `bad`', 'cut');
  proxy.fate = crash.fate;
  await expect(drain(source.url, proxy.url, SETTINGS)).rejects.toMatchObject({
    code: 'E_TARGET_CRASHES',
    message: expect.stringMatching(
      /^Dolt: the connection was lost \(in: INSERT INTO `bad` \(`id`\)\), 5 times .* after the commit [0-9a-v]{32}$/,
    ),
  });
  expect(crash.count()).toBe(6); // the first attempt had saved something
  expect([await idsIn(target, 'good'), await idsIn(target, 'bad')]).toEqual([[1], []]);

  proxy.fate = () => 'pass';
  await drain(source.url, proxy.url, SETTINGS);
  expect([await idsIn(target, 'good'), await idsIn(target, 'bad')]).toEqual([[1, 2], [1]]);
});

it('so does one among others that are sent together, and it alone is named', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using proxy = await startProxy(target);
  const tables = ['bad', 'fine', 'good'];
  for (const table of tables) await source.sql(`create table ${table} (id int primary key)`);
  await drain(source.url, proxy.url, SETTINGS);
  await source.sql(`begin; ${tables.map((table) => `insert into ${table} values (1);`).join('')} commit`);

  const sent: number[] = [];
  proxy.fate = (text) => {
    if (!text.includes('INSERT INTO `fine`')) return 'pass';
    sent.push(tables.filter((table) => text.includes(`INSERT INTO \`${table}\``)).length);
    return 'cut';
  };
  await expect(drain(source.url, proxy.url, SETTINGS)).rejects.toMatchObject({
    code: 'E_TARGET_CRASHES',
    message: expect.stringMatching(/^Dolt: the connection was lost \(in: INSERT INTO `fine` \(`id`\)\), 5 times /),
  });
  expect(sent).toEqual([3, 1, 1, 1, 1, 1]);
  proxy.fate = () => 'pass';
  await drain(source.url, proxy.url, SETTINGS);
  for (const table of tables) expect(await idsIn(target, table)).toEqual([1]);
});

it('so does one of the first copy, where several connections write', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using proxy = await startProxy(target);
  await source.sql('create table good (id int primary key); create table bad (id int primary key)');
  await source.sql('create table worse (id int primary key)');
  for (const table of ['good', 'bad', 'worse']) await source.sql(`insert into ${table} select generate_series(1, 9)`);
  proxy.fate = (sent) => (/INSERT INTO `(bad|worse)`/.test(sent) ? 'cut' : 'pass');
  await expect(drain(source.url, proxy.url, SETTINGS)).rejects.toMatchObject({
    code: 'E_TARGET_CRASHES',
    message: expect.stringMatching(/INSERT INTO `(bad|worse)`.*5 times/),
  });
  proxy.fate = () => 'pass';
  await drain(source.url, proxy.url, SETTINGS);
  for (const table of ['good', 'bad', 'worse']) expect(await idsIn(target, table)).toHaveLength(9);
});

it('so does one that kills the whole server, which somebody starts again', async () => {
  await using server = await startDolt();
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName(server);
  await using proxy = await startProxy(target);
  await source.sql('create table bad (id int primary key)');
  await drain(source.url, proxy.url, SETTINGS);
  await source.sql('insert into bad values (1)');
  let restart = Promise.resolve();
  proxy.fate = (sent) => {
    if (!sent.includes('INSERT INTO `bad`')) return 'pass';
    restart = server.kill().then(() => server.start());
    return 'pass';
  };
  await expect(drain(source.url, proxy.url, SETTINGS)).rejects.toMatchObject({ code: 'E_TARGET_CRASHES' });
  await restart;
  proxy.fate = () => 'pass';
  await drain(source.url, proxy.url, SETTINGS);
  expect(await idsIn(target, 'bad')).toEqual([1]);
});

it('losses with progress in between never halt it', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using proxy = await startProxy(target);
  await source.sql('create table t (id int primary key)');
  await drain(source.url, proxy.url, SETTINGS);
  for (let id = 1; id <= 12; id += 1) await source.sql(`insert into t values (${id})`);
  let inserts = 0;
  let losses = 0;
  proxy.fate = (sent) => {
    if (!sent.includes('INSERT INTO `t`')) return 'pass';
    inserts += 1;
    if (inserts % 4 === 0) return 'pass';
    losses += 1;
    return 'cut';
  };
  await drain(source.url, proxy.url, SETTINGS);
  expect(losses).toBe(36);
  expect(await idsIn(target, 't')).toHaveLength(12);
});

it('a commit whose answer is lost is progress', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using proxy = await startProxy(target);
  await source.sql('create table t (id int primary key)');
  await drain(source.url, proxy.url, SETTINGS);
  for (let id = 1; id <= 8; id += 1) await source.sql(`insert into t values (${id})`);
  const lost = first(100, 'CALL DOLT_COMMIT', 'cut the answer');
  proxy.fate = lost.fate;
  await drain(source.url, proxy.url, SETTINGS);
  expect(lost.count()).toBe(8);
  expect(await idsIn(target, 't')).toHaveLength(8);
});

it('an outage is one loss, however long', async () => {
  await using server = await startDolt();
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName(server);
  await using proxy = await startProxy(target);
  await source.sql('create table t (id int primary key)');
  await drain(source.url, proxy.url, SETTINGS);
  await source.sql('insert into t values (1)');
  const lost = first(4, 'INSERT INTO `t`', 'cut');
  let restart = Promise.resolve();
  proxy.fate = (sent) => {
    const fate = lost.fate(sent);
    if (fate === 'cut' && lost.count() === 4) restart = server.kill();
    return fate;
  };
  const ended = drain(source.url, proxy.url, SETTINGS);
  ended.catch(() => {});
  await expect.poll(() => server.pid).toBe(null);
  await restart;
  await expect.poll(() => proxy.refused).toBeGreaterThan(20);
  await server.start();
  await ended;
  expect(await idsIn(target, 't')).toEqual([1]);
});

it('a fast-forward over many commits that was broken off by the end of Dolt is finished', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql('create table t (id int primary key)');
  await drain(source.url, target.url);
  const [before] = await target.sql(`select dolt_hashof('main') as hash`);
  const commands = Array.from({ length: 12 }, (_, i) => `alter table t add c${i} int; insert into t values (${i})`);
  await source.sql(`begin; ${commands.join(';')}; commit`);
  await drain(source.url, target.url);
  const [after] = await target.sql(`select dolt_hashof('main') as hash`);
  // What is there after the first of its two steps: the branch is moved, its working set is not.
  const main = await target.connect('main');
  await main.query(`call dolt_reset('--hard', '${before?.hash}')`);
  await main.query(`call dolt_reset('--soft', '${after?.hash}')`);
  await main.end();
  await source.sql('insert into t values (100)');
  await drain(source.url, target.url);
  expect(await target.sql('select count(*) as n, max(c11) as c from t')).toEqual([{ n: 13, c: null }]);
});
