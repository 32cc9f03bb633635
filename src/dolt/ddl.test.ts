import { describe, expect, it } from 'vitest';
import { PLAIN_RULES, type TableSpec, targetOf } from '../../test/support/tables.js';
import { parsePattern } from '../core/patterns.js';
import type { Index } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import { createIndexes, createTable, isUniqueInDolt, uniqueIndexes } from './ddl.js';

describe('a table', () => {
  it('has its columns, its key in key order, and its comment', () => {
    const table = targetOf({
      name: 'odd`name',
      columns: { 'a`b': 'integer', line: { type: 'text', notNull: true }, amount: 'numeric(10,2)', id: 'uuid' },
      key: ['id', 'a`b'],
      comment: "Ann's \\ comment",
    });
    expect(createTable(table)).toBe(
      [
        'CREATE TABLE `odd``name` (',
        '  `a``b` INT NOT NULL,',
        '  `line` LONGTEXT NOT NULL,',
        '  `amount` DECIMAL(10,2) NULL,',
        '  `id` CHAR(36) NOT NULL,',
        '  PRIMARY KEY (`id`, `a``b`)',
        ") COMMENT='Ann''s \\\\ comment'",
      ].join('\n'),
    );
  });

  it('without a key has none', () => {
    const keyless = targetOf({ name: 't', columns: { id: 'integer' }, key: ['id'], deferrable: true });
    expect(createTable(keyless)).toBe('CREATE TABLE `t` (\n  `id` INT NOT NULL\n)');
  });
});

describe('a default', () => {
  type Rest = { readonly identity?: 'a' | 'd'; readonly generated?: 's' | 'v' };
  const defaultOf = (type: string, defaultExpression: string, rest: Rest = {}): string | undefined =>
    /DEFAULT \((.*)\)$/s.exec(
      createTable(targetOf({ name: 't', columns: { c: { type, defaultExpression, ...rest } } })).slice(0, -2),
    )?.[1];

  // As pg_get_expr prints them.
  it.each([
    ['text', `'plain'::text`, `'plain'`],
    ['text', `''::text`, `''`],
    ['text', `'a''b'::text`, String.raw`'a\'b'`],
    ['text', `''''::text`, String.raw`'\''`],
    ['text', String.raw`'x\y'::text`, String.raw`'x\\y'`],
    ['text', `'a\nb'::text`, `'a\nb'`],
    ['text', `'1) , (2'::text`, `'1) , (2'`],
    ['text', `'now()'::text`, `'now()'`],
    ['character varying(5)', `'a''b'::character varying`, String.raw`'a\'b'`],
    ['character varying(5)', `'x'::character varying(5)`, `'x'`],
    ['character(3)', `'a'::bpchar`, `'a'`],
    ['mood', `'it''s'::public.mood`, String.raw`'it\'s'`],
    ['mood', `'x'::"My S"."Mood"`, `'x'`],
    ['integer', '7', '7'],
    ['integer', `'-1'::integer`, '-1'],
    ['bigint', `'9223372036854775807'::bigint`, '9223372036854775807'],
    ['smallint', '0', '0'],
    ['numeric(10,2)', '0', '0.00'],
    ['numeric(10,2)', '1.5', '1.50'],
    ['numeric(10,2)', '1.50', '1.50'],
    ['numeric(10,2)', `'-1.5'::numeric`, '-1.50'],
    ['numeric', '1.50', `1.5${'0'.repeat(29)}`],
    ['double precision', '1.0', '1.0'],
    ['double precision', `'-2.50'::numeric`, '-2.50'],
    ['real', '0.1', '0.1'],
    ['boolean', 'true', '1'],
    ['boolean', 'false', '0'],
    ['date', `'2020-01-01'::date`, `'2020-01-01'`],
    ['timestamp without time zone', `'2020-01-01 12:00:00'::timestamp without time zone`, `'2020-01-01 12:00:00'`],
    ['timestamp with time zone', `'2020-01-01 00:00:00+00'::timestamp with time zone`, `'2020-01-01 00:00:00'`],
    ['time without time zone', `'12:00:00'::time without time zone`, `cast('12:00:00' as time(6))`],
    ['interval', `'1 day'::interval`, `'1 day'`],
    ['uuid', `'00000000-0000-0000-0000-000000000000'::uuid`, `'00000000-0000-0000-0000-000000000000'`],
    ['bit(2)', `'01'::"bit"`, `'01'`],
    ['text[]', `'{}'::text[]`, `'[]'`],
    ['integer[]', `'{1,2}'::integer[]`, `'[1,2]'`],
    ['jsonb', `'{"a": 1}'::jsonb`, `'{"a": 1}'`],
    ['bytea', String.raw`'\x00ff'::bytea`, `x'00ff'`],
  ])('of %s: %s is carried over', (type, expression, literal) => {
    expect(defaultOf(type, expression)?.toLowerCase()).toBe(literal.toLowerCase());
  });

  it.each([
    ['timestamp with time zone', 'now()'],
    ['integer', `nextval('public.t_id_seq'::regclass)`],
    ['text', `('now'::text || 'x'::text)`],
    ['date', `('now'::text)::date`],
    ['text', `('x'::character varying(3))::text`],
    ['text', 'CURRENT_USER'],
    ['integer', '(1 + 1)'],
    ['integer', '(- 1)'],
    ['integer[]', 'ARRAY[1, 2]'],
    ['text', 'NULL::text'],
    ['uuid', 'gen_random_uuid()'],
    ['text', `E'a\\\\b'::text`],
    ['text', `'a'::text; DROP TABLE x`],
    // Not the text that Postgres prints for the value, or none that Dolt can hold.
    ['date', `'01/02/2020'::date`],
    ['date', `'infinity'::date`],
    ['timestamp with time zone', `'2020-01-01 00:00:00+02'::timestamp with time zone`],
    ['numeric(10,2)', '1.567'],
    ['numeric(10,2)', '123456789.00'],
    ['double precision', `'NaN'::double precision`],
    ['integer', `'x'::integer`],
    ['money', '5'],
  ])('of %s: %s is left out', (type, expression) => {
    expect(defaultOf(type, expression)).toBeUndefined();
  });

  it('of an identity or generated column is left out', () => {
    expect(defaultOf('integer', '7')).toBe('7');
    expect(defaultOf('integer', '7', { identity: 'd' })).toBeUndefined();
    expect(defaultOf('integer', '7', { identity: 'a' })).toBeUndefined();
    expect(defaultOf('integer', '7', { generated: 's' })).toBeUndefined();
  });
});

