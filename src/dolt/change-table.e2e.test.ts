import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AlteredTables, createAlteredTables } from '../../test/support/altered-tables.js';

// A command is run in Postgres and followed in Dolt: rows, definition and exact values must be those of a table made anew.

let tables: AlteredTables;
beforeAll(async () => {
  tables = await createAlteredTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

const ROWS = `insert into NAME values (1, 'a', 1.10, 'x', '2020-01-01 00:00:00.5+00'), (2, 'B ', null, null, null), (3, E'it''s \\\\', 99.99, '', '-infinity')`;

describe('a column', () => {
  it.each([
    ['is renamed', 'rename a to "New Name"', 'kept'],
    ['is renamed in case only', 'rename a to "A"', 'kept'],
    ['is dropped', 'drop a', 'kept'],
    ['of the key is dropped, where rows have exact values', 'drop id', 'converted'],
    ['of an index is dropped', 'drop b', 'kept'],
    ['is added', 'add z int', 'kept'],
    ['is added with a constant', `add z numeric not null default 1.5`, 'kept'],
    ['is added with a constant that is not exact', `add z numeric not null default 1.50`, 'converted'],
    ['is added with json', `add z jsonb not null default '{"a": 1}'`, 'kept'],
    ['is added with a volatile default', `add z float default random()`, 'copied'],
    ['is added as identity', `add z int generated always as identity`, 'copied'],
    ['is made wider', 'alter id type bigint', 'kept'],
    ['is made wider, in an index', 'alter b type numeric(12,2)', 'kept'],
    ['is made text', 'alter a type text', 'kept'],
    ['gets another scale', 'alter b type numeric(12,3)', 'converted'],
    ['is made a bare numeric', 'alter b type numeric', 'converted'],
    ['is made text by its own cast', 'alter at type text', 'converted'],
    ['is made text by an expression', 'alter a type text using upper(a)', 'copied'],
    ['of the same type by an expression', `alter c type text using c || 'x'`, 'copied'],
    ['is made NOT NULL', 'alter id set not null', null],
    ['is made nullable', 'alter a drop not null', 'kept'],
    ['gets a default', `alter c set default 'x'`, 'kept'],
    ['loses the key, where rows have exact values', 'drop constraint NAME_pkey', 'converted'],
    [
      'gets another key, where rows have exact values',
      'drop constraint NAME_pkey, add primary key (a, id)',
      'converted',
    ],
    ['gets a unique constraint', 'add unique (c)', 'kept'],
  ])('%s', async (_, action, kind) => {
    const name = `t${Math.random().toString(36).slice(2)}`;
    const table = await tables.create(
      name,
      `create table ${name} (id int primary key, a varchar(10) not null, b numeric(10,2), c text, at timestamptz);
       create index ${name}_b on ${name} (b); create index ${name}_c on ${name} (c, a);
       ${ROWS.replace('NAME', name)}`,
    );
    const { diff, rows, differences } = await table.alter(`alter table ${name} ${action.replaceAll('NAME', name)}`);
    expect(differences).toEqual([]);
    if (kind === null) expect(diff).toBeNull();
    else expect(rows).toMatchObject({ kind });
  });
});
