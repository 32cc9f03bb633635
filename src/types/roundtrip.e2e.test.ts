import fc from 'fast-check';
import type { RowDataPacket } from 'mysql2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDoltDatabase, type DoltDatabase } from '../../test/support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase, postgresVersion } from '../../test/support/postgres.js';
import { TYPE_CASES } from '../../test/support/type-cases.js';
import type { ColumnType } from '../core/schema.js';
import type { Conversion } from '../core/target.js';
import { readTables } from '../postgres/catalog.js';
import { connectSource, queryRows } from '../postgres/client.js';
import { conversionFor } from './mapping.js';

// Postgres prints the values, Dolt keeps them, and what comes back must be what Postgres printed.

let source: PostgresDatabase;
let target: DoltDatabase;
let postgres: Awaited<ReturnType<typeof connectSource>>;
let dolt: Awaited<ReturnType<DoltDatabase['connect']>>;

beforeAll(async () => {
  source = await createPostgresDatabase();
  target = await createDoltDatabase();
  postgres = await connectSource(source.url, 'types');
  dolt = await target.connect();
  await source.sql(`
    create extension hstore; create extension citext;
    create type mood as enum ('sad', 'ok', 'très ''content''');
    create type pair as (a int, b text);
    create type nested as (p pair, tags text[]);
    create domain price as numeric(10,2);
    create domain numbers as int[];
    create publication types for all tables`);
});

