import { type DdlCase, followsDdl } from '../support/ddl-case.js';

const M = `create table m (id int, k int, v text, primary key (id, k)) partition by list (k);
  create table m1 partition of m for values in (1); create table m2 partition of m for values in (2);
  insert into m values (1, 1, 'one'), (2, 2, 'two')`;
const COLUMNS = 'id int NOT NULL, k int NOT NULL, v longtext, PRIMARY KEY (id,k)';
const WAS = { m: [COLUMNS, [1, 1, 'one'], [2, 2, 'two']] } as const;

followsDdl('partitions', [
  {
    name: 'PARTITION OF: a new partition, and rows of it',
    setup: M,
    change: [
      'create table m3 partition of m for values in (3)',
      `insert into m values (3, 3, 'three')`,
      `create table rest partition of m default; insert into m values (9, 9, 'nine')`,
    ],
    was: WAS,
    is: { m: [...WAS.m, [3, 3, 'three'], [9, 9, 'nine']] },
    keepsRows: true,
    relations: 'copies',
  },
  {
    name: 'a new partitioned table with partitions and rows',
    change: [
      `begin; create table m (id int primary key, v text) partition by range (id);
       create table m1 partition of m for values from (0) to (10); create table m2 partition of m for values from (10) to (20) partition by range (id);
       create table m21 partition of m2 for values from (10) to (15); insert into m values (1, 'a'), (12, 'b'); commit`,
      `update m set v = 'B' where id = 12`,
    ],
    is: { m: ['id int NOT NULL, v longtext, PRIMARY KEY (id)', [1, 'a'], [12, 'B']] },
  },
  {
    name: 'ATTACH: rows that come with a table, which is one no more',
    setup: `${M}; create table m3 (v text, k int not null, extra int, id int not null); alter table m3 drop column extra; alter table m3 add primary key (id, k);
      insert into m3 (id, k, v) values (3, 3, 'three')`,
    change: [
      `insert into m3 (id, k, v) values (4, 3, 'four')`,
      'alter table m attach partition m3 for values in (3)',
      `update m set v = 'FOUR' where id = 4; insert into m values (5, 3, 'five')`,
    ],
    was: { ...WAS, m3: ['v longtext, k int NOT NULL, id int NOT NULL, PRIMARY KEY (id,k)', ['three', 3, 3]] },
    is: { m: [...WAS.m, [3, 3, 'three'], [4, 3, 'FOUR'], [5, 3, 'five']] },
    left: { m3: ['v longtext, k int NOT NULL, id int NOT NULL, PRIMARY KEY (id,k)', ['three', 3, 3], ['four', 3, 4]] },
    relations: 'stops',
  },
  {
    name: 'DETACH: rows go with their partition, which is a table of its own',
    setup: M,
    change: [
      'alter table m detach partition m2',
      `insert into m2 values (4, 2, 'four'); update m set v = 'ONE' where id = 1`,
    ],
    was: WAS,
    is: { m: [COLUMNS, [1, 1, 'ONE']], m2: [COLUMNS, [2, 2, 'two'], [4, 2, 'four']] },
  },
  {
    name: 'DETACH CONCURRENTLY',
    setup: M,
    change: [
      'alter table m detach partition m2 concurrently',
      `insert into m2 values (4, 2, 'four'); update m set v = 'ONE' where id = 1`,
    ],
    was: WAS,
    is: { m: [COLUMNS, [1, 1, 'ONE']], m2: [COLUMNS, [2, 2, 'two'], [4, 2, 'four']] },
  },
  {
    name: 'DETACH, rows, and ATTACH again, in one transaction',
    setup: M,
    change: [
      `begin; alter table m detach partition m2; insert into m2 values (4, 2, 'four'); delete from m2 where id = 2;
       alter table m attach partition m2 for values in (2); commit`,
      `update m set v = 'ONE' where id = 1`,
      `update m set v = 'FOUR' where id = 4`,
    ],
    was: WAS,
    is: { m: [COLUMNS, [1, 1, 'ONE'], [4, 2, 'FOUR']] },
  },
  {
    name: 'ATTACH, rows by way of the root, and DETACH, in one transaction',
    setup: `${M}; create table p (id int not null, k int not null, v text, primary key (id, k)); insert into p values (3, 3, 'three')`,
    change: [
      `begin; alter table m attach partition p for values in (3); insert into m values (4, 3, 'four'); update m set v = 'THREE' where id = 3;
       alter table m detach partition p; commit`,
      `update p set v = 'FOUR' where id = 4; insert into m values (5, 1, 'five')`,
    ],
    was: { ...WAS, p: [COLUMNS, [3, 3, 'three']] },
    is: { m: [...WAS.m, [5, 1, 'five']], p: [COLUMNS, [3, 3, 'THREE'], [4, 3, 'FOUR']] },
  },
  {
    name: 'a partition with rows that comes and is dropped, in one transaction',
    setup: M,
    change: [
      `begin; create table p partition of m for values in (3); insert into m values (4, 3, 'four'); drop table p; commit`,
      `insert into m values (5, 1, 'five')`,
    ],
    was: WAS,
    is: { m: [...WAS.m, [5, 1, 'five']] },
  },
  {
    name: 'DROP of a partition: its rows are gone',
    setup: M,
    change: ['drop table m2', `insert into m values (3, 1, 'three')`],
    was: WAS,
    is: { m: [COLUMNS, [1, 1, 'one'], [3, 1, 'three']] },
  },
  {
    name: 'one out, one in, and rows, in one transaction',
    setup: M,
    change: [
      `begin; update m set v = 'last' where id = 2; alter table m detach partition m2; drop table m2; create table m3 partition of m for values in (3);
       insert into m values (3, 3, 'three'); update m set v = 'ONE' where id = 1; commit`,
      `insert into m values (4, 3, 'four')`,
    ],
    was: WAS,
    is: { m: [COLUMNS, [1, 1, 'ONE'], [3, 3, 'three'], [4, 3, 'four']] },
    relations: 'may halt',
  },
  {
    name: 'what the root gets, its partitions get: columns, types, names and keys',
    setup: M,
    change: [
      'alter table m add column n int default 7',
      'alter table m alter column v type varchar(20) using upper(v)',
      'alter table m rename column v to title',
      'create index i on m (n)',
      `insert into m values (3, 2, 'three', 8); update m set n = 0 where id = 1`,
      'alter table m drop constraint m_pkey; alter table m add primary key (k, id)',
      'alter table m rename to mm',
      `update mm set n = 2 where id = 2`,
    ],
    was: WAS,
    is: {
      mm: [
        'id int NOT NULL, k int NOT NULL, title varchar(20), n int DEFAULT (7), PRIMARY KEY (k,id), KEY i (n)',
        [1, 1, 'ONE', 0],
        [2, 2, 'TWO', 2],
        [3, 2, 'three', 8],
      ],
    },
  },
  {
    name: 'the root is renamed and moved, of which Postgres tells with its next column',
    setup: `${M}; create schema {schema}_x`,
    change: [
      `insert into m values (3, 1, 'three'), (4, 2, 'four')`,
      `begin; update m set v = 'ONE' where id = 1; alter table m rename to mm; commit`,
      `insert into mm values (5, 1, 'five'), (6, 2, 'six')`,
      'alter table mm set schema {schema}_x',
      `insert into {schema}_x.mm values (7, 1, 'seven'), (8, 2, 'eight')`,
      'alter table {schema}_x.mm add column n int; update {schema}_x.mm set n = 1 where id = 1',
    ],
    was: WAS,
    is: {
      '{schema}_x__mm': [
        'id int NOT NULL, k int NOT NULL, v longtext, n int, PRIMARY KEY (id,k)',
        [1, 1, 'ONE', 1],
        [2, 2, 'two', null],
        [3, 1, 'three', null],
        [4, 2, 'four', null],
        [5, 1, 'five', null],
        [6, 2, 'six', null],
        [7, 1, 'seven', null],
        [8, 2, 'eight', null],
      ],
    },
  },
  {
    name: 'a partition is renamed or moved: nothing changes',
    setup: `${M}; create schema {schema}_x`,
    change: [
      'alter table m2 rename to second; alter table second set schema {schema}_x',
      `insert into m values (4, 2, 'four')`,
    ],
    was: WAS,
    is: { m: [...WAS.m, [4, 2, 'four']] },
    keepsRows: true,
  },
  {
    name: 'the root is dropped',
    setup: M,
    change: ['drop table m'],
    was: WAS,
    is: {},
    left: WAS,
  },
] satisfies readonly DdlCase[]);

