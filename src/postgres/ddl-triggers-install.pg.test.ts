import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { createPostgresDatabase, type PostgresDatabase } from '../../test/support/postgres.js';
import { createRole, the } from '../../test/support/preflight.js';
import { brief, ToldSource } from '../../test/support/told.js';
import { connectSource } from './client.js';
import { installTriggers, readTriggers, removeTriggers, whyNotInstallable } from './ddl-triggers.js';
import { checkTriggers } from './preflight-triggers.js';
import { SQL, SQL_VERSION } from './sql-file.js';

const NONE = { version: null, disabled: false, followed: [], owned: false };
const INSTALLED = { version: SQL_VERSION, disabled: false, followed: ['p'], owned: true };

/** Everything in the database's catalogs that is or could be of wal2dolt. */
const traces = (database: PostgresDatabase): Promise<unknown[]> =>
  database.sql(`select evtname as name from pg_event_trigger union all select nspname from pg_namespace where nspname ~ 'wal2dolt'
    union all select proname from pg_proc where pronamespace = to_regnamespace('wal2dolt') order by 1`);

it('the file is in ASCII, and has a version', () => {
  expect([...SQL].filter((character) => character.charCodeAt(0) > 126)).toEqual([]);
  expect(SQL_VERSION).toBeGreaterThan(0);
});

describe('as a superuser', () => {
  it('installs once, follows more publications, and removes with the last', async () => {
    await using database = await createPostgresDatabase();
    const client = await connectSource(database.url, 'test');
    const before = await traces(database);
    expect(await readTriggers(client)).toEqual(NONE);
    expect(await whyNotInstallable(client, 'p')).toBeNull();
    expect(await traces(database)).toEqual(before);

    expect(await installTriggers(client, 'p')).toBe('installed');
    expect(await readTriggers(client)).toEqual(INSTALLED);
    const installed = await traces(database);
    expect(await installTriggers(client, 'p')).toBe('kept');
    expect(await installTriggers(client, `it's "a" {publication}, \\`)).toBe('installed');
    expect((await readTriggers(client)).followed).toEqual([`it's "a" {publication}, \\`, 'p']);
    expect(await traces(database)).toEqual(installed);

    await removeTriggers(client, 'p');
    expect((await readTriggers(client)).followed).toEqual([`it's "a" {publication}, \\`]);
    await removeTriggers(client, `it's "a" {publication}, \\`);
    expect(await readTriggers(client)).toEqual(NONE);
    expect(await traces(database)).toEqual(before);
    await removeTriggers(client, 'p'); // nothing to do
    await client.end();
  });

  it('several at once', async () => {
    await using database = await createPostgresDatabase();
    const names = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(
      names.map(async (name) => {
        const client = await connectSource(database.url, 'test');
        await installTriggers(client, name);
        await client.end();
      }),
    );
    const client = await connectSource(database.url, 'test');
    expect((await readTriggers(client)).followed).toEqual(names);
    await client.end();
  });

  it('replaces an older version, also one with functions of other types, while sessions use it', async () => {
    await using source = await ToldSource.create('create table a (id int primary key)');
    const { database, client } = source;
    const session = await database.client();
    await session.query('alter table a add n int');
    await database.sql(`
      drop event trigger wal2dolt_rewrite; drop function wal2dolt.on_rewrite, wal2dolt.touched;
      create function wal2dolt.touched(text) returns int language sql as 'select 1';
      create event trigger wal2dolt_rewrite on table_rewrite execute function wal2dolt.on_drop();
      comment on schema wal2dolt is 'wal2dolt, version 0: see wal2dolt.sql'`);
    await session.query('alter table a add m int');
    expect((await source.told()).map(brief)).toEqual(['a', expect.stringMatching(/^failure: /)]);

    expect(await installTriggers(client, 'p')).toBe('upgraded');
    expect(await readTriggers(client)).toEqual(INSTALLED);
    await session.query('alter table a alter n type bigint');
    expect((await source.told()).map(brief)).toEqual(['a*']);
  });

  it('leaves a newer version alone, and one that somebody switched off as it is', async () => {
    await using source = await ToldSource.create('create table a (id int primary key)');
    const { database, client } = source;
    await database.sql(`comment on schema wal2dolt is 'wal2dolt, version 99: newer'; drop function wal2dolt.types`);
    expect(await installTriggers(client, 'p')).toBe('kept');
    expect((await readTriggers(client)).version).toBe(99);

    await database.sql(
      `comment on schema wal2dolt is 'wal2dolt, version 0: older'; alter event trigger wal2dolt_ddl disable`,
    );
    expect(await installTriggers(client, 'p')).toBe('upgraded');
    expect((await readTriggers(client)).disabled).toBe(true);
    await database.sql('alter table a add n int');
    expect(await source.told()).toEqual([]);
    const finding = the('ddl', await checkTriggers(client, { publication: 'p', ddl: 'auto' }));
    expect(finding.severity).toBe('warning');
    await database.sql(finding.fix ?? '');
    expect(await readTriggers(client)).toEqual(INSTALLED);
  });

  it('by hand, as the file says', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(SQL);
    await database.sql(`select wal2dolt.follow('p')`);
    const client = await connectSource(database.url, 'test');
    expect(await readTriggers(client)).toEqual(INSTALLED);
    const [, away] = /Away with it:\n-- (.*)\n/.exec(SQL) ?? [];
    await database.sql(away ?? '');
    expect(await readTriggers(client)).toEqual(NONE);
    await client.end();
  });
});

