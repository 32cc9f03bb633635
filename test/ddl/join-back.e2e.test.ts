import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BuiltCli, buildCli } from '../support/built-cli.js';
import { startChild } from '../support/child.js';
import { MODES } from '../support/ddl-case.js';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase } from '../support/postgres.js';
import { drain } from '../support/run.js';
import { expectSame, FAST } from '../support/streamed.js';

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

it.each(MODES)(
  'a large table that comes back is not followed before it is copied, also after a crash (%s)',
  async (ddl) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { ...FAST, ddl };
    await source.sql(`create table small (id int primary key); create table large (id int primary key, v text, body text);
    alter table large alter body set storage external;
    insert into large select i, 'v', repeat(md5(i::text), 125) from generate_series(1, 9000) i`);
    await drain(source.url, target.url, settings);
    await drain(source.url, target.url, { ...settings, tables: ['!large'] });
    await source.sql(`insert into small values (1); insert into large values (0, 'missed', 'missed')`);
    await drain(source.url, target.url, { ...settings, tables: ['!large'] });
    {
      await using child = startChild(cli, source.url, target.url, { ...settings, slot: source.name }, 'before-join');
      expect(await child.end()).toMatchObject({ signal: 'SIGKILL' });
    }
    await source.sql(`begin; update large set v = 'changed' where id = 0; insert into small values (2); commit`);
    await drain(source.url, target.url, settings);
    await expectSame(source, target);
    expect(await target.sql('select distinct state from wal2dolt_tables')).toEqual([{ state: 'streaming' }]);
  },
);
