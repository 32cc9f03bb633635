import { type DdlCase, FRUIT, FRUIT_WAS, followsDdl } from '../support/ddl-case.js';

const TWO = `${FRUIT}; create table veg (id int primary key, name text, price int); insert into veg values (1, 'leek', 5), (2, 'kale', 6);
  alter publication {publication} add table fruit`;
const [FRUIT_COLUMNS, ...FRUIT_ROWS] = FRUIT_WAS.fruit;
const VEG = 'id int NOT NULL, name longtext, price int, PRIMARY KEY (id)';

followsDdl(
  'what the publication carries',
  [
    {
      name: 'ADD TABLE: it is copied and joins',
      setup: TWO,
      change: [
        `insert into veg values (3, 'chard', 7)`,
        'alter publication {publication} add table veg',
        `update veg set price = 50 where id = 1; insert into fruit values (3, 'fig')`,
      ],
      was: FRUIT_WAS,
      is: {
        fruit: [FRUIT_COLUMNS, ...FRUIT_ROWS, [3, 'fig']],
        veg: [VEG, [1, 'leek', 50], [2, 'kale', 6], [3, 'chard', 7]],
      },
    },
    {
      name: 'DROP TABLE: it stays in Dolt as it was',
      setup: `${TWO}, veg`,
      change: [
        `insert into veg values (3, 'chard', 7)`,
        'alter publication {publication} drop table veg',
        `insert into veg values (4, 'unseen', 0); insert into fruit values (3, 'fig')`,
      ],
      was: { ...FRUIT_WAS, veg: [VEG, [1, 'leek', 5], [2, 'kale', 6]] },
      is: { fruit: [FRUIT_COLUMNS, ...FRUIT_ROWS, [3, 'fig']] },
      left: { veg: [VEG, [1, 'leek', 5], [2, 'kale', 6], [3, 'chard', 7]] },
      relations: 'stops',
    },
    {
      name: 'a table that leaves and comes back has what happened meanwhile',
      setup: `${TWO}, veg`,
      change: [
        'alter publication {publication} drop table veg',
        `insert into veg values (4, 'unseen', 0); delete from veg where id = 1; alter table veg add column x int default 1`,
        'alter publication {publication} add table veg',
        `update veg set price = 60 where id = 2`,
      ],
      was: { ...FRUIT_WAS, veg: [VEG, [1, 'leek', 5], [2, 'kale', 6]] },
      is: {
        veg: [
          'id int NOT NULL, name longtext, price int, x int DEFAULT (1), PRIMARY KEY (id)',
          [2, 'kale', 60, 1],
          [4, 'unseen', 0, 1],
        ],
      },
      relations: 'stops',
      namesMove: true,
    },
    {
      name: 'dropped and added in one transaction, with rows in between that are not sent',
      setup: `${TWO}, veg`,
      change: [
        `begin; alter publication {publication} drop table veg; update veg set price = 0 where id = 1; alter publication {publication} add table veg; commit`,
        `update veg set price = 60 where id = 2`,
      ],
      was: { veg: [VEG, [1, 'leek', 5], [2, 'kale', 6]] },
      is: { veg: [VEG, [1, 'leek', 0], [2, 'kale', 60]] },
      relations: 'stops',
    },
    {
      name: 'a column list that comes, and goes',
      setup: `${TWO}, veg`,
      change: [
        'alter publication {publication} drop table veg; alter publication {publication} add table veg (id, name)',
        `update veg set price = 100 where id = 1; insert into veg values (3, 'chard', 7)`,
        'alter publication {publication} drop table veg; alter publication {publication} add table veg',
        `update veg set name = 'KALE' where id = 2`,
      ],
      was: { veg: [VEG, [1, 'leek', 5], [2, 'kale', 6]] },
      is: { veg: [VEG, [1, 'leek', 100], [2, 'KALE', 6], [3, 'chard', 7]] },
      relations: 'stops',
    },
    {
      name: 'a row filter that comes, and another',
      setup: `${TWO}, veg`,
      change: [
        'alter publication {publication} drop table veg; alter publication {publication} add table veg where (id < 2)',
        `insert into veg values (0, 'zero', 0), (5, 'five', 5)`,
        'alter publication {publication} drop table veg; alter publication {publication} add table veg where (id > 1)',
        `update veg set price = 55 where id = 5`,
      ],
      was: { veg: [VEG, [1, 'leek', 5], [2, 'kale', 6]] },
      is: { veg: [VEG, [2, 'kale', 6], [5, 'five', 55]] },
      relations: 'stops',
    },
    {
      name: 'a row filter that no row had passed, and one that some pass',
      setup: `${TWO}, veg where (id > 100)`,
      change: [
        'alter publication {publication} drop table veg; alter publication {publication} add table veg where (id < 2)',
        'delete from fruit where id = 2',
      ],
      was: { veg: [VEG] },
      is: { veg: [VEG, [1, 'leek', 5]] },
      relations: 'stops',
    },
    {
      name: 'TABLES IN SCHEMA: those that are there, that are made, and that move in and out',
      setup: `${TWO}; create schema {schema}_x; create table {schema}_x.one (id int primary key); insert into {schema}_x.one values (1)`,
      change: [
        'alter publication {publication} add tables in schema {schema}_x',
        'insert into {schema}_x.one values (2)',
        'create table {schema}_x.two (id int primary key)',
        'insert into {schema}_x.two values (1)',
        'alter table veg set schema {schema}_x',
        `insert into {schema}_x.veg values (3, 'chard', 7)`,
        'alter table {schema}_x.one set schema {schema}',
        'insert into one values (3)',
      ],
      was: FRUIT_WAS,
      is: {
        ...FRUIT_WAS,
        '{schema}_x__two': ['id int NOT NULL, PRIMARY KEY (id)', [1]],
        '{schema}_x__veg': [VEG, [1, 'leek', 5], [2, 'kale', 6], [3, 'chard', 7]],
      },
      relations: 'stops',
    },
    {
      name: 'a table that is made beside, and is no part of it',
      setup: TWO,
      change: [
        'create table weed (id int primary key); insert into weed values (1)',
        'alter table veg add column x int; drop table weed',
        `insert into fruit values (3, 'fig')`,
      ],
      was: FRUIT_WAS,
      is: { fruit: [FRUIT_COLUMNS, ...FRUIT_ROWS, [3, 'fig']] },
      keepsRows: true,
    },
  ] satisfies readonly DdlCase[],
  { publication: 'create publication {publication} for table beat with (publish_via_partition_root)' },
);
