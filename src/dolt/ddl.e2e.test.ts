import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDoltDatabase, type DoltDatabase } from '../../test/support/dolt.js';
import { type TableSpec, targetOf } from '../../test/support/tables.js';
import type { TargetTable } from '../core/target.js';
import { parseTarget } from './address.js';
import { quoteName, TargetConnection } from './client.js';
import { createIndexes, createTable } from './ddl.js';

// What is planned must be what Dolt takes, and means what Postgres meant.

let database: DoltDatabase;
let connection: TargetConnection;
beforeAll(async () => {
  database = await createDoltDatabase();
  connection = await TargetConnection.open(parseTarget(database.url));
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

let twins = 0;

/** With its indexes made afterwards; a table that is made with them must come out the same. */
async function create(spec: TableSpec): Promise<TargetTable> {
  const table = targetOf(spec);
  await connection.run(createTable(table));
  for (const statement of createIndexes(table)) await connection.run(statement);
  twins += 1;
  const twin = { ...table, name: `twin ${twins}` };
  await connection.run(createTable(twin, true));
  const [made, alike] = await Promise.all([table, twin].map(({ name }) => definitionOf(name)));
  expect(alike).toBe(made);
  return table;
}

/** As Dolt tells it, without its first line, which has the name. */
async function definitionOf(name: string): Promise<string | undefined> {
  const [row] = await connection.rows(`SHOW CREATE TABLE ${quoteName(name)}`);
  return row?.[1]?.replace(/^.*\n/, '');
}

/** Type, default as Postgres keeps it, and the value that it gives. */
const DEFAULTS: readonly (readonly [type: string, expression: string, value: string | null])[] = [
  ['text', `'a''b'::text`, `a'b`],
  ['text', String.raw`'x\y'::text`, String.raw`x\y`],
  ['text', `'a\nb'::text`, 'a\nb'],
  ['text', `''::text`, ''],
  ['text', `'🍕'::text`, '🍕'],
  ['character varying(5)', `'abc'::character varying`, 'abc'],
  ['mood', `'it''s'::public.mood`, `it's`],
  ['integer', `'-1'::integer`, '-1'],
  ['bigint', `'-9223372036854775808'::bigint`, '-9223372036854775808'],
  ['numeric(10,2)', '0', '0.00'],
  ['numeric(10,2)', `'-1.5'::numeric`, '-1.50'],
  ['numeric', '1.5', '1.5'],
  ['double precision', '1.0', '1'],
  ['double precision', `'-2.50'::numeric`, '-2.5'],
  ['real', '0.1', '0.1'],
  ['boolean', 'true', 't'],
  ['boolean', 'false', 'f'],
  ['date', `'2020-01-01'::date`, '2020-01-01'],
  ['timestamp without time zone', `'2020-01-01 12:00:00.5'::timestamp without time zone`, '2020-01-01 12:00:00.5'],
  ['timestamp with time zone', `'2020-01-01 00:00:00+00'::timestamp with time zone`, '2020-01-01 00:00:00+00'],
  ['time without time zone', `'12:00:00'::time without time zone`, '12:00:00'],
  ['interval', `'1 day'::interval`, '1 day'],
  ['uuid', `'00000000-0000-0000-0000-000000000000'::uuid`, '00000000-0000-0000-0000-000000000000'],
  ['bit(2)', `'01'::"bit"`, '01'],
  ['text[]', `'{}'::text[]`, '{}'],
  ['integer[]', `'{1,2}'::integer[]`, '{1,2}'],
  ['jsonb', `'{"a": 1}'::jsonb`, '{"a": 1}'],
  ['bytea', String.raw`'\x00ff'::bytea`, String.raw`\x00ff`],
  ['timestamp with time zone', 'now()', null],
  ['text', `('a'::text || 'b'::text)`, null],
];

it('a row that says nothing gets the defaults that are literals', async () => {
  const columns = DEFAULTS.map(([type, defaultExpression], i) => [`c${i}`, { type, defaultExpression }] as const);
  const table = await create({
    name: 'defaults',
    columns: { id: 'integer', ...Object.fromEntries(columns) },
    key: ['id'],
  });
  await connection.run('INSERT INTO defaults (id) VALUES (1)');
  const reads = table.columns.slice(1).map((column) => column.conversion.read(quoteName(column.name)));
  const [row = []] = await connection.rows(`SELECT ${reads.join(',')} FROM defaults`);
  const values = row.map((value, i) => (value === null ? null : table.columns[i + 1]?.conversion.restore(value)));
  expect(values).toEqual(DEFAULTS.map(([, , value]) => value));
});

describe('indexes', () => {
  /** Columns by index, in their order, and whether they are unique. */
  async function indexesOf(name: string): Promise<Record<string, [unique: boolean, ...columns: string[]]>> {
    const found: Record<string, [boolean, ...string[]]> = {};
    type Entry = { Key_name: string; Column_name: string; Non_unique: number };
    for (const entry of await database.sql<Entry>(`show index from ${quoteName(name)}`)) {
      found[entry.Key_name] ??= [Number(entry.Non_unique) === 0];
      found[entry.Key_name]?.push(entry.Column_name);
    }
    return found;
  }

  it('of every kind that is planned are made', async () => {
    await create({
      name: 'indexed',
      columns: {
        id: 'integer',
        code: 'character varying(100)',
        note: 'text',
        more: 'text',
        raw: 'bytea',
        ratio: 'double precision',
        time: 'time without time zone',
        doc: 'jsonb',
        wide: 'character varying(1000)',
        wider: 'character varying(4000)',
      },
      key: ['id'],
      unique: [['code'], ['note'], ['note', 'id'], ['raw'], ['ratio'], ['time', 'code'], ['doc']],
      indexes: [
        ['note'],
        ['raw', 'note', 'more'],
        ['wide', 'note', 'raw', 'more'],
        ['wider'],
        ['wider', 'note'],
        ['ratio', 'time'],
      ],
    });
    expect(await indexesOf('indexed')).toEqual({
      PRIMARY: [true, 'id'],
      indexed_code_idx: [true, 'code'],
      indexed_note_idx: [true, 'note'],
      indexed_note_id_idx: [true, 'note', 'id'],
      indexed_raw_idx: [false, 'raw'],
      indexed_ratio_idx: [false, 'ratio'],
      indexed_time_code_idx: [true, 'time', 'code'],
      indexed_note_idx_2: [false, 'note'],
      indexed_raw_note_more_idx: [false, 'raw', 'note', 'more'],
      indexed_wide_note_raw_more_idx: [false, 'wide', 'note', 'raw', 'more'],
      indexed_wider_idx: [false, 'wider'],
      indexed_wider_note_idx: [false, 'wider', 'note'],
      indexed_ratio_time_idx: [false, 'ratio', 'time'],
    });
  });

  it('that are unique tell all values apart that Postgres does', async () => {
    const table = await create({
      name: 'told_apart',
      columns: {
        id: 'integer',
        note: 'text',
        code: 'character varying(100)',
        time: 'time without time zone',
        on: 'boolean',
      },
      key: ['id'],
      unique: [['note'], ['code', 'on'], ['time']],
    });
    const long = 'x'.repeat(100_000);
    const rows = [
      [`${long}a`, 'a', '00:00:00', 't'],
      [`${long}b`, 'A', '24:00:00', 't'],
      ['', 'a ', '12:00:00', 't'],
      [' ', '', '12:00:00.000001', 't'],
      ['é', 'a', '12:00:00.00001', 'f'],
      ['e\u0301', null, null, 't'],
      [null, null, null, 't'],
      [null, 'a', null, null],
      [null, 'a', null, null],
    ];
    for (const [id, [note = null, code = null, time = null, on = null]] of rows.entries()) {
      const cells = [String(id), note, code, time, on];
      const literals = cells.map((cell, i) => (cell === null ? 'NULL' : table.columns[i]?.conversion.literal(cell)));
      await connection.run(`INSERT INTO told_apart VALUES (${literals.join(',')})`);
    }
    expect(await connection.value('SELECT COUNT(*) FROM told_apart')).toBe(String(rows.length));
    for (const [column, value] of [
      ['note', `'${long}b'`],
      ['time', `cast('24:00:00' as time(6))`],
    ]) {
      const again = connection.run(`INSERT INTO told_apart (id, ${column}) VALUES (99, ${value})`);
      await expect(again).rejects.toMatchObject({ code: 'E_SCHEMA_CHANGED' });
    }
  });

  it('of a table without a key find a row by all its values', async () => {
    const table = await create({ name: 'keyless', columns: { a: 'integer', b: 'text', doc: 'jsonb' }, identity: 'f' });
    expect(await indexesOf('keyless')).toEqual({ wal2dolt_row: [false, 'a'] });
    expect(table.key).toEqual([]);
  });
});

it('tables whose names need care are made', async () => {
  const names = [
    'città',
    'Успех',
    'dolts',
    'wal2dolt_position',
    'pizza🍕',
    'tab\t',
    'a`b',
    "it's",
    'a.b',
    'x'.repeat(63),
  ];
  for (const name of names) {
    const made = await create({
      name,
      columns: { 'a`b 🍕': 'integer', città: 'text' },
      key: ['a`b 🍕'],
      indexes: [['città']],
    });
    await connection.run(`INSERT INTO ${quoteName(made.name)} VALUES (1, 'x')`);
    expect(await connection.value(`SELECT ${quoteName('città')} FROM ${quoteName(made.name)}`)).toBe('x');
  }
});
