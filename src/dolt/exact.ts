import { createHash } from 'node:crypto';
import { type Cell, type Row, UNCHANGED } from '../core/row.js';
import type { TargetColumn, TargetTable } from '../core/target.js';
import { quoteName, type TargetConnection } from './client.js';
import { quoteText } from './sql-text.js';

/**
 * `wal2dolt_exact`: the exact Postgres text of values that their Dolt column cannot hold. A row of it is found by the
 * hash of its row's key, since a key can be longer than Dolt can index. Most databases have no such value at all, so
 * per table it is remembered whether any exists, and as long as none does nothing is looked up or deleted.
 */
export const EXACT_TABLE = 'wal2dolt_exact';

const CHUNK = 500;

/** `row_key`: the key's values (a keyless table: all values) as a JSON array of Postgres texts. */
export const rowKey = (cells: readonly (string | null)[]): string => JSON.stringify(cells);

export const rowHash = (key: string): string => createHash('sha256').update(key).digest('hex');

interface ExactValue {
  readonly key: readonly (string | null)[];
  readonly column: string;
  readonly value: string;
}

export class ExactValues {
  /** Target tables that have rows in `wal2dolt_exact`. */
  readonly #present: Set<string>;

  private constructor(present: Set<string>) {
    this.#present = present;
  }

  static async load(connection: TargetConnection): Promise<ExactValues> {
    const values = new ExactValues(new Set());
    await values.reload(connection);
    return values;
  }

  /** Somebody else wrote exact values. */
  async reload(connection: TargetConnection): Promise<void> {
    const rows = await connection.rows(`SELECT DISTINCT target_table FROM ${EXACT_TABLE}`);
    this.#present.clear();
    for (const [table] of rows) if (table) this.#present.add(table);
  }

  /** Whether any row of the table has an exact value. */
  has(table: TargetTable): boolean {
    return this.#present.has(table.name);
  }

  /** Forgets a whole table's exact values (TRUNCATE, or a copy that begins again). */
  async clear(connection: TargetConnection, table: TargetTable): Promise<void> {
    await connection.run(`DELETE FROM ${EXACT_TABLE} WHERE target_table=${quoteText(table.name)}`);
    this.#present.delete(table.name);
  }

