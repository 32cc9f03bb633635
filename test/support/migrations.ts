import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One migration: what the tool sends, and what the application does with the rows afterwards. Each entry is one statement. */
export interface Migration {
  /** As the file is called, without `.sql`. */
  readonly name: string;
  readonly statements: readonly string[];
  readonly rows: readonly string[];
}

export interface MigrationSet {
  readonly name: string;
  readonly migrations: readonly Migration[];
}

/**
 * The sets in the folders of a folder: files `01_name.sql`, `02_name.sql`, …, and `application.sql`, in which a line `-- 01`
 * begins what the application does after the first.
 */
export async function readMigrationSets(folder: string): Promise<MigrationSet[]> {
  const folders = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  return Promise.all(folders.map(({ name }) => readSet(name, join(folder, name))));
}

async function readSet(name: string, folder: string): Promise<MigrationSet> {
  const rows = new Map<string, string>();
  for (const part of (await readFile(join(folder, 'application.sql'), 'utf8')).split(/^-- (?=\d+$)/m)) {
    const [, number = '', sql = ''] = /^(\d+)\n([\s\S]*)$/.exec(part) ?? [];
    rows.set(number, sql);
  }
  const files = (await readdir(folder)).filter((file) => /^\d+_.*\.sql$/.test(file)).sort();
  const migrations = files.map(
    async (file): Promise<Migration> => ({
      name: file.replace(/\.sql$/, ''),
      statements: statementsOf(await readFile(join(folder, file), 'utf8')),
      rows: statementsOf(rows.get(file.split('_')[0] ?? '') ?? ''),
    }),
  );
  return { name, migrations: await Promise.all(migrations) };
}

/** As psql sends them: some commands may not share a message with others. */
function statementsOf(sql: string): string[] {
  const tokens = sql.match(/'(?:[^']|'')*'|"[^"]*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|[\s\S]/g) ?? [];
  const statements = [''];
  for (const token of tokens) {
    if (token === ';') statements.push('');
    else statements.push(`${statements.pop()}${/^(--|\/\*)/.test(token) ? ' ' : token}`);
  }
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '');
}
