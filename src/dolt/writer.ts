import { type KeyedEntry, KeylessChanges, keyText } from '../core/coalesce.js';
import { type Cell, type Row, UNCHANGED } from '../core/row.js';
import { qualifiedName } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import { isTooLong, Tuple } from '../core/tuple.js';
import { Wal2DoltError } from '../errors.js';
import { quoteName, type TargetConnection } from './client.js';
import { uniqueIndexes } from './ddl.js';
import { deleteCopies, deleteKeys, type Statement, selectRows, updateRow } from './dml.js';
import { type ExactValues, rowKey } from './exact.js';
import { collectGarbage } from './garbage.js';
import { type InPlace, inPlace, orderInPlace } from './in-place.js';
import { insertRows } from './insert-rows.js';
import type { KeyedRows, NetRows } from './net-rows.js';

/** Rows read back in one statement: few, since those that are read whole may be large. */
const FETCH_ROWS = 100;

/** Of a statement so long (in characters) several copies exist in turn; those that are done with are collected at once. */
const HUGE_STATEMENT = 16 << 20;

/**
 * Writes net changes into the working set of the staging branch: first what goes, then what is changed in place, then
 * what comes, so that values of unique indexes can change hands within a batch.
 */
export class Writer {
  readonly #connection: TargetConnection;
  readonly #exact: ExactValues;
  readonly #uniqueIndexes = new Map<TargetTable, readonly (readonly number[])[]>();
  /** A huge statement was sent. */
  #huge = false;

  constructor(connection: TargetConnection, exact: ExactValues) {
    this.#connection = connection;
    this.#exact = exact;
  }

