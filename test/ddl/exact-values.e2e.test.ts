import { type DdlCase, followsDdl } from '../support/ddl-case.js';

/** Values that their Dolt columns can not hold: the exact ones are in wal2dolt_exact. */
const E = `create table e (id int primary key, n numeric, f float8, t timestamptz, d date);
  insert into e values (1, 'infinity', 'NaN', '-infinity', '0044-03-15 BC'), (2, 'NaN', '-infinity', 'infinity', '12024-01-01'),
    (3, 1e100, '-0', '12024-01-01 00:00+00', '2020-01-01'), (4, 1.10, 1.5, '2020-01-01 00:00+00', null), (5, 5, 2, null, null)`;
const COLUMNS = 'n decimal(65,30), f double, t datetime(6), d date';
const LARGEST = `${'9'.repeat(35)}.${'9'.repeat(30)}`;
const zeros = (n: string): string =>
  `${n.padEnd(n.includes('.') ? n.length : n.length + 1, '.')}${'0'.repeat(30 - (n.split('.')[1] ?? '').length)}`;
/** As Dolt prints the year 1. */
const FIRST = '1-01-01 00:00:00.000000';
const LAST = '9999-12-31 23:59:59.999999';
const NEAREST = [
  [1, LARGEST, null, FIRST, '1-01-01'],
  [2, 'NaN', -Number.MAX_VALUE, LAST, '9999-12-31'],
  [3, LARGEST, 0, LAST, '2020-01-01'],
  [4, zeros('1.1'), 1.5, '2020-01-01 00:00:00.000000', null],
  [5, zeros('5'), 2, null, null],
] as const;
const WAS = { e: [`id int NOT NULL, ${COLUMNS}, PRIMARY KEY (id)`, ...NEAREST] } as const;

/** Some of these rows go in the end, and must take their exact values with them. */
const touch = (table = 'e', id = 'id'): readonly string[] => [
  `insert into ${table} (${id}) values (7)`,
  `delete from ${table} where ${id} in (1, 3)`,
];
const rest = (rows: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] => [
  ...rows.filter(([id]) => id !== 1 && id !== 3),
  [7, ...Array.from({ length: (rows[0]?.length ?? 1) - 1 }, () => null)],
];

