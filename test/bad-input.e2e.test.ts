import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltCli, buildCli, type Outcome, outcomeOf, startCli } from './support/built-cli.js';
import { createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase, startPostgres } from './support/postgres.js';
import { createRole } from './support/preflight.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

interface Sides {
  readonly source: PostgresDatabase;
  readonly target: DoltDatabase;
}

interface BadInput {
  readonly what: string;
  readonly code: string;
  readonly exit: number;
  /** A part of the sentence or remedy that tells the user what to do. */
  readonly says: RegExp;
  prepare?(sides: Sides): Promise<void>;
  arguments?(sides: Sides): Record<string, string>;
}

const changed = (url: string, change: (url: URL) => void): string => {
  const other = new URL(url);
  change(other);
  return other.href;
};

const CASES: readonly BadInput[] = [
  {
    what: 'a source URL of another scheme',
    code: 'E_CONFIG',
    exit: 2,
    says: /postgres:\/\//,
    arguments: () => ({ source: 'mysql://root:hidden1@127.0.0.1/shop' }),
  },
  {
    what: 'a target URL without a database',
    code: 'E_CONFIG',
    exit: 2,
    says: /mysql:\/\/.*database/,
    arguments: ({ target }) => ({ target: changed(target.url, (url) => (url.pathname = '')) }),
  },
  {
    what: 'an unknown key, with the one that was meant',
    code: 'E_CONFIG',
    exit: 2,
    says: /commit-max-delay/,
    arguments: () => ({ 'commit-max-dela': '5s' }),
  },
  {
    what: 'a wrong password of Postgres',
    code: 'E_SOURCE_AUTH',
    exit: 3,
    says: /password/,
    arguments: ({ source }) => ({ source: changed(source.url, (url) => (url.password = 'hidden1')) }),
  },
  {
    what: 'a database that Postgres does not have',
    code: 'E_SOURCE_DATABASE',
    exit: 3,
    says: /database name/,
    arguments: ({ source }) => ({ source: changed(source.url, (url) => (url.pathname = '/no_such_database')) }),
  },
  {
    what: 'a wrong password of Dolt',
    code: 'E_TARGET_AUTH',
    exit: 3,
    says: /password/,
    arguments: ({ target }) => ({ target: changed(target.url, (url) => (url.password = 'hidden1')) }),
  },
  {
    what: 'a slot that exists and is nobody we know',
    code: 'E_SLOT_EXISTS',
    exit: 3,
    says: /--snapshot never/,
    prepare: async ({ source }) => {
      await source.sql(`select pg_create_logical_replication_slot('${source.name}', 'pgoutput')`);
    },
  },
  {
    what: 'a publication of nothing',
    code: 'E_CHECK',
    exit: 3,
    says: /ALTER PUBLICATION/,
    prepare: async ({ source }) => {
      await source.sql(`create publication ${source.name}`);
    },
  },
  {
    what: 'a target with tables of somebody else',
    code: 'E_TARGET_FOREIGN',
    exit: 3,
    says: /empty or a new database/,
    prepare: async ({ target }) => {
      const root = await createConnection(changed(target.url, (url) => (url.pathname = '')));
      await root.query(`create database \`${target.name}\``);
      await root.query(`create table \`${target.name}\`.somebodys (id int primary key)`);
      await root.end();
    },
  },
];

/** What a refused run must leave as it was. */
async function stateOf({ source, target }: Sides): Promise<unknown> {
  const postgres = await source.sql(
    `select (select json_agg(pubname order by pubname) from pg_publication) as publications,
       (select json_agg(slot_name order by slot_name) from pg_replication_slots where database = current_database()) as slots`,
  );
  const root = await createConnection(changed(target.url, (url) => (url.pathname = '')));
  const [databases] = await root.query('show databases like ?', [target.name]);
  const exists = Array.isArray(databases) && databases.length > 0;
  const contents = exists
    ? [
        (await root.query(`select name, hash from \`${target.name}\`.dolt_branches`))[0],
        (await root.query(`show tables from \`${target.name}\``))[0],
      ]
    : [];
  await root.end();
  return { postgres, exists, contents };
}

function runWith(source: PostgresDatabase, args: Record<string, string>): Promise<Outcome> {
  const all = { slot: source.name, publication: source.name, 'log-format': 'json', until: 'current', ...args };
  const flags = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  return outcomeOf(startCli(cli.path, ['run', ...flags]));
}

function errorOf(outcome: Outcome): { code: string; msg: string; remedy: string } {
  return JSON.parse(outcome.stderr.trimEnd().split('\n').at(-1) ?? '{}');
}

describe('a run with', () => {
  it.each(CASES)(
    '$what is refused with $code, and changes nothing',
    async ({ code, exit, says, prepare, ...given }) => {
      await using source = await createPostgresDatabase();
      await using target = createDoltDatabaseName();
      const sides = { source, target };
      await source.sql('create table t (id int primary key); insert into t values (1)');
      await prepare?.(sides);
      const before = await stateOf(sides);
      const outcome = await runWith(source, { source: source.url, target: target.url, ...given.arguments?.(sides) });
      expect(errorOf(outcome).code, outcome.stderr).toBe(code);
      expect(outcome.code).toBe(exit);
      expect(`${errorOf(outcome).msg} ${errorOf(outcome).remedy}`).toMatch(says);
      expect(outcome.stderr).not.toMatch(/hidden1/);
      expect(await stateOf(sides)).toEqual(before);
    },
  );

  it('a role without privileges is told all of them at once, and changes nothing', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql('create table t (id int primary key); revoke create on schema public from public');
    await using role = await createRole(source);
    const before = await stateOf({ source, target });
    const outcome = await runWith(source, { source: role.url, target: target.url });
    expect(outcome.code).toBe(3);
    expect(errorOf(outcome)).toMatchObject({ code: 'E_CHECK' });
    expect(errorOf(outcome).msg).toMatch(/REPLICATION[\s\S]*GRANT SELECT|GRANT SELECT[\s\S]*REPLICATION/);
    expect(outcome.stderr).not.toContain('p-secret');
    expect(await stateOf({ source, target })).toEqual(before);
  });

  it('a server whose wal_level is replica is refused, and changes nothing', async () => {
    await using server = await startPostgres({ wal_level: 'replica' });
    await using source = await createPostgresDatabase(undefined, server);
    await using target = createDoltDatabaseName();
    await source.sql('create table t (id int primary key)');
    const before = await stateOf({ source, target });
    const outcome = await runWith(source, { source: source.url, target: target.url });
    expect(outcome.code).toBe(3);
    expect(errorOf(outcome).code).toBe('E_CHECK');
    expect(errorOf(outcome).msg).toMatch(/ALTER SYSTEM SET wal_level = '?logical/);
    expect(await stateOf({ source, target })).toEqual(before);
  });
});