  /** The table has another name. */
  async rename(connection: TargetConnection, from: string, to: string): Promise<void> {
    if (!this.#present.delete(from)) return;
    await connection.run(
      `UPDATE ${EXACT_TABLE} SET target_table=${quoteText(to)} WHERE target_table=${quoteText(from)}`,
    );
    this.#present.add(to);
  }

  /** Columns have other names, or are gone (null): the rows that are there keep the rest. */
  async changeColumn(connection: TargetConnection, table: string, from: string, to: string | null): Promise<void> {
    if (!this.#present.has(table)) return;
    const where = `target_table=${quoteText(table)} AND target_column=${quoteText(from)}`;
    await connection.run(
      to === null
        ? `DELETE FROM ${EXACT_TABLE} WHERE ${where}`
        : `UPDATE ${EXACT_TABLE} SET target_column=${quoteText(to)} WHERE ${where}`,
    );
  }

  /** Forgets the exact values of rows that were deleted or are written anew. */
  async forget(connection: TargetConnection, table: TargetTable, keys: readonly (readonly string[])[]): Promise<void> {
    if (!this.#present.has(table.name)) return;
    for (let start = 0; start < keys.length; start += CHUNK) {
      const hashes = keys.slice(start, start + CHUNK).map((key) => `'${rowHash(rowKey(key))}'`);
      await connection.run(
        `DELETE FROM ${EXACT_TABLE} WHERE target_table=${quoteText(table.name)} AND row_hash IN (${hashes.join(',')})`,
      );
    }
  }

  /** Keeps the inexact cells of rows that were written. */
  async keep(connection: TargetConnection, table: TargetTable, rows: Iterable<Row>): Promise<void> {
    const columns = inexactColumns(table);
    if (columns.length === 0) return;
    let values: ExactValue[] = [];
    for (const row of rows) {
      for (const { column, i, isExact } of columns) {
        const cell = row[i] as Cell; // rows have one cell per column
        if (cell === null || cell === UNCHANGED || isExact(cell)) continue;
        values.push({ key: keyCells(table, row), column: column.name, value: cell });
      }
      if (values.length >= CHUNK) {
        await this.#insert(connection, table, values);
        values = [];
      }
    }
    if (values.length > 0) await this.#insert(connection, table, values);
  }

  /** Forgets those of some copies of a keyless table's row. */
  async forgetCopies(connection: TargetConnection, table: TargetTable, row: Row, copies: number): Promise<void> {
    for (const [i, column] of table.columns.entries()) {
      const cell = row[i] as Cell; // rows have one cell per column
      const { isExact } = column.conversion;
      if (isExact === null || cell === null || cell === UNCHANGED || isExact(cell)) continue;
      const where = `target_table=${quoteText(table.name)} AND row_hash='${rowHash(rowKey(keyCells(table, row)))}' AND target_column=${quoteText(column.name)}`;
      await connection.run(`UPDATE ${EXACT_TABLE} SET copies=copies-${copies} WHERE ${where}`);
      await connection.run(`DELETE FROM ${EXACT_TABLE} WHERE ${where} AND copies<=0`);
    }
  }

  /** The exact values of some rows: by row key, column name to text. */
  async read(
    connection: TargetConnection,
    table: TargetTable,
    keys: readonly (readonly string[])[],
  ): Promise<Map<string, Map<string, string>>> {
    return this.#present.has(table.name) ? readExact(connection, table, keys) : new Map();
  }

  async #insert(connection: TargetConnection, table: TargetTable, values: readonly ExactValue[]): Promise<void> {
    const rows = values.map(({ key, column, value }) => {
      const text = rowKey(key);
      return `(${quoteText(table.name)},'${rowHash(text)}',${quoteText(column)},${quoteText(text)},${quoteText(value)},1)`;
    });
    // Only a keyless table has the same row twice, and then the copies add up.
    await connection.run(
      `INSERT INTO ${EXACT_TABLE} (target_table,row_hash,target_column,row_key,value,copies) VALUES ${rows.join(',')} ON DUPLICATE KEY UPDATE copies=copies+VALUES(copies)`,
    );
    this.#present.add(table.name);
  }
}

/** As `ExactValues.read`, at a commit too: `asOf` is ` AS OF 'hash'`. */
export async function readExact(
  connection: TargetConnection,
  table: TargetTable,
  keys: readonly (readonly string[])[],
  asOf = '',
): Promise<Map<string, Map<string, string>>> {
  const found = new Map<string, Map<string, string>>();
  for (let start = 0; start < keys.length; start += CHUNK) {
    const hashes = keys.slice(start, start + CHUNK).map((key) => `'${rowHash(rowKey(key))}'`);
    const rows = await connection.rows(
      `SELECT row_key, target_column, value FROM ${EXACT_TABLE}${asOf} WHERE target_table=${quoteText(table.name)} AND row_hash IN (${hashes.join(',')})`,
    );
    for (const [key, column, value] of rows) {
      if (key === null || key === undefined || !column || value === null || value === undefined) continue;
      const values = found.get(key) ?? new Map<string, string>();
      values.set(column, value);
      found.set(key, values);
    }
  }
  return found;
}

/** Those of which a value may not be exact. */
function inexactColumns(table: TargetTable): { column: TargetColumn; i: number; isExact: (text: string) => boolean }[] {
  return table.columns.flatMap((column, i) => {
    const { isExact } = column.conversion;
    return isExact === null ? [] : [{ column, i, isExact }];
  });
}

function keyCells(table: TargetTable, row: Row): (string | null)[] {
  const positions = table.key.length > 0 ? table.key : table.columns.map((_, i) => i);
  return positions.map((i) => {
    const cell = row[i];
    return typeof cell === 'string' ? cell : null;
  });
}

/** For the bookkeeping: how the table is made. */
export const CREATE_EXACT_TABLE = `CREATE TABLE IF NOT EXISTS ${quoteName(EXACT_TABLE)} (
  target_table VARCHAR(64) NOT NULL,
  row_hash CHAR(64) NOT NULL,
  target_column VARCHAR(64) NOT NULL,
  row_key LONGTEXT NOT NULL,
  value LONGTEXT NOT NULL,
  copies INT NOT NULL DEFAULT 1,
  PRIMARY KEY (target_table, row_hash, target_column)
)`;
