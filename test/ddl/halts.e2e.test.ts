import { expect, it } from 'vitest';
import { Follower } from '../support/ddl-workload-follow.js';
import { DdlHistory } from '../support/ddl-workload-history.js';
import { prepareSource } from '../support/ddl-workload-prepare.js';
import { expectAsItWas } from '../support/ddl-workload-verdict.js';
import { createDoltDatabaseName } from '../support/dolt.js';
import { createPostgresDatabase } from '../support/postgres.js';

const POLICY = { maxTransactions: 10, maxDelay: 30, maxRows: 100, maxBytes: '100kB' };

/** Of each, another history looks the same: then it is right to halt, and what the message tells to do helps. */
it.each<[string, string[]]>([
  [
    // `alter table t add b varchar(100), drop a; alter table t rename b to a`, the row, `alter table t alter a type text, drop a`
    'a column that came and went while nothing ran, and one that goes later',
    [
      'alter table public.t add b text',
      'alter table public.t drop b',
      `update public.t set a = 'x'`,
      'alter table public.t drop a',
    ],
  ],
  [
    // TRUNCATE before the other two
    'a column that was dropped and added again in the transaction that announces it, by TRUNCATE among other commands',
    ['alter table public.t drop a; alter table public.t add a varchar(100); truncate public.t'],
  ],
])('without event triggers a run halts for %s', async (_what, transactions) => {
  await using source = await createPostgresDatabase();
  await using target = createDoltDatabaseName();
  await prepareSource(source, { tables: [], publication: 'all' });
  await source.sql(`create table public.t (id int primary key, a varchar(100)); insert into public.t values (1, 'a')`);
  await using history = await DdlHistory.open(source, { ddlShare: 0, publication: 'all', unseen: false });
  await using follower = new Follower('relations', source, target, history, POLICY);
  follower.start();
  await follower.catchUp();
  await follower.stop();
  for (const transaction of transactions) await history.runSql(transaction);
  await follower.drain();
  const why = 'so that the column a may be the former a or a new column';
  expect(follower.halts).toEqual([expect.stringContaining(why)]);
  await expectAsItWas('relations', source, target, history);
});
