import type mysql from 'mysql2/promise';
import type { Cells, Shown } from './ddl-case.js';
import type { DoltDatabase } from './dolt.js';

/** What a reader of a Dolt database sees at its commits. */
export class Reader implements AsyncDisposable {
  readonly #connection: mysql.Connection;
  readonly #database: string;

  private constructor(connection: mysql.Connection, database: string) {
    this.#connection = connection;
    this.#database = database;
  }

  static async open(target: DoltDatabase): Promise<Reader> {
    return new Reader(await target.connect(), target.name);
  }

  async rows<Row>(sql: string, at = 'main', values: readonly string[] = []): Promise<Row[]> {
    await this.#connection.query(`use \`${this.#database}/${at}\``);
    return (await this.#connection.query(sql, [...values]))[0] as Row[]; // of the one statement that the caller wrote
  }

  /** Columns and keys as SHOW CREATE TABLE has them, each as one text; null where there is no such table. */
  async definition(table: string, at?: string): Promise<readonly string[] | null> {
    const rows = await this.rows<{ 'Create Table': string }>(`show create table \`${table}\``, at).catch(
      (error: Error) => {
        if (error.message.includes('table not found')) return [];
        throw error;
      },
    );
    const text = rows[0]?.['Create Table'];
    if (text === undefined) return null;
    const [, body = '', rest = ''] = /^CREATE TABLE `.*?` \(\n(.*)\n\)(.*)$/s.exec(text) ?? [];
    const comment = /COMMENT=.*$/s.exec(rest);
    const plain = (line: string): string =>
      line
        .trim()
        .replace(/,$/, '')
        .replaceAll(/`([A-Za-z_]\w*)`/g, '$1');
    return [...body.split('\n').map(plain), ...(comment ?? [])];
  }

  /** What the tables of `wanted`, by the case's names for them, really show. */
  async shown(wanted: Shown, schema: string, at?: string): Promise<Shown> {
    const found: Record<string, readonly [string, ...Cells[]]> = {};
    for (const name of Object.keys(wanted)) {
      const table = name.includes('{schema}') ? name.replaceAll('{schema}', schema) : `${schema}__${name}`;
      const definition = await this.definition(table, at);
      if (definition === null) continue;
      const rows = await this.rows<Record<string, unknown>>(`select * from \`${table}\``, at);
      found[name] = [
        definition.join(', ').replaceAll(`${schema}_`, '{schema}_'),
        ...rows.map((row) => Object.values(row)),
      ];
    }
    return sorted(found);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.end();
  }
}

/** With each table's rows in one order, whatever that is. */
export function sorted(shown: Shown): Shown {
  const text = (row: Cells): string => JSON.stringify(row);
  return Object.fromEntries(
    Object.entries(shown).map(([name, [definition, ...rows]]) => [
      name,
      [definition, ...rows.sort((a, b) => (text(a) < text(b) ? -1 : 1))],
    ]),
  );
}
