import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { targetOf } from '../../test/support/tables.js';
import { type Row, UNCHANGED } from '../core/row.js';
import type { TargetTable } from '../core/target.js';
import { Tuple } from '../core/tuple.js';
import { insertRows } from './insert-rows.js';

const orders = targetOf({
  name: 'ord`ers',
  columns: { id: 'integer', code: 'text', at: 'timestamp with time zone', amount: 'numeric' },
  key: ['code', 'id'],
});

/** A statement is only good until the next one is made. */
function statements(table: TargetTable, rows: Iterable<Row>, inexact?: (row: Tuple) => void) {
  const made: { readonly sql: string; readonly expect: number }[] = [];
  const tuples = Array.from(rows, (row) => Tuple.of(row));
  for (const { sql, expect } of insertRows(table, tuples, inexact)) made.push({ sql: sql.toString(), expect });
  return made;
}

const valuesOf = (table: TargetTable, row: Row): string => statements(table, [row])[0]?.sql.split(' VALUES ')[1] ?? '';

describe('rows are inserted', () => {
  it('at most 2,000 with one statement', () => {
    const rows = Array.from({ length: 4_001 }, (_, i): Row => [String(i), 'x', null, null]);
    const made = statements(orders, rows);
    expect(made.map(({ expect: count }) => count)).toEqual([2_000, 2_000, 1]);
    expect(made[2]?.sql).toBe("INSERT INTO `ord``ers` (`id`,`code`,`at`,`amount`) VALUES (4000,'x',DEFAULT,DEFAULT)");
    expect(made[0]?.sql.match(/\(\d+,'x',DEFAULT,DEFAULT\)/g)).toHaveLength(2_000);
    expect(statements(orders, [])).toEqual([]);
  });

  it('about a megabyte with one statement, and a longer one alone', () => {
    const log = targetOf({ name: 'log', columns: { what: 'text' } });
    const rows = [400_000, 400_000, 400_000, 3_000_000, 10, 10].map((length): Row => ['x'.repeat(length)]);
    const made = statements(log, rows);
    expect(made.map(({ expect: count }) => count)).toEqual([2, 1, 1, 2]);
    expect(made.map(({ sql }) => sql.length)).toEqual([800_043, 400_038, 3_000_038, 63]);
  });

  it('without waiting for rows that are not there yet', () => {
    let made = 0;
    function* rows(): Iterable<Tuple> {
      for (; made < 10_000; made += 1) yield Tuple.of([String(made), 'x', null, null]);
    }
    const all = insertRows(orders, rows())[Symbol.iterator]();
    all.next();
    expect(made).toBeLessThan(2_001);
  });

  it('with every cell known', () => {
    expect(() => statements(orders, [['1', 'a', UNCHANGED, null]])).toThrow('at is not known');
  });
});

describe('a cell', () => {
  it('that would end its text does not', () => {
    expect(valuesOf(orders, ['1', String.raw`it's \ `, null, 'NaN'])).toBe(String.raw`(1,'it\'s \\ ',DEFAULT,'NaN')`);
  });

  it('is one word, also with a sign and a fraction, so that Dolt need not analyse it', () => {
    const table = targetOf({
      name: 't',
      columns: { a: 'numeric(10,2)', b: 'double precision', c: 'money', d: 'time without time zone', e: 'integer' },
    });
    expect(valuesOf(table, ['-1.50', '-1e-05', '-$1,234.50', '10:20:30.5', '-7'])).toBe(
      "('-1.50','-1e-05','-1234.50','10:20:30.5',-7)",
    );
    expect(valuesOf(table, ['1.50', '-0', '$1,234.50', '24:00:00', '7'])).toBe("(1.50,-0,1234.50,'24:00:00',7)");
  });

  it('is NULL, not DEFAULT, where the column has a default of its own or takes no NULL', () => {
    const table = targetOf({
      name: 't',
      columns: {
        plain: 'integer',
        filled: { type: 'integer', defaultExpression: '7' },
        computed: { type: 'integer', defaultExpression: 'random()' },
        needed: { type: 'integer', notNull: true },
        nan: { type: 'real', defaultExpression: '1.5' },
      },
    });
    expect(valuesOf(table, [null, null, null, null, 'NaN'])).toBe('(DEFAULT,NULL,DEFAULT,NULL,NULL)');
  });
});

