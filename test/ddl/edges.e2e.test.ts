import { type DdlCase, followsDdl } from '../support/ddl-case.js';

const BIG = 'x'.repeat(20_000);

const toast: readonly DdlCase[] = [
  {
    name: 'a rename, an addition and a type of another width around it',
    setup: `create table t (id int primary key, n int, body text); alter table t alter body set storage external;
      insert into t select i, i, repeat('x', 20000) from generate_series(1, 3) i`,
    change: [
      `begin; update t set n = 10 where id = 1; alter table t rename body to content; update t set n = 20 where id = 2;
       alter table t add column m int default 7; update t set m = 8 where id = 3; alter table t alter n type bigint; update t set n = 30 where id = 3; commit`,
      'update t set id = id + 10, n = 0 where id = 1',
      `alter table t add column r float8 default random()`,
      'update t set r = 0, n = 1 where id = 2',
      `alter table t alter r type text using 'r'; update t set n = 2 where id = 3`,
    ],
    was: { t: ['id int NOT NULL, n int, body longtext, PRIMARY KEY (id)', [1, 1, BIG], [2, 2, BIG], [3, 3, BIG]] },
    is: {
      t: [
        'id int NOT NULL, n bigint, content longtext, m int DEFAULT (7), r longtext, PRIMARY KEY (id)',
        [2, 1, BIG, 7, 'r'],
        [3, 2, BIG, 8, 'r'],
        [11, 0, BIG, 7, 'r'],
      ],
    },
    relations: 'may halt',
  },
  {
    name: 'a key that is replaced and one that goes',
    setup: `create table t (id int primary key, c int not null, body text); alter table t alter body set storage external;
      insert into t select i, i * 10, repeat('x', 20000) from generate_series(1, 3) i`,
    change: [
      `begin; update t set id = 100 where c = 10; alter table t drop constraint t_pkey, add primary key (c); update t set id = 200 where c = 20; commit`,
      'alter table t replica identity full; update t set id = 300 where c = 30',
      'alter table t drop constraint t_pkey',
      'update t set c = 11 where id = 100; delete from t where id = 200',
    ],
    was: {
      t: ['id int NOT NULL, c int NOT NULL, body longtext, PRIMARY KEY (id)', [1, 10, BIG], [2, 20, BIG], [3, 30, BIG]],
    },
    is: {
      t: ['id int NOT NULL, c int NOT NULL, body longtext, KEY wal2dolt_row (id,c)', [100, 11, BIG], [300, 30, BIG]],
    },
  },
];

