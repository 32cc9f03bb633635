import { type DdlCase, followsDdl } from '../support/ddl-case.js';

const KEYED = `create table t (id int primary key, code varchar(9) not null, v int); insert into t values (1, 'a', 10), (2, 'b', 20)`;
const KEYED_WAS = {
  t: ['id int NOT NULL, code varchar(9) NOT NULL, v int, PRIMARY KEY (id)', [1, 'a', 10], [2, 'b', 20]],
} as const;

const KEYLESS = `create table t (id int not null, v int); insert into t values (1, 10), (2, 20)`;
const KEYLESS_WAS = { t: ['id int NOT NULL, v int', [1, 10], [2, 20]] } as const;

const primaryKeys: readonly DdlCase[] = [
  {
    name: 'ADD to a table without one',
    setup: KEYLESS,
    change: ['alter table t add primary key (id)', 'update t set v = 11 where id = 1; insert into t values (3, 30)'],
    was: KEYLESS_WAS,
    is: { t: ['id int NOT NULL, v int, PRIMARY KEY (id)', [1, 11], [2, 20], [3, 30]] },
  },
  {
    name: 'ADD to a table of which rows were found by all their values',
    setup: `create table t (id int, v int); alter table t replica identity full; insert into t values (1, 10), (2, 20), (2, 20), (null, 5)`,
    change: [
      `delete from t where ctid = (select max(ctid) from t where id = 2); update t set id = 3 where id is null`,
      'begin; update t set v = 21 where id = 2; alter table t add primary key (id); update t set v = 12 where id = 1; commit',
      'alter table t replica identity default',
      'update t set v = 13, id = 7 where id = 1',
    ],
    was: { t: ['id int, v int, KEY wal2dolt_row (id,v)', [1, 10], [2, 20], [2, 20], [null, 5]] },
    is: { t: ['id int NOT NULL, v int, PRIMARY KEY (id)', [2, 21], [3, 5], [7, 13]] },
  },
  {
    name: 'ADD together with its column',
    setup: KEYLESS,
    change: ['alter table t add column n serial primary key', 'update t set v = 11 where n = 1'],
    was: KEYLESS_WAS,
    is: { t: ['id int NOT NULL, v int, n int NOT NULL, PRIMARY KEY (n)', [1, 11, 1], [2, 20, 2]] },
  },
  {
    name: 'DROP: rows can only be added',
    setup: KEYED,
    change: ['alter table t drop constraint t_pkey', `insert into t values (1, 'a', 10)`],
    was: KEYED_WAS,
    is: { t: ['id int NOT NULL, code varchar(9) NOT NULL, v int', [1, 'a', 10], [1, 'a', 10], [2, 'b', 20]] },
  },
  {
    name: 'DROP, and rows are found by all their values from then on',
    setup: KEYED,
    change: [
      `begin; insert into t values (3, 'c', 30); alter table t drop constraint t_pkey; alter table t replica identity full;
       update t set v = 11 where id = 1; commit`,
      `insert into t values (2, 'b', 20)`,
      `delete from t where ctid = (select min(ctid) from t where id = 2)`,
    ],
    was: KEYED_WAS,
    is: {
      t: [
        'id int NOT NULL, code varchar(9) NOT NULL, v int, KEY wal2dolt_row (id,code,v)',
        [1, 'a', 11],
        [2, 'b', 20],
        [3, 'c', 30],
      ],
    },
  },
  {
    name: 'replaced by another in one command',
    setup: KEYED,
    change: ['alter table t drop constraint t_pkey, add primary key (code)', `update t set id = 1 where code = 'b'`],
    was: KEYED_WAS,
    is: { t: ['id int NOT NULL, code varchar(9) NOT NULL, v int, PRIMARY KEY (code)', [1, 'a', 10], [1, 'b', 20]] },
  },
  {
    name: 'replaced by one of two columns, in another order',
    setup: KEYED,
    change: [
      'alter table t drop constraint t_pkey, add primary key (code, id)',
      `insert into t values (1, 'c', 30); update t set v = 0 where id = 1 and code = 'a'`,
    ],
    was: KEYED_WAS,
    is: {
      t: [
        'id int NOT NULL, code varchar(9) NOT NULL, v int, PRIMARY KEY (code,id)',
        [1, 'a', 0],
        [1, 'c', 30],
        [2, 'b', 20],
      ],
    },
  },
  {
    name: 'replaced, with rows in the same transaction before and after',
    setup: KEYED,
    change: [
      `begin; update t set id = id + 10; delete from t where id = 12; insert into t values (13, 'd', 40);
       alter table t drop constraint t_pkey; alter table t add primary key (code); update t set id = 5;
       update t set code = 'z' where code = 'a'; commit`,
    ],
    was: KEYED_WAS,
    is: { t: ['id int NOT NULL, code varchar(9) NOT NULL, v int, PRIMARY KEY (code)', [5, 'd', 40], [5, 'z', 10]] },
  },
  {
    name: 'made of an index that is there',
    setup: `${KEYLESS}; create unique index t_id on t (id)`,
    change: ['alter table t add constraint t_key primary key using index t_id', 'update t set v = 11 where id = 1'],
    was: { t: ['id int NOT NULL, v int, UNIQUE KEY t_id (id)', [1, 10], [2, 20]] },
    is: { t: ['id int NOT NULL, v int, PRIMARY KEY (id)', [1, 11], [2, 20]] },
  },
  {
    name: 'its column gets another type',
    setup: KEYED,
    change: [
      'alter table t alter id type bigint',
      `update t set v = 11 where id = 1; insert into t values (3000000000, 'c', 30)`,
    ],
    was: KEYED_WAS,
    is: {
      t: [
        'id bigint NOT NULL, code varchar(9) NOT NULL, v int, PRIMARY KEY (id)',
        [1, 'a', 11],
        [2, 'b', 20],
        [3000000000, 'c', 30],
      ],
    },
  },
  {
    name: 'its column gets another type with other values',
    setup: KEYED,
    change: [
      `alter table t alter id type text using 'no ' || id`,
      `update t set v = 11 where id = 'no 1'; update t set id = 'two' where id = 'no 2'`,
    ],
    was: KEYED_WAS,
    is: {
      t: [
        'id varchar(4000) NOT NULL, code varchar(9) NOT NULL, v int, PRIMARY KEY (id)',
        ['no 1', 'a', 11],
        ['two', 'b', 20],
      ],
    },
  },
  {
    name: 'its column is dropped, and with it the key',
    setup: KEYED,
    change: ['alter table t drop column id', `insert into t values ('a', 10)`],
    was: KEYED_WAS,
    is: { t: ['code varchar(9) NOT NULL, v int', ['a', 10], ['a', 10], ['b', 20]] },
  },
  {
    name: 'a text column becomes the key, and one that was goes back',
    setup: `create table t (id int primary key, name text not null); insert into t values (1, 'a')`,
    change: [
      'alter table t drop constraint t_pkey, add primary key (name)',
      `insert into t values (2, 'b')`,
      'alter table t drop constraint t_pkey, add primary key (id)',
      `update t set name = 'B' where id = 2`,
    ],
    was: { t: ['id int NOT NULL, name longtext NOT NULL, PRIMARY KEY (id)', [1, 'a']] },
    is: { t: ['id int NOT NULL, name longtext NOT NULL, PRIMARY KEY (id)', [1, 'a'], [2, 'B']] },
  },
  {
    name: 'renamed constraint',
    setup: KEYED,
    change: ['alter table t rename constraint t_pkey to t_main', `insert into t values (3, 'c', 30)`],
    was: KEYED_WAS,
    is: { t: [KEYED_WAS.t[0], [1, 'a', 10], [2, 'b', 20], [3, 'c', 30]] },
    keepsRows: true,
  },
];

