import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { formatLsn, parseLsn } from '../src/core/position.js';
import { readSchemaLog } from '../src/history/log.js';
import { awaitResync, type Copied } from '../src/sync/await-resync.js';
import { resync } from '../src/sync/resync.js';
import { createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from './support/postgres.js';
import { configFor, drain, startRun } from './support/run.js';
import { expectSame, FAST } from './support/streamed.js';

const SHOP = `create table orders (id int primary key, v text); create table notes (id int primary key, v text);
  insert into orders values (1, 'a'), (2, 'b'); insert into notes values (1, 'n')`;

/** When the rows with w are read, it may have been v by another name, or another column. */
const AMBIGUOUS = `alter table orders rename v to w; insert into orders values (3, 'c');
  alter table orders drop column w; alter table orders add column w text; insert into orders values (4, 'd')`;

const tables = (target: DoltDatabase): Promise<Record<string, unknown>[]> =>
  target.sql('select source_table, state, snapshot_lsn from wal2dolt_tables order by 1');

const settingsOf = (source: PostgresDatabase, own = {}) => ({
  ...FAST,
  slot: source.name,
  publication: source.name,
  ...own,
});

/** The last commit, and no other, lacks a row by then. */
async function loseRow(target: DoltDatabase): Promise<void> {
  const staging = await target.connect('wal2dolt');
  await staging.query('delete from orders where id = 1');
  await staging.query(`call dolt_commit('-A', '--amend', '-m', (select message from dolt_log limit 1))`);
  await staging.query(`call dolt_branch('-f', 'main', 'wal2dolt')`);
  await staging.end();
}

describe.concurrent('resync while no run is going on', () => {
  it('marks the tables in a commit that readers see, once', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(SHOP);
    const settings = settingsOf(source);
    await drain(source.url, target.url, settings);
    const config = configFor(source.url, target.url, settings);
    const before = await target.sql('select end_lsn, spills from wal2dolt_position');

    const marked = await resync(config, ['orders']);
    expect(marked).toMatchObject({ how: 'marked', tables: [{ schema: 'public', name: 'orders' }] });
    expect(await tables(target)).toMatchObject([
      { source_table: 'notes', state: 'streaming' },
      { source_table: 'orders', state: 'copying', snapshot_lsn: expect.any(String) },
    ]);
    expect(await target.sql('select end_lsn, spills from wal2dolt_position')).toEqual(before);
    const log = 'select commit_hash, message from dolt_log limit 2';
    const [head, parent] = await target.sql(log);
    expect(head).toEqual({
      commit_hash: marked.how === 'marked' ? marked.commit : '',
      message: `to be copied again: public.orders\n\nLsn: ${before[0]?.end_lsn}`,
    });
    expect(await resync(config, ['public.orders'])).toEqual(marked);
    const both = await resync(config, ['public.orders', 'notes']);
    expect(await target.sql(log)).toMatchObject([
      { commit_hash: both.how === 'marked' ? both.commit : '', message: expect.stringMatching(/: public\.notes\n/) },
      { commit_hash: head?.commit_hash },
    ]);
    expect(parent?.message).toMatch(/^snapshot of 2 tables/);
  });

  it('is the way out where the target lost a row: one commit, with only the rows that differ', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(SHOP);
    const settings = settingsOf(source);
    await drain(source.url, target.url, settings);
    await loseRow(target);
    await source.sql(`update orders set v = 'b2' where id = 2; update orders set v = 'a2' where id = 1`);
    const drained = () => drain(source.url, target.url, settings);
    await expect(drained()).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
    const marked = await resync(configFor(source.url, target.url, settings), ['orders']);
    await drained();
    await expectSame(source, target);
    expect(await tables(target)).toMatchObject([{ state: 'streaming' }, { state: 'streaming' }]);
    const commit = marked.how === 'marked' ? marked.commit : '';
    expect(
      await target.sql(`select diff_type, from_v, to_v from dolt_diff('${commit}', 'main', 'orders') order by to_id`),
    ).toEqual([
      { diff_type: 'added', from_v: null, to_v: 'a2' },
      { diff_type: 'modified', from_v: 'b', to_v: 'b2' },
    ]);
    const log = await readSchemaLog(configFor(source.url, target.url, settings), { limit: 2, tables: [] });
    expect(log.map(({ changes }) => changes.map(({ table, kind }) => `${table} ${kind}`))).toEqual([
      ['public.orders table_copied'],
      ['public.orders table_copying'],
    ]);
  });

  it('shows what only the copy tells from when it was made, not as of an earlier time', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(SHOP);
    const settings = settingsOf(source);
    const drained = () => drain(source.url, target.url, settings);
    await drained();
    await loseRow(target);
    await sleep(20);
    const [{ now } = {}] = await source.sql(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') as now`,
    );
    await resync(configFor(source.url, target.url, settings), ['orders']);
    await drained();
    expect(await target.sql('select id from orders')).toEqual([{ id: 1 }, { id: 2 }]);
    expect(await target.sql(`select id from orders as of timestamp('${now}')`)).toEqual([{ id: 2 }]);
  });

  it('is the way out where what became of a column can not be told', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(SHOP);
    const settings = settingsOf(source, { ddl: 'relations' });
    const drained = () => drain(source.url, target.url, settings);
    await drained();
    await source.sql(`${AMBIGUOUS};
      insert into notes values (2, 'm')`);
    await expect(drained()).rejects.toMatchObject({ code: 'E_SCHEMA_AMBIGUOUS' });
    expect(await resync(configFor(source.url, target.url, settings), ['orders'])).toMatchObject({ how: 'marked' });
    await drained();
    await expectSame(source, target);
  });

  it.for([
    ['a NOT NULL', 'alter table orders alter v drop not null; insert into orders values (3, null)'],
    ['a unique constraint', `alter table orders drop constraint once; insert into orders values (3, 'a')`],
  ])(
    'is the way out where Dolt refuses a row: %s went while the event triggers were off',
    async ([, gone], { expect }) => {
      await using source = await createPostgresDatabase();
      await using target = createDoltDatabaseName();
      await source.sql(`${SHOP}; alter table orders alter v set not null, add constraint once unique (v)`);
      const settings = settingsOf(source, { ddl: 'triggers' });
      const drained = () => drain(source.url, target.url, settings);
      await drained();
      await source.sql(`set wal2dolt.disabled = on; ${gone}; insert into notes values (2, 'm')`);
      await expect(drained()).rejects.toMatchObject({ code: 'E_SCHEMA_CHANGED' });
      await resync(configFor(source.url, target.url, settings), ['orders']);
      await drained();
      await expectSame(source, target);
    },
  );

  it('is told the name that a table has by now, where another one has the name that it had', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(SHOP);
    const settings = settingsOf(source, { ddl: 'relations' });
    const drained = () => drain(source.url, target.url, settings);
    await drained();
    await source.sql(`${AMBIGUOUS};
      begin; alter table orders rename to x; alter table notes rename to orders; alter table x rename to notes; commit;
      insert into notes values (5, 'e'); insert into orders values (2, 'm')`);
    const failed = await drained().catch((error: Error) => error.message);
    expect(failed).toMatch(/^public.orders, which is public.notes by now: /);
    await resync(configFor(source.url, target.url, settings), ['public.notes']);
    await drained();
    await expectSame(source, target);
  });

  it('knows a table by the name that it has now, and by the one that the target knows', async ({ expect }) => {
    for (const name of ['orders', 'purchases']) {
      await using source = await createPostgresDatabase();
      await using target = createDoltDatabaseName();
      await source.sql(SHOP);
      const settings = settingsOf(source);
      await drain(source.url, target.url, settings);
      await source.sql('alter table orders rename to purchases; alter table purchases rename v to w');
      const config = configFor(source.url, target.url, settings);
      expect(await resync(config, [name])).toMatchObject({ how: 'marked', tables: [{ name: 'purchases' }] });
      expect(await tables(target)).toMatchObject([{ state: 'streaming' }, { state: 'copying' }]);
    }
  });

  it('takes the table that has the name now, where another one had it', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(SHOP);
    const settings = settingsOf(source);
    await drain(source.url, target.url, settings);
    await source.sql(
      'alter table orders rename to x; alter table notes rename to orders; alter table x rename to notes',
    );
    const config = configFor(source.url, target.url, settings);
    const [{ oid } = {}] = await source.sql(`select 'orders'::regclass::oid as oid`);
    expect(await resync(config, ['orders'])).toMatchObject({ tables: [{ oid, name: 'orders' }] });
  });

  it('refuses what it can not do, before anything is done', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = settingsOf(source);
    const config = configFor(source.url, target.url, settings);
    await source.sql(`${SHOP}; create table loose (id int primary key);
      create publication ${source.name} for table orders, notes, loose`);
    await drain(source.url, target.url, { ...settings, tables: ['!loose'] });
    const head = async () => (await target.sql(`select hashof('main') as main, hashof('wal2dolt') as staging`))[0];
    const before = await head();
    const refused = (names: string[], own = {}): Promise<string> =>
      resync({ ...config, ...own }, names).then(
        () => 'done',
        (error) => `${error.code}: ${error.message}`,
      );
    expect(await refused(['orders', 'oders'])).toBe(
      'E_CONFIG: oders: no such table is replicated; did you mean public.orders?',
    );
    expect(await refused([])).toMatch(/^E_CONFIG: /);
    expect(await refused(['loose'])).toMatch(/^E_CONFIG: loose: no such table is replicated/);
    const { tables: rules } = configFor(source.url, target.url, { tables: ['!notes'] });
    expect(await refused(['notes'], { tables: rules })).toBe('E_CONFIG: notes: the configuration leaves it out');
    await source.sql(`alter publication ${source.name} drop table notes`);
    expect(await refused(['notes', 'orders'])).toBe(
      `E_CONFIG: notes: the publication ${source.name} does not carry it`,
    );
    expect(await refused(['orders'], { slot: 'other' })).toMatch(/^E_OTHER_SOURCE: /);
    expect(await head()).toEqual(before);
  });
});

