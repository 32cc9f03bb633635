import { type DdlCase, followsDdl } from '../support/ddl-case.js';

const PAIR = `create table pair (id int primary key, a text, b text); insert into pair values (1, 'a1', 'b1'), (2, 'a2', 'b2')`;
const PAIR_WAS = {
  pair: ['id int NOT NULL, a longtext, b longtext, PRIMARY KEY (id)', [1, 'a1', 'b1'], [2, 'a2', 'b2']],
} as const;

const columns: readonly DdlCase[] = [
  {
    name: 'a column',
    change: ['alter table fruit rename column name to title', `insert into fruit values (3, 'fig')`],
    is: { fruit: ['id int NOT NULL, title longtext, PRIMARY KEY (id)', [1, 'apple'], [2, 'pear'], [3, 'fig']] },
    keepsRows: true,
  },
  {
    name: 'a column of the key',
    change: ['alter table fruit rename id to number', `update fruit set number = 9 where name = 'pear'`],
    is: { fruit: ['number int NOT NULL, name longtext, PRIMARY KEY (number)', [1, 'apple'], [9, 'pear']] },
    keepsRows: true,
  },
  {
    name: 'a column in letters of another case',
    change: ['alter table fruit rename name to "Name"', `insert into fruit values (3, 'fig')`],
    is: { fruit: ['id int NOT NULL, Name longtext, PRIMARY KEY (id)', [1, 'apple'], [2, 'pear'], [3, 'fig']] },
    keepsRows: true,
  },
  {
    name: 'columns to odd names',
    setup: PAIR,
    change: [
      'alter table pair rename a to "select `x` ""y"" \\ %s"',
      'alter table pair rename b to "ключ — 🔑"',
      `insert into pair values (3, 'a3', 'b3')`,
    ],
    was: PAIR_WAS,
    is: {
      pair: [
        'id int NOT NULL, `select `x` "y" \\ %s` longtext, `ключ — 🔑` longtext, PRIMARY KEY (id)',
        [1, 'a1', 'b1'],
        [2, 'a2', 'b2'],
        [3, 'a3', 'b3'],
      ],
    },
    keepsRows: true,
    namesMove: true,
  },
  {
    name: 'a column to a name that differs from another only in case',
    setup: PAIR,
    change: ['alter table pair rename b to "A"', `insert into pair values (3, 'a3', 'b3')`],
    was: PAIR_WAS,
    is: {
      pair: [
        'id int NOT NULL, a longtext, A_2 longtext, PRIMARY KEY (id)',
        [1, 'a1', 'b1'],
        [2, 'a2', 'b2'],
        [3, 'a3', 'b3'],
      ],
    },
    keepsRows: true,
    namesMove: true,
  },
  {
    name: 'two columns that swap their names in one transaction',
    setup: PAIR,
    change: [
      'begin; alter table pair rename a to x; alter table pair rename b to a; alter table pair rename x to b; commit',
      `insert into pair (id, a, b) values (3, 'a3', 'b3')`,
    ],
    was: PAIR_WAS,
    is: {
      pair: [
        'id int NOT NULL, b longtext, a longtext, PRIMARY KEY (id)',
        [1, 'a1', 'b1'],
        [2, 'a2', 'b2'],
        [3, 'b3', 'a3'],
      ],
    },
    keepsRows: true,
  },
  {
    name: 'three columns that pass their names round, with rows in between',
    setup: `create table pair (id int primary key, a text, b text, c text); insert into pair values (1, 'a1', 'b1', 'c1')`,
    change: [
      `begin; alter table pair rename a to x; update pair set x = 'a!'; alter table pair rename b to a;
       alter table pair rename c to b; insert into pair (id, x) values (2, 'x2'); alter table pair rename x to c; commit`,
      `insert into pair (id, a, b, c) values (3, 'a3', 'b3', 'c3')`,
    ],
    was: { pair: ['id int NOT NULL, a longtext, b longtext, c longtext, PRIMARY KEY (id)', [1, 'a1', 'b1', 'c1']] },
    is: {
      pair: [
        'id int NOT NULL, c longtext, a longtext, b longtext, PRIMARY KEY (id)',
        [1, 'a!', 'b1', 'c1'],
        [2, 'x2', null, null],
        [3, 'c3', 'a3', 'b3'],
      ],
    },
  },
  {
    name: 'a column, and another takes its name at once',
    change: [
      `begin; alter table fruit rename name to old_name; alter table fruit add column name varchar(20) default 'new'; commit`,
      `insert into fruit values (3, 'fig', 'FIG')`,
    ],
    is: {
      fruit: [
        `id int NOT NULL, old_name longtext, name varchar(20) DEFAULT ('new'), PRIMARY KEY (id)`,
        [1, 'apple', 'new'],
        [2, 'pear', 'new'],
        [3, 'fig', 'FIG'],
      ],
    },
  },
  {
    name: 'rename and retype together',
    change: [
      'begin; alter table fruit rename name to title; alter table fruit alter column title type varchar(40); commit',
      `insert into fruit values (3, 'fig')`,
    ],
    is: { fruit: ['id int NOT NULL, title varchar(40), PRIMARY KEY (id)', [1, 'apple'], [2, 'pear'], [3, 'fig']] },
  },
  {
    name: 'rename, drop and retype: the name goes to a column of another type',
    setup: PAIR,
    change: [
      `begin; alter table pair drop column a; alter table pair rename b to a;
       alter table pair alter column a type int using length(a); commit`,
      'insert into pair values (3, 33)',
    ],
    was: PAIR_WAS,
    is: { pair: ['id int NOT NULL, a int, PRIMARY KEY (id)', [1, 2], [2, 2], [3, 33]] },
  },
];

