import { describe, expect, it } from 'vitest';
import { describeChange, formatSchemaLog } from '../src/cli/log-text.js';
import { lsn } from '../src/core/position.js';
import { updateTableState } from '../src/dolt/bookkeeping.js';
import { readLog, readSchemaLog } from '../src/history/log.js';
import { createDoltDatabase, createDoltDatabaseName } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { configFor, drain } from './support/run.js';
import { beginSchemaHistory, type SchemaHistory } from './support/schema-history.js';
import { type TableSpec, targetOf } from './support/tables.js';

type Columns = TableSpec['columns'];
const COLUMNS = { id: 'integer', region: 'integer', total: 'numeric(10,2)', note: 'text' } satisfies Columns;
const ORDERS: TableSpec = { oid: 1, name: 'orders', columns: COLUMNS, key: ['id'] };
const NOTES: TableSpec = { oid: 2, name: 'notes', columns: { id: 'integer', body: 'text' }, key: ['id'] };

const orders = (what: Partial<TableSpec>) => targetOf({ ...ORDERS, ...what });
const note = (attnum: number, type = 'text') => ({ note: { type, attnum } });

/** Of the last command. A primary key's index is called after its table here, which it is not in Postgres. */
const changesIn = async (history: SchemaHistory): Promise<string[]> => {
  const [entry] = await readSchemaLog(history.config, { limit: 1, tables: [] });
  return (entry?.changes ?? [])
    .filter(({ name }) => !name?.endsWith('_id_idx'))
    .map((change) => `${change.table}: ${describeChange(change)}`);
};

describe('what a command changed', () => {
  const { id, region, total } = COLUMNS;
  it.for<readonly [string, Partial<TableSpec>, readonly string[]]>([
    ['a new column', { columns: { ...COLUMNS, extra: 'jsonb' } }, ['column extra added: jsonb']],
    [
      'a new column with a default',
      { columns: { ...COLUMNS, extra: { type: 'integer', notNull: true, defaultExpression: '0' } } },
      ['column extra added: integer NOT NULL DEFAULT 0'],
    ],
    ['a column less', { columns: { id, region, ...note(4) } }, ['column total dropped, was numeric(10,2)']],
    ['another name', { columns: { id, region, amount: total, note: 'text' } }, ['column amount renamed from total']],
    [
      'two names that were swapped',
      { columns: { id, region, note: total, total: 'text' } },
      ['column note renamed from total', 'column total renamed from note'],
    ],
    [
      'dropped and added again under the same name',
      { columns: { id, region, total, ...note(5) } },
      ['column note dropped, was text', 'column note added: text'],
    ],
    [
      'name and type',
      { columns: { id, region, amount: 'numeric(12,2)', note: 'text' } },
      ['column amount renamed from total', 'column amount: numeric(12,2), was numeric(10,2)'],
    ],
    [
      'NOT NULL and default',
      { columns: { ...COLUMNS, note: { type: 'text', notNull: true, defaultExpression: `'-'::text` } } },
      ['column note: NOT NULL, was NULL', "column note: DEFAULT '-'::text, was none"],
    ],
    ['another key', { key: ['region', 'id'] }, ['column region: NOT NULL, was NULL', 'key (region, id), was (id)']],
    ['no key', { key: [] }, ['column id: NULL, was NOT NULL', 'key none, was (id)']],
    ['another table name', { name: 'purchases' }, ['renamed from public.orders', 'purchases in Dolt, was orders']],
    ['another schema', { schema: 'sales' }, ['renamed from public.orders', 'sales__orders in Dolt, was orders']],
    ['an index', { indexes: [['note']] }, ['index orders_note_idx added: ']],
    ['REPLICA IDENTITY FULL', { identity: 'f' }, ['replica identity full, was default']],
    ['a comment', { comment: 'what was\nbought' }, ['comment what was bought']],
  ])('%s', async ([, what, expected], { expect }) => {
    await using history = await beginSchemaHistory([targetOf(ORDERS), targetOf(NOTES)]);
    await history.command({}, [orders(what)]);
    const name = `${what.schema ?? 'public'}.${what.name ?? 'orders'}`;
    expect(await changesIn(history)).toEqual(expected.map((line) => `${name}: ${line}`));
  });

  it('a table that comes, is copied, leaves, is asked for again, and is dropped', async () => {
    await using history = await beginSchemaHistory([targetOf(ORDERS)]);
    const did = async (tag: string, ...statements: string[]): Promise<string[]> => {
      await history.command({ tag }, [], statements);
      return changesIn(history);
    };
    await history.command({ tag: 'CREATE TABLE' }, [targetOf(NOTES)]);
    expect(await changesIn(history)).toEqual(['public.notes: added, with id integer NOT NULL, body text']);
    const copied = (at: bigint) => updateTableState(2, 'streaming', lsn(at));
    expect(await did('RESYNC', copied(16n))).toEqual(['public.notes: copied at 0/10']);
    expect(await did('ALTER TABLE', updateTableState(2, 'copying'))).toEqual(['public.notes: to be copied again']);
    expect(await did('RESYNC', copied(256n))).toEqual(['public.notes: copied again at 0/100']);
    expect(await did('ALTER PUBLICATION', updateTableState(2, 'left'))).toEqual([
      'public.notes: no longer followed; stays as it was',
    ]);
    expect(await did('ALTER PUBLICATION', updateTableState(2, 'copying'))).toEqual([
      'public.notes: followed again, to be copied',
    ]);
    expect(await did('DROP PUBLICATION', updateTableState(2, 'left'))).toHaveLength(1);
    await did('ALTER PUBLICATION', copied(512n));
    expect(await did('DROP SCHEMA', updateTableState(2, 'left'))).toEqual([
      'public.notes: dropped in Postgres; stays as it was',
    ]);
  });
});

