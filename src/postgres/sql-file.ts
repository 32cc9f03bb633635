import { readFileSync } from 'node:fs';

/** What is installed in the source for schema changes, as one script of several statements. */
export const SQL = readFileSync(new URL('../../sql/wal2dolt.sql', import.meta.url), 'utf8');

/** Raised with every change of the file that an installed one should get. */
export const SQL_VERSION = Number(/^COMMENT ON SCHEMA wal2dolt IS 'wal2dolt, version (\d+):/m.exec(SQL)?.[1]);

/**
 * The query inside of one of its functions, for a source in which it is not installed: with the function's arguments as
 * `$1`, `$2`, and the functions that it calls with the same arguments in their place.
 */
export function queryOf(name: string): string {
  const body = SQL.split(` AS $${name}$`)[1]?.split(`$${name}$`)[0];
  if (body === undefined) throw new Error(`sql/wal2dolt.sql has no function ${name}`);
  return body.replace(/wal2dolt\.(\w+)\(\$1, \$2\)/g, (_, called: string) => `(${queryOf(called)})`);
}