const limits: readonly DdlCase[] = [
  {
    name: 'a text that is too long to be told: what its end does to the rows is not guessed from its beginning',
    setup: 'create table t (id int primary key, n int); insert into t values (1, 10), (2, 20)',
    change: [
      `alter table t alter id type bigint; /* ${'.'.repeat(17_000)} */ alter table t alter n type int using n + 1`,
      'insert into t values (3, 30)',
    ],
    was: { t: ['id int NOT NULL, n int, PRIMARY KEY (id)', [1, 10], [2, 20]] },
    is: { t: ['id bigint NOT NULL, n int, PRIMARY KEY (id)', [1, 11], [2, 21], [3, 30]] },
  },
  {
    name: 'a column for which others have to make room in the row',
    setup: `create table t (id int primary key, a varchar(8000), b varchar(6000)); insert into t values (1, 'a', 'b')`,
    change: [
      'alter table t add column c varchar(7000) default $$c$$',
      `insert into t values (2, 'a2', 'b2', 'c2')`,
      'alter table t drop column c',
      `insert into t values (3, 'a3', 'b3')`,
    ],
    was: { t: ['id int NOT NULL, a varchar(8000), b varchar(6000), PRIMARY KEY (id)', [1, 'a', 'b']] },
    is: {
      t: [
        'id int NOT NULL, a varchar(8000), b varchar(6000), PRIMARY KEY (id)',
        [1, 'a', 'b'],
        [2, 'a2', 'b2'],
        [3, 'a3', 'b3'],
      ],
    },
  },
  {
    name: 'an index for which its column has another type in Dolt',
    setup: `create table t (id int primary key, a varchar(5000)); insert into t values (1, 'a')`,
    change: ['create index i on t (a)', `insert into t values (2, 'b')`],
    was: { t: ['id int NOT NULL, a varchar(5000), PRIMARY KEY (id)', [1, 'a']] },
    is: { t: ['id int NOT NULL, a longtext, PRIMARY KEY (id), KEY i (a(255))', [1, 'a'], [2, 'b']] },
  },
  {
    name: 'a table whose columns come later, or are all other ones',
    change: [
      'create table empty ()',
      'alter table empty add column id int primary key',
      'insert into empty values (1)',
      'begin; alter table empty add column v text; alter table empty drop column id; commit',
      `insert into empty values ('x')`,
    ],
    is: { empty: ['v longtext', [null], ['x']] },
  },
  {
    name: 'a table whose last column goes, and that has another one later',
    setup: `create table t (a int primary key, b text); alter table t replica identity full; insert into t values (1, 'x'), (2, 'y')`,
    change: [
      'alter table t drop column a',
      `insert into t values ('z')`,
      'alter table t drop column b',
      'insert into t default values',
      'begin; alter table t add column c int default 7; insert into t values (8); commit',
      'update t set c = 9 where c = 8',
    ],
    was: { t: ['a int NOT NULL, b longtext, PRIMARY KEY (a)', [1, 'x'], [2, 'y']] },
    is: { t: ['c int DEFAULT (7), KEY wal2dolt_row (c)', [7], [7], [7], [7], [9]] },
    namesMove: true,
  },
  {
    name: 'a table that left makes way for one that gets its name',
    setup: `create table a (id int primary key); insert into a values (1); create table b (id int primary key, v text); insert into b values (1, 'b')`,
    change: ['drop table a', 'alter table b rename to a', `insert into a values (2, 'b2')`],
    was: {
      a: ['id int NOT NULL, PRIMARY KEY (id)', [1]],
      b: ['id int NOT NULL, v longtext, PRIMARY KEY (id)', [1, 'b']],
    },
    is: { a: ['id int NOT NULL, v longtext, PRIMARY KEY (id)', [1, 'b'], [2, 'b2']] },
    left: { a_left: ['id int NOT NULL, PRIMARY KEY (id)', [1]] },
    namesMove: true,
  },
];

const sessions: readonly DdlCase[] = [
  {
    name: 'an error that a block catches takes its change back',
    change: [
      `do $do$ begin
         alter table fruit add column a int default 1; update fruit set a = 2 where id = 1;
         begin
           alter table fruit add column b int; update fruit set b = 1; raise 'no';
         exception when others then
           alter table fruit add column c int default 3; update fruit set c = 4 where id = 2;
         end;
       end $do$`,
      `insert into fruit values (3, 'fig', 3, 4)`,
    ],
    is: {
      fruit: [
        'id int NOT NULL, name longtext, a int DEFAULT (1), c int DEFAULT (3), PRIMARY KEY (id)',
        [1, 'apple', 2, 3],
        [2, 'pear', 1, 4],
        [3, 'fig', 3, 4],
      ],
    },
    relations: 'may halt',
  },
  {
    name: 'TRUNCATE … CASCADE of several tables, beside changes of one',
    setup: `create table p (id int primary key, v text); create table c (id int primary key, p int references p); insert into p values (1, 'x'); insert into c values (1, 1)`,
    change: [
      `begin; alter table c add column n int default 5; truncate p restart identity cascade; alter table p rename v to w; insert into p values (2, 'y');
       insert into c values (2, 2, 6); commit`,
    ],
    was: {
      p: ['id int NOT NULL, v longtext, PRIMARY KEY (id)', [1, 'x']],
      c: ['id int NOT NULL, p int, PRIMARY KEY (id)', [1, 1]],
    },
    is: {
      p: ['id int NOT NULL, w longtext, PRIMARY KEY (id)', [2, 'y']],
      c: ['id int NOT NULL, p int, n int DEFAULT (5), PRIMARY KEY (id)', [2, 2, 6]],
    },
  },
];

followsDdl('large values that rows do not repeat', toast);
followsDdl(
  'the same, in commits of many transactions',
  toast.map((one) => ({ ...one, quick: true, relations: 'may halt' })),
  {
    settings: { commit: { maxTransactions: 1000, maxDelay: '100ms' } },
  },
);
followsDdl('limits of Dolt, blocks and cascades', [...limits, ...sessions]);
