import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { differences, doltContents, postgresContents, tableHashes } from './support/compare.js';
import { createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from './support/postgres.js';
import { configFor, drain } from './support/run.js';

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

async function expectSame(
  source: PostgresDatabase,
  target: DoltDatabase,
  settings: Record<string, unknown> = {},
): Promise<void> {
  const { tables, tableName, types } = configFor(source.url, target.url, settings);
  const rules = { tables, tableName, types };
  const dolt = await doltContents(target.url, undefined, rules);
  expect(differences(dolt, await postgresContents(source.url, target.url, rules))).toEqual([]);
}

/** The stream, run twice over, leaves what a copy of the end gives. */
async function expectStreamed(
  source: PostgresDatabase,
  before: readonly string[],
  after: readonly string[],
  settings: Record<string, unknown> = {},
  check: (target: DoltDatabase) => Promise<void> = async () => {},
): Promise<void> {
  await using target = createDoltDatabaseName();
  await using copy = createDoltDatabaseName();
  for (const statement of before) await source.sql(statement);
  await drain(source.url, target.url, settings);
  await expectSame(source, target, settings);
  for (const statement of after) await source.sql(statement);
  await drain(source.url, target.url, settings);
  await expectSame(source, target, settings);
  await drain(source.url, copy.url, { ...settings, snapshot: 'only', slot: `${source.name}_copy` });
  expect(await tableHashes(target.url)).toEqual(await tableHashes(copy.url));
  await check(target);
}

async function targetNames(target: DoltDatabase): Promise<ReadonlyMap<string, string>> {
  const rows = await target.sql(
    'select concat(source_schema, ".", source_table) as s, target_table as t from wal2dolt_tables',
  );
  return new Map(rows.map(({ s, t }) => [s, t]));
}

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

  it('follows what the configuration says of tables, names and columns', async () => {
    await using source = await createPostgresDatabase();
    const settings = {
      tables: {
        '"Weird.Name"': 'plain',
        plain: { name: 'PLAIN', exclude: ['Secret', 'no`te'] },
        'crm.*': { exclude: ['password'] },
        'crm.people': { name: 'people', types: { size: 'DOUBLE' } },
        'crm.hidden_*': false,
        hidden: false,
      },
      tableName: 'from {schema} {table}',
    };
    await expectStreamed(
      source,
      [
        `create schema crm;
         create table "Weird.Name" (id int primary key, v text);
         create table plain ("Secret" text, a int primary key, "no\`te" text, b text, c int unique);
         create table hidden (id int primary key);
         create table crm.people (password text, id int primary key, size numeric(6,2));
         create table crm.places (id int, password text not null, name text, unique (id));
         alter table crm.places replica identity full;
         create table crm.hidden_one (id int primary key);
         insert into "Weird.Name" values (1, 'a'); insert into plain values ('s', 1, 'n', 'b', 1), ('s', 2, 'n', 'b', 2);
         insert into crm.people values ('p', 1, 1.25); insert into crm.places values (1, 'p', 'n'), (null, 'q', 'n'), (null, 'q', 'n')`,
      ],
      [
        `update "Weird.Name" set v = 'b'; insert into "Weird.Name" values (2, null)`,
        `update plain set "Secret" = 'other'; update plain set b = 'c', a = 10 where a = 1; insert into plain values (null, 3, null, null, null)`,
        `begin; update plain set c = 0 where a = 10; update plain set c = 1 where a = 2; update plain set c = 2 where a = 10; commit`,
        `update crm.people set password = 'x'; update crm.people set size = 2.5; insert into crm.people values (null, 2, null)`,
        `update crm.places set password = 'other' where id = 1; delete from crm.places where ctid = (select min(ctid) from crm.places where id is null)`,
        'insert into hidden values (1); insert into crm.hidden_one values (1)',
      ],
      settings,
      async (target) => {
        expect(Object.fromEntries(await targetNames(target))).toEqual({
          'crm.people': 'people',
          'crm.places': 'from crm places',
          'public.Weird.Name': expect.stringMatching(/^plain(_2)?$/),
          'public.plain': expect.stringMatching(/^PLAIN(_2)?$/),
        });
        expect((await target.sql('describe people')).map(({ Field }) => Field)).toEqual(['id', 'size']);
        const [history] = await target.sql(`select group_concat(definition) as d from wal2dolt_tables`);
        expect(history?.d).not.toContain('hidden');
      },
    );
  });

  it("keeps to a publication's column lists and row filters", async () => {
    await using source = await createPostgresDatabase();
    await expectStreamed(
      source,
      [
        `create table listed (secret text, id int primary key, "A" int, a text, extra int);
         create table filtered (id int primary key, region text, v int);
         create table "Both ""of"" them" (secret text, id int, kind text, v int, primary key (id, kind));
         alter table filtered replica identity full;
         create publication wal2dolt for table
           listed (id, "A", a),
           filtered where (region in ('eu', 'it''s') and id > 0),
           "Both ""of"" them" (id, kind, v) where (kind = 'in')
           with (publish_via_partition_root = true);
         insert into listed select 's' || n, n, n, 'a' || n, n from generate_series(1, 5) n;
         insert into filtered values (1, 'eu', 1), (2, 'us', 2), (3, 'it''s', 3), (-4, 'eu', 4), (5, null, 5);
         insert into "Both ""of"" them" values ('s', 1, 'in', 1), ('s', 2, 'out', 2), ('s', 3, 'in', 3)`,
      ],
      [
        // Into the filter, out of it, within it, and never in it.
        `update filtered set region = 'us' where id = 1; update filtered set region = 'eu' where id in (2, 5); update filtered set v = v * 10 where id in (3, -4)`,
        `begin; update filtered set region = 'us' where id = 2; update filtered set region = 'eu', v = 7 where id = 2; commit`,
        `update filtered set id = -3 where id = 3; update filtered set id = 4 where id = -4; delete from filtered where id = -3`,
        `update listed set secret = 'other', extra = 0; update listed set "A" = 7, a = 'seven' where id = 2; delete from listed where id = 3; insert into listed values ('s', 6, null, null, 6)`,
        `update "Both ""of"" them" set kind = 'out' where id = 1; update "Both ""of"" them" set kind = 'in' where id = 2; update "Both ""of"" them" set v = 30, secret = 't' where id = 3`,
        'truncate listed; insert into listed (id, a) values (1, $$after$$)',
      ],
      {},
      async (target) => {
        expect((await target.sql('describe listed')).map(({ Field }) => Field)).toEqual([
          'id',
          'A',
          expect.stringMatching(/^a_2$/),
        ]);
        expect(await target.sql('select id from filtered order by id')).toEqual([{ id: 2 }, { id: 4 }, { id: 5 }]);
      },
    );
  });
});