describe('indexes', () => {
  const columns = {
    id: 'integer',
    code: 'character varying(20)',
    ratio: 'double precision',
    note: 'text',
    raw: 'bytea',
    doc: 'jsonb',
    wide: 'character varying(4000)',
  };
  const indexesOf = (spec: Partial<TableSpec>): string[] =>
    createIndexes(targetOf({ name: 't', columns, key: ['id'], ...spec }));
  const withIndexes = (spec: Partial<TableSpec>, change: (index: Index, i: number) => Index): TargetTable => {
    const table = targetOf({ name: 't', columns, key: ['id'], ...spec });
    return { ...table, source: { ...table.source, indexes: table.source.indexes.map(change) } };
  };

  it.each<[string, Partial<TableSpec>, string[]]>([
    ['of exact values', { unique: [['code']] }, ['CREATE UNIQUE INDEX `t_code_idx` ON `t` (`code`)']],
    [
      'of long text, whole',
      { unique: [['note', 'id']] },
      ['CREATE UNIQUE INDEX `t_note_id_idx` ON `t` (`note`, `id`)'],
    ],
    [
      'of values that may be inexact',
      { unique: [['ratio', 'code']] },
      ['CREATE INDEX `t_ratio_code_idx` ON `t` (`ratio`, `code`)'],
    ],
    ['of long bytes', { unique: [['raw']] }, ['CREATE INDEX `t_raw_idx` ON `t` (`raw`(255))']],
    ['of JSON', { unique: [['doc']], indexes: [['doc', 'id']] }, []],
    ['that is the key', { unique: [['id']] }, []],
    [
      'of the key in another order',
      { key: ['id', 'code'], unique: [['code', 'id']] },
      ['CREATE UNIQUE INDEX `t_code_id_idx` ON `t` (`code`, `id`)'],
    ],
    [
      'that is the primary key, but not the identity',
      { unique: [['code']], identity: 'i' },
      ['CREATE UNIQUE INDEX `t_id_idx` ON `t` (`id`)'],
    ],
    ['that is deferrable', { deferrable: true }, ['CREATE INDEX `t_id_idx` ON `t` (`id`)']],
  ])('that are unique in Postgres: one %s', (_, spec, statements) => {
    expect(indexesOf(spec)).toEqual(statements);
  });

  it('over long columns have a prefix of them, less of several', () => {
    expect(indexesOf({ indexes: [['note'], ['note', 'raw', 'code']] })).toEqual([
      'CREATE INDEX `t_note_idx` ON `t` (`note`(255))',
      'CREATE INDEX `t_note_raw_code_idx` ON `t` (`note`(255), `raw`(255), `code`)',
    ]);
    expect(indexesOf({ columns: { ...columns, more: 'text' }, indexes: [['wide', 'note', 'raw', 'more']] })).toEqual([
      'CREATE INDEX `t_wide_note_raw_more_idx` ON `t` (`wide`, `note`(128), `raw`(128), `more`(128))',
    ]);
  });

  it('that Postgres has over an expression, a part, or a column that is not kept are left out', () => {
    const spec = { indexes: [['code']], unique: [['note']] };
    expect(createIndexes(withIndexes(spec, (index) => ({ ...index, attnums: null })))).toEqual([]);
    expect(createIndexes(withIndexes(spec, (index) => ({ ...index, attnums: [] })))).toEqual([]);
    const options = [{ pattern: parsePattern('t'), options: { exclude: ['code', 'note'] } }];
    const rules = { ...PLAIN_RULES, tables: { selection: [], options } };
    expect(createIndexes(targetOf({ name: 't', columns, key: ['id'], ...spec }, rules))).toEqual([]);
  });

  it('whose entries would be too long for Dolt are left out', () => {
    const wide = Object.fromEntries([1, 2, 3].map((n) => [`w${n}`, 'character varying(4000)']));
    expect(indexesOf({ columns: { ...columns, ...wide }, indexes: [['w1'], ['w1', 'w2', 'code']] })).toEqual([
      'CREATE INDEX `t_w1_idx` ON `t` (`w1`)',
    ]);
  });

  it('have names that Dolt takes, and that differ', () => {
    const names = ['same', 'SAME', 'dolt_index', 'primary', '🍕'];
    const table = withIndexes({ indexes: names.map(() => ['code']) }, (index, i) =>
      index.primary ? index : { ...index, name: names[i - 1] ?? '' },
    );
    expect(createIndexes(table).map((statement) => /`([^`]*)`/.exec(statement)?.[1])).toEqual([
      'same',
      'SAME_2',
      't_dolt_index',
      'primary_2',
      'u1f355',
    ]);
  });

  it('of a table without a key find its rows, where rows may be deleted', () => {
    const keyless = (spec: Partial<TableSpec>): string[] => indexesOf({ key: [], ...spec });
    expect(keyless({})).toEqual([]);
    expect(keyless({ identity: 'f' })).toEqual(['CREATE INDEX `wal2dolt_row` ON `t` (`id`, `code`, `ratio`)']);
    expect(keyless({ identity: 'f', columns: { note: 'text', doc: 'jsonb' } })).toEqual([
      'CREATE INDEX `wal2dolt_row` ON `t` (`note`(255))',
    ]);
    expect(keyless({ identity: 'f', columns: { doc: 'jsonb' } })).toEqual([]);
    const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`c${i}`, 'integer']));
    expect(keyless({ identity: 'f', columns: many })[0]).toMatch(/\(`c0`, `c1`, `c2`, `c3`, `c4`, `c5`, `c6`, `c7`\)$/);
    expect(indexesOf({ identity: 'f' })).toEqual([]);
  });
});

it('unique indexes beside the key are told by their positions', () => {
  const table = targetOf({
    name: 't',
    columns: { id: 'integer', a: 'integer', b: 'text', ratio: 'double precision' },
    key: ['id'],
    unique: [['b', 'a'], ['ratio'], ['id']],
    indexes: [['a']],
  });
  expect(uniqueIndexes(table)).toEqual([[2, 1]]);
  expect(table.source.indexes.map((index) => isUniqueInDolt(table, index))).toEqual([true, true, false, true, false]);
});
