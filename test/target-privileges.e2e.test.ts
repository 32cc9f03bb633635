import { randomBytes } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import { pino } from 'pino';
import { expect, inject, it } from 'vitest';
import { parseTarget } from '../src/dolt/address.js';
import { checkTarget } from '../src/dolt/preflight.js';
import { LoggedProgress } from '../src/ops/progress.js';
import { attempt } from '../src/sync/attempt.js';
import { createDoltDatabase, createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from './support/postgres.js';
import { the } from './support/preflight.js';
import { configFor, drain } from './support/run.js';

/** As the documentation has them. */
const GRANTED = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'ALTER', 'DROP', 'INDEX', 'REFERENCES', 'EXECUTE'];
/** What is not there for want of them, as what Dolt refuses of constraints is left out. */
const FOR_CONSTRAINTS: Readonly<Record<string, string>> = { ALTER: 'CHECK', REFERENCES: 'FOREIGN KEY' };

const BRANCHES = { target: 'main', staging: 'wal2dolt' };
const SETTINGS = { foreignKeys: true, checks: true, transactions: true, commit: { maxBytes: '2kB' } };

async function asRoot(statement: string): Promise<void> {
  const root = await createConnection(inject('doltUrl'));
  await root.query(statement);
  await root.end();
}

interface User extends AsyncDisposable {
  readonly url: string;
}

/** A user with these privileges in the database, and no others. */
async function createUser({ name: database, url }: DoltDatabase, privileges: readonly string[]): Promise<User> {
  const name = `user_${randomBytes(6).toString('hex')}`;
  await asRoot(`CREATE USER '${name}'@'%' IDENTIFIED BY 'p'`);
  if (privileges.length > 0) await asRoot(`GRANT ${privileges.join(', ')} ON \`${database}\`.* TO '${name}'@'%'`);
  return {
    url: url.replace('//root@', `//${name}:p@`),
    [Symbol.asyncDispose]: () => asRoot(`DROP USER '${name}'@'%'`),
  };
}

/** Whatever makes a run write something that another table does not. */
async function createTables(source: PostgresDatabase): Promise<void> {
  await source.sql(`create table parent (id int primary key, n numeric, name text unique, c int);
    create table child (id int primary key check (id > 0), parent int references parent, at timestamp);
    create index on child (at);
    create table keyless (a int, b numeric);
    alter table keyless replica identity full;
    insert into parent values (1, 1, 'a', 1), (2, 'NaN', 'b', 2);
    insert into child values (1, 1, 'infinity');
    insert into keyless values (1, 'NaN'), (1, 'NaN'), (2, 2)`);
}

/** Small tables have their indexes from the beginning. */
const createLargeTable = (source: PostgresDatabase): Promise<unknown> =>
  source.sql(`create table large (id int primary key, n int, v text); create index on large (n);
    alter table large alter v set storage external;
    insert into large select i, i, repeat('x', 3000) from generate_series(1, 2000) i`);

/** A table's name takes another privilege than its columns. */
async function changeSchema(source: PostgresDatabase): Promise<void> {
  await source.sql('alter table parent add column more int; update parent set more = 1 where id = 1');
  await source.sql('alter table keyless rename to log; insert into log values (1, 1)');
}

async function changeRows(source: PostgresDatabase): Promise<void> {
  await source.sql(`insert into parent select i, i, 'p' || i, 1 from generate_series(10, 200) i;
    update parent set name = 'z' where id = 1; update parent set id = 3 where id = 2; delete from parent where id = 20;
    delete from keyless where a = 1;
    select pg_logical_emit_message(true, 'wal2dolt.tag', 'v1')`);
  await source.sql('truncate keyless');
}

const definition = async (target: DoltDatabase): Promise<string> =>
  JSON.stringify(await target.sql('show create table child'));

it('the privileges that check asks for are enough for everything', async () => {
  await using source = await createPostgresDatabase();
  await using target = await createDoltDatabase();
  await using user = await createUser(target, []);
  const { findings } = await checkTarget(parseTarget(user.url), BRANCHES);
  const grant = the('E_TARGET_PRIVILEGE', findings).fix ?? '';
  // Nobody sees the database before.
  const [, statement] = grant.split('\n');
  expect(statement).toContain(`GRANT ${GRANTED.join(', ')} ON \`${target.name}\`.* TO`);
  await asRoot(statement ?? '');
  await createTables(source);
  await drain(source.url, user.url, SETTINGS);
  await changeRows(source);
  await drain(source.url, user.url, SETTINGS);
  expect(await target.sql('select count(*) as n from parent')).toEqual([{ n: 192 }]);
  for (const constraint of Object.values(FOR_CONSTRAINTS)) expect(await definition(target)).toContain(constraint);
  await changeSchema(source);
  await drain(source.url, user.url, SETTINGS);
  expect(await target.sql('select sum(more) as n from parent')).toEqual([{ n: 1 }]);
  expect(await target.sql('select a from log')).toEqual([{ a: 1 }]);
  expect(await target.sql('select tag_name from dolt_tags')).toEqual([{ tag_name: 'v1' }]);
});

it('and with CREATE on everything, for a database that does not exist', async () => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await using user = await createUser(target, GRANTED);
  const refused = await checkTarget(parseTarget(user.url), BRANCHES);
  expect(the('E_TARGET_PRIVILEGE', refused.findings).message).toMatch(/may not create it\.$/);
  const name = new URL(user.url).username;
  await asRoot(`GRANT CREATE ON *.* TO '${name}'@'%'`);
  expect((await checkTarget(parseTarget(user.url), BRANCHES)).findings).toEqual([]);
  await createTables(source);
  await drain(source.url, user.url, SETTINGS);
  expect(await target.sql('select count(*) as n from parent')).toEqual([{ n: 2 }]);
});

it.each(GRANTED)('without %s it does not work', async (missing) => {
  await using source = await createPostgresDatabase();
  await using target = await createDoltDatabase();
  const others = GRANTED.filter((privilege) => privilege !== missing);
  await using user = await createUser(target, others);
  const { findings } = await checkTarget(parseTarget(user.url), BRANCHES);
  expect(the('E_TARGET_PRIVILEGE', findings).message).toMatch(new RegExp(`may not ${missing} in it\\.$`));

  // Without the check before.
  const logger = pino({ level: 'silent' });
  const run = (): Promise<void> =>
    attempt(configFor(source.url, user.url, { ...SETTINGS, slot: source.name, until: 'current' }), {
      logger,
      progress: new LoggedProgress(logger),
      signal: new AbortController().signal,
      until: null,
      passing: new Set(),
      onBegin: () => {},
      alone: () => false,
      onProgress: () => {},
    });
  await createTables(source);
  if (missing === 'INDEX') await createLargeTable(source);
  const all = run()
    .then(() => changeRows(source))
    .then(run)
    .then(() => changeSchema(source))
    .then(run);
  if (missing === 'REFERENCES') await all;
  else await expect(all).rejects.toMatchObject({ code: 'E_TARGET_PRIVILEGE' });
  const constraint = FOR_CONSTRAINTS[missing];
  if (constraint !== undefined) expect(await definition(target)).not.toContain(constraint);
  // Everything else was done.
  if (missing === 'DROP') expect(await target.sql('select sum(more) as n from parent')).toEqual([{ n: 1 }]);
  if (missing === 'ALTER') expect(await target.sql('select count(*) as n from parent')).toEqual([{ n: 192 }]);
});