describe('as another role', () => {
  it('may not install, but stream and see what is there', async () => {
    await using source = await ToldSource.create('create table a (id int primary key)');
    await using role = await createRole(source.database, 'replication');
    const client = await connectSource(role.url, 'test');
    expect(await readTriggers(client)).toEqual({ ...INSTALLED, owned: false });
    expect(await installTriggers(client, 'p')).toBe('kept');
    await expect(installTriggers(client, 'q')).rejects.toMatchObject({ code: 'E_SOURCE_PRIVILEGE' });
    const [exact] = await checkTriggers(client, { publication: 'p', ddl: 'triggers' });
    expect(exact).toMatchObject({ severity: 'info', message: expect.stringMatching(/exactly/) });

    await source.database.sql('revoke usage on schema wal2dolt from public');
    expect((await readTriggers(client)).followed).toEqual([]);
    await removeTriggers(source.client, 'p');
    expect(await readTriggers(client)).toEqual(NONE);
    await expect(installTriggers(client, 'p')).rejects.toMatchObject({ code: 'E_SOURCE_PRIVILEGE' });
    // Enough to make the schema and its functions, and still no event trigger.
    await source.database.sql(`grant create on database ${source.database.name} to ${pg.escapeIdentifier(role.name)}`);
    expect(await whyNotInstallable(client, 'p')).toMatch(/event trigger/);

    const found = async (ddl: 'auto' | 'triggers' | 'relations'): Promise<[string, string | undefined]> => {
      const { severity, fix } = the('ddl', await checkTriggers(client, { publication: 'p', ddl }));
      return [severity, fix];
    };
    const fix = `\\i wal2dolt.sql -- in psql as a superuser, the file sql/wal2dolt.sql of this package\nSELECT wal2dolt.follow('p');`;
    expect(await found('auto')).toEqual(['info', fix]);
    expect(await found('triggers')).toEqual(['error', fix]);
    expect(await found('relations')).toEqual(['info', undefined]);
    await client.end();
  });
});

describe('a dump', () => {
  const binaries = inject('postgresBinaries');
  const run = promisify(execFile);

  it.runIf(existsSync(join(binaries, 'pg_restore')))('of the database is restored with them', async () => {
    await using source = await ToldSource.create('create table a (id int primary key, n int default 7)');
    await using copy = await createPostgresDatabase();
    await using other = await createPostgresDatabase();
    await using role = await createRole(other);
    await other.sql(`grant create on schema public to ${pg.escapeIdentifier(role.name)}`);
    const folder = await mkdtemp(join(tmpdir(), 'wal2dolt-dump-'));
    try {
      const file = join(folder, 'dump');
      await run(join(binaries, 'pg_dump'), ['-Fc', '-f', file, source.database.url]);
      await run(join(binaries, 'pg_restore'), ['--exit-on-error', '-d', copy.url, file]);
      const client = await connectSource(copy.url, 'test');
      expect(await readTriggers(client)).toEqual(INSTALLED);
      await copy.sql('select pg_create_logical_replication_slot($1, $2)', [copy.name, 'pgoutput']);
      await copy.sql('alter table a add m int');
      const told = await copy.sql(
        `select from pg_logical_slot_get_binary_changes($1, null, null,
        'proto_version', '1', 'publication_names', 'p', 'messages', 'true') where get_byte(data, 0) = ascii('M')`,
        [copy.name],
      );
      expect(told).toHaveLength(1);
      await client.end();

      // A role that may not have them gets all the rest, and errors about those.
      const outcome = await run(join(binaries, 'pg_restore'), ['--no-owner', '-d', role.url, file]).catch(
        (error) => error,
      );
      expect(outcome.stderr).toMatch(/permission denied to create event trigger/);
      expect(await other.sql('select * from a')).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
