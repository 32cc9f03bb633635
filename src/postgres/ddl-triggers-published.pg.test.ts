import { follows } from '../../test/support/told-statements.js';

const PARTITIONED = `
  create table m (id int, n int) partition by list (id); create table m1 partition of m for values in (1); insert into m values (1, 1);
  create table lone (id int, n int); create table sub (id int, n int) partition by list (n); create table sub1 partition of sub for values in (1)`;

follows(
  'partitions by way of their root',
  PARTITIONED,
  `
  create table m2 partition of m for values in (2) → m (m2+)
  alter table m add c int default 5 → m (m1) (m2)
  alter table m add u uuid default gen_random_uuid() → m* (m1) (m2)
  alter table m alter n type bigint → m* (m1) (m2)
  alter table m drop c, drop u → m (m1) (m2)
  alter table lone alter n type bigint → lone*
  alter table m attach partition lone for values in (3) → m (lone) (m1) (m2)
  alter table m2 add check (n > 0) → m (m2)
  create index on m (n) → m (lone) (m1) (m2)
  drop table m2 → -m2 -index m2_n_idx
  alter table m detach partition m1 → m m1 (lone)
  alter table m detach partition lone concurrently → lone m
  create table deep (id int, n bigint) partition by list (n) → deep+
  create table deep1 partition of deep for values in (1) → deep (deep1+)
  alter table deep alter id type bigint → deep* (deep1)
  alter table deep1 rename to "Deep 1" → deep (Deep 1)
  alter table deep alter id type int → deep* (Deep 1)
  alter table m attach partition deep default → m (Deep 1) (deep)
  create table deep2 partition of deep for values in (2) → m (deep) (deep2+)
  alter table m detach partition deep → deep m (Deep 1) (deep2)
  create table m3 (like m) → m3+
  drop table m cascade → -m -index m_n_idx`,
);

follows(
  'partitions as tables of their own',
  PARTITIONED,
  `
  create table m2 partition of m for values in (2) → m2+ (m)
  alter table m add c int default 5 → m1 m2 (m)
  alter table m add u uuid default gen_random_uuid() → m1* m2* (m)
  alter table m drop c, drop u → m1 m2 (m)
  alter table m attach partition lone for values in (3) → lone m1 m2 (m)
  alter table m attach partition sub for values in (4) → lone m1 m2 sub1 (m) (sub)
  create table sub2 partition of sub for values in (2) → sub2+ (m) (sub)
  alter table m detach partition m1 → lone m1 m2 sub1 sub2 (m) (sub)
  drop table m2 → -m2
  drop table sub → -sub -sub1 -sub2
  drop table m → -lone -m`,
  'for all tables',
);

follows(
  'some tables only',
  'create table a (id int primary key, n int); create table b (id int primary key); create schema s',
  `
  alter table a add c int → a
  alter table b add c int → (b)
  create table x (id int primary key)
  alter publication p add table b → b
  alter publication p set table a (id), b where (id > 5) → a b
  alter table a add d int → a
  alter table b set schema s → s.b
  alter publication p drop table s.b → (s.b)
  alter publication p set tables in schema s → s.b (a)
  create table s.c (id int primary key) → s.c+
  alter table a set schema s → s.a
  alter table s.c set schema public → (c)
  alter publication p add table c → c
  alter publication p drop tables in schema s → (s.a) (s.b)
  alter publication p set (publish = 'insert') → all: c
  alter publication p owner to current_user → all: c
  create publication other for table c
  alter publication other set (publish = 'insert')
  drop publication other
  alter publication p rename to q → all:
  alter publication q rename to p → all: c
  drop publication p → all: (c)
  alter table c add n int
  create publication p for table c, s.a → all: c s.a`,
  'for table a',
);

follows(
  'a publication of schemas',
  'create schema s; create table s.a (id int primary key); create table b (id int)',
  `
  alter table s.a set schema public → (a)
  alter table b set schema s → s.b
  alter schema s rename to t → t.b
  alter table t.b set unlogged → (t.b)`,
  'for tables in schema s',
);

follows(
  'what says nothing',
  'create table a (id int primary key, n int)',
  `
  create view v as select * from a
  create or replace view v as select id, n, 1 as one from a
  create materialized view mv as select * from a
  create function f() returns int language sql as 'select 1'
  grant select on a to public
  create sequence s
  create trigger t before update on a for each row execute function suppress_redundant_updates_trigger()
  create policy own on a using (true)
  create temporary table t (id serial primary key, m text)
  alter table t add n int default 7
  alter table t alter n type text
  create index on t (n)
  comment on table t is 'x'
  drop table t
  analyze
  truncate a
  refresh materialized view mv
  drop view v
  drop materialized view mv
  drop function f
  comment on schema public is 'x'`,
);