describe('what a column does not hold exactly', () => {
  it('is told, row by row', () => {
    const told: Row[] = [];
    const row = (id: string, amount: string): Row => [id, 'x', null, amount];
    statements(orders, [row('1', '1.5'), row('2', '1.50'), row('3', '1'), row('4', '2.0')], (tuple) =>
      told.push(tuple.cells()),
    );
    expect(told).toEqual([row('2', '1.50'), row('4', '2.0')]);
  });

  it('is refused in a key', () => {
    const row: Row = ['1', 'x'.repeat(4_001), null, null];
    expect(() => statements(orders, [row])).toThrowError(expect.objectContaining({ code: 'E_VALUE_IN_KEY' }));
  });
});

const TYPES = [
  'boolean',
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'numeric(10,2)',
  'numeric(10,0)',
  'numeric(2,2)',
  'real',
  'double precision',
  'money',
  'text',
  'character varying(5)',
  'character(5)',
  'bytea',
  'uuid',
  'date',
  'time without time zone',
  'timestamp without time zone',
  'timestamp with time zone',
  'interval',
  'json',
  'jsonb',
  'inet',
  'bit(4)',
  'integer[]',
  'text[]',
];

/** Texts that Postgres prints, that it nearly prints, and any others. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom("'", '\\', '\0', '"', 'é', '😀', 'x') }),
  fc.stringMatching(/^-?\d{1,22}(\.\d{1,22})?(e[+-]?\d{1,3})?$/),
  fc.stringMatching(/^\d{7,37}(\.\d\d)?$/),
  fc.stringMatching(/^-?(0|[1-9]\d{0,6})\.\d{0,4}0?$/),
  fc.stringMatching(/^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,7})?)?(\+00)?( BC)?$/),
  fc.stringMatching(/^\d\d:\d\d:\d\d(\.\d{0,7})?$/),
  fc.stringMatching(/^\\x([0-9a-g]{2}){0,5}$/),
  fc.stringMatching(/^-?\$\d{1,3}(,\d{3}){0,2}\.\d\d$/),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc
    .array(
      fc.oneof(
        fc.stringMatching(/^-?\d{1,18}(\.\d{1,3}0?)?(e\+?\d{1,3})?$/),
        fc.string().map((s) => JSON.stringify(s)),
      ),
    )
    .map((items) => `[${items.join(', ')}]`),
  fc.constantFrom(
    't',
    'f',
    'NaN',
    'Infinity',
    '-Infinity',
    '',
    '0',
    '-0',
    '00',
    '1.',
    '.5',
    '-',
    '0.0',
    '1e5',
    'infinity',
  ),
);

describe.each(TYPES)('the bytes of a %s', (type) => {
  const column = targetOf({ name: 't', columns: { v: type } }).columns[0];
  if (!column) throw new Error('it has a column');
  const { conversion } = column;
  const table = targetOf({ name: 't', columns: { v: type } });

  it('become just what its text becomes', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (texts) => {
        const inexact: string[] = [];
        let made: string;
        try {
          made = writtenOf(table, texts, inexact);
        } catch (error) {
          // A text that is not of the type: the same failure by either way.
          expect(() => texts.map(conversion.word)).toThrow((error as Error).message);
          return;
        }
        const words = texts.map((one) => conversion.word(one));
        expect(made).toBe(words.map((word) => `(${word === 'NULL' ? 'DEFAULT' : word})`).join(','));
        expect(inexact).toEqual(texts.filter((one) => conversion.isExact?.(one) === false));
      }),
      { numRuns: 2_000 },
    );
  });
});

function writtenOf(table: TargetTable, texts: readonly string[], inexact: string[]): string {
  const rows = texts.map((one): Row => [one]);
  const [made] = statements(table, rows, (row) => inexact.push(String(row.cell(0))));
  return made?.sql.slice(made.sql.indexOf(' VALUES ') + 8) ?? '';
}
