import type { Connection } from 'mysql2/promise';
import type { NetChanges } from './net-changes.js';
import type { Target } from './target.js';

/** Of what was tried (500 to 10,000 rows a statement, and LOAD DATA) the fastest with rows of 200 bytes. */
const ROWS = 2_000;
const CHARACTERS = 1 << 20;
const KEYS = 1_000;

/** A hand-written client that knows beforehand all that is to be written. */
export interface Prepared {
  run(): Promise<void>;
}

/** One transaction per connection, each with its part of every table's statements; then one Dolt commit of it all. */
export async function prepareNetChanges(
  target: Target,
  changes: readonly NetChanges[],
  connections: number,
): Promise<Prepared> {
  const opened: Connection[] = [];
  for (let i = 0; i < connections; i += 1) opened.push(await target.connect());
  // Each connection has a range of keys for itself: it does not see what another one deletes.
  const parts = opened.map((_, i) =>
    changes.map((change) => {
      const [from, to] = [i, i + 1].map((n) => Math.floor((change.rows.length * n) / connections));
      return { ...change, rows: change.rows.slice(from, to) };
    }),
  );
  const statements = parts.map((part) => part.flatMap((change) => [...deletions(change), ...insertions(change)]));
  return {
    run: async () => {
      await Promise.all(
        opened.map(async (connection, i) => {
          await connection.query('START TRANSACTION');
          for (const statement of statements[i] ?? []) await connection.query(statement);
        }),
      );
      for (const connection of opened) await connection.query('COMMIT');
      await opened[0]?.query(`CALL DOLT_COMMIT('-A', '-m', 'all')`);
    },
  };
}

/** A statement for each row, of those that were kept so, and a SQL transaction for so many of them; one Dolt commit. */
export async function prepareSingles(
  target: Target,
  changes: readonly NetChanges[],
  rowsPerTransaction: number,
): Promise<Prepared & { readonly rows: number }> {
  const connection = await target.connect();
  const statements = changes.flatMap(({ single }) => single);
  return {
    rows: statements.length,
    run: async () => {
      await connection.query('START TRANSACTION');
      for (const [i, statement] of statements.entries()) {
        if (i > 0 && i % rowsPerTransaction === 0) {
          await connection.query('COMMIT');
          await connection.query('START TRANSACTION');
        }
        await connection.query(statement);
      }
      await connection.query('COMMIT');
      await connection.query(`CALL DOLT_COMMIT('-A', '-m', 'all')`);
    },
  };
}

const deletions = ({ table, key, rows }: NetChanges): string[] =>
  chunks(
    rows.flatMap(({ gone }) => gone ?? []),
    KEYS,
  ).map((keys) => `DELETE FROM \`${table}\` WHERE ${tuple(key)} IN (${keys.join(',')})`);

const insertions = ({ table, columns, rows }: NetChanges): string[] =>
  chunks(
    rows.flatMap(({ coming }) => coming ?? []),
    ROWS,
  ).map((some) => `INSERT INTO \`${table}\` (${columns.join(',')}) VALUES ${some.join(',')}`);

const tuple = (key: readonly string[]): string => (key.length === 1 ? String(key[0]) : `(${key.join(',')})`);

/** So many, or so many characters, at a time. */
function chunks(literals: readonly string[], most: number): string[][] {
  const found: string[][] = [];
  let open: string[] = [];
  let size = 0;
  for (const literal of literals) {
    if (open.length > 0 && (open.length === most || size + literal.length > CHARACTERS)) {
      found.push(open);
      open = [];
      size = 0;
    }
    open.push(literal);
    size += literal.length;
  }
  if (open.length > 0) found.push(open);
  return found;
}
