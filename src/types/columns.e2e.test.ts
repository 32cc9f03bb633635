import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTypeServers, type TypeServers } from '../../test/support/type-servers.js';
import type { Column, ColumnType } from '../core/schema.js';
import { type PlannedColumn, planColumns } from './columns.js';

// What is planned must be what Dolt accepts, filled to the last byte.

let servers: TypeServers;
const types = new Map<string, ColumnType>();
beforeAll(async () => {
  servers = await startTypeServers();
  for (const name of ['text', 'varchar(4000)', 'varchar(60)', 'bytea', 'bigint', 'numeric', 'jsonb', 'time', 'uuid']) {
    types.set(name, (await servers.print(name, [])).type);
  }
});
afterAll(() => servers[Symbol.asyncDispose]());

function plan(columns: readonly { readonly type: string; readonly inKey?: boolean; readonly indexed?: boolean }[]) {
  return planColumns(
    columns.map(({ type, inKey = false, indexed = false }, i): PlannedColumn => {
      const found = types.get(type);
      if (!found) throw new Error(`no type ${type}`);
      const column: Column = {
        attnum: i + 1,
        name: `c${i}`,
        type: found,
        notNull: inKey,
        defaultExpression: null,
        identity: '',
        generated: '',
      };
      return { column, inKey, indexed };
    }),
  );
}

const repeated = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

test.each([
  ['one', ['text']],
  ['two', ['text', 'text']],
  ['three with a number', ['bigint', 'text', 'text', 'text']],
  ['many', repeated(16, 'text')],
  ['bytes and text', ['bytea', 'text', 'uuid', 'time']],
])('a key of text columns (%s) can be filled whole, row after row', async (_, key) => {
  const conversions = plan([...key.map((type) => ({ type, inKey: true })), { type: 'bigint' }]);
  const table = servers.tableName();
  const columns = conversions.map(({ sql }, i) => `c${i} ${sql} not null`);
  const names = key.map((_, i) => `c${i}`);
  await servers.run(`create table ${table} (${columns.join(', ')}, primary key (${names.join(', ')}))`);
  const longest = (sql: string): string => {
    const size = Number(/\((\d+)\)/.exec(sql)?.[1]);
    if (sql.startsWith('VARCHAR')) return '😀'.repeat(size);
    return sql.startsWith('VARBINARY') ? `\\x${'ff'.repeat(size)}` : '';
  };
  for (let row = 0; row < 60; row += 1) {
    const values = conversions.map(({ sql, literal, isExact }) => {
      if (sql === 'CHAR(36)') return literal(`00000000-0000-0000-0000-${String(row).padStart(12, '0')}`);
      if (sql === 'TIME(6)') return literal('24:00:00');
      if (sql === 'BIGINT') return literal(String(row));
      const text = longest(sql);
      expect(isExact?.(text)).toBe(true);
      expect(isExact?.(`${text}${sql.startsWith('VARBINARY') ? 'ff' : 'x'}`)).toBe(false);
      const last = String.fromCodePoint(0x1f600 + row);
      return literal(sql.startsWith('VARCHAR') ? text.slice(0, -2) + last : text);
    });
    await servers.run(`insert into ${table} values (${values.join(', ')})`);
  }
  expect(await servers.rows(`select count(*) from ${table}`)).toEqual([['60']]);
});

test.each([
  ['few long columns', repeated(5, { type: 'varchar(4000)' })],
  ['many short columns', repeated(400, { type: 'varchar(60)' })],
  ['as many columns as Postgres has', repeated(1_600, { type: 'text' })],
  ['as many numbers as Postgres has', repeated(1_600, { type: 'numeric' })],
  ['as many documents as Postgres has', repeated(1_600, { type: 'jsonb' })],
  ['a long key beside', [...repeated(3, { type: 'text', inKey: true }), ...repeated(300, { type: 'varchar(60)' })]],
])('%s stay within the limit of a row', async (_, columns) => {
  const conversions = plan(columns);
  const table = servers.tableName();
  const key = columns.flatMap((column, i) => ('inKey' in column && column.inKey ? [`c${i}`] : []));
  const definitions = conversions.map(({ sql }, i) => `c${i} ${sql}`);
  await servers.run(
    `create table ${table} (${[...definitions, ...(key.length > 0 ? [`primary key (${key.join(', ')})`] : [])].join(', ')})`,
  );
  expect(await servers.rows(`select count(*) from ${table}`)).toEqual([['0']]);
});

test('declared bytes are what Dolt counts', async () => {
  const kinds = ['text', 'varchar(60)', 'bytea', 'bigint', 'numeric', 'jsonb', 'time', 'uuid'];
  for (const type of kinds) {
    const [conversion] = plan([{ type }]);
    if (!conversion) throw new Error(type);
    const columns = repeated(20, conversion.sql).map((sql, i) => `c${i} ${sql}`);
    const create = servers.run(`create table refused (a varchar(16374), b varchar(16374), ${columns.join(', ')})`);
    const message = await create.then(
      () => 'accepted',
      (error: Error) => error.message,
    );
    expect(message).toContain(`found ${2 * 4 * 16_374 + 20 * conversion.declaredBytes}`);
  }
});
