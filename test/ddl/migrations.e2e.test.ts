import { fileURLToPath } from 'node:url';
import type mysql from 'mysql2/promise';
import { describe, expect, it } from 'vitest';
import type { Mode } from '../support/ddl-case.js';
import { Follower } from '../support/ddl-follower.js';
import { DoltStates, PRINTING, postgresState, type State } from '../support/ddl-state.js';
import { createDoltDatabaseName, type DoltDatabase } from '../support/dolt.js';
import { readMigrationSets } from '../support/migrations.js';
import { createPostgresDatabase } from '../support/postgres.js';
import { drain } from '../support/run.js';

/*
 * What migration tools send (Django 5.2, Rails 6.1 and TypeORM 1.1 for models of our own; files as users of Flyway write
 * them), run step by step while an application changes rows, is followed; and in the end every step
 * can be read back by the tag that it was given in Postgres. Sets of your own, in the same form:
 *
 *     WAL2DOLT_MIGRATIONS=/a/folder/of/sets npx vitest run --project pg-embedded test/ddl/migrations.e2e.test.ts
 */
const SETS = await readMigrationSets(
  process.env.WAL2DOLT_MIGRATIONS ?? fileURLToPath(new URL('migrations', import.meta.url)),
);

/** Postgres schema of a set's tables; others begin with its name and `_`. */
const SCHEMA: Readonly<Record<string, string>> = { flyway: 'billing' };

/** A state that was given a tag. */
interface Moment {
  readonly tag: string;
  /** Rows of all that was changed were written since: before that, nobody tells wal2dolt of it without event triggers. */
  readonly used: boolean;
  readonly state: State;
}

describe.each(SETS)('the migrations of $name', ({ name, migrations }) => {
  it('are followed, and every step can be read back', { timeout: 300_000 }, async () => {
    const schema = SCHEMA[name] ?? 'public';
    await using source = await createPostgresDatabase();
    await using triggers = new Follower(source, 'triggers', {});
    await using relations = new Follower(source, 'relations', {});
    const followers = [triggers, relations];
    const client = await source.client();
    const reader = await source.client();
    await reader.query(PRINTING);

    const moments: Moment[] = [];
    let beats = 0;
    /** Where a table is copied, what was tagged while that went on has no commit of its own. */
    const remember = async (tag: string, used: boolean): Promise<void> => {
      moments.push({ tag, used, state: await postgresState(reader, schema, triggers.publication) });
      do {
        beats += 1;
        await client.query(
          `begin; insert into beat values (${beats}); select pg_logical_emit_message(true, 'wal2dolt.tag', '${tag}'); commit`,
        );
        await Promise.all(followers.map((follower) => follower.hears(beats)));
      } while (!(await Promise.all(followers.map((follower) => isThere(follower, tag)))).every(Boolean));
    };
    await source.sql('create table beat (n int primary key)');
    for (const follower of followers) follower.start();
    await remember('empty', false);
    for (const { name: step, statements, rows } of migrations) {
      for (const statement of statements) await client.query(statement);
      await remember(`${step}/migrated`, false);
      for (const statement of rows) await client.query(statement);
      await remember(step, true);
    }
    for (const follower of followers) await follower.stop();

    for (const { mode, target, failure } of followers) {
      expect(failure, mode).toBe(null);
      await using dolt = await DoltStates.open(target.url);
      const connection = await target.connect();
      for (const { tag, state: wanted } of moments.filter(({ used }) => used || mode === 'triggers')) {
        const { state, names } = await dolt.at(tag, schema);
        expect.soft(shown(state, wanted, mode), `${mode}, ${tag}`).toEqual(shown(wanted, wanted, mode));
        for (const [oid, { name: table, columns, rows }] of state) {
          const select = `select * from \`${names.get(oid)}\` as of '${tag}'`;
          const [found, fields] = await connection.query<mysql.RowDataPacket[]>(select);
          const read = { columns: fields.map((field) => field.name), rows: found.length };
          const columnNames = [...columns.values()].map((column) => column.name);
          expect.soft(read, `${mode}, ${tag}, ${table}`).toEqual({ columns: columnNames, rows: rows.length });
        }
      }
    }
    await using fresh = createDoltDatabaseName();
    await drain(source.url, fresh.url, {
      snapshot: 'only',
      slot: `${source.name}_fresh`,
      publication: triggers.publication,
    });
    const tables = (await fresh.sql('select target_table as name from wal2dolt_tables')).map(
      ({ name: table }) => table,
    );
    for (const table of tables) {
      const create = `show create table \`${table}\``;
      expect.soft(await triggers.target.sql(create)).toEqual(await fresh.sql(create));
    }
    // Tables that were dropped keep theirs.
    const exact = (database: DoltDatabase): Promise<unknown[]> =>
      database.sql(`select * from wal2dolt_exact where target_table in ('${tables.join("','")}') order by 1, 2, 3`);
    expect.soft(await exact(triggers.target)).toEqual(await exact(fresh));
  });
});

/** Whether the target has the tag, or never will. */
async function isThere({ target, failure }: Follower, tag: string): Promise<boolean> {
  if (failure !== null) return true;
  return (await target.sql(`select tag_name from dolt_tags where tag_name = '${tag}'`)).length > 0;
}

/**
 * Columns and rows. Without event triggers nobody says that a table was dropped, and a new one is known by its first row.
 */
function shown(state: State, wanted: State, mode: Mode): string[] {
  const tables = [...state].filter(([oid]) => mode === 'triggers' || (wanted.get(oid)?.rows.length ?? 0) > 0);
  return tables.flatMap(([, { name, lines }]) => (name === 'public.beat' ? [] : lines)).sort();
}
