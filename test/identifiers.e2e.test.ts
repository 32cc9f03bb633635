import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { DoltDatabase } from './support/dolt.js';
import { expectStreamed, targetNames } from './support/named-tables.js';
import { createPostgresDatabase } from './support/postgres.js';

const quote = pg.escapeIdentifier;

/** Every one is another name to Postgres; to Dolt many are the same, or not possible. */
const NAMES = [
  'foo¦Foo¦FOO¦foo_2¦Foo_2¦fOo_3',
  'with space¦ leading¦trailing ¦trailing¦two  blanks  ¦tab\tinside¦new\nline¦\u00a0¦\u200b',
  `quo"te¦apo'strophe¦back\`tick¦\`\`¦back\\slash¦\\¦dot.ted¦.¦slash/ed¦semi;colon¦a,b¦(a)`,
  '-¦--¦-A¦--all¦*¦/*x*/¦#hash¦%_?¦$1¦?¦:name¦@var¦@@version¦{schema}__{table}¦$&',
  'select¦table¦order¦key¦primary¦null¦true¦values¦interval¦rank¦1¦123abc¦1e5¦0x1f',
  'ünïcödé¦Ünïcödé¦città¦успех¦日本語¦עברית¦é¦e\u0301¦É¦ß¦ẞ¦ss¦SS¦İ¦ı¦i¦I¦ſ¦s',
  '\u212a¦k¦\u2126¦ω¦ﬁ¦fi¦ς¦σ¦Σ¦🎉¦x🎉y¦👩‍👩‍👧‍👦¦u1f389',
  `${'a'.repeat(63)}¦${'a'.repeat(62)}A¦${'a'.repeat(60)}AAA¦${'b'.repeat(62)} `,
  `${'é'.repeat(31)}¦${'É'.repeat(31)}¦${'🎉'.repeat(15)}`,
  'dolt¦dolt_x¦DOLT_Y¦dolt_log¦dolt_ignore¦wal2dolt_x¦wal2dolt_position¦WAL2DOLT_EXACT¦t_dolt_x',
].flatMap((names) => names.split('¦'));

/** Each name in its own case is a table of its own in Dolt, which can be read with it. */
async function expectOwnTables(target: DoltDatabase): Promise<void> {
  const names = [...(await targetNames(target)).values()];
  const listed = await target.sql('show tables');
  const tables = listed.flatMap((row) => Object.values(row)) as string[];
  expect(tables.filter((name) => !name.startsWith('wal2dolt_')).sort()).toEqual([...names].sort());
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
}

