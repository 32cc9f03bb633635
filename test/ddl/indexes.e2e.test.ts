import { type DdlCase, followsDdl } from '../support/ddl-case.js';

const T = `create table t (id int primary key, a int, b varchar(9), c text); insert into t values (1, 10, 'x', 'long'), (2, 20, 'y', null)`;
const COLUMNS = 'id int NOT NULL, a int, b varchar(9), c longtext, PRIMARY KEY (id)';
const ROWS = [
  [1, 10, 'x', 'long'],
  [2, 20, 'y', null],
] as const;
const MORE = `insert into t values (3, 30, 'z', 'text')`;

/** The table T, whose keys become others while its rows stay. */
const asCase = ([name, change, keys, setup = '', before = '']: readonly [
  name: string,
  change: string | readonly string[],
  keys: string,
  setup?: string,
  before?: string,
]): DdlCase => ({
  name,
  setup: `${T};${setup}`,
  change: [...(typeof change === 'string' ? [change] : change), MORE],
  was: { t: [COLUMNS + before, ...ROWS] },
  is: { t: [COLUMNS + keys, ...ROWS, [3, 30, 'z', 'text']] },
  keepsRows: true,
  ...(keys.includes('UNIQUE') ? { relations: 'looser' } : {}),
});

const indexes = (
  [
    ['CREATE INDEX', 'create index on t (a)', ', KEY t_a_idx (a)'],
    ['CREATE INDEX of several columns', 'create index i on t (b, a desc)', ', KEY i (b,a)'],
    ['CREATE UNIQUE INDEX', 'create unique index i on t (b)', ', UNIQUE KEY i (b)'],
    ['CREATE INDEX CONCURRENTLY', 'create index concurrently i on t (a)', ', KEY i (a)'],
    ['CREATE UNIQUE INDEX CONCURRENTLY', 'create unique index concurrently i on t (a)', ', UNIQUE KEY i (a)'],
    ['CREATE INDEX of a long text', 'create index i on t (c)', ', KEY i (c(255))'],
    [
      'an index of an expression, or of some rows: not in Dolt',
      ['create index i on t (upper(b))', 'create index j on t (a) where a > 5'],
      '',
    ],
    ['DROP INDEX', 'drop index i', '', 'create index i on t (a)', ', KEY i (a)'],
    [
      'DROP INDEX CONCURRENTLY',
      'drop index concurrently i',
      '',
      'create unique index i on t (a)',
      ', UNIQUE KEY i (a)',
    ],
    ['ALTER INDEX RENAME', 'alter index i rename to j', ', KEY j (a)', 'create index i on t (a)', ', KEY i (a)'],
    [
      'ALTER TABLE RENAME of an index',
      'alter table i rename to "J"',
      ', KEY J (a)',
      'create index i on t (a)',
      ', KEY i (a)',
    ],
    [
      'an index renamed in letters of another case',
      'alter index i rename to "I"',
      ', KEY I (a)',
      'create index i on t (a)',
      ', KEY i (a)',
    ],
    [
      'an index that is replaced by one of its name',
      ['begin; drop index i; create index i on t (b); commit'],
      ', KEY i (b)',
      'create index i on t (a)',
      ', KEY i (a)',
    ],
    [
      'two indexes that swap their names',
      ['begin; alter index i rename to k; alter index j rename to i; alter index k rename to j; commit'],
      ', KEY i (b), KEY j (a)',
      'create index i on t (a); create index j on t (b)',
      ', KEY i (a), KEY j (b)',
    ],
    [
      'REINDEX',
      ['reindex table t', 'reindex index concurrently i'],
      ', KEY i (a)',
      'create index i on t (a)',
      ', KEY i (a)',
    ],
    ['ADD UNIQUE', 'alter table t add unique (b)', ', UNIQUE KEY t_b_key (b)'],
    [
      'ADD UNIQUE USING INDEX',
      'alter table t add constraint u unique using index i',
      ', UNIQUE KEY u (a)',
      'create unique index i on t (a)',
      ', UNIQUE KEY i (a)',
    ],
    [
      'ADD UNIQUE DEFERRABLE: only an index in Dolt',
      'alter table t add constraint u unique (a) deferrable',
      ', KEY u (a)',
    ],
    [
      'DROP CONSTRAINT of a UNIQUE',
      'alter table t drop constraint u',
      '',
      'alter table t add constraint u unique (a, b)',
      ', UNIQUE KEY u (a,b)',
    ],
    [
      'RENAME CONSTRAINT',
      'alter table t rename constraint u to v',
      ', UNIQUE KEY v (a)',
      'alter table t add constraint u unique (a)',
      ', UNIQUE KEY u (a)',
    ],
    [
      'UNIQUE becomes DEFERRABLE',
      'alter table t drop constraint u, add constraint u unique (a) deferrable initially deferred',
      ', KEY u (a)',
      'alter table t add constraint u unique (a)',
      ', UNIQUE KEY u (a)',
    ],
  ] as const
).map(asCase);