const identities: readonly DdlCase[] = [
  {
    name: 'FULL, and back',
    setup: KEYED,
    change: [
      'alter table t replica identity full',
      `update t set v = 11 where id = 1`,
      'alter table t replica identity default',
      `update t set id = 3 where id = 2`,
    ],
    was: KEYED_WAS,
    is: { t: [KEYED_WAS.t[0], [1, 'a', 11], [3, 'b', 20]] },
    keepsRows: true,
  },
  {
    name: 'USING INDEX: those columns are the key in Dolt',
    setup: `${KEYED}; create unique index t_code on t (code)`,
    change: [
      'alter table t replica identity using index t_code',
      `update t set id = 7 where code = 'a'`,
      `update t set code = 'B' where id = 2`,
      'alter table t replica identity default',
      'update t set v = 0 where id = 7',
    ],
    was: {
      t: [
        'id int NOT NULL, code varchar(9) NOT NULL, v int, PRIMARY KEY (id), UNIQUE KEY t_code (code)',
        [1, 'a', 10],
        [2, 'b', 20],
      ],
    },
    is: {
      t: [
        'id int NOT NULL, code varchar(9) NOT NULL, v int, PRIMARY KEY (id), UNIQUE KEY t_code (code)',
        [2, 'B', 20],
        [7, 'a', 0],
      ],
    },
  },
  {
    name: 'FULL for a table without a key: its rows can be changed from then on',
    setup: KEYLESS,
    change: [
      'insert into t values (1, 10)',
      'alter table t replica identity full',
      'delete from t where ctid = (select min(ctid) from t where id = 1)',
      'update t set v = 21 where id = 2',
    ],
    was: KEYLESS_WAS,
    is: { t: ['id int NOT NULL, v int, KEY wal2dolt_row (id,v)', [1, 10], [2, 21]] },
  },
  {
    name: 'NOTHING: rows can still be added',
    setup: KEYED,
    change: ['alter table t replica identity nothing', `insert into t values (3, 'c', 30)`],
    was: KEYED_WAS,
    is: { t: [KEYED_WAS.t[0], [1, 'a', 10], [2, 'b', 20], [3, 'c', 30]] },
    keepsRows: true,
  },
];

followsDdl('primary keys and replica identity', [...primaryKeys, ...identities]);
