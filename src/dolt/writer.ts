import { type Cell, type Row, UNCHANGED } from '../core/change.js';
import { type KeyedChanges, type KeyedEntry, KeylessChanges, keyText } from '../core/coalesce.js';
import type { TargetTable } from '../core/target.js';
import { Wal2DoltError } from '../errors.js';
import { quoteName, type TargetConnection } from './client.js';
import { uniquePositions } from './ddl.js';
import {
  assertKeyFits,
  deleteCopies,
  deleteKeys,
  insertRows,
  type Statement,
  sameKey,
  selectRows,
  sortByKey,
  updateRow,
} from './dml.js';
import { type ExactValues, rowKey } from './exact.js';

/** Rows read back in one statement: few, since they are read because they are large. */
const FETCH_ROWS = 100;

/**
 * Writes net changes into the working set of the staging branch: first what goes, then what is changed in place, then
 * what comes, so that values of unique indexes can change hands within a batch.
 */
export class Writer {
  readonly #connection: TargetConnection;
  readonly #exact: ExactValues;
  readonly #uniquePositions = new Map<TargetTable, readonly number[]>();

  constructor(connection: TargetConnection, exact: ExactValues) {
    this.#connection = connection;
    this.#exact = exact;
  }

  async write(changes: readonly (KeyedChanges | KeylessChanges)[]): Promise<void> {
    for (const change of changes) {
      if (change.truncated) await this.#truncate(change.table);
      if (change instanceof KeylessChanges) await this.#writeKeyless(change);
      else await this.#writeKeyed(change);
    }
  }

  /** Rows of a copy: nothing was there before. */
  async insert(table: TargetTable, rows: readonly Row[]): Promise<void> {
    await this.#run(table, insertRows(table, this.#checked(table, rows)));
    await this.#exact.keep(this.#connection, table, rows);
  }