const withRows: readonly DdlCase[] = [
  {
    name: 'a unique index whose values move between rows right before and after',
    setup: T,
    change: [
      `begin; update t set a = 20 where id = 1; update t set a = 10 where id = 2; create unique index i on t (a);
       update t set a = 0 where id = 1; update t set a = 20 where id = 2; update t set a = 10 where id = 1; commit`,
    ],
    was: { t: [COLUMNS, ...ROWS] },
    is: { t: [`${COLUMNS}, UNIQUE KEY i (a)`, ...ROWS] },
    relations: 'looser',
  },
  {
    name: 'a unique index that goes, and what it refused',
    setup: `${T};create unique index i on t (a)`,
    change: [
      `begin; insert into t values (3, 30, 'z', null); drop index i; insert into t values (4, 30, 'z', null); commit`,
    ],
    was: { t: [`${COLUMNS}, UNIQUE KEY i (a)`, ...ROWS] },
    is: { t: [COLUMNS, ...ROWS, [3, 30, 'z', null], [4, 30, 'z', null]] },
  },
  {
    name: 'an index of a column that is renamed, retyped, and one of a column that goes',
    setup: `${T};create index i on t (a); create unique index j on t (b, a); create index k on t (c)`,
    change: [
      'alter table t rename a to aa',
      'alter table t alter aa type bigint',
      'alter table t drop column b',
      `insert into t values (3, 30, 'text')`,
    ],
    was: { t: [`${COLUMNS}, KEY i (a), UNIQUE KEY j (b,a), KEY k (c(255))`, ...ROWS] },
    is: {
      t: [
        'id int NOT NULL, aa bigint, c longtext, PRIMARY KEY (id), KEY i (aa), KEY k (c(255))',
        [1, 10, 'long'],
        [2, 20, null],
        [3, 30, 'text'],
      ],
    },
  },
];

followsDdl('indexes and unique constraints', [...indexes, ...withRows]);

followsDdl(
  'foreign keys and checks, on request',
  [
    {
      name: 'ADD and DROP of a FOREIGN KEY',
      setup: `${T}; create table u (id int primary key, t int); insert into u values (1, 1)`,
      change: [
        'alter table u add constraint f foreign key (t) references t on delete cascade',
        'insert into u values (2, 2)',
        'delete from t where id = 1',
        'alter table u add constraint g foreign key (t) references t on update cascade, drop constraint f',
        'update t set id = 7 where id = 2',
      ],
      is: {
        u: [
          'id int NOT NULL, t int, PRIMARY KEY (id), KEY g (t), CONSTRAINT g FOREIGN KEY (t) REFERENCES {schema}__t (id) ON UPDATE CASCADE',
          [2, 7],
        ],
      },
    },
    {
      name: 'ADD and DROP of a CHECK',
      setup: T,
      change: [
        'alter table t add constraint k check (a > 0)',
        'alter table t add check (a < 1000), drop constraint k',
        MORE,
      ],
      is: {
        t: [
          `${COLUMNS}, CONSTRAINT t_a_check CHECK ((a < 1000)) /*!80016 NOT ENFORCED */`,
          ...ROWS,
          [3, 30, 'z', 'text'],
        ],
      },
    },
    {
      name: 'the table that a foreign key refers to is renamed, its column retyped',
      setup: `create table t (id int primary key); create table u (id int primary key, t int references t);
        insert into t values (1); insert into u values (1, 1)`,
      change: [
        'alter table t rename to tt; alter table tt rename id to tid',
        'alter table tt alter tid type bigint; alter table u alter t type bigint',
        'insert into tt values (3000000000); insert into u values (2, 3000000000)',
      ],
      is: {
        tt: ['tid bigint NOT NULL, PRIMARY KEY (tid)', [1], [3000000000]],
        u: [
          'id int NOT NULL, t bigint, PRIMARY KEY (id), KEY u_t_fkey (t), CONSTRAINT u_t_fkey FOREIGN KEY (t) REFERENCES {schema}__tt (tid)',
          [1, 1],
          [2, 3000000000],
        ],
      },
      namesMove: true,
    },
  ] satisfies readonly DdlCase[],
  { settings: { foreignKeys: true, checks: true } },
);
