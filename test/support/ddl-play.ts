import type pg from 'pg';
import { tableHashes } from './compare.js';
import { type DdlCase, FRUIT, type GroupOptions, MODES, type Mode } from './ddl-case.js';
import { Follower } from './ddl-follower.js';
import { PRINTING, postgresState, type State } from './ddl-state.js';
import { createDoltDatabaseName, type DoltDatabase } from './dolt.js';
import { createPostgresDatabase, type PostgresDatabase, postgresVersion } from './postgres.js';
import { drain } from './run.js';

/** A moment at which everything that Postgres had was in Dolt, or was not waited for. */
export interface Moment {
  readonly postgres: State;
  /** The commit that readers of Dolt saw. */
  readonly hash: string | null;
}

/** What happened to one case in one mode: the moment before the change, and one after each entry of it. */
export interface Play {
  readonly target: DoltDatabase;
  readonly moments: Moment[];
  /** What stopped the run. */
  failure: string | null;
}

/** What stopping and starting again came to. */
export interface Restart {
  readonly failure: string | null;
  /** Tables that are not the same as before. */
  readonly changed: readonly string[];
}

/** As wal2dolt makes it; but wal2dolt does so only where every table has a replica identity. */
const PUBLICATION = `create publication {publication} for all tables with (publish_via_partition_root${
  postgresVersion() >= 18 ? ', publish_generated_columns = stored' : ''
})`;

/** Plays the cases one after the other, while one run in each mode follows; then all stop and start again. */
export async function playCases(cases: readonly DdlCase[], options: GroupOptions): Promise<Played> {
  const played = new Played(await createPostgresDatabase(), options);
  try {
    await played.setUp(cases);
    for (const ddlCase of cases) await played.play(ddlCase);
    await played.copy();
    await played.startAgain();
    return played;
  } catch (error) {
    await played[Symbol.asyncDispose]();
    throw error;
  }
}

export class Played implements AsyncDisposable {
  /** A copy of all that the source had in the end. */
  readonly fresh = createDoltDatabaseName();
  readonly restarts = new Map<Mode, Restart>();
  readonly #source: PostgresDatabase;
  readonly #options: GroupOptions;
  readonly #followers: readonly Follower[];
  readonly #plays = new Map<DdlCase, { readonly schema: string; readonly of: Map<Mode, Play> }>();
  #beats = 0;

  constructor(source: PostgresDatabase, options: GroupOptions) {
    this.#source = source;
    this.#options = options;
    this.#followers = MODES.map((mode) => new Follower(source, mode, options.settings ?? {}));
  }

  playOf(ddlCase: DdlCase, mode: Mode): Play & { readonly schema: string } {
    const found = this.#plays.get(ddlCase);
    const play = found?.of.get(mode);
    if (!found || !play) throw new Error(`${ddlCase.name} was not played`);
    return { ...play, schema: found.schema };
  }

