import { describe, expect, it } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { connectReplication, connectSource, queryRows } from './client.js';

const withParams = (url: string, params: Record<string, string>): string =>
  `${url}?${new URLSearchParams(params).toString().replaceAll('+', '%20')}`;

describe('connectSource', () => {
  it('pins how values print, over the role, the database and the URL', async () => {
    await using database = await createPostgresDatabase();
    await database.sql(`
      alter database ${database.name} set datestyle = 'SQL, DMY';
      alter database ${database.name} set intervalstyle = 'sql_standard';
      alter database ${database.name} set timezone = 'Asia/Tokyo';
      alter database ${database.name} set extra_float_digits = 0;
      alter database ${database.name} set bytea_output = 'escape';
      alter database ${database.name} set client_encoding = 'LATIN1';
      alter database ${database.name} set search_path = 'mine', 'pg_catalog';
      alter database ${database.name} set quote_all_identifiers = on;
      alter database ${database.name} set standard_conforming_strings = off;
      alter database ${database.name} set default_transaction_read_only = on;
      create schema mine;
      create table mine.t (t text default 'back\\slash');
      create view mine.pg_settings as select 1 as theirs;
      alter database ${database.name} set statement_timeout = '50ms';
      alter database ${database.name} set idle_session_timeout = '5s';`);
    const url = withParams(database.url, {
      options: '-c timezone=Asia/Tokyo -c work_mem=5MB',
      application_name: 'mine',
    });
    for (const connect of [connectSource, connectReplication]) {
      const client = await connect(url, 'test');
      const [row] = await queryRows(
        client,
        `select timestamptz '2026-11-21 12:00:00.123456+01' as at, interval '-1 day 2 hours' as every, '\\x00ff'::bytea as bytes,
           'mine.t'::regclass as name_of_table, pg_get_expr(adbin, adrelid) as expression, current_setting('transaction_read_only') as read_only,
           (select setting from pg_settings where name = 'TimeZone') as time_zone,
           0.1::float8 + 0.2 as sum, array[1.5, null] as list, true as yes, 9007199254740993 as big, 'ü€' as text,
           current_setting('work_mem') as work_mem, current_setting('application_name') as name,
           current_setting('idle_session_timeout') as idle, pg_sleep(0.1)::text as slept
         from pg_attrdef where adrelid = 'mine.t'::regclass`,
      );
      await client.end();
      expect(row).toEqual({
        at: '2026-11-21 11:00:00.123456+00',
        every: '-1 days +02:00:00',
        bytes: '\\x00ff',
        name_of_table: 'mine.t',
        expression: "'back\\slash'::text",
        read_only: 'off',
        time_zone: 'UTC',
        sum: '0.30000000000000004',
        list: '{1.5,NULL}',
        yes: 't',
        big: '9007199254740993',
        text: 'ü€',
        work_mem: '5MB',
        name: 'mine',
        idle: '0',
        slept: '',
      });
    }
  });

  it('classifies failures, and survives the loss of an idle connection', async () => {
    await using database = await createPostgresDatabase();
    await expect(connectSource(database.url.replace(database.name, 'no_such_db'), 'test')).rejects.toMatchObject({
      code: 'E_SOURCE_DATABASE',
    });
    const url = new URL(database.url);
    url.port = '1';
    await expect(connectSource(url.href, 'test')).rejects.toMatchObject({ code: 'E_SOURCE_UNREACHABLE' });

    const client = await connectSource(database.url, 'test');
    await expect(queryRows(client, 'select 1/0')).rejects.toMatchObject({ code: 'E_SOURCE_QUERY' });
    const [row] = await queryRows<{ pid: string }>(client, 'select pg_backend_pid() as pid');
    await database.sql('select pg_terminate_backend($1)', [row?.pid]);
    await expect.poll(() => database.sql('select 1 from pg_stat_activity where pid = $1', [row?.pid])).toEqual([]);
    await expect(queryRows(client, 'select 1')).rejects.toMatchObject({ code: 'E_SOURCE_UNREACHABLE' });
  });
});
