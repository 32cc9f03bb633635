import { expect } from 'vitest';
import { type DdlCase, followsDdl } from '../support/ddl-case.js';
import { postgresVersion } from '../support/postgres.js';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);

const PAIR = `create table pair (id int primary key, a text, b text); insert into pair values (1, 'a1', 'b1'), (2, 'a2', 'b2')`;
const PAIR_WAS = {
  pair: ['id int NOT NULL, a longtext, b longtext, PRIMARY KEY (id)', [1, 'a1', 'b1'], [2, 'a2', 'b2']],
} as const;

const added: readonly DdlCase[] = [
  {
    name: 'add, with NULL in the rows there are',
    change: ['alter table fruit add column price numeric(6,2)', `insert into fruit values (3, 'fig', 1.5)`],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, price decimal(6,2), PRIMARY KEY (id)',
        [1, 'apple', null],
        [2, 'pear', null],
        [3, 'fig', '1.50'],
      ],
    },
    keepsRows: true,
  },
  {
    name: 'add with a constant default, which Postgres does not write into the rows',
    change: ['alter table fruit add column stock int default 7', `insert into fruit values (3, 'fig')`],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, stock int DEFAULT (7), PRIMARY KEY (id)',
        [1, 'apple', 7],
        [2, 'pear', 7],
        [3, 'fig', 7],
      ],
    },
  },
  {
    name: 'add NOT NULL with a default, in the rows from before and from the same transaction',
    change: [
      `begin; insert into fruit values (3, 'fig'); alter table fruit add column stock int not null default 7;
       insert into fruit values (4, 'kiwi', 8); update fruit set stock = 1 where id = 1; commit`,
    ],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, stock int NOT NULL DEFAULT (7), PRIMARY KEY (id)',
        [1, 'apple', 1],
        [2, 'pear', 7],
        [3, 'fig', 7],
        [4, 'kiwi', 8],
      ],
    },
  },
  {
    name: 'add with a default that is taken away again: old rows keep it, new ones have none',
    change: [
      'alter table fruit add column stock int default 7',
      'alter table fruit alter column stock drop default',
      `insert into fruit (id, name) values (3, 'fig')`,
    ],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, stock int, PRIMARY KEY (id)',
        [1, 'apple', 7],
        [2, 'pear', 7],
        [3, 'fig', null],
      ],
    },
  },
  {
    name: 'add with now(): the time of the command in all rows',
    change: [
      'alter table fruit add column since timestamptz not null default now()',
      `insert into fruit values (3, 'fig', '2020-02-03 04:05:06+01')`,
    ],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, since datetime(6) NOT NULL, PRIMARY KEY (id)',
        [1, 'apple', TIME],
        [2, 'pear', TIME],
        [3, 'fig', '2020-02-03 03:05:06.000000'],
      ],
    },
  },
  {
    name: 'add with a volatile default, which Postgres writes into every row and does not send',
    change: [
      'alter table fruit add column key uuid not null default gen_random_uuid()',
      `insert into fruit values (3, 'fig', 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa')`,
    ],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, key char(36) NOT NULL, PRIMARY KEY (id)',
        [1, 'apple', UUID],
        [2, 'pear', UUID],
        [3, 'fig', 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa'],
      ],
    },
  },
  {
    name: 'add a serial: numbers for the rows there are',
    change: ['alter table fruit add column n serial', `insert into fruit (id, name) values (3, 'fig')`],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, n int NOT NULL, PRIMARY KEY (id)',
        [1, 'apple', 1],
        [2, 'pear', 2],
        [3, 'fig', 3],
      ],
    },
  },
  {
    name: 'add an identity column: numbers for the rows there are',
    change: [
      'alter table fruit add column n bigint generated always as identity (start with 100)',
      `insert into fruit (id, name) values (3, 'fig')`,
    ],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, n bigint NOT NULL, PRIMARY KEY (id)',
        [1, 'apple', 100],
        [2, 'pear', 101],
        [3, 'fig', 102],
      ],
    },
  },
  {
    name: 'add a generated column, which is in the stream from Postgres 18 on',
    change: [
      'alter table fruit add column loud text generated always as (upper(name)) stored',
      `insert into fruit (id, name) values (3, 'fig')`,
    ],
    is:
      postgresVersion() >= 18
        ? {
            fruit: [
              'id int NOT NULL, name longtext, loud longtext, PRIMARY KEY (id)',
              [1, 'apple', 'APPLE'],
              [2, 'pear', 'PEAR'],
              [3, 'fig', 'FIG'],
            ],
          }
        : { fruit: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple'], [2, 'pear'], [3, 'fig']] },
  },
  {
    name: 'a generated column that becomes an ordinary one shows its values',
    setup: `create table fruit (id int primary key, name text, loud text generated always as (upper(name)) stored);
      insert into fruit values (1, 'apple')`,
    change: ['alter table fruit alter column loud drop expression', `insert into fruit values (3, 'fig', 'Fig!')`],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, loud longtext, PRIMARY KEY (id)',
        [1, 'apple', 'APPLE'],
        [3, 'fig', 'Fig!'],
      ],
    },
  },
  {
    name: 'add a domain with a default of its own',
    setup: `create table fruit (id int primary key); insert into fruit values (1);
      create domain grade as int default 3; create domain checked as int default 4 check (value > 0)`,
    change: ['alter table fruit add column g grade, add column c checked', `insert into fruit values (2, 5, 6)`],
    was: { fruit: ['id int NOT NULL, PRIMARY KEY (id)', [1]] },
    is: { fruit: ['id int NOT NULL, g int, c int, PRIMARY KEY (id)', [1, 3, 4], [2, 5, 6]] },
  },
  {
    name: 'add with defaults of many types, in a session that prints otherwise',
    setup: 'create table fruit (id int primary key); insert into fruit values (1)',
    change: [
      `set timezone = 'America/New_York'; set datestyle = 'German'; set bytea_output = 'escape';
       alter table fruit add column tags text[] default '{a,"b c"}', add column doc jsonb default '{"a": 1}',
         add column day date default '2020-02-29', add column at timestamptz default '2020-01-01 00:00+02',
         add column ok bool default true, add column raw bytea default '\\x00ff', add column quoted text default 'it''s \\ "x"'`,
      'delete from fruit where id = 0; insert into fruit (id) values (2)',
    ],
    was: { fruit: ['id int NOT NULL, PRIMARY KEY (id)', [1]] },
    is: {
      fruit: [
        `id int NOT NULL, tags json DEFAULT ('["a","b c"]'), doc json DEFAULT ('{"a": 1}'), day date DEFAULT ('2020-02-29'), at datetime(6) DEFAULT ('2019-12-31 22:00:00'), ok tinyint(1) DEFAULT (1), raw longblob DEFAULT (0x00FF), quoted longtext DEFAULT ('it''s \\\\ "x"'), PRIMARY KEY (id)`,
        [
          1,
          ['a', 'b c'],
          { a: 1 },
          '2020-02-29',
          '2019-12-31 22:00:00.000000',
          1,
          Buffer.from('00ff', 'hex'),
          `it's \\ "x"`,
        ],
        [
          2,
          ['a', 'b c'],
          { a: 1 },
          '2020-02-29',
          '2019-12-31 22:00:00.000000',
          1,
          Buffer.from('00ff', 'hex'),
          `it's \\ "x"`,
        ],
      ],
    },
  },
];