  async setUp(cases: readonly DdlCase[]): Promise<void> {
    const client = await this.#source.client();
    await client.query('create table beat (n int primary key)');
    const { publication = PUBLICATION } = this.#options;
    await this.#run(client, '', publication);
    for (const [i, ddlCase] of cases.entries()) {
      const schema = `s${i + 1}`;
      this.#plays.set(ddlCase, { schema, of: new Map() });
      await client.query(`create schema ${schema}; set search_path = ${schema}, public`);
      await this.#run(client, schema, ddlCase.setup ?? FRUIT);
    }
    await client.end();
    for (const follower of this.#followers) follower.start();
    await this.#beat();
    for (const { mode, failure } of this.#followers)
      if (failure) throw new Error(`the first copy (${mode}) failed: ${failure}`);
  }

  async play(ddlCase: DdlCase): Promise<void> {
    const schema = this.#plays.get(ddlCase)?.schema ?? '';
    const client = await this.#source.client();
    const reader = await this.#source.client();
    await reader.query(PRINTING);
    await client.query(`set search_path = ${schema}, public`);
    for (const { mode, target } of this.#followers)
      this.#plays.get(ddlCase)?.of.set(mode, { target, moments: [], failure: null });
    await this.#moment(ddlCase, reader, schema, true);
    const { whileDown = false } = this.#options;
    if (whileDown) for (const follower of this.#followers) await follower.stop();
    for (const [i, change] of ddlCase.change.entries()) {
      await this.#run(client, schema, change);
      const last = i === ddlCase.change.length - 1;
      if (whileDown && last) for (const follower of this.#followers) follower.start();
      await this.#moment(ddlCase, reader, schema, last || !(whileDown || ddlCase.quick));
    }
    await client.end();
    await reader.end();
    if (ddlCase.relations === 'stops') await this.#startRelationsAgain();
    await this.#replaceFailed(ddlCase);
  }

  async copy(): Promise<void> {
    const settings = { snapshot: 'only', publication: this.#followers[0]?.publication, ddl: 'relations' };
    await drain(this.#source.url, this.fresh.url, { ...this.#options.settings, ...settings });
  }

  async startAgain(): Promise<void> {
    const before = new Map<Mode, ReadonlyMap<string, string>>();
    for (const follower of this.#followers) {
      await follower.stop();
      before.set(follower.mode, await tableHashes(follower.target.url));
      follower.start();
    }
    await this.#beat();
    for (const follower of this.#followers) {
      await follower.stop();
      const after = await tableHashes(follower.target.url);
      const changed = [...after].filter(([name, hash]) => before.get(follower.mode)?.get(name) !== hash);
      const names = changed.map(([name]) => name).filter((name) => name !== 'beat');
      this.restarts.set(follower.mode, { failure: follower.failure, changed: names });
    }
  }

  async #run(client: pg.Client, schema: string, sql: string): Promise<void> {
    const statements = sql.replaceAll('{schema}', schema).split(';');
    const each = (statement: string): string[] =>
      this.#followers.map(({ publication }) => statement.replaceAll('{publication}', publication));
    const text = statements.flatMap((one) => (one.includes('{publication}') ? each(one) : one)).join(';');
    try {
      await client.query(text);
    } catch (error) {
      throw new Error(`the SQL of a case itself failed: ${text}: ${String(error)}`, { cause: error });
    }
  }

  /** Writes down where everybody is, where `wait` says so once everything has come. */
  async #moment(ddlCase: DdlCase, reader: pg.Client, schema: string, wait: boolean): Promise<void> {
    if (wait) await this.#beat();
    for (const follower of this.#followers) {
      const postgres = await postgresState(reader, schema, follower.publication);
      const hash = wait && follower.failure === null ? await follower.head() : null;
      this.#plays.get(ddlCase)?.of.get(follower.mode)?.moments.push({ postgres, hash });
    }
  }

  /** A row in a table beside, and waits until everybody has it. */
  async #beat(): Promise<void> {
    this.#beats += 1;
    await this.#source.sql(`insert into beat values (${this.#beats})`);
    await Promise.all(this.#followers.map((follower) => follower.hears(this.#beats)));
  }

  async #startRelationsAgain(): Promise<void> {
    for (const follower of this.#followers) {
      if (follower.mode !== 'relations') continue;
      await follower.stop();
      follower.start();
    }
    await this.#beat();
  }

  async #replaceFailed(ddlCase: DdlCase): Promise<void> {
    const failed = this.#followers.filter(({ failure }) => failure !== null);
    for (const follower of failed) {
      const play = this.#plays.get(ddlCase)?.of.get(follower.mode);
      if (play) play.failure = follower.failure;
      await follower.startAfresh();
    }
    if (failed.length > 0) await this.#beat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const follower of this.#followers) await follower[Symbol.asyncDispose]();
    await this.fresh[Symbol.asyncDispose]();
    await this.#source[Symbol.asyncDispose]();
  }
}
