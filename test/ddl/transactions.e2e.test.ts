import { type DdlCase, FRUIT, FRUIT_WAS, followsDdl } from '../support/ddl-case.js';

const [COLUMNS, ...ROWS] = FRUIT_WAS.fruit;

const within: readonly DdlCase[] = [
  {
    name: 'rows before, between and after two changes, in one transaction',
    change: [
      `begin; insert into fruit values (3, 'fig'); update fruit set name = 'APPLE' where id = 1;
       alter table fruit add column n int default 5; insert into fruit values (4, 'kiwi', 6); update fruit set n = 1 where id = 2; delete from fruit where id = 3;
       alter table fruit rename name to title; update fruit set title = 'Kiwi' where id = 4; insert into fruit values (3, 'date', 3); commit`,
    ],
    is: {
      fruit: [
        'id int NOT NULL, title longtext, n int DEFAULT (5), PRIMARY KEY (id)',
        [1, 'APPLE', 5],
        [2, 'pear', 1],
        [3, 'date', 3],
        [4, 'Kiwi', 6],
      ],
    },
    relations: 'may halt',
  },
  {
    name: 'rolled back: nothing happened',
    change: [
      `begin; insert into fruit values (3, 'fig'); alter table fruit add column n int; update fruit set n = 1; create table veg (id int); rollback`,
      `insert into fruit values (4, 'kiwi')`,
    ],
    is: { fruit: [COLUMNS, ...ROWS, [4, 'kiwi']] },
    keepsRows: true,
  },
  {
    name: 'rolled back to a savepoint: only what is before and after it happened',
    change: [
      `begin; alter table fruit add column a int default 1; savepoint s; alter table fruit add column b int default 2; insert into fruit values (3, 'fig', 8, 9);
       alter table fruit drop column name; rollback to s; insert into fruit values (4, 'kiwi', 7);
       savepoint s2; alter table fruit add column c int default 3; insert into fruit values (5, 'lime', 5, 5); release s2; commit`,
    ],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, a int DEFAULT (1), c int DEFAULT (3), PRIMARY KEY (id)',
        [1, 'apple', 1, 3],
        [2, 'pear', 1, 3],
        [4, 'kiwi', 7, 3],
        [5, 'lime', 5, 5],
      ],
    },
    relations: 'may halt',
  },
  {
    name: 'TRUNCATE before and after, with rows of both shapes',
    change: [
      `begin; truncate fruit; insert into fruit values (1, 'one'); alter table fruit add column n int default 1; insert into fruit values (2, 'two', 2);
       truncate fruit; insert into fruit values (3, 'three', 3); alter table fruit rename n to m; commit`,
      'begin; alter table fruit drop column name; truncate fruit; commit',
      'insert into fruit values (4, 4)',
    ],
    is: { fruit: ['id int NOT NULL, m int DEFAULT (1), PRIMARY KEY (id)', [4, 4]] },
    relations: 'may halt',
  },
  {
    name: 'in a DO block and in a function, by another role, with another search_path',
    setup: `${FRUIT}; create role {schema}_owner; grant usage, create on schema {schema} to {schema}_owner; alter table fruit owner to {schema}_owner`,
    change: [
      `set role {schema}_owner; do $do$ begin alter table fruit add column a int default 1 $do$`.replace(
        '1 $do$',
        '1; end $do$',
      ),
      `create function {schema}.change() returns void language plpgsql set search_path = '' as
       $f$ begin execute 'alter table {schema}.fruit add column b int default 2'; update {schema}.fruit set b = 3 where id = 1; end $f$`,
      'select change()',
      `set search_path = ''; alter table {schema}.fruit rename column name to title; insert into {schema}.fruit values (3, 'fig', 0, 0)`,
      'reset role; alter table {schema}.fruit owner to postgres; drop owned by {schema}_owner; drop role {schema}_owner',
    ],
    is: {
      fruit: [
        'id int NOT NULL, title longtext, a int DEFAULT (1), b int DEFAULT (2), PRIMARY KEY (id)',
        [1, 'apple', 1, 3],
        [2, 'pear', 1, 2],
        [3, 'fig', 0, 0],
      ],
    },
  },
  {
    name: 'of two tables, in one command each, and a row of a third',
    setup: `${FRUIT}; create table veg (id int primary key, name text); create table weed (id int primary key)`,
    change: [
      `begin; insert into weed values (1); alter table fruit add column n int; insert into weed values (2); alter table veg rename name to title;
       insert into veg values (1, 'leek'); delete from weed where id = 1; insert into fruit values (3, 'fig', 3); commit`,
    ],
    was: FRUIT_WAS,
    is: {
      fruit: [
        'id int NOT NULL, name longtext, n int, PRIMARY KEY (id)',
        [1, 'apple', null],
        [2, 'pear', null],
        [3, 'fig', 3],
      ],
      veg: ['id int NOT NULL, title longtext, PRIMARY KEY (id)', [1, 'leek']],
      weed: ['id int NOT NULL, PRIMARY KEY (id)', [2]],
    },
  },
];

