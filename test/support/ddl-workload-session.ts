import type pg from 'pg';
import type { Step } from './ddl-workload.js';
import { readSource, type SourceTable } from './ddl-workload-catalog.js';
import { Dice } from './ddl-workload-dice.js';
import { insert, update } from './ddl-workload-rows.js';
import { Scene, type Territory } from './ddl-workload-scene.js';
import { BARE_STATEMENTS, type Choice, makeSettings, makeStatement } from './ddl-workload-statements.js';

/** What became of one step. */
export interface Played {
  readonly name: string;
  readonly kind: 'rows' | 'ddl';
  readonly sql: string;
  /** What Postgres refused it with; then nothing of it happened. */
  readonly refusal: string | null;
}

/** What a plan decides for all its steps. */
export interface Style extends Choice {
  readonly numbers: (count: number) => number;
  /** Called within a transaction before a statement that changes the schema. */
  readonly beforeDdl: (client: pg.Client, territory: Territory) => Promise<void>;
}

/**
 * The data did not allow it, something depends on it, or Postgres does not have it. Anything else is a mistake of ours,
 * but for one of Postgres: after ALTER DOMAIN … DROP CONSTRAINT, no DDL in a savepoint (`unprocessed inval messages`).
 */
const REFUSALS =
  /^(22|23|0A|2BP01|428|42P1[067]|42P07|42701|42704|42710|42830|42846|55000|55006|55P04|42P2[01]|42611|54011|54000|42804|42883|42703|42P01)/;

const ANNOUNCEMENTS: readonly ((scene: Scene, table: SourceTable | undefined) => string | null)[] = [
  (scene, table) => insert(scene, table, 1),
  (scene, table) => insert(scene, table, 3),
  (scene, table) => update(scene, table, true),
  (_scene, table) => (table ? `truncate ${table.sql} cascade` : null),
];

/**
 * One connection of the application. A statement that Postgres refuses is left out, and what was done before it in the
 * same transaction is done again in a new one: so there is no need for savepoints where the plan has none.
 */
export class Session {
  readonly #client: pg.Client;
  readonly #territory: Territory;
  readonly #style: Style;
  #focus = 0;
  #done: string[] = [];
  #changes: ReadonlyMap<number, number> = new Map();

  constructor(client: pg.Client, territory: Territory, style: Style) {
    this.#client = client;
    this.#territory = territory;
    this.#style = style;
  }

  get territory(): Territory {
    return this.#territory;
  }

  /** Returns the settings of the transaction. */
  async begin(seed: number): Promise<readonly string[]> {
    this.#done = [];
    const settings = makeSettings(new Dice(seed));
    await this.#begin(settings);
    return settings;
  }

  async #begin(settings: readonly string[]): Promise<void> {
    await this.#client.query('begin');
    for (const setting of settings) await this.#client.query(setting);
    this.#done.push(...settings);
    this.#changes = await this.#countChanges();
  }

  /** Tables of which the transaction has changed rows since this was asked last, also such that were rolled back. */
  async touched(): Promise<Set<number>> {
    const before = this.#changes;
    this.#changes = await this.#countChanges();
    return new Set([...this.#changes].flatMap(([oid, changes]) => (changes === before.get(oid) ? [] : oid)));
  }

  /** By table; of a partition, its partitioned table too. Not of the transaction alone, as Postgres reports it now and then. */
  async #countChanges(): Promise<Map<number, number>> {
    const { rows } = await this.#client.query(
      `select a.relid::oid::int8 as oid, sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del) as changes
       from pg_stat_xact_all_tables s, lateral (
         select s.relid union all select relid from pg_partition_ancestors(s.relid) where relid <> s.relid) a
       where s.relid >= 16384 group by a.relid`,
    );
    return new Map(rows.map(({ oid, changes }) => [Number(oid), Number(changes)]));
  }

  async step({ seed, savepoint }: Step): Promise<Played> {
    const scene = await this.#scene(seed);
    const made = makeStatement(scene, this.#style);
    if (made.kind === 'ddl') await this.#style.beforeDdl(this.#client, this.#territory);
    this.#focus = scene.focus;
    const statements =
      savepoint === 'none'
        ? [made.sql]
        : ['savepoint s', made.sql, savepoint === 'released' ? 'release savepoint s' : 'rollback to savepoint s'];
    try {
      for (const sql of statements) await this.#client.query(sql);
    } catch (error) {
      return { ...made, refusal: await this.#refused(error, made.sql, savepoint) };
    }
    this.#done.push(...statements);
    return { ...made, refusal: null };
  }

  async #refused(thrown: unknown, sql: string, savepoint: Step['savepoint']): Promise<string> {
    const { code, message } = thrown as { code?: string; message: string }; // of the driver
    if (!REFUSALS.test(code ?? '') && !/unprocessed inval messages/.test(message))
      throw new Error(`the workload's own statement failed: ${[...this.#done, sql].join(';\n')}`, { cause: thrown });
    if (savepoint === 'none') {
      await this.#client.query('rollback');
      const again = this.#done;
      this.#done = [];
      await this.#begin([]);
      for (const statement of again) await this.#client.query(statement);
      this.#done = again;
    } else {
      await this.#client.query('rollback to savepoint s');
    }
    return `${code} ${message}`;
  }

  async end(commits: boolean): Promise<void> {
    await this.#client.query(commits ? 'commit' : 'rollback');
  }

  /** A command outside of a transaction. */
  async bare(seed: number): Promise<Played | null> {
    const scene = await this.#scene(seed);
    const { name, sql: make } = scene.dice.weighted(BARE_STATEMENTS);
    const sql = make(scene);
    if (sql === null) return null;
    try {
      await this.#client.query(sql);
      return { name, kind: 'ddl', sql, refusal: null };
    } catch (thrown) {
      return { name, kind: 'ddl', sql, refusal: (thrown as Error).message };
    }
  }

  /**
   * Makes every table be announced once more: by a new row, or where Postgres takes none, by whatever else it takes. Only
   * TRUNCATE is never refused. Returns what was done.
   */
  async announceEverything(): Promise<string[]> {
    const done: string[] = [];
    for (const { oid } of (await this.#scene(0)).tables.filter(({ parent }) => parent === null)) {
      for (const [i, make] of ANNOUNCEMENTS.entries()) {
        const scene = await this.#scene(i);
        const sql = make(
          scene,
          scene.tables.find((table) => table.oid === oid),
        );
        if (sql === null) continue;
        await this.#client.query('savepoint s');
        try {
          const { rowCount } = await this.#client.query(sql);
          done.push(`${sql}; -- ${rowCount ?? 'all'} rows`);
          if (rowCount !== 0) break;
        } catch (error) {
          await this.#client.query('rollback to savepoint s');
          done.push(`-- refused (${(error as Error).message}): ${sql}`);
        }
      }
    }
    return done;
  }

  async #scene(seed: number): Promise<Scene> {
    const catalog = await readSource(this.#client, this.#territory.schemas);
    return new Scene(new Dice(seed), catalog, this.#territory, this.#style.numbers, this.#focus);
  }
}
