import { type DdlCase, followsDdl } from '../support/ddl-case.js';
import { asCase, type Retype } from '../support/ddl-retype.js';

const texts: readonly Retype[] = [
  {
    name: 'a longer varchar, for which Postgres writes nothing',
    from: ['varchar(5)', `'abcde'`],
    was: ['varchar(5)', 'abcde'],
    alter: 'type varchar(20)',
    next: `'abcdefghij'`,
    is: ['varchar(20)', 'abcde', 'abcdefghij'],
    keepsRows: true,
  },
  {
    name: 'a shorter varchar that cuts what is there',
    from: ['varchar(20)', `'abcdef'`, `'ab  '`, `'äöüß'`],
    was: ['varchar(20)', 'abcdef', 'ab  ', 'äöüß'],
    alter: 'type varchar(3) using v::varchar(3)',
    next: `'xyz'`,
    is: ['varchar(3)', 'abc', 'ab ', 'äöü', 'xyz'],
  },
  {
    name: 'varchar to text',
    from: ['varchar(20)', `'abc'`, `'ab  '`],
    was: ['varchar(20)', 'abc', 'ab  '],
    alter: 'type text',
    next: `repeat('x', 30)`,
    is: ['longtext', 'abc', 'ab  ', 'x'.repeat(30)],
  },
  {
    name: 'text to varchar(10)',
    from: ['text', `'abc'`, `'it''s \\ "x"'`],
    was: ['longtext', 'abc', `it's \\ "x"`],
    alter: 'type varchar(10)',
    next: `'0123456789'`,
    is: ['varchar(10)', 'abc', `it's \\ "x"`, '0123456789'],
  },
  {
    name: 'char(5) to text: the padding is gone',
    from: ['char(5)', `'ab'`],
    was: ['varchar(5)', 'ab   '],
    alter: 'type text',
    next: `'c  '`,
    is: ['longtext', 'ab', 'c  '],
  },
  {
    name: 'varchar to char(5): padded',
    from: ['varchar(5)', `'ab'`],
    was: ['varchar(5)', 'ab'],
    alter: 'type char(5)',
    next: `'c'`,
    is: ['varchar(5)', 'ab   ', 'c    '],
  },
  {
    name: 'text to integer by USING, a plain cast',
    from: ['text', `' 12 '`, `'-3'`, `'31'`],
    was: ['longtext', ' 12 ', '-3', '31'],
    alter: 'type integer using v::integer',
    next: '7',
    is: ['int', 12, -3, 31, 7],
  },
  {
    name: 'text to jsonb',
    from: ['text', `'{"b": 1, "a": [1.5, null]}'`],
    was: ['longtext', '{"b": 1, "a": [1.5, null]}'],
    alter: 'type jsonb using v::jsonb',
    next: `'"x"'`,
    is: ['json', { a: [1.5, null], b: 1 }, 'x'],
  },
  {
    name: 'jsonb to text',
    from: ['jsonb', `'{"b":1,"a":[1.10,null]}'`],
    was: ['json', { a: [1.1, null], b: 1 }],
    alter: 'type text',
    next: `'no json'`,
    is: ['longtext', '{"a": [1.10, null], "b": 1}', 'no json'],
  },
  {
    name: 'json to jsonb',
    from: ['json', `'{"b":1, "b":2}'`],
    was: ['longtext', '{"b":1, "b":2}'],
    alter: 'type jsonb',
    next: `'[]'`,
    is: ['json', { b: 2 }, []],
  },
  {
    name: 'text to uuid',
    from: ['text', `'{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'`],
    was: ['longtext', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'],
    alter: 'type uuid using v::uuid',
    next: 'null',
    is: ['char(36)', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', null],
  },
  {
    name: 'text to an array by USING with a function',
    from: ['text', `'a,b'`, `''`],
    was: ['longtext', 'a,b', ''],
    alter: `type text[] using string_to_array(v, ',')`,
    next: `'{x}'`,
    is: ['json', ['a', 'b'], [], ['x']],
  },
  {
    name: 'int[] to text[]',
    from: ['int[]', `'{1,null,3}'`],
    was: ['json', [1, null, 3]],
    alter: 'type text[]',
    next: `'{x}'`,
    is: ['json', ['1', null, '3'], ['x']],
  },
  {
    name: 'bytea to text by USING',
    from: ['bytea', `'\\x6162'`],
    was: ['longblob', Buffer.from('ab')],
    alter: `type text using encode(v, 'escape')`,
    next: `'c'`,
    is: ['longtext', 'ab', 'c'],
  },
  {
    name: 'another collation, which changes nothing in Dolt',
    from: ['text', `'ä'`],
    was: ['longtext', 'ä'],
    alter: 'type text collate "C"',
    next: `'b'`,
    is: ['longtext', 'ä', 'b'],
    keepsRows: true,
  },
];

const several: readonly DdlCase[] = [
  {
    name: 'several columns in one command, with a new default',
    setup: `create table t (id int primary key, a int default 1, b varchar(5) default 'x'); insert into t values (1, 10, 'ten')`,
    change: [
      `alter table t alter a drop default, alter a type text using a || ' apples', alter a set default 'none', alter b type text, add c int`,
      'insert into t (id) values (2)',
    ],
    was: { t: [`id int NOT NULL, a int DEFAULT (1), b varchar(5) DEFAULT ('x'), PRIMARY KEY (id)`, [1, 10, 'ten']] },
    is: {
      t: [
        `id int NOT NULL, a longtext DEFAULT ('none'), b longtext DEFAULT ('x'), c int, PRIMARY KEY (id)`,
        [1, '10 apples', 'ten', null],
        [2, 'none', 'x', null],
      ],
    },
  },
  {
    name: 'rows before and after in the same transaction',
    setup: `create table t (id int primary key, v int); insert into t select i, i from generate_series(1, 3) i`,
    change: [
      `begin; update t set v = 20 where id = 2; insert into t values (4, 4); delete from t where id = 3;
       alter table t alter v type numeric(6,2) using v / 8.0; update t set v = 1.11 where id = 1; insert into t values (5, 5.55); commit`,
    ],
    was: { t: ['id int NOT NULL, v int, PRIMARY KEY (id)', [1, 1], [2, 2], [3, 3]] },
    is: {
      t: ['id int NOT NULL, v decimal(6,2), PRIMARY KEY (id)', [1, '1.11'], [2, '2.50'], [4, '0.50'], [5, '5.55']],
    },
  },
  {
    name: 'two retypes of one column, one after the other',
    setup: `create table t (id int primary key, v text); insert into t values (1, '7'), (2, '08')`,
    change: [
      'alter table t alter v type int using v::int',
      'alter table t alter v type text',
      `insert into t values (3, 'x')`,
    ],
    was: { t: ['id int NOT NULL, v longtext, PRIMARY KEY (id)', [1, '7'], [2, '08']] },
    is: { t: ['id int NOT NULL, v longtext, PRIMARY KEY (id)', [1, '7'], [2, '8'], [3, 'x']] },
  },
  {
    name: 'USING with other columns, one of which goes at once',
    setup: `create table t (id int primary key, v text, w text); insert into t values (1, 'a', 'b')`,
    change: [
      `alter table t alter v type varchar(10) using v || '-' || w; alter table t drop column w`,
      `insert into t values (2, 'c')`,
    ],
    was: { t: ['id int NOT NULL, v longtext, w longtext, PRIMARY KEY (id)', [1, 'a', 'b']] },
    is: { t: ['id int NOT NULL, v varchar(10), PRIMARY KEY (id)', [1, 'a-b'], [2, 'c']] },
  },
  {
    name: 'USING with a function that gives another value each time',
    setup: `create table t (id int primary key, v text); insert into t values (1, 'a'), (2, 'b')`,
    change: [
      'create sequence {schema}.s start 50',
      `alter table t alter v type int using nextval('s')`,
      'insert into t values (3, 7)',
    ],
    was: { t: ['id int NOT NULL, v longtext, PRIMARY KEY (id)', [1, 'a'], [2, 'b']] },
    is: { t: ['id int NOT NULL, v int, PRIMARY KEY (id)', [1, 50], [2, 51], [3, 7]] },
  },
  {
    name: 'a table without a key',
    setup: `create table t (v int, w text); alter table t replica identity full; insert into t values (1, 'a'), (1, 'a'), (2, 'b')`,
    change: [
      `alter table t alter v type text using 'n' || v`,
      `delete from t where ctid = (select ctid from t where v = 'n1' limit 1)`,
      `update t set w = 'B' where v = 'n2'`,
    ],
    was: { t: ['v int, w longtext, KEY wal2dolt_row (v)', [1, 'a'], [1, 'a'], [2, 'b']] },
    is: { t: ['v longtext, w longtext, KEY wal2dolt_row (v(255))', ['n1', 'a'], ['n2', 'B']] },
  },
];

followsDdl('texts, and several columns, of another type', [...texts.map(asCase), ...several]);