const STEPS: readonly DdlCase[] = [
  {
    name: 'many transactions in quick succession',
    change: Array.from({ length: 12 }, (_, i) => [
      `alter table fruit add column c${i} int default ${i}`,
      `update fruit set c${i} = 100 where id = 1`,
      ...(i % 3 === 0 ? [`alter table fruit drop column c${i}`] : []),
      ...(i % 3 === 1 ? [`alter table fruit rename column c${i} to d${i}`] : []),
      ...(i % 3 === 2 ? [`alter table fruit alter column c${i} type text`] : []),
    ]).flat(),
    is: {
      fruit: [
        `id int NOT NULL, name longtext, ${[1, 2, 4, 5, 7, 8, 10, 11].map((i) => (i % 3 === 1 ? `d${i} int DEFAULT (${i})` : `c${i} longtext DEFAULT ('${i}')`)).join(', ')}, PRIMARY KEY (id)`,
        [1, 'apple', ...[1, 2, 4, 5, 7, 8, 10, 11].map((i) => (i % 3 === 1 ? 100 : '100'))],
        [2, 'pear', ...[1, 2, 4, 5, 7, 8, 10, 11].map((i) => (i % 3 === 1 ? i : `${i}`))],
      ],
    },
    quick: true,
    relations: 'may halt',
  },
  {
    name: 'a name that goes from column to column',
    setup: `create table pair (id int primary key, a text, b text); insert into pair values (1, 'a1', 'b1')`,
    change: [
      'alter table pair rename a to x',
      `insert into pair (id, x) values (2, 'x2')`,
      'alter table pair rename b to a',
      `insert into pair (id, a) values (3, 'a3')`,
      'alter table pair drop column x',
      'alter table pair add column x int',
      `insert into pair (id, x) values (4, 4)`,
    ],
    is: {
      pair: [
        'id int NOT NULL, a longtext, x int, PRIMARY KEY (id)',
        [1, 'b1', null],
        [2, null, null],
        [3, 'a3', null],
        [4, null, 4],
      ],
    },
    quick: true,
    relations: 'may halt',
  },
  {
    name: 'tables that come and go under one name',
    change: [
      'create table tmp (id int primary key)',
      'insert into tmp values (1)',
      'drop table tmp',
      'create table tmp (name text primary key)',
      `insert into tmp values ('x')`,
      'alter table tmp rename to kept',
      `insert into kept values ('y')`,
      'create table tmp (id int primary key, v int)',
      'insert into tmp values (1, 2)',
      'alter table tmp add column w int default 3',
      'insert into tmp values (2, 2, 2)',
    ],
    is: { kept: ['name varchar(4000) NOT NULL, PRIMARY KEY (name)', ['x'], ['y']] },
    quick: true,
    relations: 'may halt',
    namesMove: true,
  },
  {
    name: 'rewrites, one after the other',
    setup: `create table t (id int primary key, v text); insert into t values (1, '1'), (2, '2')`,
    change: [
      'alter table t alter v type int using v::int',
      'insert into t values (3, 3)',
      'alter table t add column r float8 default random()',
      'update t set v = 10 where id = 1',
      'alter table t alter v type numeric(8,2) using v / 4.0',
      'insert into t values (4, 0.25, 0)',
      'alter table t drop column r',
      'delete from t where id = 2',
    ],
    was: { t: ['id int NOT NULL, v longtext, PRIMARY KEY (id)', [1, '1'], [2, '2']] },
    is: { t: ['id int NOT NULL, v decimal(8,2), PRIMARY KEY (id)', [1, '2.50'], [3, '0.75'], [4, '0.25']] },
    quick: true,
    relations: 'may halt',
  },
  {
    name: 'a key that changes while rows do',
    setup: `create table t (id int primary key, c text not null); insert into t values (1, 'a'), (2, 'b')`,
    change: [
      'alter table t drop constraint t_pkey, add primary key (c)',
      `update t set id = 9 where c = 'a'`,
      'alter table t replica identity full',
      `update t set id = 10 where c = 'b'`,
      'alter table t drop constraint t_pkey',
      `insert into t values (9, 'a')`,
      `delete from t where ctid = (select min(ctid) from t where c = 'a')`,
      'alter table t add primary key (id)',
      'alter table t replica identity default',
      `update t set c = 'B', id = 11 where id = 10`,
    ],
    was: { t: ['id int NOT NULL, c longtext NOT NULL, PRIMARY KEY (id)', [1, 'a'], [2, 'b']] },
    is: { t: ['id int NOT NULL, c longtext NOT NULL, PRIMARY KEY (id)', [9, 'a'], [11, 'B']] },
    quick: true,
    relations: 'may halt',
  },
];

followsDdl('rows and changes of schema, one transaction or many', [...within, ...STEPS]);
followsDdl('the same, with transactions that are written in parts', within, {
  settings: { commit: { maxTransactions: 1, maxDelay: '10ms', maxBytes: '1kB' } },
});
followsDdl('quick succession, in commits of many transactions', STEPS, {
  settings: { commit: { maxTransactions: 1000, maxDelay: '100ms' } },
});
followsDdl('while nothing runs', [...within.slice(0, 2), ...STEPS], { whileDown: true });
