import { describe, expect, it } from 'vitest';
import { expectStreamed, targetNames } from './support/named-tables.js';
import { createPostgresDatabase } from './support/postgres.js';

describe('tables and columns that were chosen', () => {
  it('follows what the configuration says of tables, names and columns', async () => {
    await using source = await createPostgresDatabase();
    const settings = {
      tables: {
        '"Weird.Name"': 'plain',
        plain: { name: 'PLAIN', exclude: ['Secret', 'no`te'] },
        'crm.*': { exclude: ['password'] },
        'crm.people': { name: 'people', types: { size: 'DOUBLE' } },
        'crm.hidden_*': false,
        hidden: false,
      },
      tableName: 'from {schema} {table}',
    };
    await expectStreamed(
      source,
      [
        `create schema crm;
         create table "Weird.Name" (id int primary key, v text);
         create table plain ("Secret" text, a int primary key, "no\`te" text, b text, c int unique);
         create table hidden (id int primary key);
         create table crm.people (password text, id int primary key, size numeric(6,2));
         create table crm.places (id int, password text not null, name text, unique (id));
         alter table crm.places replica identity full;
         create table crm.hidden_one (id int primary key);
         insert into "Weird.Name" values (1, 'a'); insert into plain values ('s', 1, 'n', 'b', 1), ('s', 2, 'n', 'b', 2);
         insert into crm.people values ('p', 1, 1.25); insert into crm.places values (1, 'p', 'n'), (null, 'q', 'n'), (null, 'q', 'n')`,
      ],
      [
        `update "Weird.Name" set v = 'b'; insert into "Weird.Name" values (2, null)`,
        `update plain set "Secret" = 'other'; update plain set b = 'c', a = 10 where a = 1; insert into plain values (null, 3, null, null, null)`,
        `begin; update plain set c = 0 where a = 10; update plain set c = 1 where a = 2; update plain set c = 2 where a = 10; commit`,
        `update crm.people set password = 'x'; update crm.people set size = 2.5; insert into crm.people values (null, 2, null)`,
        `update crm.places set password = 'other' where id = 1; delete from crm.places where ctid = (select min(ctid) from crm.places where id is null)`,
        'insert into hidden values (1); insert into crm.hidden_one values (1)',
      ],
      settings,
      async (target) => {
        expect(Object.fromEntries(await targetNames(target))).toEqual({
          'crm.people': 'people',
          'crm.places': 'from crm places',
          'public.Weird.Name': expect.stringMatching(/^plain(_2)?$/),
          'public.plain': expect.stringMatching(/^PLAIN(_2)?$/),
        });
        expect((await target.sql('describe people')).map(({ Field }) => Field)).toEqual(['id', 'size']);
        const [history] = await target.sql(`select group_concat(definition) as d from wal2dolt_tables`);
        expect(history?.d).not.toContain('hidden');
      },
    );
  });

  it("keeps to a publication's column lists and row filters", async () => {
    await using source = await createPostgresDatabase();
    await expectStreamed(
      source,
      [
        `create table listed (secret text, id int primary key, "A" int, a text, extra int);
         create table filtered (id int primary key, region text, v int);
         create table "Both ""of"" them" (secret text, id int, kind text, v int, primary key (id, kind));
         alter table filtered replica identity full;
         create publication wal2dolt for table
           listed (id, "A", a),
           filtered where (region in ('eu', 'it''s') and id > 0),
           "Both ""of"" them" (id, kind, v) where (kind = 'in')
           with (publish_via_partition_root = true);
         insert into listed select 's' || n, n, n, 'a' || n, n from generate_series(1, 5) n;
         insert into filtered values (1, 'eu', 1), (2, 'us', 2), (3, 'it''s', 3), (-4, 'eu', 4), (5, null, 5);
         insert into "Both ""of"" them" values ('s', 1, 'in', 1), ('s', 2, 'out', 2), ('s', 3, 'in', 3)`,
      ],
      [
        // Into the filter, out of it, within it, and never in it.
        `update filtered set region = 'us' where id = 1; update filtered set region = 'eu' where id in (2, 5); update filtered set v = v * 10 where id in (3, -4)`,
        `begin; update filtered set region = 'us' where id = 2; update filtered set region = 'eu', v = 7 where id = 2; commit`,
        `update filtered set id = -3 where id = 3; update filtered set id = 4 where id = -4; delete from filtered where id = -3`,
        `update listed set secret = 'other', extra = 0; update listed set "A" = 7, a = 'seven' where id = 2; delete from listed where id = 3; insert into listed values ('s', 6, null, null, 6)`,
        `update "Both ""of"" them" set kind = 'out' where id = 1; update "Both ""of"" them" set kind = 'in' where id = 2; update "Both ""of"" them" set v = 30, secret = 't' where id = 3`,
        'truncate listed; insert into listed (id, a) values (1, $$after$$)',
      ],
      {},
      async (target) => {
        expect((await target.sql('describe listed')).map(({ Field }) => Field)).toEqual([
          'id',
          'A',
          expect.stringMatching(/^a_2$/),
        ]);
        expect(await target.sql('select id from filtered order by id')).toEqual([{ id: 2 }, { id: 4 }, { id: 5 }]);
      },
    );
  });
});
