import type { Plan } from './ddl-workload.js';
import { readSource } from './ddl-workload-catalog.js';
import { Dice } from './ddl-workload-dice.js';
import { create as createTable } from './ddl-workload-objects.js';
import { create as createPartitioned } from './ddl-workload-partitions.js';
import { insert } from './ddl-workload-rows.js';
import { Scene } from './ddl-workload-scene.js';
import { MAIN, PRELUDE, SIDE } from './ddl-workload-statements.js';
import type { PostgresDatabase } from './postgres.js';

/** The tables that a plan begins with, some with rows, and the publication. Returns the statements. */
export async function prepareSource(
  source: PostgresDatabase,
  plan: Pick<Plan, 'tables' | 'publication'>,
): Promise<string[]> {
  const log: string[] = [];
  const run = async (sql: string): Promise<void> => {
    await source.sql(sql);
    log.push(`${sql};`);
  };
  await run(PRELUDE);
  const client = await source.client();
  let number = 1_000_000;
  for (const [i, seed] of plan.tables.entries()) {
    const territory = i % 4 === 3 ? SIDE : MAIN;
    const scene = async (): Promise<Scene> =>
      new Scene(
        new Dice(seed),
        await readSource(client, territory.schemas),
        territory,
        (count) => {
          number -= count;
          return number;
        },
        0,
      );
    const sql = i % 4 === 2 ? createPartitioned(await scene()) : createTable(await scene());
    if (sql === null) continue;
    await run(sql);
    const made = await scene();
    const table = made.tables.findLast(({ parent }) => parent === null);
    const rows = insert(made, table, 1 + made.dice.nat(30));
    if (rows !== null && made.dice.chance(80)) await run(rows).catch(() => {}); // there may be no partition for one
  }
  const [server] = await source.sql<{ new: boolean }>(
    `select current_setting('server_version_num')::int >= 180000 as new`,
  );
  const options = `publish_via_partition_root = true${server?.new ? ', publish_generated_columns = stored' : ''}`;
  const all = [...MAIN.schemas, ...SIDE.schemas, 'steady'];
  const listed = await source.sql<{ list: string }>(
    `select string_agg('only ' || oid::regclass, ', ') as list from pg_class where relkind in ('r', 'p') and not relispartition
       and relnamespace::regnamespace::text = any ($1)`,
    [all.filter((schema) => schema !== 'archive')],
  );
  const what = {
    all: 'all tables',
    schemas: `tables in schema public, sales, side, steady`,
    list: `table ${listed[0]?.list}`,
  }[plan.publication];
  await run(`create publication wal2dolt for ${what} with (${options})`);
  return log;
}