describe.concurrent('resync while a run is going on', () => {
  it('asks it, and can wait until readers see the copy', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(SHOP);
    const settings = settingsOf(source);
    const config = configFor(source.url, target.url, settings);
    await using running = startRun(source.url, target.url, settings);
    await expect.poll(() => tables(target).catch(() => [])).toHaveLength(2);
    const asked = await resync(config, ['orders']);
    if (asked.how !== 'asked') throw new Error('the run was not seen');
    const copied: Copied[] = [];
    const signal = AbortSignal.timeout(30_000);
    expect(await awaitResync(config, asked, (copy) => copied.push(copy), signal)).toBe('done');
    expect(copied).toMatchObject([{ table: { name: 'orders' } }]);
    expect(copied[0]?.lsn).toBeGreaterThanOrEqual(asked.lsn);
    const [notes, orders] = await tables(target);
    expect(orders).toMatchObject({ state: 'streaming', snapshot_lsn: formatLsn(copied[0]?.lsn ?? asked.lsn) });
    expect(parseLsn(String(notes?.snapshot_lsn))).toBeLessThan(asked.lsn);
    await running.stop();
  });

  it('stops waiting when it is told', async ({ expect }) => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    await source.sql(SHOP);
    const settings = settingsOf(source);
    const config = configFor(source.url, target.url, settings);
    await drain(source.url, target.url, settings);
    const [{ oid } = {}] = await source.sql(`select 'orders'::regclass::oid as oid`);
    const never = { tables: [{ oid, schema: 'public', name: 'orders' }], lsn: parseLsn('F/0') };
    const controller = new AbortController();
    const waiting = awaitResync(config, never, () => {}, controller.signal);
    await sleep(1_000);
    controller.abort();
    expect(await waiting).toBe('interrupted');
  });
});
