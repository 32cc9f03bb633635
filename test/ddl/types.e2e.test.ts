import { type DdlCase, followsDdl } from '../support/ddl-case.js';

const ENUM = `create type taste as enum ('sweet', 'sour'); create table t (id int primary key, v taste default 'sour', w taste[]);
  insert into t values (1, 'sweet', '{sour}'), (2, 'sour', '{}')`;
const ENUM_WAS = {
  t: [
    `id int NOT NULL, v varchar(255) DEFAULT ('sour'), w json, PRIMARY KEY (id)`,
    [1, 'sweet', ['sour']],
    [2, 'sour', []],
  ],
} as const;

const enums: readonly DdlCase[] = [
  {
    name: 'ADD VALUE, at the end and in between',
    setup: ENUM,
    change: [
      `alter type taste add value 'bitter'`,
      `alter type taste add value if not exists 'mild' before 'sour'`,
      `insert into t values (3, 'bitter', '{mild}')`,
    ],
    was: ENUM_WAS,
    is: { t: [...ENUM_WAS.t, [3, 'bitter', ['mild']]] },
    keepsRows: true,
  },
  {
    name: 'RENAME VALUE: Postgres prints another text for rows that it does not write',
    setup: ENUM,
    change: [`alter type taste rename value 'sour' to 'tart'`, `insert into t values (3, 'tart', '{tart,sweet}')`],
    was: ENUM_WAS,
    is: {
      t: [
        `id int NOT NULL, v varchar(255) DEFAULT ('tart'), w json, PRIMARY KEY (id)`,
        [1, 'sweet', ['tart']],
        [2, 'tart', []],
        [3, 'tart', ['tart', 'sweet']],
      ],
    },
    relations: 'unseen',
  },
  {
    name: 'RENAME VALUE of two that swap, with rows in the same transaction',
    setup: ENUM,
    change: [
      `begin; insert into t values (3, 'sour', null); alter type taste rename value 'sour' to 'x'; alter type taste rename value 'sweet' to 'sour';
       insert into t values (4, 'sour', null); alter type taste rename value 'x' to 'sweet'; update t set w = '{sweet}' where id = 1; commit`,
    ],
    was: ENUM_WAS,
    is: {
      t: [
        `id int NOT NULL, v varchar(255) DEFAULT ('sweet'), w json, PRIMARY KEY (id)`,
        [1, 'sour', ['sweet']],
        [2, 'sweet', []],
        [3, 'sweet', null],
        [4, 'sour', null],
      ],
    },
    relations: 'unseen',
  },
  {
    name: 'RENAME VALUE in a key, in a domain, and in a table without a key',
    setup: `create type taste as enum ('sweet', 'sour'); create domain flavour as taste;
      create table k (v taste primary key, n int); insert into k values ('sweet', 1), ('sour', 2);
      create table l (v flavour, n int); alter table l replica identity full; insert into l values ('sour', 1), ('sour', 1), ('sweet', 2)`,
    change: [
      `alter type taste rename value 'sour' to 'tart'`,
      `update k set n = 3 where v = 'tart'`,
      `delete from l where ctid = (select min(ctid) from l where v::text = 'tart')`,
    ],
    is: {
      k: ['v varchar(255) NOT NULL, n int, PRIMARY KEY (v)', ['sweet', 1], ['tart', 3]],
      l: ['v varchar(255), n int, KEY wal2dolt_row (v,n)', ['sweet', 2], ['tart', 1]],
    },
    relations: 'unseen',
  },
  {
    name: 'a type that is renamed, and moved to another schema',
    setup: `${ENUM}; create schema {schema}_types`,
    change: [
      'alter type taste rename to flavour; alter type flavour set schema {schema}_types',
      `insert into t values (3, 'sour', null)`,
    ],
    was: ENUM_WAS,
    is: { t: [...ENUM_WAS.t, [3, 'sour', null]] },
    keepsRows: true,
    relations: 'unseen',
  },
  {
    name: 'text to an enum, and back to text',
    setup: `create type taste as enum ('sweet', 'sour'); create table t (id int primary key, v text); insert into t values (1, 'sweet'), (2, null)`,
    change: [
      'alter table t alter v type taste using v::taste',
      `insert into t values (3, 'sour')`,
      'alter table t alter v type text',
      `insert into t values (4, 'salt')`,
    ],
    was: { t: ['id int NOT NULL, v longtext, PRIMARY KEY (id)', [1, 'sweet'], [2, null]] },
    is: { t: ['id int NOT NULL, v longtext, PRIMARY KEY (id)', [1, 'sweet'], [2, null], [3, 'sour'], [4, 'salt']] },
  },
  {
    name: 'an enum that is replaced by another: what migration tools do to drop a value',
    setup: ENUM,
    change: [
      `begin; update t set v = 'sweet' where v = 'sour'; alter table t alter v drop default; alter type taste rename to taste_old;
       create type taste as enum ('sweet', 'salty'); alter table t alter v type taste using v::text::taste; alter table t drop column w;
       drop type taste_old; commit`,
      `insert into t values (3, 'salty')`,
    ],
    was: ENUM_WAS,
    is: { t: ['id int NOT NULL, v varchar(255), PRIMARY KEY (id)', [1, 'sweet'], [2, 'sweet'], [3, 'salty']] },
  },
];