describe('identifiers', () => {
  it('keeps tables of every name apart', async () => {
    await using source = await createPostgresDatabase();
    await expectStreamed(
      source,
      [
        ...NAMES.map(
          (name, i) => `create table ${quote(name)} (id int primary key, v text unique);
            insert into ${quote(name)} select n, ${i} || '/' || n from generate_series(1, 4) n`,
        ),
        `comment on table foo is 'it''s \\ "quoted" 🎉'`,
      ],
      NAMES.map(
        (name, i) => `begin;
          update ${quote(name)} set v = '${i} changed' where id = 1;
          update ${quote(name)} set id = 20 where id = 2;
          delete from ${quote(name)} where id = 3;
          insert into ${quote(name)} values (5, '${i} new');
          commit`,
      ),
      {},
      async (target) => {
        await expectOwnTables(target);
        const names = await targetNames(target);
        expect(names.get('public.foo')).toMatch(/^foo(_\d)?$/i);
        // One of them keeps the name, in the order of the names.
        expect([...names.values()]).toContain('FOO');
        expect(names.get('public.with space')).toBe('with space');
        expect(names.get('public.back`tick')).toBe('back`tick');
        expect(await target.sql('select id from `quo"te` order by id')).toEqual([
          { id: 1 },
          { id: 4 },
          { id: 5 },
          { id: 20 },
        ]);
      },
    );
  });

  it('keeps columns of every name apart, in keys, indexes and rows without a key', async () => {
    await using source = await createPostgresDatabase();
    const columns = NAMES.map((name) => `${quote(name)} int`).join(', ');
    const fill = (table: string, from: number): string =>
      `insert into ${table} select n, ${NAMES.map((_, i) => `n * 1000 + ${i}`).join(', ')} from generate_series(${from}, ${from + 5}) n`;
    const shift = NAMES.map((name) => `${quote(name)} = ${quote(name)} + 1`).join(', ');
    // Four names each: two of the key, two of a unique index.
    const keys = Array.from({ length: Math.ceil(NAMES.length / 4) }, (_, i) => {
      const names = [0, 1, 2, 3].map((n) => quote(NAMES[(4 * i + n) % NAMES.length] ?? ''));
      const [a = '', b = '', c = '', d = ''] = names;
      return { table: quote(`key ${i}`), a, b, c, d };
    });
    await expectStreamed(
      source,
      [
        `create table keyed (id int primary key, ${columns})`,
        `create table keyless (id int, ${columns}); alter table keyless replica identity full`,
        ...keys.map(
          ({ table, a, b, c, d }) =>
            `create table ${table} (${a} text, ${b} int, ${c} text, ${d} int, primary key (${b}, ${a}), unique (${d}, ${c}))`,
        ),
        fill('keyed', 1),
        fill('keyless', 1),
        ...keys.map(({ table }) => `insert into ${table} values ('a', 1, 'x', 1), ('b', 2, 'x', 2), ('c', 3, 'y', 1)`),
      ],
      [
        fill('keyed', 11),
        fill('keyless', 3),
        `update keyed set ${shift} where id % 2 = 0`,
        `update keyless set ${shift} where id % 2 = 0`,
        'delete from keyed where id = 3',
        'delete from keyless where ctid = (select min(ctid) from keyless where id = 3)',
        ...keys.flatMap(({ table, a, c }) => [
          `update ${table} set ${a} = 'd', ${c} = 'z' where ${a} = 'a'`,
          `delete from ${table} where ${a} = 'b'`,
        ]),
      ],
      {},
      async (target) => {
        const described = (await target.sql('describe keyed')).map(({ Field }) => Field as string);
        expect(new Set(described.map((name) => name.toLowerCase())).size).toBe(NAMES.length + 1);
        const recorded = await target.sql(
          `select target_column as c from wal2dolt_columns join wal2dolt_tables using (relation_oid)
           where source_table = 'keyed' order by attnum`,
        );
        expect(recorded.map(({ c }) => c)).toEqual(described);
      },
    );
  });

  it('keeps indexes and sequences of every name out of the way', async () => {
    await using source = await createPostgresDatabase();
    const indexed = NAMES.map((_, i) => `c${i}`);
    await expectStreamed(
      source,
      [
        `create table the_t (id int primary key, ${indexed.map((name) => `${name} int`).join(', ')})`,
        ...NAMES.map((name, i) => `create index ${quote(name)} on the_t (c${i})`),
        `create table the_u (id int primary key, a int, b int)`,
        'create unique index "Wal2dolt_row" on the_u (a)',
        'create unique index "PRIMARY" on the_u (b)',
        'create table l (a int); alter table l replica identity full; create index wal2dolt_row on l (a)',
        'insert into the_t (id, c0) values (1, 1); insert into the_u values (1, 1, 1), (2, 2, 2); insert into l values (1), (1), (2)',
      ],
      [
        'update the_t set c0 = 2, c1 = 3; insert into the_t (id) values (2)',
        'begin; update the_u set a = 3 where id = 1; update the_u set a = 1 where id = 2; update the_u set a = 2 where id = 1; commit',
        'delete from l where ctid = (select min(ctid) from l)',
      ],
    );
  });

  it('tells schemas apart, whatever their tables are called', async () => {
    await using source = await createPostgresDatabase();
    const tables = [
      ['public', 'sales__orders'],
      ['sales', 'orders'],
      ['Sales', 'orders'],
      ['sales', 'Orders'],
      ['sales__', 'orders'],
      ['sales', '__orders'],
      ['dolt_', 'x'],
      ['wal2dolt_', 'position'],
      ['we"ird.sch`ema', "ta'ble"],
      ['s'.repeat(63), 't'.repeat(63)],
      ['s'.repeat(63), `${'t'.repeat(62)}u`],
      ['🎉', '🎉'],
      ['{table}', '{schema}'],
    ] as const;
    const named = tables.map(([schema, table]) => `${quote(schema)}.${quote(table)}`);
    await expectStreamed(
      source,
      [
        ...new Set(tables.map(([schema]) => `create schema if not exists ${quote(schema)}`)),
        ...named.map(
          (table, i) =>
            `create table ${table} (id int primary key, v text); insert into ${table} values (1, '${i}'), (2, '${i}')`,
        ),
      ],
      named.map(
        (table, i) =>
          `update ${table} set v = '${i} changed' where id = 1; delete from ${table} where id = 2; insert into ${table} values (3, '${i}')`,
      ),
      {},
      async (target) => {
        await expectOwnTables(target);
        expect((await targetNames(target)).get('sales.orders')).toMatch(/^sales__orders(_\d)?$/);
      },
    );
  });
});