  async #truncate(table: TargetTable): Promise<void> {
    await this.#connection.run(`DELETE FROM ${quoteName(table.name)}`);
    await this.#exact.clear(this.#connection, table);
  }

  async #writeKeyed(changes: KeyedChanges): Promise<void> {
    const { table } = changes;
    const entries = sortByKey(table, [...changes.entries.values()]);
    await this.#complete(table, entries);

    const written = entries.filter((entry) => entry.existed && (entry.row === null || entry.base === null));
    const deletions = written.map((entry) => entry.key);
    const partial = entries.filter((entry) => entry.row !== null && entry.base !== null);
    const complete = entries.filter((entry) => entry.row !== null && entry.base === null);

    await this.#run(table, deleteKeys(table, deletions));
    await this.#exact.forget(this.#connection, table, deletions);
    for (const { key, row } of partial) {
      await this.#run(table, [updateRow(table, key, row ?? [])]);
      const sent = table.columns.flatMap((column, i) => (row?.[i] === UNCHANGED ? [] : [column.name]));
      await this.#exact.forget(this.#connection, table, [key], sent);
    }
    await this.#exact.keep(
      this.#connection,
      table,
      partial.map((entry) => entry.row ?? []),
      partial.map((entry) => entry.key),
    );
    for (const { key } of complete) assertKeyFits(table, key);
    const rows = complete.map((entry) => entry.row ?? []);
    await this.#run(table, insertRows(table, rows));
    await this.#exact.keep(this.#connection, table, rows);
  }

  /**
   * Fills UNCHANGED cells from Dolt for the rows that can not be updated in place: those whose key changed, and those
   * of which a value of a unique index changed (a swap of unique values is refused row by row).
   */
  async #complete(table: TargetTable, entries: readonly KeyedEntry[]): Promise<void> {
    const partial = entries.filter((entry) => entry.row !== null && entry.base !== null);
    if (partial.length === 0) return;
    const hasMoved = ({ base, key }: KeyedEntry): boolean => base !== null && !sameKey(base, key);
    const moved = partial.filter(hasMoved);
    const unique = this.#unique(table);
    const candidates = partial.filter((entry) => !hasMoved(entry) && unique.some((i) => entry.row?.[i] !== UNCHANGED));
    const before = await this.#read(table, candidates, unique);
    const colliding = candidates.filter((entry) =>
      unique.some((i, n) => entry.row?.[i] !== UNCHANGED && entry.row?.[i] !== before.get(keyText(entry.key))?.[n]),
    );
    const all = table.columns.map((_, i) => i);
    const fetched = [...moved, ...colliding];
    const rows = await this.#read(table, fetched, all);
    for (const entry of fetched) {
      const base = rows.get(keyText(entry.base ?? entry.key)) ?? [];
      entry.row = (entry.row ?? []).map((cell, i): Cell => (cell === UNCHANGED ? (base[i] ?? null) : cell));
      entry.base = null;
    }
  }

  /** Reads cells of the rows that some entries are based on, as Postgres text, by key text. */
  async #read(
    table: TargetTable,
    entries: readonly KeyedEntry[],
    positions: readonly number[],
  ): Promise<Map<string, (string | null)[]>> {
    const found = new Map<string, (string | null)[]>();
    for (let start = 0; start < entries.length; start += FETCH_ROWS) {
      const keys = entries.slice(start, start + FETCH_ROWS).map((entry) => entry.base ?? entry.key);
      const exact = await this.#exact.read(this.#connection, table, keys);
      const rows = await this.#connection.rows(selectRows(table, keys, positions));
      if (rows.length !== keys.length) throw missing(table, keys.length, rows.length);
      for (const row of rows) {
        const key = table.key.map((position, i) => table.columns[position]?.conversion.restore(row[i] ?? '') ?? '');
        const exactOfRow = exact.get(rowKey(key));
        const cells = positions.map((position, i) => {
          const column = table.columns[position];
          const value = row[table.key.length + i];
          const text = value === null || value === undefined ? null : (column?.conversion.restore(value) ?? null);
          return (column && exactOfRow?.get(column.name)) ?? text;
        });
        found.set(keyText(key), cells);
      }
    }
    return found;
  }

  async #writeKeyless(changes: KeylessChanges): Promise<void> {
    const { table } = changes;
    const coming: Row[] = [];
    for (const { row, delta } of changes.entries()) {
      if (delta < 0) {
        await this.#run(table, [deleteCopies(table, row, -delta)]);
        await this.#exact.count(this.#connection, table, row, delta);
      } else for (let copy = 0; copy < delta; copy += 1) coming.push(row);
    }
    await this.#run(table, insertRows(table, coming));
    await this.#exact.keep(this.#connection, table, coming);
  }

  /** Runs statements one after the other; the next is built while Dolt works on the one before. */
  async #run(table: TargetTable, statements: Iterable<Statement>): Promise<void> {
    let running: { result: Promise<number>; expect: number } | null = null;
    for (const { sql, expect } of statements) {
      if (running) await settle(table, running);
      const result = this.#connection.run(sql);
      // Building the next statement may throw while this one runs: it must not become an unhandled rejection.
      result.catch(() => {});
      running = { result, expect };
    }
    if (running) await settle(table, running);
  }

  #unique(table: TargetTable): readonly number[] {
    let positions = this.#uniquePositions.get(table);
    if (!positions) {
      positions = uniquePositions(table);
      this.#uniquePositions.set(table, positions);
    }
    return positions;
  }

  *#checked(table: TargetTable, rows: readonly Row[]): Iterable<Row> {
    for (const row of rows) {
      if (table.key.length > 0)
        assertKeyFits(
          table,
          table.key.map((i) => String(row[i])),
        );
      yield row;
    }
  }
}

async function settle(table: TargetTable, running: { result: Promise<number>; expect: number }): Promise<void> {
  const changed = await running.result;
  if (changed !== running.expect) throw missing(table, running.expect, changed);
}

function missing(table: TargetTable, expected: number, found: number): Wal2DoltError {
  return new Wal2DoltError(
    'E_TARGET_DIVERGED',
    `${table.name}: ${expected} rows should have been there to change, ${found} were`,
  );
}
