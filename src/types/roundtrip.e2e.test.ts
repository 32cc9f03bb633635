import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresVersion } from '../../test/support/postgres.js';
import { TYPE_CASES } from '../../test/support/type-cases.js';
import { RANDOM_VALUES } from '../../test/support/type-random.js';
import { startTypeServers, type TypeServers } from '../../test/support/type-servers.js';
import type { Conversion } from '../core/target.js';
import { conversionFor } from './mapping.js';

// Postgres prints the values, Dolt keeps them, and what comes back must be what Postgres printed.

let servers: TypeServers;
beforeAll(async () => {
  servers = await startTypeServers();
});
afterAll(() => servers[Symbol.asyncDispose]());

const PLAIN = { inKey: false, indexed: false };

const isExact = (conversion: Conversion, text: string): boolean => conversion.isExact?.(text) ?? true;

/** Each row is found by its stored value, and no row with another one. */
async function expectFound(
  conversion: Conversion,
  table: string,
  texts: readonly string[],
  restored: readonly (string | null)[],
): Promise<void> {
  for (const [id, text] of texts.entries()) {
    const predicate = conversion.equals('`c`', conversion.literal(text));
    const found = await servers.rows(`select id from ${table} where ${predicate} order by id`);
    const same = restored.flatMap((value, other) => (value === restored[id] ? [[String(other)]] : []));
    expect(found, text.slice(0, 100)).toEqual(same);
  }
}

const cases = TYPE_CASES.filter(({ since = 0 }) => since <= postgresVersion());

describe.each(cases)('$type', ({ type, exact, inexact = [], dolt }) => {
  const print = () => servers.print(type, [...exact, ...inexact.map(([expression]) => expression)]);
  const nearest = inexact.map(([, restored]) => restored);

  test('comes back as Postgres prints it, or is known not to', async () => {
    const { type: column, texts } = await print();
    const conversion = conversionFor(column, PLAIN);
    expect(conversion.sql).toBe(dolt);
    const restored = await servers.store(conversion, texts);
    expect(restored).toEqual([...texts.slice(0, exact.length), ...nearest]);
    expect(texts.map((text) => isExact(conversion, text))).toEqual(texts.map((_, i) => i < exact.length));
    if (!conversion.nullable) expect(restored).not.toContain(null);
  });

  test('rows are found by their value, through an index where it may be used', async () => {
    const { type: column, texts } = await print();
    const conversion = conversionFor(column, PLAIN);
    const table = servers.tableName();
    const restored = await servers.store(conversion, texts, table);
    await expectFound(conversion, table, texts, restored);
    if (!conversion.comparable) return;
    await servers.run(`create index i on ${table} (c${/TEXT|BLOB/.test(conversion.sql) ? '(255)' : ''})`);
    await expectFound(conversion, table, texts, restored);
    const predicate = conversion.equals('c', conversion.literal(texts[0] ?? ''));
    const plan = await servers.rows(`explain plan select id from ${table} where ${predicate}`);
    expect(plan.flat().join('\n')).toContain('IndexedTableAccess');
  });

  test('is a key, for rows that are found by IN', async () => {
    const { type: column, texts } = await print();
    const conversion = conversionFor(column, { inKey: true, indexed: true });
    expect(conversion.nullable).toBe(false);
    const keys = [...new Set(texts)].filter((text) => isExact(conversion, text));
    const literals = keys.map(conversion.literal);
    expect(keys.length).toBeGreaterThan(0);
    const [single, pair] = [servers.tableName(), servers.tableName()];
    await servers.run(`create table ${single} (c ${conversion.sql} primary key)`);
    await servers.run(`create table ${pair} (id int, c ${conversion.sql}, primary key (c, id))`);
    await servers.run(`insert into ${single} values ${literals.map((literal) => `(${literal})`).join(', ')}`);
    await servers.run(`insert into ${pair} values ${literals.map((literal, i) => `(${i}, ${literal})`).join(', ')}`);

    const restore = (rows: (string | null)[][]) => rows.map(([value]) => conversion.restore(value ?? ''));
    const read = conversion.read('c');
    const all = await servers.rows(`select ${read} from ${single} where c in (${literals.join(', ')})`);
    expect(restore(all).sort()).toEqual([...keys].sort());
    for (const [i, literal] of literals.entries()) {
      const one = await servers.rows(`select ${read} from ${single} where c in (${literal})`);
      expect(restore(one)).toEqual([keys[i]]);
    }
    const pairs = literals.map((literal, i) => `(${literal}, ${i})`).join(', ');
    const both = await servers.rows(`select ${read} from ${pair} where (c, id) in (${pairs}) order by id`);
    expect(restore(both)).toEqual(keys);
  });

  test('is kept as text where the configuration wants it', async () => {
    const { type: column, texts } = await print();
    const conversion = conversionFor(column, { ...PLAIN, override: 'longtext' });
    expect(await servers.store(conversion, texts)).toEqual(texts);
  });
});

test.each(RANDOM_VALUES)('random values of $type come back, unless they are known not to', async ({ type, inputs }) => {
  const { type: column } = await servers.print(type, []);
  const texts = await servers.reprint(type, inputs);
  const conversion = conversionFor(column, PLAIN);
  const restored = await servers.store(conversion, texts);
  let exact = 0;
  for (const [i, text] of texts.entries()) {
    if (isExact(conversion, text)) {
      expect(restored[i]).toBe(text);
      exact += 1;
    } else expect(restored[i]).not.toBe(text);
  }
  expect(exact).toBeGreaterThan(texts.length / 10);
});
