import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doltContents } from '../../test/support/compare.js';
import { createDoltDatabase, type DoltDatabase } from '../../test/support/dolt.js';
import { contentOf, type HistorySpec, histories, tell } from '../../test/support/row-changes.js';
import { type TableSpec, targetOf } from '../../test/support/tables.js';
import { type OldRow, type Row, UNCHANGED } from '../core/change.js';
import { type KeyedChanges, type KeylessChanges, netChangesOf } from '../core/coalesce.js';
import type { TargetTable } from '../core/target.js';
import { createBookkeeping, insertTable } from './bookkeeping.js';
import { parseTarget, TargetConnection } from './client.js';
import { createIndexes, createTable } from './ddl.js';
import { ExactValues } from './exact.js';
import { Writer } from './writer.js';

// Net changes, as the stream would make them, are written to a real Dolt; what is read back must be the table's rows.

let database: DoltDatabase;
let connection: TargetConnection;
beforeAll(async () => {
  database = await createDoltDatabase();
  connection = await TargetConnection.open(parseTarget(database.url), 'main');
  await createBookkeeping(connection);
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

let tables = 0;

/** Each table is made anew under its own name and oid. */
async function create(spec: Omit<TableSpec, 'name'>): Promise<TargetTable> {
  tables += 1;
  const table = targetOf({ ...spec, name: `t${tables}`, oid: tables });
  for (const statement of insertTable(table, 'streaming')) await connection.run(statement);
  await connection.run(createTable(table));
  for (const statement of createIndexes(table)) await connection.run(statement);
  return table;
}

async function write(changes: readonly (KeyedChanges | KeylessChanges)[], writer?: Writer): Promise<void> {
  const by = writer ?? (await newWriter());
  await connection.run('START TRANSACTION');
  try {
    await by.write(changes);
    await connection.run('COMMIT');
  } catch (error) {
    await connection.run('ROLLBACK');
    throw error;
  }
}

const newWriter = async (): Promise<Writer> => new Writer(connection, await ExactValues.load(connection));

/** What was told to the net changes, written. */
async function change(table: TargetTable, tellIt: (net: KeyedChanges | KeylessChanges) => void): Promise<void> {
  const net = netChangesOf(table);
  tellIt(net);
  await write([net]);
}

const rowsOf = async (table: TargetTable) =>
  (await doltContents(database.url)).get(`${table.source.schema}.${table.source.name}`);

const LONG = 'a long value, 長い '.repeat(200);
const VALUES: Readonly<Record<string, HistorySpec['values'][number]>> = {
  integer: ['1', '2', '-3', null],
  text: ['', 'b', 'B ', 'it\'s \\ "b"\n', null],
  'character varying(100)': ['x@y', 'X@y', 'é', 'e\u0301', null],
  numeric: ['0', '1.5', '1.50', '-0.00', 'NaN', 'Infinity', `${'9'.repeat(40)}.1`, `0.${'0'.repeat(35)}1`, null],
  'numeric(6,2)': ['0.00', '1.50', 'NaN', null],
  'double precision': ['0', '-0', 'NaN', 'Infinity', '1e-05', '0.30000000000000004', null],
  'timestamp with time zone': [
    '2020-01-01 00:00:00+00',
    '2020-01-01 00:00:00.123456+00',
    'infinity',
    '-infinity',
    '0044-03-15 12:00:00+00 BC',
    '12020-01-01 00:00:00+00',
    null,
  ],
  'time without time zone': ['00:00:00', '24:00:00', '12:34:56.000001', null],
  date: ['2020-02-29', '0001-01-01', 'infinity', null],
  boolean: ['t', 'f', null],
  uuid: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', null],
  jsonb: ['{}', 'null', '{"a": 9007199254740993}', '{"a": 1.0}', '[1, "x", null]', null],
  bytea: ['\\x', '\\x00', '\\x5c27ff', null],
  'integer[]': ['{}', '{1,2}', '{NULL}', '[0:1]={1,2}', null],
  long: [LONG, `${LONG}!`, '', null],
};

interface Case {
  readonly spec: Omit<TableSpec, 'name'>;
  /** Values of key columns: those that a key can have. */
  readonly values?: Readonly<Record<string, HistorySpec['values'][number]>>;
  /** Unique in Postgres, beside the key. */
  readonly unique?: readonly (readonly string[])[];
  readonly toast?: readonly string[];
}

const MIXED = {
  amount: 'numeric',
  ratio: 'double precision',
  at: 'timestamp with time zone',
  doc: 'jsonb',
  raw: 'bytea',
  long: 'text',
};

const CASES: Readonly<Record<string, Case>> = {
  'a key of text and number, unique columns, and values that are not exact': {
    spec: {
      columns: { tenant: 'text', n: 'integer', email: 'character varying(100)', a: 'integer', b: 'text', ...MIXED },
      key: ['tenant', 'n'],
      unique: [['email'], ['a', 'b'], ['amount']],
      indexes: [['long'], ['raw', 'b'], ['at']],
    },
    values: { tenant: ['', ' ', 'a', 'A', "it's \\", 'é', 'e\u0301', '日🍕'], n: ['1', '2', '-1'] },
    unique: [['email'], ['a', 'b'], ['amount']],
    toast: ['tenant', 'b', 'amount', 'doc', 'raw', 'long'],
  },
  'a key of many types': {
    spec: {
      columns: {
        long: 'text',
        flag: 'boolean',
        at: 'timestamp with time zone',
        price: 'numeric(6,2)',
        ratio: 'double precision',
        time: 'time without time zone',
        day: 'date',
        id: 'uuid',
        raw: 'bytea',
        list: 'integer[]',
        email: 'character varying(100)',
      },
      key: ['time', 'flag', 'at', 'price', 'ratio', 'day', 'id', 'raw', 'list'],
      unique: [['email']],
    },
    values: {
      flag: ['t', 'f'],
      at: ['2020-01-01 00:00:00+00', '2020-01-01 00:00:00.5+00'],
      price: ['0.00', '-1.50'],
      ratio: ['0', '1e-05'],
      time: ['24:00:00', '00:00:00'],
      day: ['2020-02-29'],
      id: ['00000000-0000-0000-0000-000000000000'],
      raw: ['\\x', '\\x00'],
      list: ['{}', '{1,2}'],
    },
    unique: [['email']],
    toast: ['long', 'raw', 'list'],
  },
  'an identity index beside the primary key': {
    spec: {
      columns: { id: 'integer', code: 'character varying(100)', doc: 'jsonb', long: 'text', amount: 'numeric' },
      key: ['id'],
      unique: [['code']],
      identity: 'i',
    },
    values: { id: ['1', '2', '3', '4', '5'], code: ['a', 'A', 'b', 'c', ''] },
    unique: [['id']],
    toast: ['long', 'doc', 'amount'],
  },
  'a key and whole old rows': {
    spec: {
      columns: { id: 'integer', email: 'character varying(100)', amount: 'numeric', long: 'text' },
      key: ['id'],
      unique: [['email']],
      identity: 'f',
    },
    values: { id: ['1', '2', '3', '4'] },
    unique: [['email']],
    toast: ['long', 'amount'],
  },
  'no key': {
    spec: {
      columns: {
        a: 'integer',
        flag: 'boolean',
        time: 'time without time zone',
        list: 'integer[]',
        price: 'numeric(6,2)',
        day: 'date',
        ...MIXED,
      },
      identity: 'f',
    },
    toast: ['long'],
  },
  'a deferrable key, so none': {
    spec: {
      columns: { id: 'integer', amount: 'numeric', long: 'text' },
      key: ['id'],
      deferrable: true,
      identity: 'f',
    },
    // Twice in the middle of a transaction, which may be spilled just there.
    values: { id: ['1', '2'], amount: ['NaN', '1.50', '1.5'] },
    toast: ['long'],
  },
};

describe.each(Object.entries(CASES))('a table with %s', (_, { spec, values, unique = [], toast = [] }) => {
  it('has the rows that its history gave it, after every batch', async () => {
    const table = await create(spec);
    const names = table.columns.map(({ source }) => source.name);
    const positions = (columns: readonly string[]): number[] => columns.map((column) => names.indexOf(column));
    const history: HistorySpec = {
      table,
      values: table.columns.map(
        ({ source }) => values?.[source.name] ?? VALUES[source.name] ?? VALUES[source.type.name] ?? [null],
      ),
      unique: unique.map(positions),
      toast: positions(toast),
    };
    const property = fc.asyncProperty(histories(history, 50), async (pieces) => {
      const writer = await newWriter();
      const empty = netChangesOf(table);
      empty.truncate();
      await write([empty], writer);
      for (const { changes, after } of pieces) {
        const net = netChangesOf(table);
        tell(net, changes);
        await write([net], writer);
        expect(await rowsOf(table)).toEqual(contentOf(after));
      }
    });
    await fc.assert(property, { numRuns: 25, interruptAfterTimeLimit: 6_000 });
  });
});

const old = (...row: Row): OldRow => ({ full: false, row });

describe('a batch', () => {
  it('of more rows than one statement takes, each of its kinds', async () => {
    const table = await create({
      columns: { id: 'integer', code: 'character varying(100)', amount: 'numeric', long: 'text' },
      key: ['id'],
      unique: [['code']],
    });
    const rows = new Map<number, string[]>();
    for (let id = 1; id <= 2_600; id += 1) rows.set(id, [String(id), `code ${id}`, `${id}.50`, 'x'.repeat(500)]);
    await change(table, (net) => {
      for (const row of rows.values()) net.insert(row);
    });
    expect(await rowsOf(table)).toEqual(contentOf([...rows.values()]));

    const cell = (id: number, i: number): string => rows.get(id)?.[i] ?? '';
    await change(table, (net) => {
      // More keys than one DELETE takes.
      for (let id = 301; id <= 1_400; id += 1) {
        net.delete(old(String(id), null, null, null));
        rows.delete(id);
      }
      // A chain of keys that has to be gone through from its end.
      for (let id = 2_600; id > 2_480; id -= 1) {
        net.update(old(String(id), null, null, null), [String(id + 1), cell(id, 1), UNCHANGED, UNCHANGED]);
        rows.set(id + 1, [String(id + 1), cell(id, 1), cell(id, 2), cell(id, 3)]);
        rows.delete(id);
      }
      // Swaps of unique values, of which one row each has to be read and written whole.
      for (let id = 1; id <= 240; id += 2) {
        const [mine, other] = [cell(id, 1), cell(id + 1, 1)];
        net.update(null, [String(id), 'parked', UNCHANGED, UNCHANGED]);
        net.update(null, [String(id + 1), mine, UNCHANGED, UNCHANGED]);
        net.update(null, [String(id), other, UNCHANGED, UNCHANGED]);
        rows.set(id, [String(id), other, cell(id, 2), cell(id, 3)]);
        rows.set(id + 1, [String(id + 1), mine, cell(id + 1, 2), cell(id + 1, 3)]);
      }
    });
    expect(await rowsOf(table)).toEqual(contentOf([...rows.values()]));
  });

  it('counts copies of a row, whether its values are exact or not', async () => {
    const table = await create({ columns: { a: 'integer', amount: 'numeric' }, identity: 'f' });
    const copies = (row: Row, count: number): Row[] => Array.from({ length: count }, () => row);
    const [exact, inexact, other]: Row[] = [
      ['1', '1.5'],
      ['1', '1.50'],
      ['1', '1.500'],
    ];
    if (!exact || !inexact || !other) throw new Error('three rows');
    await change(table, (net) => {
      for (const row of [...copies(exact, 3), ...copies(inexact, 700), ...copies(other, 2)]) net.insert(row);
    });
    await change(table, (net) => {
      for (const row of copies(inexact, 699)) net.delete({ full: true, row });
      net.delete({ full: true, row: exact });
    });
    expect(await rowsOf(table)).toEqual(contentOf([exact, exact, inexact, other, other]));
    await change(table, (net) => {
      net.update({ full: true, row: other }, inexact);
      net.update({ full: true, row: exact }, other);
    });
    expect(await rowsOf(table)).toEqual(contentOf([exact, inexact, inexact, other, other]));
  });

  it('of several tables is written as a whole', async () => {
    const columns = { id: 'integer', what: 'text' };
    const [one, two] = [await create({ columns, key: ['id'] }), await create({ columns })];
    const nets = [one, two].map((table) => {
      const net = netChangesOf(table);
      net.truncate();
      net.insert(['1', table.name]);
      return net;
    });
    await write(nets);
    expect([await rowsOf(one), await rowsOf(two)]).toEqual([[`["1","${one.name}"]`], [`["1","${two.name}"]`]]);
  });
});

describe('what can not be', () => {
  const keyed = () =>
    create({ columns: { id: 'numeric', code: 'text', long: 'text' }, key: ['id'], unique: [['code']] });

  it.each<[string, (net: KeyedChanges | KeylessChanges) => void]>([
    ['is deleted', (net) => net.delete(old('2', null, null))],
    ['is written anew', (net) => net.update(null, ['2', 'b', 'long'])],
    ['is updated in place', (net) => net.update(null, ['2', UNCHANGED, 'long'])],
    ['is updated in place, a unique value too', (net) => net.update(null, ['2', 'b', UNCHANGED])],
    ['moves in place', (net) => net.update(old('2', null, null), ['3', 'b', UNCHANGED])],
  ])('a row that is not there %s', async (_, tellIt) => {
    const table = await keyed();
    await change(table, (net) => net.insert(['1', 'a', 'long']));
    await expect(change(table, tellIt)).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
    expect(await rowsOf(table)).toEqual(['["1","a","long"]']);
  });

  it('a copy too many is deleted from a table without a key', async () => {
    const table = await create({ columns: { a: 'text' }, identity: 'f' });
    await change(table, (net) => net.insert(['x']));
    const twice = change(table, (net) => {
      for (const row of [['x'], ['x']]) net.delete({ full: true, row });
    });
    await expect(twice).rejects.toMatchObject({ code: 'E_TARGET_DIVERGED' });
  });

  it.each<[string, (net: KeyedChanges | KeylessChanges) => void]>([
    ['is inserted', (net) => net.insert(['1.50', 'b', 'long'])],
    ['is deleted', (net) => net.delete(old('1.50', null, null))],
    ['comes in place of another', (net) => net.update(old('1', null, null), ['1.50', 'a', UNCHANGED])],
    ['comes for another', (net) => net.update(old('1', null, null), ['1.50', 'a', 'long'])],
  ])('a key that Dolt can not hold exactly %s', async (_, tellIt) => {
    const table = await keyed();
    await change(table, (net) => net.insert(['1', 'a', 'long']));
    await expect(change(table, tellIt)).rejects.toMatchObject({
      code: 'E_VALUE_IN_KEY',
      message: expect.stringContaining(
        `public.${table.name}.id (numeric): the key value 1.50 does not fit DECIMAL(65,30)`,
      ),
    });
    expect(await rowsOf(table)).toEqual(['["1","a","long"]']);
  });

  it('a copied row has a key that Dolt can not hold exactly', async () => {
    const table = await keyed();
    const writer = await newWriter();
    await writer.insert(table, [['1', 'a', null]]);
    await expect(writer.insert(table, [['2.0', 'b', null]])).rejects.toMatchObject({ code: 'E_VALUE_IN_KEY' });
    expect(await rowsOf(table)).toEqual(['["1","a",null]']);
  });
});