describe('the schema history', () => {
  it('tells when, by which command, in which transaction and commit, the newest first, and nothing of rows', async () => {
    await using history = await beginSchemaHistory([targetOf(ORDERS)]);
    const first = await history.rows();
    const command = 'alter table orders\n  add extra jsonb';
    const added = await history.command({ command }, [orders({ columns: { ...COLUMNS, extra: 'jsonb' } })]);
    await history.rows();
    const entries = await readSchemaLog(history.config, { limit: 20, tables: [] });
    expect(entries).toMatchObject([
      {
        commit: added,
        time: '2026-11-22T00:00:03.123456Z',
        lsn: '0/300',
        xid: 703,
        user: 'ann',
        author: 'wal2dolt',
        tag: 'ALTER TABLE',
        message: 'ALTER TABLE: alter table orders',
        completeIn: null,
        changes: [{ table: 'public.orders', kind: 'column_added', name: 'extra', from: null, to: 'jsonb' }],
      },
      { tag: null, xid: null, user: null, message: 'the first copy', changes: [{ kind: 'table_added' }] },
    ]);
    expect(formatSchemaLog(entries.slice(0, 1))).toBe(
      [
        '2026-11-22T00:00:03.123456Z  ALTER TABLE: alter table orders',
        `  commit ${added}, 0/300, transaction 703, by ann`,
        '    public.orders: column extra added: jsonb',
      ].join('\n'),
    );
    expect((await readLog(history.config, { limit: 3 })).map(({ commit, message }) => [commit, message])).toEqual([
      [expect.any(String), 'rows'],
      [added, 'ALTER TABLE: alter table orders'],
      [first, 'rows'],
    ]);
  });

  it('leads from a part of a transaction to the commit that completes it', async () => {
    await using history = await beginSchemaHistory([targetOf(ORDERS)]);
    await history.rows();
    await history.command({ part: true }, [orders({ columns: { ...COLUMNS, extra: 'jsonb' } })]);
    const end = await history.rows();
    const part = async () => (await readSchemaLog(history.config, { limit: 1, tables: [] }))[0];
    const expected = { xid: 703, lsn: '0/300', completeIn: end };
    expect(await part()).toMatchObject(expected);
    await history.rows();
    expect(await part()).toMatchObject(expected);
    expect((await readLog(history.config, { limit: 4 })).map((entry) => entry.lsn)).toEqual([
      '0/400',
      '0/300',
      null,
      '0/200',
    ]);
  });

  it('is that of the tables that are named, by any name that they had', async () => {
    await using history = await beginSchemaHistory([targetOf(ORDERS), targetOf(NOTES)]);
    await history.command({}, [orders({ name: 'purchases' })]);
    await history.command({}, [targetOf({ ...NOTES, columns: { ...NOTES.columns, extra: 'jsonb' } })]);
    await history.command({}, [orders({ name: 'purchases', comment: 'c' })]);
    const kinds = async (...tables: string[]) =>
      (await readSchemaLog(history.config, { limit: 20, tables })).flatMap(({ changes }) =>
        changes.flatMap(({ table, kind }) => (kind.startsWith('index_') ? [] : [`${table} ${kind}`])),
      );
    const ofOrders = [
      'public.purchases comment',
      'public.purchases table_renamed',
      'public.purchases dolt_table_renamed',
      'public.orders table_added',
    ];
    expect(await kinds('orders')).toEqual(ofOrders);
    expect(await kinds('public.purchases')).toEqual(ofOrders);
    expect(await kinds('notes')).toEqual(['public.notes column_added', 'public.notes table_added']);
    await expect(kinds('public.ordres', 'a.*')).rejects.toThrow(/a\.\*: the name of one table is expected/);
    await expect(kinds('public.ordres')).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: 'public.ordres: no such table is replicated; did you mean public.orders?',
    });
  });

  it('goes on over pages, and stops where it should', async () => {
    await using history = await beginSchemaHistory([targetOf(ORDERS), targetOf(NOTES)]);
    for (let n = 1; n <= 45; n += 1) await history.command({}, [orders({ comment: `no. ${n}` })]);
    const all = await readSchemaLog(history.config, { limit: 100, tables: [] });
    expect(all.flatMap(({ changes }) => changes.map(({ to }) => to)).slice(0, 45)).toEqual(
      Array.from({ length: 45 }, (_, i) => `no. ${45 - i}`),
    );
    expect(all).toHaveLength(46);
    expect(await readSchemaLog(history.config, { limit: 30, tables: [] })).toHaveLength(30);
    expect(await readSchemaLog(history.config, { limit: 30, tables: ['notes'] })).toHaveLength(1);
  });

  it('is what happened in Postgres, command by command', async () => {
    await using source = await createPostgresDatabase();
    await using target = createDoltDatabaseName();
    const settings = { slot: source.name, publication: source.name };
    const drained = () => drain(source.url, target.url, settings);
    await source.sql('create table orders (id int primary key, qty smallint)');
    await drained();
    await source.sql('insert into orders values (1, 1)');
    await source.sql('alter table orders alter qty type int');
    await source.sql(`begin; insert into orders values (2, 2);`);
    await source.sql('alter table orders rename qty to quantity');
    await source.sql('insert into orders values (3, 3)');
    await source.sql(`alter table orders add note text not null default '-'`);
    await source.sql('insert into orders values (4, 4)');
    const [{ xid, name } = {}] = await source.sql('select txid_current()::int as xid, current_user as name');
    await source.sql('commit');
    await source.sql('create table notes (id int primary key); drop table notes');
    await drained();
    const entries = await readSchemaLog(configFor(source.url, target.url, settings), { limit: 9, tables: ['orders'] });
    expect(entries.map(({ message, changes }) => [message, ...changes.map(describeChange)])).toEqual([
      [
        `ALTER TABLE: alter table orders add note text not null default '-'`,
        `column note added: text NOT NULL DEFAULT '-'::text`,
      ],
      ['ALTER TABLE: alter table orders rename qty to quantity', 'column quantity renamed from qty'],
      ['ALTER TABLE: alter table orders alter qty type int', 'column qty: integer, was smallint'],
      [expect.stringMatching(/^snapshot of 1 table/), 'added, with id integer NOT NULL, qty smallint'],
    ]);
    const [added, renamed, retyped] = entries;
    expect(added).toMatchObject({ xid, user: name, completeIn: expect.any(String) });
    expect(renamed).toMatchObject({ xid, user: name, completeIn: added?.completeIn, time: added?.time });
    expect(retyped?.xid).not.toBe(xid);
    const rows = await target.sql(`select id, quantity from orders as of '${added?.completeIn}' where id > 1`);
    expect(rows.map((row) => row.id)).toEqual([2, 3, 4]);
    expect(await target.sql(`select id, quantity from orders as of '${renamed?.commit}' where id > 1`)).toEqual([
      { id: 2, quantity: 2 },
    ]);
  });

  it('is refused where nothing is published yet', async () => {
    await using target = await createDoltDatabase();
    const config = configFor('postgres://nobody@127.0.0.1:1/shop', target.url);
    for (const read of [readLog, readSchemaLog])
      await expect(read(config, { limit: 1, tables: [] })).rejects.toMatchObject({ code: 'E_CONFIG' });
  });
});
