import { type DdlCase, followsDdl } from '../support/ddl-case.js';

const VEG = `create table veg (id int primary key, name varchar(20)); insert into veg values (1, 'leek')`;

const created: readonly DdlCase[] = [
  {
    name: 'CREATE TABLE',
    change: [
      `create table veg (id int primary key, name varchar(20) not null, price numeric(8,2) default 0, unique (name))`,
      `insert into veg values (1, 'leek', 2.5)`,
    ],
    is: {
      veg: [
        'id int NOT NULL, name varchar(20) NOT NULL, price decimal(8,2) DEFAULT (0.00), PRIMARY KEY (id), UNIQUE KEY veg_name_key (name)',
        [1, 'leek', '2.50'],
      ],
    },
  },
  {
    name: 'CREATE TABLE and its first rows in one transaction',
    change: [
      `begin; create table veg (id serial primary key, fruit int references fruit, name text);
       insert into veg (fruit, name) values (1, 'leek'), (2, 'kale'); update veg set name = 'LEEK' where id = 1; commit`,
    ],
    is: {
      veg: ['id int NOT NULL, fruit int, name longtext, PRIMARY KEY (id)', [1, 1, 'LEEK'], [2, 2, 'kale']],
    },
  },
  {
    name: 'CREATE TABLE AS',
    change: [
      'create table veg as select id, upper(name) as name from fruit',
      `insert into veg values (3, 'fig')`,
      'select id, name into weed from fruit where id = 2',
      `insert into weed values (3, 'fig')`,
    ],
    is: {
      veg: ['id int, name longtext', [1, 'APPLE'], [2, 'PEAR'], [3, 'fig']],
      weed: ['id int, name longtext', [2, 'pear'], [3, 'fig']],
    },
  },
  {
    name: 'CREATE TABLE AS, a key and rows in one transaction',
    change: [
      `begin; create table veg as select id, name from fruit; insert into veg values (3, 'fig');
       alter table veg add primary key (id); update veg set name = 'APPLE' where id = 1; delete from veg where id = 2; commit`,
    ],
    is: { veg: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'APPLE'], [3, 'fig']] },
  },
  {
    name: 'CREATE TABLE LIKE',
    setup: `create table fruit (id int primary key, name varchar(9) default 'x' not null); create index on fruit (name); comment on table fruit is 'Sweet'`,
    change: ['create table veg (like fruit including all)', `insert into veg values (1)`],
    is: {
      veg: [
        `id int NOT NULL, name varchar(9) NOT NULL DEFAULT ('x'), PRIMARY KEY (id), KEY veg_name_idx (name)`,
        [1, 'x'],
      ],
    },
  },
  {
    name: 'INHERITS: the child has its own rows, and gets what its parent gets',
    change: [
      'create table pome (seeds int, primary key (id)) inherits (fruit)',
      `insert into pome values (10, 'quince', 5)`,
      'alter table fruit add column price int default 3, alter column name type varchar(50)',
      `insert into pome values (11, 'medlar', 4)`,
      'alter table fruit rename column name to title',
      `insert into fruit values (3, 'fig')`,
      `update pome set title = 'Quince' where id = 10`,
    ],
    is: {
      fruit: [
        'id int NOT NULL, title varchar(50), price int DEFAULT (3), PRIMARY KEY (id)',
        [1, 'apple', 3],
        [2, 'pear', 3],
        [3, 'fig', 3],
      ],
      pome: [
        'id int NOT NULL, title varchar(50), seeds int, price int DEFAULT (3), PRIMARY KEY (id)',
        [10, 'Quince', 5, 3],
        [11, 'medlar', 4, 3],
      ],
    },
  },
  {
    name: 'a table of a composite type, and an attribute that the type gets',
    setup: `create type stuff as (id int, name text); create table thing of stuff (primary key (id)); insert into thing values (1, 'a')`,
    change: ['alter type stuff add attribute price int cascade', `insert into thing values (2, 'b', 3)`],
    was: { thing: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'a']] },
    is: { thing: ['id int NOT NULL, name longtext, price int, PRIMARY KEY (id)', [1, 'a', null], [2, 'b', 3]] },
  },
  {
    name: 'UNLOGGED becomes LOGGED',
    setup: `create unlogged table veg (id int primary key); insert into veg values (1); create table fruit (id int)`,
    change: ['alter table veg set logged', 'insert into veg values (2)'],
    was: { fruit: ['id int'] },
    is: { veg: ['id int NOT NULL, PRIMARY KEY (id)', [1], [2]] },
  },
  {
    name: 'names that Dolt would take for the same',
    change: [
      'create table "Veg" (id int primary key)',
      'create table veg (id int primary key, name text)',
      'insert into "Veg" values (1)',
      `insert into veg values (2, 'two')`,
    ],
    is: {
      Veg: ['id int NOT NULL, PRIMARY KEY (id)', [1]],
      veg_2: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [2, 'two']],
    },
    namesMove: true,
  },
  {
    name: 'what is no table of the publication says nothing',
    change: [
      `create temporary table veg (id int primary key); insert into veg values (1); alter table veg add x int; drop table veg;
       create view juice as select * from fruit; create materialized view jam as select * from fruit; refresh materialized view jam;
       create sequence s; create unlogged table u (id int); create function f() returns int language sql return 1`,
      'alter table fruit set (fillfactor = 50), alter column name set statistics 10; analyze fruit; cluster fruit using fruit_pkey',
      `insert into fruit values (3, 'fig')`,
    ],
    is: { fruit: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple'], [2, 'pear'], [3, 'fig']] },
    keepsRows: true,
    relations: 'copies',
  },
  {
    name: 'VACUUM FULL, which writes all rows again, changes nothing',
    change: ['vacuum full fruit', `insert into fruit values (3, 'fig')`],
    is: { fruit: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple'], [2, 'pear'], [3, 'fig']] },
    keepsRows: true,
    relations: 'copies',
  },
  {
    name: 'a comment outlives the other changes',
    setup: `create table fruit (id int primary key, a int, b text, c int); comment on table fruit is 'Sweet'; insert into fruit values (1, 1, 'b', 1)`,
    change: [
      'create unique index i on fruit (a)',
      'alter table fruit rename b to bb',
      'alter table fruit alter a type bigint, drop column c',
      'alter table fruit drop constraint fruit_pkey; alter table fruit add primary key (id, a)',
      `alter table fruit alter bb set default 'x'`,
      'alter table fruit rename to veg',
      'insert into veg values (2, 2)',
    ],
    was: { fruit: [`id int NOT NULL, a int, b longtext, c int, PRIMARY KEY (id), COMMENT='Sweet'`, [1, 1, 'b', 1]] },
    is: {
      veg: [
        `id int NOT NULL, a bigint NOT NULL, bb longtext DEFAULT ('x'), PRIMARY KEY (id,a), UNIQUE KEY i (a), COMMENT='Sweet'`,
        [1, 1, 'b'],
        [2, 2, 'x'],
      ],
    },
    relations: 'looser',
  },
  {
    name: 'COMMENT ON TABLE',
    change: [`comment on table fruit is 'it''s "sweet"'`, `insert into fruit values (3, 'fig')`],
    is: {
      fruit: [
        `id int NOT NULL, name longtext, PRIMARY KEY (id), COMMENT='it''s \\"sweet\\"'`,
        [1, 'apple'],
        [2, 'pear'],
        [3, 'fig'],
      ],
    },
    keepsRows: true,
  },
];

const dropped: readonly DdlCase[] = [
  {
    name: 'DROP TABLE: it stays in Dolt, with its last rows',
    setup: VEG,
    change: [`insert into veg values (2, 'kale')`, 'drop table veg'],
    was: { veg: ['id int NOT NULL, name varchar(20), PRIMARY KEY (id)', [1, 'leek']] },
    is: {},
    left: { veg: ['id int NOT NULL, name varchar(20), PRIMARY KEY (id)', [1, 'leek'], [2, 'kale']] },
  },
  {
    name: 'DROP TABLE and rows of it in one transaction',
    setup: VEG,
    change: [`begin; insert into veg values (2, 'kale'); delete from veg where id = 1; drop table veg; commit`],
    is: {},
    left: { veg: ['id int NOT NULL, name varchar(20), PRIMARY KEY (id)', [2, 'kale']] },
    relations: 'unseen',
  },
  {
    name: 'DROP SCHEMA … CASCADE',
    setup: `create schema {schema}_x; create table {schema}_x.one (id int primary key); insert into {schema}_x.one values (1);
      create table {schema}_x.two (id int)`,
    change: ['drop schema {schema}_x cascade'],
    is: {},
    left: { '{schema}_x__one': ['id int NOT NULL, PRIMARY KEY (id)', [1]], '{schema}_x__two': ['id int'] },
  },
  {
    name: 'CREATE and DROP in one transaction',
    change: [`begin; create table veg (id int primary key); insert into veg values (1); drop table veg; commit`],
    is: {},
    left: { veg: ['id int NOT NULL, PRIMARY KEY (id)', [1]] },
    relations: 'may halt',
    namesMove: true,
  },
  {
    name: 'LOGGED becomes UNLOGGED: it leaves',
    setup: VEG,
    change: ['alter table veg set unlogged', `insert into veg values (2, 'kale')`],
    is: {},
    left: { veg: ['id int NOT NULL, name varchar(20), PRIMARY KEY (id)', [1, 'leek']] },
    relations: 'stops',
  },
];

followsDdl('tables that come and go', [...created, ...dropped]);
