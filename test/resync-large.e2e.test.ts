import { describe, expect, it } from 'vitest';
import { resync } from '../src/sync/resync.js';
import { createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { configFor, drain, startRun } from './support/run.js';
import { expectSame, FAST } from './support/streamed.js';

/*
 * A table that is too large to keep the others waiting without need.
 */

const LARGE = `create table small (id int primary key);
  create table large (id int primary key, body text, v text); alter table large alter body set storage external;
  insert into large select i, repeat(md5(i::text), 125), 'v' || i from generate_series(1, 9000) i`;

const settingsOf = (source: { name: string }, ddl: string) => ({
  ...FAST,
  slot: source.name,
  publication: source.name,
  ddl,
});

describe('resync of a large table, while no run is going on', () => {
  it('is the way out where what became of a column can not be told', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(LARGE);
    const settings = settingsOf(source, 'relations');
    const drained = () => drain(source.url, target.url, settings);
    await drained();
    // When the rows with w are read, it may have been v by another name, or another column.
    await source.sql(`alter table large rename v to w; insert into large values (-1, 'b', 'c');
      alter table large drop column w; alter table large add column w text; insert into large values (-2, 'b', 'd');
      insert into small values (1)`);
    await expect(drained()).rejects.toMatchObject({ code: 'E_SCHEMA_AMBIGUOUS' });
    expect(await resync(configFor(source.url, target.url, settings), ['large'])).toMatchObject({ how: 'marked' });
    await drained();
    await expectSame(source, target);
    expect(await target.sql('select distinct state from wal2dolt_tables')).toEqual([{ state: 'streaming' }]);
  });

  it.each(['it had not been asked for', 'a run that was asked had begun to'])(
    'is the way out where the target lost a row, when %s',
    async (when) => {
      await using source = await createPostgresDatabase();
      await using target = createDoltDatabaseName();
      await source.sql(LARGE);
      const settings = settingsOf(source, 'triggers');
      const drained = () => drain(source.url, target.url, settings);
      await drained();
      const staging = await target.connect('wal2dolt');
      await staging.query('delete from large where id = 1');
      await staging.query(`call dolt_commit('-A', '--amend', '-m', (select message from dolt_log limit 1))`);
      await staging.query(`call dolt_branch('-f', 'main', 'wal2dolt')`);
      await staging.end();
      const config = configFor(source.url, target.url, settings);
      if (when !== 'it had not been asked for') {
        await using running = startRun(source.url, target.url, settings);
        await source.sql('insert into small values (0)');
        await expect.poll(() => target.sql('select id from small')).toHaveLength(1);
        expect(await resync(config, ['large'])).toMatchObject({ how: 'asked' });
        const state = () => target.sql(`select state from wal2dolt_tables where source_table = 'large'`);
        await expect.poll(state, { interval: 10 }).toEqual([{ state: 'joining' }]);
        await source.sql(`update large set v = 'a' where id = 1`);
        await expect(running.ended).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
      } else await source.sql(`update large set v = 'a' where id = 1`);
      await source.sql('insert into small values (1)');
      await expect(drained()).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
      expect(await resync(config, ['large'])).toMatchObject({ how: 'marked' });
      await drained();
      await expectSame(source, target);
    },
  );
});