followsDdl(
  'partitions that are published by themselves',
  [
    {
      name: 'PARTITION OF, ATTACH, DETACH and DROP',
      setup: `${M}; create table m3 (id int not null, k int not null, v text, primary key (id, k)); insert into m3 values (3, 3, 'three')`,
      change: [
        `create table m4 partition of m for values in (4); insert into m values (4, 4, 'four')`,
        `alter table m attach partition m3 for values in (3); insert into m values (5, 3, 'five')`,
        `alter table m detach partition m1; insert into m1 values (6, 1, 'six')`,
        'drop table m2',
        `alter table m add column n int default 3; insert into m values (7, 3, 'seven', 7)`,
        `insert into m4 values (8, 4, 'eight', 8)`,
      ],
      was: {
        m1: [COLUMNS, [1, 1, 'one']],
        m2: [COLUMNS, [2, 2, 'two']],
        m3: [COLUMNS, [3, 3, 'three']],
      },
      is: {
        m1: [COLUMNS, [1, 1, 'one'], [6, 1, 'six']],
        m3: [
          'id int NOT NULL, k int NOT NULL, v longtext, n int DEFAULT (3), PRIMARY KEY (id,k)',
          [3, 3, 'three', 3],
          [5, 3, 'five', 3],
          [7, 3, 'seven', 7],
        ],
        m4: [
          'id int NOT NULL, k int NOT NULL, v longtext, n int DEFAULT (3), PRIMARY KEY (id,k)',
          [4, 4, 'four', 3],
          [8, 4, 'eight', 8],
        ],
      },
      left: { m2: [COLUMNS, [2, 2, 'two']] },
    },
  ],
  { publication: 'create publication {publication} for all tables' },
);