  async write(all: readonly NetRows[]): Promise<void> {
    for (const rows of all) {
      await this.#writing(rows.table, async () => {
        if (rows.truncated) await this.#truncate(rows.table);
        if (rows instanceof KeylessChanges) await this.#writeKeyless(rows);
        else await this.#writeKeyed(rows);
      });
    }
  }

  /** Rows of a copy: nothing was there before. */
  async insert(table: TargetTable, rows: Iterable<Tuple>): Promise<void> {
    await this.#writing(table, () => this.#insert(table, rows));
  }

  async #writing(table: TargetTable, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw isTooLong(error) ? tooLarge(table, error) : error;
    }
    if (this.#huge) collectGarbage();
    this.#huge = false;
  }

  async #truncate(table: TargetTable): Promise<void> {
    await this.#connection.run(`DELETE FROM ${quoteName(table.name)}`);
    await this.#exact.clear(this.#connection, table);
  }

  async #writeKeyed(rows: KeyedRows): Promise<void> {
    const { table, changes, entries } = rows;
    const { ordered, completed } = await this.#planInPlace(rows);

    const kept = new Set(ordered.map(({ from }) => keyText(from)));
    const gone = function* (): Iterable<readonly string[]> {
      for (const entry of entries) {
        const key = changes.existed(entry) ? changes.key(entry) : null;
        if (key && (kept.size === 0 || !kept.has(keyText(key)))) yield key;
      }
    };
    await this.#run(table, deleteKeys(table, gone()));
    if (this.#exact.has(table)) await this.#exact.forget(this.#connection, table, [...gone()]);

    await this.#updateInPlace(table, ordered);

    const coming = function* (): Iterable<Tuple> {
      for (const entry of entries) {
        const row = changes.wholeRow(entry) ?? completed.get(entry);
        if (row) yield row;
      }
    };
    await this.#insert(table, coming());
  }

  async #insert(table: TargetTable, rows: Iterable<Tuple>): Promise<void> {
    const inexact: Tuple[] = [];
    await this.#run(
      table,
      insertRows(table, rows, (row) => inexact.push(row)),
    );
    await this.#exact.keep(this.#connection, table, cellsOf(inexact));
  }

  /** The partial rows in an order that works. Those that are in the way of each other are completed, to be written whole. */
  async #planInPlace({ table, changes, entries }: KeyedRows): Promise<{
    readonly ordered: readonly InPlace[];
    /** By the number of their entry. */
    readonly completed: ReadonlyMap<number, Tuple>;
  }> {
    if (changes.partial === 0) return { ordered: [], completed: new Map() };
    const numbers = new Map<KeyedEntry, number>();
    for (const entry of entries) if (changes.isPartial(entry)) numbers.set(changes.entry(entry), entry);
    const partial = [...numbers.keys()];
    const unique = [...new Set(this.#unique(table).flat())];
    const touching = partial.filter((entry) => unique.some((position) => entry.row?.cell(position) !== UNCHANGED));
    const before = new Map<KeyedEntry, Map<number, string | null>>();
    await this.#read(table, touching, unique, (entry, cells) => {
      before.set(entry, new Map(unique.map((position, i) => [position, cells[i] ?? null])));
    });
    const { ordered, rewritten } = orderInPlace(
      partial.map((entry) => inPlace(this.#unique(table), entry, before.get(entry) ?? new Map())),
    );
    const whole = table.columns.map((_, i) => i);
    const completed = new Map<number, Tuple>();
    await this.#read(
      table,
      rewritten.map(({ entry }) => entry),
      whole,
      (entry, cells) => completed.set(numbers.get(entry) as number, rowOf(entry).over(Tuple.of(cells))), // it is one of them
    );
    return { ordered, completed };
  }

  async #updateInPlace(table: TargetTable, rows: readonly InPlace[]): Promise<void> {
    if (!this.#exact.has(table)) {
      await this.#run(table, updates(table, rows));
      const written = rows.map(({ entry }) => rowOf(entry));
      await this.#exact.keep(this.#connection, table, cellsOf(written));
      return;
    }
    for (const row of rows) {
      await this.#run(table, updates(table, [row]));
      await this.#moveExact(table, row);
    }
  }

  /** The exact values of a row that was updated in place: those of the cells that were not sent go with the row. */
  async #moveExact(table: TargetTable, { entry, from }: InPlace): Promise<void> {
    const before = (await this.#exact.read(this.#connection, table, [from])).get(rowKey(from));
    await this.#exact.forget(this.#connection, table, [from]);
    const cells = rowOf(entry).cells();
    const row = table.columns.map((column, i): Cell => {
      const cell = cells[i] ?? null;
      return cell === UNCHANGED ? (before?.get(column.name) ?? UNCHANGED) : cell;
    });
    await this.#exact.keep(this.#connection, table, [row]);
  }

  /** Reads, for entries, cells of the rows that they are based on, as Postgres text. */
  async #read(
    table: TargetTable,
    entries: readonly KeyedEntry[],
    positions: readonly number[],
    found: (entry: KeyedEntry, cells: readonly (string | null)[]) => void,
  ): Promise<void> {
    for (let start = 0; start < entries.length; start += FETCH_ROWS) {
      const some = new Map(
        entries.slice(start, start + FETCH_ROWS).map((entry) => [keyText(entry.base ?? entry.key), entry]),
      );
      const keys = [...some.values()].map((entry) => entry.base ?? entry.key);
      const exact = await this.#exact.read(this.#connection, table, keys);
      const rows = await this.#connection.rows(selectRows(table, keys, positions));
      if (rows.length !== keys.length) throw missing(table, keys.length, rows.length);
      for (const row of rows) {
        const key = table.key.map((position, i) => table.columns[position]?.conversion.restore(row[i] ?? '') ?? '');
        const entry = some.get(keyText(key));
        if (!entry) throw missing(table, keys.length, rows.length);
        const exactOfRow = exact.get(rowKey(key));
        const cells = positions.map((position, i) => {
          const column = table.columns[position];
          const value = row[table.key.length + i];
          const text = value === null || value === undefined ? null : (column?.conversion.restore(value) ?? null);
          return (column && exactOfRow?.get(column.name)) ?? text;
        });
        found(entry, cells);
      }
    }
  }

  async #writeKeyless(changes: KeylessChanges): Promise<void> {
    const { table } = changes;
    const coming: Tuple[] = [];
    for (const { row, delta } of changes.entries()) {
      if (delta < 0) {
        const cells = row.cells();
        await this.#run(table, [deleteCopies(table, cells, -delta)]);
        await this.#exact.forgetCopies(this.#connection, table, cells, -delta);
      } else for (let copy = 0; copy < delta; copy += 1) coming.push(row);
    }
    await this.#insert(table, coming);
  }

  /**
   * Runs statements one after the other; the next is built while Dolt works on the one before. What is small is sent with what comes
   * next on the connection, and may fail then.
   */
  async #run(table: TargetTable, statements: Iterable<Statement>): Promise<void> {
    let running: { result: Promise<number>; expect: number } | null = null;
    for (const { sql, expect } of statements) {
      if (running) await settle(table, running);
      running = null;
      if (this.#connection.canDefer(sql.length)) {
        this.#connection.defer(sql, (changed) => assertChanged(table, expect, changed));
        continue;
      }
      if (sql.length > HUGE_STATEMENT) {
        this.#huge = true;
        collectGarbage();
        if (typeof sql === 'string') Buffer.byteLength(sql); // puts its parts together, which are garbage then
        collectGarbage();
      }
      const result = this.#connection.run(sql);
      // Building the next statement may throw while this one runs: it must not become an unhandled rejection.
      result.catch(() => {});
      running = { result, expect };
    }
    if (running) await settle(table, running);
  }

  #unique(table: TargetTable): readonly (readonly number[])[] {
    let indexes = this.#uniqueIndexes.get(table);
    if (!indexes) {
      indexes = uniqueIndexes(table);
      this.#uniqueIndexes.set(table, indexes);
    }
    return indexes;
  }
}

function* updates(table: TargetTable, rows: readonly InPlace[]): Iterable<Statement> {
  for (const { entry, from } of rows) yield updateRow(table, from, entry.key, rowOf(entry).cells());
}

function* cellsOf(rows: Iterable<Tuple>): Iterable<Row> {
  for (const row of rows) yield row.cells();
}

function rowOf({ row }: KeyedEntry): Tuple {
  if (row === null) throw new Wal2DoltError('E_INTERNAL', 'a row that is gone was to be written');
  return row;
}

async function settle(table: TargetTable, running: { result: Promise<number>; expect: number }): Promise<void> {
  assertChanged(table, running.expect, await running.result);
}

function assertChanged(table: TargetTable, expected: number, changed: number): void {
  if (changed !== expected) throw missing(table, expected, changed);
}

function missing(table: TargetTable, expected: number, found: number): Wal2DoltError {
  return new Wal2DoltError(
    'E_TARGET_DIVERGED',
    `${table.name}: ${expected} rows should have been there to change, ${found} were`,
  );
}

function tooLarge(table: TargetTable, cause: Error): Wal2DoltError {
  return new Wal2DoltError(
    'E_ROW_TOO_LARGE',
    `${qualifiedName(table.source)} has a row that is too large: ${cause.message}`,
    {
      cause,
    },
  );
}