afterAll(async () => {
  await postgres.end();
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

/** A column of this type as the catalog describes it, and the values as Postgres prints them. */
async function printed(type: string, expressions: readonly string[]): Promise<{ type: ColumnType; texts: string[] }> {
  const table = `t${Math.random().toString(36).slice(2)}`;
  await queryRows(postgres, `create table ${table} (id int primary key, c ${type})`);
  for (const [id, expression] of expressions.entries()) {
    await queryRows(postgres, `insert into ${table} values (${id}, ${expression})`);
  }
  const rows = await queryRows<{ c: string }>(postgres, `select c from ${table} order by id`);
  const schema = (await readTables(postgres, 'types')).find(({ name }) => name === table);
  const column = schema?.columns.find(({ name }) => name === 'c');
  if (!column) throw new Error(`no column of type ${type}`);
  return { type: column.type, texts: rows.map(({ c }) => c) };
}

async function rows(sql: string): Promise<(string | null)[][]> {
  const [result] = await dolt.query<RowDataPacket[][]>({
    sql,
    rowsAsArray: true,
    typeCast: (field) => field.string('utf8'),
  });
  return result as unknown as (string | null)[][]; // rowsAsArray and typeCast make them so
}

let tables = 0;

/** A new name each time: Dolt mixes up the statistics of a table with those of a dropped one of the same name. */
const tableName = (): string => {
  tables += 1;
  return `t${tables}`;
};

/** Stores the texts and gives back what is restored, or null where Dolt has NULL. */
async function stored(
  conversion: Conversion,
  texts: readonly string[],
  table = tableName(),
): Promise<(string | null)[]> {
  await dolt.query(`create table ${table} (id int primary key, c ${conversion.sql})`);
  for (let start = 0; start < texts.length; start += 500) {
    const some = texts.slice(start, start + 500).map((text, i) => `(${start + i}, ${conversion.literal(text)})`);
    await dolt.query(`insert into ${table} values ${some.join(', ')}`);
  }
  return (await rows(`select ${conversion.read('`c`')} from ${table} order by id`)).map(([value]) =>
    value === null || value === undefined ? null : conversion.restore(value),
  );
}

const isExact = (conversion: Conversion, text: string): boolean => conversion.isExact?.(text) ?? true;

/** Each row is found by its stored value, and no row with another one. */
async function expectFound(
  conversion: Conversion,
  table: string,
  texts: readonly string[],
  restored: readonly (string | null)[],
): Promise<void> {
  for (const [id, text] of texts.entries()) {
    const found = await rows(
      `select id from ${table} where ${conversion.equals('`c`', conversion.literal(text))} order by id`,
    );
    const same = restored.flatMap((value, other) => (value === restored[id] ? [[String(other)]] : []));
    expect(found, text.slice(0, 100)).toEqual(same);
  }
}

describe.each(TYPE_CASES.filter(({ since = 0 }) => since <= postgresVersion()))(
  '$type',
  ({ type, exact, inexact = [], dolt: sql }) => {
    const of = async () => printed(type, [...exact, ...inexact.map(([expression]) => expression)]);
    const nearest = inexact.map(([, restored]) => restored);

    test('comes back as Postgres prints it, or is known not to', async () => {
      const { type: column, texts } = await of();
      const conversion = conversionFor(column, { inKey: false, indexed: false });
      expect(conversion.sql).toBe(sql);
      const restored = await stored(conversion, texts);
      expect(restored.slice(0, exact.length)).toEqual(texts.slice(0, exact.length));
      expect(restored.slice(exact.length)).toEqual(nearest);
      expect(texts.map((text) => isExact(conversion, text))).toEqual(texts.map((_, i) => i < exact.length));
      if (!conversion.nullable) expect(restored).not.toContain(null);
    });

    test('rows are found by their value, through an index where it may be used', async () => {
      const { type: column, texts } = await of();
      const conversion = conversionFor(column, { inKey: false, indexed: false });
      const table = tableName();
      const restored = await stored(conversion, texts, table);
      await expectFound(conversion, table, texts, restored);
      if (!conversion.comparable) return;
      await dolt.query(`create index i on ${table} (c${/TEXT|BLOB/.test(conversion.sql) ? '(255)' : ''})`);
      await expectFound(conversion, table, texts, restored);
      const plan = await rows(
        `explain plan select id from ${table} where ${conversion.equals('c', conversion.literal(texts[0] ?? ''))}`,
      );
      expect(plan.flat().join('\n')).toContain('IndexedTableAccess');
    });

    test('is a key, for rows that are found by IN', async () => {
      const { type: column, texts } = await of();
      const conversion = conversionFor(column, { inKey: true, indexed: true });
      const keys = [...new Set(texts)].filter((text) => isExact(conversion, text));
      const literals = keys.map(conversion.literal);
      expect(keys.length).toBeGreaterThan(0);
      const [single, double] = [tableName(), tableName()];
      await dolt.query(`create table ${single} (c ${conversion.sql} primary key)`);
      await dolt.query(`create table ${double} (id int, c ${conversion.sql}, primary key (c, id))`);
      await dolt.query(`insert into ${single} values ${literals.map((literal) => `(${literal})`).join(', ')}`);
      await dolt.query(`insert into ${double} values ${literals.map((literal, i) => `(${i}, ${literal})`).join(', ')}`);
      const one = await rows(`select ${conversion.read('c')} from ${single} where c in (${literals.join(', ')})`);
      expect(one.map(([value]) => conversion.restore(value ?? '')).sort()).toEqual([...keys].sort());
      const pairs = literals.map((literal, i) => `(${literal}, ${i})`);
      const two = await rows(
        `select ${conversion.read('c')} from ${double} where (c, id) in (${pairs.join(', ')}) order by id`,
      );
      expect(two.map(([value]) => conversion.restore(value ?? ''))).toEqual(keys);
      for (const literal of literals) {
        expect(await rows(`select count(*) from ${single} where c in (${literal})`)).toEqual([['1']]);
      }
    });

    test('is kept as text where the configuration wants it', async () => {
      const { type: column, texts } = await of();
      const conversion = conversionFor(column, { inKey: false, indexed: false, override: 'longtext' });
      expect(await stored(conversion, texts)).toEqual(texts);
    });
  },
);

/** As many random values, always the same ones. */
const random = <T>(values: fc.Arbitrary<T>, count: number): T[] =>
  fc.sample(values, { numRuns: count, seed: 20260101 });

const json = fc.json({ maxDepth: 4, stringUnit: 'grapheme' }).filter((text) => !text.includes('\\u0000'));

/** Texts of values that Postgres reads. */
const RANDOM: readonly (readonly [type: string, texts: readonly string[]])[] = [
  ['double precision', random(fc.double({ noNaN: true, noDefaultInfinity: true }), 2_000).map(String)],
  ['double precision', random(fc.double({ min: -1e6, max: 1e6, noNaN: true }), 1_000).map(String)],
  ['real', random(fc.float({ noNaN: true, noDefaultInfinity: true }), 2_000).map(String)],
  ['real[]', random(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true })), 200).map((a) => `{${a.join()}}`)],
  ['double precision[]', random(fc.array(fc.double({ noNaN: true })), 200).map((a) => `{${a.join()}}`)],
  ['bigint', random(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), 500).map(String)],
  [
    'numeric',
    random(fc.tuple(fc.bigInt({ min: -(10n ** 70n), max: 10n ** 70n }), fc.integer({ min: -45, max: 10 })), 1_000).map(
      ([digits, exponent]) => `${digits}e${exponent}`,
    ),
  ],
  [
    'numeric(20,6)',
    random(fc.bigInt({ min: -(10n ** 20n) + 1n, max: 10n ** 20n - 1n }), 500).map((units) => `${units}e-6`),
  ],
  ['jsonb', random(json, 1_000)],
  ['jsonb', random(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })), 500).map((a) => JSON.stringify(a))],
  ['jsonb', random(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.nat()), 500).map((a) => JSON.stringify(a))],
  ['text', random(fc.string({ unit: 'binary' }), 1_000)],
  ['text[]', random(fc.array(fc.string({ unit: 'binary' })), 500).map(arrayInput)],
  ['bytea', random(fc.uint8Array(), 500).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`)],
  [
    'timestamp with time zone',
    random(fc.tuple(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), fc.nat(999_999)), 500).map(
      ([seconds, micros]) =>
        new Date(seconds * 1000).toISOString().replace(/\.000Z$/, `.${String(micros).padStart(6, '0')}Z`),
    ),
  ],
];

function arrayInput(items: readonly string[]): string {
  return `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

test.each(RANDOM)('random values of %s come back, unless they are known not to', async (type, inputs) => {
  const usable = inputs.filter((text) => !text.includes('\0'));
  const { type: column } = await printed(type, []);
  const texts = (
    await queryRows<{ c: string }>(
      postgres,
      `select v::${type} as c from unnest($1::text[]) with ordinality u (v, n) order by n`,
      [usable],
    )
  ).map(({ c }) => c);
  const conversion = conversionFor(column, { inKey: false, indexed: false });
  const restored = await stored(conversion, texts);
  for (const [i, text] of texts.entries()) {
    if (isExact(conversion, text)) expect(restored[i]).toBe(text);
    else expect(restored[i]).not.toBe(text);
  }
});
