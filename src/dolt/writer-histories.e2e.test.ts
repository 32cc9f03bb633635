import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PlainChanges } from '../../test/support/plain-changes.js';
import { contentOf, type HistorySpec, histories, tell } from '../../test/support/row-changes.js';
import type { TableSpec } from '../../test/support/tables.js';
import { createTargetTables, type TargetTables } from '../../test/support/target-tables.js';

// Net changes, as the stream would make them, are written to a real Dolt; what is read back must be the table's rows.

let target: TargetTables;
beforeAll(async () => {
  target = await createTargetTables();
});
afterAll(() => target[Symbol.asyncDispose]());

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

/** On a slow machine no more histories begin. (fast-check would go on beside the next test with one that it interrupts, in the same database.) */
const LONG_ENOUGH_MS = 6_000;

describe.each(Object.entries(CASES))('a table with %s', (_, { spec, values, unique = [], toast = [] }) => {
  it('has the rows that its history gave it, after every batch', async () => {
    const table = await target.create(spec);
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
    const began = performance.now();
    const property = fc.asyncProperty(histories(history, 50), async (pieces) => {
      if (performance.now() - began > LONG_ENOUGH_MS) return;
      const writer = await target.writer();
      const empty = new PlainChanges(table);
      empty.truncate();
      await target.write([empty], writer);
      for (const { changes, after } of pieces) {
        const net = new PlainChanges(table);
        tell(net, changes);
        await target.write([net], writer);
        expect(await target.rowsOf(table)).toEqual(contentOf(after));
      }
    });
    await fc.assert(property, { numRuns: 25 });
  });
});
