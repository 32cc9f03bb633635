import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mysql2/promise';
import { startDolt } from '../src/servers/dolt.js';
import type { LocalServer } from '../src/servers/local-server.js';

/** Cells as Dolt writes them; bytes as such. */
export type Cells = readonly (string | Buffer | null)[];

/** A Dolt server of its own for every measurement, so that all begin alike: with the same data, and nothing in a cache. */
export class Target implements AsyncDisposable {
  readonly #server: LocalServer;
  readonly #connections: Connection[] = [];

  private constructor(server: LocalServer) {
    this.#server = server;
  }

  /** With an empty database `bench`, or all that a stopped one has. */
  static async start(binary: string, like?: Target): Promise<Target> {
    const target = new Target(
      await startDolt({ binary, ...(like === undefined ? {} : { from: join(like.#server.folder, 'data') }) }),
    );
    if (like === undefined) {
      const connection = await createConnection(target.#server.url);
      await connection.query('CREATE DATABASE bench');
      await connection.end();
    }
    return target;
  }

  get url(): string {
    return `${this.#server.url}/bench`;
  }

  get port(): number {
    return this.#server.port;
  }

  get pid(): number {
    if (this.#server.pid === null) throw new Error('Dolt has ended');
    return this.#server.pid;
  }

  /** A new connection. Values come as Dolt writes them, and large files may be loaded. */
  async connect(branch = 'main'): Promise<Connection> {
    const connection = await createConnection({
      uri: this.#server.url,
      database: `bench/${branch}`,
      charset: 'utf8mb4_bin',
      rowsAsArray: true,
      typeCast: (field) => (/BLOB|BINARY/.test(field.type) ? field.buffer() : field.string('utf8')),
    });
    this.#connections.push(connection);
    return connection;
  }

  /** Once, on a connection of its own. */
  async rows(sql: string): Promise<Cells[]> {
    const connection = await this.connect();
    try {
      // rowsAsArray and typeCast make every row an array of these
      return (await connection.query(sql))[0] as unknown as Cells[];
    } finally {
      await connection.end();
    }
  }

  /**
   * Names of the tables on `main`, without those of the bookkeeping, and a hash of each: the same content has the same hash, if the
   * table was made by the same statements after the same others (it is of the columns' tags too).
   */
  async hashes(): Promise<ReadonlyMap<string, string>> {
    const names = (await this.tables()).map((name) => `SELECT ${quote(name)}, DOLT_HASHOF_TABLE(${quote(name)})`);
    const rows = await this.rows(names.join(' UNION ALL '));
    return new Map(rows.map(([name, hash]) => [String(name), String(hash)]));
  }

  /** The same, whoever made the tables: how many rows they have, and a sum over all cells. */
  async sums(): Promise<ReadonlyMap<string, string>> {
    const sums = new Map<string, string>();
    for (const table of await this.tables()) {
      const columns = (await this.rows(`SHOW COLUMNS FROM ${quoteName(table)}`)).map(([name]) =>
        quoteName(String(name)),
      );
      const row = `CONCAT_WS(',', ${columns.map((name) => `IFNULL(${name}, 'NULL')`).join(', ')})`;
      const [sum] = await this.rows(`SELECT COUNT(*), SUM(CRC32(${row})) FROM ${quoteName(table)}`);
      sums.set(table, String(sum));
    }
    return sums;
  }

  async tables(): Promise<string[]> {
    const rows = await this.rows('SHOW TABLES');
    return rows.map(([name]) => String(name)).filter((name) => !name.startsWith('wal2dolt_'));
  }

  async createStatements(): Promise<string[]> {
    const statements: string[] = [];
    for (const table of await this.tables()) {
      statements.push(String((await this.rows(`SHOW CREATE TABLE ${quoteName(table)}`))[0]?.[1]));
    }
    return statements;
  }

  /** What its data takes on the disk. */
  async bytes(): Promise<number> {
    const files = await readdir(join(this.#server.folder, 'data'), { recursive: true, withFileTypes: true });
    const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)));
    return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
  }

  /** Stops it, with its data kept for others to be `like`. */
  async stop(): Promise<void> {
    for (const connection of this.#connections.splice(0)) connection.destroy();
    await this.#server.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections.splice(0)) connection.destroy();
    await this.#server[Symbol.asyncDispose]();
  }
}

export const quote = (text: string): string => `'${text.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`;

export const quoteName = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