followsDdl('exact values', [
  {
    name: 'across renames of the columns, the key and the table',
    setup: E,
    change: [
      'alter table e rename n to amount',
      'begin; alter table e rename f to x; alter table e rename t to f; alter table e rename x to t; commit',
      'alter table e rename id to key',
      'alter table e rename to ee',
      ...touch('ee', 'key'),
    ],
    was: WAS,
    is: {
      ee: [
        'key int NOT NULL, amount decimal(65,30), t double, f datetime(6), d date, PRIMARY KEY (key)',
        ...rest(NEAREST),
      ],
    },
    keepsRows: true,
  },
  {
    name: 'across renames in letters of another case',
    setup: E,
    change: ['alter table e rename n to "N"', 'alter table e rename to "E"', ...touch('"E"')],
    was: WAS,
    is: {
      E: [`id int NOT NULL, N decimal(65,30), f double, t datetime(6), d date, PRIMARY KEY (id)`, ...rest(NEAREST)],
    },
    keepsRows: true,
  },
  {
    name: 'a column that goes takes its own with it',
    setup: E,
    change: ['alter table e drop column n, drop column t', ...touch()],
    was: WAS,
    is: {
      e: ['id int NOT NULL, f double, d date, PRIMARY KEY (id)', ...rest(NEAREST.map(([id, , f, , d]) => [id, f, d]))],
    },
  },
  {
    name: 'a column that goes and comes again has none',
    setup: E,
    change: ['alter table e drop column d', 'alter table e add column d date', ...touch()],
    was: WAS,
    is: {
      e: [
        `id int NOT NULL, ${COLUMNS}, PRIMARY KEY (id)`,
        ...rest(NEAREST.map(([id, n, f, t]) => [id, n, f, t, null])),
      ],
    },
    // The last column: Dolt gives it the same tag again within one commit.
    namesMove: true,
    relations: 'may halt',
  },
  {
    name: 'a column that comes with one as its default',
    setup: E,
    change: [`alter table e add column x numeric default 'infinity'`, 'update e set x = 1 where id = 2', ...touch()],
    was: WAS,
    is: {
      e: [
        `id int NOT NULL, ${COLUMNS}, x decimal(65,30), PRIMARY KEY (id)`,
        [...NEAREST[1], zeros('1')],
        [...NEAREST[3], LARGEST],
        [...NEAREST[4], LARGEST],
        [7, null, null, null, null, LARGEST],
      ],
    },
  },
  {
    name: 'to text, which holds them all',
    setup: E,
    change: ['alter table e alter n type text, alter f type text, alter d type text, alter t type text', ...touch()],
    was: WAS,
    is: {
      e: [
        'id int NOT NULL, n longtext, f longtext, t longtext, d longtext, PRIMARY KEY (id)',
        [2, 'NaN', '-Infinity', 'infinity', '12024-01-01'],
        [4, '1.10', '1.5', '2020-01-01 00:00:00+00', null],
        [5, '5', '2', null, null],
        [7, null, null, null, null],
      ],
    },
  },
  {
    name: 'from text: where they begin to be exact',
    setup: `create table e (id int primary key, n text); insert into e values (1, 'infinity'), (2, '1.10'), (3, '7')`,
    change: ['alter table e alter n type numeric using n::numeric', ...touch()],
    was: { e: ['id int NOT NULL, n longtext, PRIMARY KEY (id)', [1, 'infinity'], [2, '1.10'], [3, '7']] },
    is: { e: ['id int NOT NULL, n decimal(65,30), PRIMARY KEY (id)', [2, zeros('1.1')], [7, null]] },
  },
  {
    name: 'numeric to numeric(6,2) and back: trailing zeros',
    setup: `create table e (id int primary key, n numeric); insert into e values (1, 1.1), (2, 1.10), (3, 1.105), (4, 'NaN')`,
    change: [
      'alter table e alter n type numeric(6,2)',
      'insert into e values (5, 5)',
      'alter table e alter n type numeric',
      ...touch(),
    ],
    was: {
      e: [
        'id int NOT NULL, n decimal(65,30), PRIMARY KEY (id)',
        [1, zeros('1.1')],
        [2, zeros('1.1')],
        [3, zeros('1.105')],
        [4, 'NaN'],
      ],
    },
    is: {
      e: [
        'id int NOT NULL, n decimal(65,30), PRIMARY KEY (id)',
        [2, zeros('1.1')],
        [4, 'NaN'],
        [5, zeros('5')],
        [7, null],
      ],
    },
  },
  {
    name: 'across changes of the key: its type, its columns, none, and again',
    setup: `${E}; alter table e add column c text; update e set c = 'c' || id`,
    change: [
      'alter table e alter id type bigint',
      `update e set n = 'infinity' where id = 5`,
      'alter table e drop constraint e_pkey, alter c set not null, add primary key (c)',
      `update e set f = 'NaN' where c = 'c4'`,
      'alter table e drop constraint e_pkey; alter table e replica identity full',
      `delete from e where id = 3; update e set id = 20 where id = 2`,
      'alter table e add primary key (c, id); alter table e replica identity default',
      `update e set n = 1 where id = 20`,
      'delete from e where id = 1',
    ],
    is: {
      e: [
        'id bigint NOT NULL, n decimal(65,30), f double, t datetime(6), d date, c varchar(4000) NOT NULL, PRIMARY KEY (c,id)',
        [4, zeros('1.1'), null, '2020-01-01 00:00:00.000000', null, 'c4'],
        [5, LARGEST, 2, null, null, 'c5'],
        [20, zeros('1'), -Number.MAX_VALUE, LAST, '9999-12-31', 'c2'],
      ],
    },
  },
  {
    name: 'in a table without a key, whose columns come, go and change their names',
    setup: `create table e (a int, n numeric, f float8); alter table e replica identity full;
      insert into e values (1, 'infinity', 'NaN'), (1, 'infinity', 'NaN'), (2, 1.10, 2)`,
    change: [
      'alter table e rename n to m',
      'alter table e add column x numeric default 1.0',
      `delete from e where ctid = (select min(ctid) from e where a = 1)`,
      'alter table e drop column a',
      `update e set f = '-0' where m = 1.10`,
      'alter table e alter m type text',
      `insert into e values ('x', 1, 1)`,
    ],
    was: {
      e: [
        'a int, n decimal(65,30), f double, KEY wal2dolt_row (a,n,f)',
        [1, LARGEST, null],
        [1, LARGEST, null],
        [2, zeros('1.1'), 2],
      ],
    },
    is: {
      e: [
        `m longtext, f double, x decimal(65,30) DEFAULT (${zeros('1')}), KEY wal2dolt_row (f,x)`,
        ['Infinity', null, zeros('1')],
        ['1.10', 0, zeros('1')],
        ['x', 1, zeros('1')],
      ],
    },
  },
  {
    name: 'and TRUNCATE',
    setup: E,
    change: [
      `begin; alter table e rename n to m; truncate e; insert into e (id, m) values (1, 'NaN'), (2, 2.50); commit`,
    ],
    was: WAS,
    is: {
      e: [
        'id int NOT NULL, m decimal(65,30), f double, t datetime(6), d date, PRIMARY KEY (id)',
        [1, 'NaN', null, null, null],
        [2, zeros('2.5'), null, null, null],
      ],
    },
  },
] satisfies readonly DdlCase[]);
