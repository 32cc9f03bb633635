import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { LocalServer } from '../../src/servers/local-server.js';
import { freePort } from '../../src/servers/port.js';

const run = promisify(execFile);

/** How the pages reach Dolt, word for word. */
export const CLIENT = `dolt --host localhost --port 3306 --user root --password '' --no-tls sql`;

/** What a program in the background says when it is ready. */
const READY = [
  { program: 'dolt sql-server', says: /Server ready/ },
  { program: 'wal2dolt run', says: /INFO: streaming/ },
];

/**
 * A reader who does what a page says, block by block, in a folder of his own: `sh` blocks in a shell that knows wal2dolt
 * and dolt, `sql postgres` as superuser in the database shop, `sql dolt` as root by the page's client. The usual ports and
 * folders of the pages become free ones here, and are the usual ones again in what is printed.
 */
export class Story implements AsyncDisposable {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #postgres: pg.Client;
  readonly #places: readonly (readonly [string, string])[];
  readonly #children: ChildProcess[] = [];
  #streaming = false;
  /** The last `USE` in Dolt. */
  #database = '';

  private constructor(folder: string, env: NodeJS.ProcessEnv, postgres: pg.Client, places: [string, string][]) {
    this.#folder = folder;
    this.#env = env;
    this.#postgres = postgres;
    this.#places = places;
  }

  /** `postgres`: a server of the story's own, in which `prepare` has been run in a new database shop. */
  static async begin(postgres: LocalServer, cli: string, dolt: string, prepare: string): Promise<Story> {
    const folder = await mkdtemp(join(tmpdir(), 'wal2dolt-story-'));
    await mkdir(join(folder, 'bin'));
    await mkdir(join(folder, 'home', '.dolt'), { recursive: true });
    await writeFile(join(folder, 'bin', 'wal2dolt'), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`, {
      mode: 0o755,
    });
    await symlink(dolt, join(folder, 'bin', 'dolt'));
    const config = { 'metrics.disabled': 'true', 'versioncheck.disabled': 'true' };
    await writeFile(join(folder, 'home', '.dolt', 'config_global.json'), JSON.stringify(config));
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('WAL2DOLT_'));
    const env = {
      ...Object.fromEntries(inherited),
      PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}`,
      HOME: join(folder, 'home'),
      DOLT_ROOT_PATH: join(folder, 'home'),
      DOLT_DISABLE_EVENT_FLUSH: '1',
      WAL2DOLT_LOG_FORMAT: 'pretty', // as on a terminal
      NO_COLOR: '1',
      TZ: 'America/New_York', // a page must not depend on where it is read
    };
    const admin = new pg.Client({ connectionString: postgres.url });
    await admin.connect();
    await admin.query('CREATE DATABASE shop');
    await admin.end();
    const url = new URL(postgres.url);
    url.pathname = '/shop';
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.query(prepare);
    const doltPort = String(await freePort());
    return new Story(folder, env, client, [
      ['localhost:5432', `127.0.0.1:${url.port}`],
      ['localhost:3306', `127.0.0.1:${doltPort}`],
      ['--host localhost --port 3306', `--host 127.0.0.1 --port ${doltPort}`],
      ['/var/', join(folder, 'var/')],
    ]);
  }

  /** What the command prints, both streams together. `status` is the exit code that it must have. */
  async shell(command: string, status = 0): Promise<string> {
    const script = this.#real(`exec 2>&1\n${command}`);
    const { code, stdout } = await run('/bin/sh', ['-c', script], { env: this.#env, cwd: this.#folder }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: { code: number; stdout: string }) => error,
    );
    if (code !== status) throw new Error(`exit code ${code}, not ${status}, of\n${command}\n${stdout}`);
    for (const [, name = '', value = ''] of script.matchAll(/^export (\w+)=(.*)$/gm)) this.#env[name] = value;
    return this.#shown(stdout);
  }

  /** Runs the lines, the last of which starts a program that stays; what that has printed when it is ready. */
  async background(lines: string): Promise<string> {
    const [, before = '', command = ''] = /^([\s\S]*\n)?(.*)\n$/.exec(lines) ?? [];
    if (before !== '') await this.shell(before);
    const known = READY.find(({ program }) => command.startsWith(program));
    if (!known) throw new Error(`how does one see that this is ready? ${command}`);
    const child = spawn('/bin/sh', ['-c', this.#real(`exec 2>&1\nexec ${command}`)], {
      env: this.#env,
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    while (!known.says.test(output)) {
      if (child.exitCode !== null) throw new Error(`exit code ${child.exitCode} of\n${command}\n${output}`);
      await sleep(50);
    }
    if (known.program.startsWith('wal2dolt')) this.#streaming = true;
    return this.#shown(output);
  }

  /** As superuser; while wal2dolt runs, returns when Dolt has it. */
  async postgres(statements: string): Promise<void> {
    // One after the other, as psql sends them: some may not be in a transaction.
    for (const statement of statements.split(/;$/m)) if (statement.trim() !== '') await this.#postgres.query(statement);
    if (!this.#streaming || !/^\s*(INSERT|UPDATE|DELETE|BEGIN|SELECT pg_logical_emit)/i.test(statements)) return;
    const { rows } = await this.#postgres.query('SELECT pg_current_wal_lsn() AS here');
    const reached = `SELECT bool_and(confirmed_flush_lsn >= '${rows[0].here}') AS reached FROM pg_replication_slots`;
    while (!(await this.#postgres.query(reached)).rows[0].reached) await sleep(50);
  }

  /** As root, with Dolt's own client, which prints tables. */
  async dolt(statements: string): Promise<string> {
    const use = this.#database === '' ? '' : `USE ${this.#database};\n`;
    await writeFile(join(this.#folder, 'statements.sql'), this.#real(use + statements));
    this.#database = [...statements.matchAll(/^USE (\w+);$/gm)].at(-1)?.[1] ?? this.#database;
    return this.shell(`${CLIENT} < statements.sql`);
  }

  /** Ends the program that was started last, in order. */
  async stop(): Promise<void> {
    const child = this.#children.pop();
    if (!child) return;
    this.#streaming = false;
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGTERM')) await ended;
  }

  #real(text: string): string {
    return this.#places.reduce((result, [usual, real]) => result.replaceAll(usual, real), text);
  }

  #shown(text: string): string {
    return this.#places.reduce((result, [usual, real]) => result.replaceAll(real, usual), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#children.length > 0) await this.stop();
    await this.#postgres.end();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
