import { expect, it } from 'vitest';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase } from '../support/postgres.js';
import { startRun } from '../support/run.js';
import { FAST } from '../support/streamed.js';

/** Each could still be followed by a row that it forbids, as far as the next row can tell, and is announced only before that. */
it.each([
  ['NOT NULL', 'alter table t alter v set not null', /`v` longtext NOT NULL/],
  ['UNIQUE', 'alter table t add unique (n)', /UNIQUE KEY `t_n_key` \(`n`\)/],
])('%s is taken over with a row that is known to be later', async (_what, change, expected) => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await source.sql(`create table t (id int primary key, v text, n int); insert into t values (0, 'a', 0)`);
  await using running = startRun(source.url, target.url, { ...FAST, ddl: 'relations' });
  const arrived = async (id: number): Promise<string> => {
    await source.sql(`insert into t values (${id}, 'b', ${id})`);
    const there = expect.poll(() => target.sql(`select id from t where id = ${id}`)).toHaveLength(1);
    await Promise.race([there, running.ended]);
    const [shown] = await target.sql('show create table t');
    return String(shown?.['Create Table']);
  };
  await expect.poll(() => target.sql('select id from t').catch(() => [])).toHaveLength(1);
  expect(await arrived(1)).not.toMatch(expected);
  await source.sql(change);
  let id = 1;
  await expect
    .poll(() => {
      id += 1;
      return arrived(id);
    })
    .toMatch(expected);
});