const COMPOSITE = `create type point2 as (x int, y text); create table t (id int primary key, v point2, w point2[]);
  insert into t values (1, '(1,a)', '{"(2,b)"}'), (2, null, null)`;
const COMPOSITE_WAS = {
  t: ['id int NOT NULL, v longtext, w json, PRIMARY KEY (id)', [1, '(1,a)', ['(2,b)']], [2, null, null]],
} as const;

const others: readonly DdlCase[] = [
  {
    name: 'a domain: constraints, NOT NULL, default and name',
    setup: `create domain price as numeric(6,2) check (value > 0); create table t (id int primary key, v price); insert into t values (1, 1.5)`,
    change: [
      `alter domain price add constraint cheap check (value < 100); alter domain price set default 9; alter domain price set not null`,
      'insert into t (id) values (2)',
      'alter domain price rename to cost',
      'insert into t values (3, 3)',
    ],
    was: { t: ['id int NOT NULL, v decimal(6,2), PRIMARY KEY (id)', [1, '1.50']] },
    is: { t: ['id int NOT NULL, v decimal(6,2), PRIMARY KEY (id)', [1, '1.50'], [2, '9.00'], [3, '3.00']] },
    keepsRows: true,
    relations: 'unseen',
  },
  {
    name: 'a column becomes one of a domain over another type, and is one of its base type again',
    setup: `create domain price as numeric(6,2) check (value > 0); create table t (id int primary key, v int); insert into t values (1, 5)`,
    change: [
      'alter table t alter v type price',
      'insert into t values (2, 1.5)',
      'alter table t alter v type numeric(6,2)',
      'insert into t values (3, 0)',
    ],
    was: { t: ['id int NOT NULL, v int, PRIMARY KEY (id)', [1, 5]] },
    is: { t: ['id int NOT NULL, v decimal(6,2), PRIMARY KEY (id)', [1, '5.00'], [2, '1.50'], [3, '0.00']] },
  },
  {
    name: 'DROP DOMAIN … CASCADE',
    setup: `create domain price as int; create table t (id int primary key, v price, w text); insert into t values (1, 5, 'a')`,
    change: ['drop domain price cascade', `insert into t values (2, 'b')`],
    was: { t: ['id int NOT NULL, v int, w longtext, PRIMARY KEY (id)', [1, 5, 'a']] },
    is: { t: ['id int NOT NULL, w longtext, PRIMARY KEY (id)', [1, 'a'], [2, 'b']] },
  },
  {
    name: 'a composite type gets an attribute: Postgres prints another text for rows that it does not write',
    setup: COMPOSITE,
    change: ['alter type point2 add attribute z int', `insert into t values (3, '(3,c,9)', null)`],
    was: COMPOSITE_WAS,
    is: {
      t: [
        'id int NOT NULL, v longtext, w json, PRIMARY KEY (id)',
        [1, '(1,a,)', ['(2,b,)']],
        [2, null, null],
        [3, '(3,c,9)', null],
      ],
    },
    relations: 'unseen',
  },
  {
    name: 'a composite type loses an attribute, another is renamed',
    setup: COMPOSITE,
    change: [
      'alter type point2 drop attribute x',
      'alter type point2 rename attribute y to why',
      `insert into t values (3, '(c)', null)`,
    ],
    was: COMPOSITE_WAS,
    is: {
      t: [
        'id int NOT NULL, v longtext, w json, PRIMARY KEY (id)',
        [1, '(a)', ['(b)']],
        [2, null, null],
        [3, '(c)', null],
      ],
    },
    relations: 'unseen',
  },
  {
    name: `a composite type inside of another, in a domain and an array`,
    setup: `create type inner1 as (a int); create type outer1 as (i inner1, b int); create domain boxed as outer1;
      create table t (id int primary key, v boxed[]); insert into t values (1, array['("(1)",2)']::boxed[])`,
    change: ['alter type inner1 add attribute c int', `insert into t values (2, null)`],
    was: { t: ['id int NOT NULL, v json, PRIMARY KEY (id)', [1, ['("(1)",2)']]] },
    is: { t: ['id int NOT NULL, v json, PRIMARY KEY (id)', [1, ['("(1,)",2)']], [2, null]] },
    relations: 'unseen',
  },
];

followsDdl('enums, domains and composite types', [...enums, ...others]);
