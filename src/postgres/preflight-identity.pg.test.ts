import { expect, test } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { applyFix, checkSourceAt, codes, the } from '../../test/support/preflight.js';

test('columns that tell which row is meant, and that the publication leaves out', async () => {
  await using source = await createPostgresDatabase();
  await source.sql(`
    create table "Half" (a int, b int, v text, primary key (a, b)); create table whole (a int primary key, v text);
    create table full_one (a int, v text); alter table full_one replica identity full;
    create table full_all (a int); alter table full_all replica identity full;
    create table part (a int, b int, v text, primary key (a, b)) partition by list (a);
    create table part1 partition of part for values in (1); insert into part values (1, 1);
    create publication wal2dolt for table "Half" (a, v) where (a > 0), whole (a), full_one (v), full_all (a), part (a, v)
      with (publish_via_partition_root = true)`);
  const all = ['"Half"', 'whole', 'full_one', 'full_all', 'part'];
  const refused: string[] = [];
  for (const table of all) await source.sql(`update ${table} set a = a`).catch(() => refused.push(table));
  expect(refused).toEqual(['"Half"', 'full_one', 'full_all', 'part']);

  const finding = the('column_list', await checkSourceAt(source));
  expect(finding.severity).toBe('warning');
  expect(finding.message).toContain(
    'public."Half" (b), public.full_all (all: its replica identity is FULL), public.full_one (all: its replica identity is FULL), public.part (b).',
  );
  await applyFix(finding, source.sql);
  for (const table of all) await source.sql(`update ${table} set a = a`);
  expect(codes(await checkSourceAt(source))).not.toContain('column_list');
  expect(await source.sql("select rowfilter from pg_publication_tables where tablename = 'Half'")).toEqual([
    { rowfilter: '(a > 0)' },
  ]);
});