const tables: readonly DdlCase[] = [
  {
    name: 'a table',
    change: ['alter table fruit rename to veg', `insert into veg values (3, 'fig')`],
    is: { veg: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple'], [2, 'pear'], [3, 'fig']] },
    keepsRows: true,
  },
  {
    name: 'a table in letters of another case',
    change: ['alter table fruit rename to "Fruit"', `insert into "Fruit" values (3, 'fig')`],
    is: { Fruit: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple'], [2, 'pear'], [3, 'fig']] },
    keepsRows: true,
  },
  {
    name: 'a table to an odd name',
    change: [`alter table fruit rename to "a ""b"" 'c' . ç%"`, `insert into "a ""b"" 'c' . ç%" values (3, 'fig')`],
    is: {
      'a "b" \'c\' . ç%': ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple'], [2, 'pear'], [3, 'fig']],
    },
    keepsRows: true,
  },
  {
    name: 'a table into another schema',
    setup: `create table fruit (id int primary key, name text); insert into fruit values (1, 'apple'); create schema {schema}_attic`,
    change: ['alter table fruit set schema {schema}_attic', `insert into {schema}_attic.fruit values (3, 'fig')`],
    was: { fruit: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple']] },
    is: { '{schema}_attic__fruit': ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple'], [3, 'fig']] },
    keepsRows: true,
  },
  {
    name: 'a schema with all its tables',
    setup: `create schema {schema}_old; create table {schema}_old.one (id int primary key); create table {schema}_old.two (id int primary key)`,
    change: [
      'alter schema {schema}_old rename to {schema}_new',
      'insert into {schema}_new.one values (1)',
      'insert into {schema}_new.two values (2)',
    ],
    was: {
      '{schema}_old__one': ['id int NOT NULL, PRIMARY KEY (id)'],
      '{schema}_old__two': ['id int NOT NULL, PRIMARY KEY (id)'],
    },
    is: {
      '{schema}_new__one': ['id int NOT NULL, PRIMARY KEY (id)', [1]],
      '{schema}_new__two': ['id int NOT NULL, PRIMARY KEY (id)', [2]],
    },
    keepsRows: true,
  },
  {
    name: 'two tables that swap their names in one transaction',
    setup: `create table one (id int primary key, a int); create table two (id int primary key, b text);
      insert into one values (1, 1); insert into two values (2, 'two')`,
    change: [
      `begin; alter table one rename to tmp; alter table two rename to one; alter table tmp rename to two; commit`,
      `insert into one values (11, 'was two')`,
      `insert into two values (22, 22)`,
    ],
    was: {
      one: ['id int NOT NULL, a int, PRIMARY KEY (id)', [1, 1]],
      two: ['id int NOT NULL, b longtext, PRIMARY KEY (id)', [2, 'two']],
    },
    is: {
      one: ['id int NOT NULL, b longtext, PRIMARY KEY (id)', [2, 'two'], [11, 'was two']],
      two: ['id int NOT NULL, a int, PRIMARY KEY (id)', [1, 1], [22, 22]],
    },
    keepsRows: true,
    namesMove: true,
  },
  {
    name: 'a table and its column, and rows in the same transaction',
    change: [
      `begin; insert into fruit values (3, 'fig'); alter table fruit rename to veg; alter table veg rename name to title;
       update veg set title = 'quince' where id = 1; commit`,
    ],
    is: { veg: ['id int NOT NULL, title longtext, PRIMARY KEY (id)', [1, 'quince'], [2, 'pear'], [3, 'fig']] },
  },
  {
    name: 'a table of which another takes the name: the usual way to replace one',
    change: [
      `begin; create table fruit_new (like fruit including all); alter table fruit_new add column price int;
       insert into fruit_new (id, name) select id, name from fruit; alter table fruit rename to fruit_old;
       alter table fruit_new rename to fruit; commit`,
      `insert into fruit values (3, 'fig', 5)`,
      `insert into fruit_old values (4, 'old')`,
    ],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, price int, PRIMARY KEY (id)',
        [1, 'apple', null],
        [2, 'pear', null],
        [3, 'fig', 5],
      ],
      fruit_old: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple'], [2, 'pear'], [4, 'old']],
    },
    namesMove: true,
  },
];

followsDdl('renamed columns and tables', [...columns, ...tables]);