const dropped: readonly DdlCase[] = [
  {
    name: 'drop',
    setup: PAIR,
    change: ['alter table pair drop column a', `insert into pair values (3, 'b3')`],
    was: PAIR_WAS,
    is: { pair: ['id int NOT NULL, b longtext, PRIMARY KEY (id)', [1, 'b1'], [2, 'b2'], [3, 'b3']] },
  },
  {
    name: 'drop and add again under the same name: another column',
    setup: PAIR,
    change: ['alter table pair drop column a, add column a text', `insert into pair values (3, 'b3', 'a3')`],
    was: PAIR_WAS,
    is: {
      pair: [
        'id int NOT NULL, b longtext, a longtext, PRIMARY KEY (id)',
        [1, 'b1', null],
        [2, 'b2', null],
        [3, 'b3', 'a3'],
      ],
    },
  },
  {
    name: 'drop and add again under the same name with another type, rows in between',
    setup: PAIR,
    change: [
      'alter table pair drop column a',
      `insert into pair values (3, 'b3')`,
      'alter table pair add column a int default 5',
      `update pair set a = 6 where id = 1`,
    ],
    was: PAIR_WAS,
    is: {
      pair: [
        'id int NOT NULL, b longtext, a int DEFAULT (5), PRIMARY KEY (id)',
        [1, 'b1', 6],
        [2, 'b2', 5],
        [3, 'b3', 5],
      ],
    },
  },
  {
    name: 'add and drop in one transaction, with rows in between',
    change: [
      `begin; alter table fruit add column x int default 1; insert into fruit values (3, 'fig', 9);
       update fruit set name = 'APPLE', x = 2 where id = 1; alter table fruit drop column x; commit`,
      `insert into fruit values (4, 'kiwi')`,
    ],
    is: {
      fruit: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'APPLE'], [2, 'pear'], [3, 'fig'], [4, 'kiwi']],
    },
    relations: 'halts',
  },
  {
    name: 'drop by DROP TYPE … CASCADE',
    setup: `create type taste as enum ('sweet', 'sour'); create table fruit (id int primary key, name text, taste taste);
      insert into fruit values (1, 'apple', 'sour')`,
    change: ['drop type taste cascade', `insert into fruit values (2, 'pear')`],
    was: { fruit: ['id int NOT NULL, name longtext, taste varchar(255), PRIMARY KEY (id)', [1, 'apple', 'sour']] },
    is: { fruit: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple'], [2, 'pear']] },
  },
  {
    name: 'add several, drop one, all in one command',
    setup: PAIR,
    change: [
      `alter table pair add column c int, drop column a, add column d varchar(10) default 'd'`,
      `insert into pair values (3, 'b3', 3)`,
    ],
    was: PAIR_WAS,
    is: {
      pair: [
        `id int NOT NULL, b longtext, c int, d varchar(10) DEFAULT ('d'), PRIMARY KEY (id)`,
        [1, 'b1', null, 'd'],
        [2, 'b2', null, 'd'],
        [3, 'b3', 3, 'd'],
      ],
    },
  },
];

followsDdl('columns that come and go', [...added, ...dropped]);
