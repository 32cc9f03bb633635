import fc from 'fast-check';
import { type Cell, type Row, UNCHANGED } from '../../src/core/row.js';
import type { TargetTable } from '../../src/core/target.js';
import type { PlainChanges, PlainOldRow } from './plain-changes.js';

/*
 * Random histories of one table, as Postgres would tell them, beside a model of the table that is too simple to be
 * wrong: a list of rows.
 */

export type RowChange =
  | { readonly kind: 'insert'; readonly row: Row }
  | { readonly kind: 'update'; readonly old: PlainOldRow | null; readonly row: Row }
  | { readonly kind: 'delete'; readonly old: PlainOldRow }
  | { readonly kind: 'truncate' };

export type ModelRow = readonly (string | null)[];

/** Changes that are written together, and the table's rows after them. */
export interface Piece {
  readonly changes: readonly RowChange[];
  readonly after: readonly ModelRow[];
}

/** A table and values for its columns: few of each, so that rows meet. */
export interface HistorySpec {
  readonly table: TargetTable;
  /** By column position. */
  readonly values: readonly (readonly (string | null)[])[];
  /** Column positions of unique indexes beside the key, which Postgres checks at every row. */
  readonly unique: readonly (readonly number[])[];
  /** Positions of columns whose value may be stored out of line, and then is not sent when it does not change. */
  readonly toast: readonly number[];
}

interface Step {
  readonly what: 'insert' | 'update' | 'move' | 'rotate' | 'delete' | 'truncate' | 'cut';
  /** Which row, of those that there are. */
  readonly row: number;
  /** Which value of each column. */
  readonly cells: readonly number[];
  /** Columns that an update sets, as bits. */
  readonly sets: number;
  /** Columns that are stored out of line now, as bits. */
  readonly toasted: number;
}

/** Pieces of a random history, the first of which only fills the table. Steps that Postgres would refuse are left out. */
export function histories(spec: HistorySpec, maxLength: number): fc.Arbitrary<readonly Piece[]> {
  const columns = spec.values.length;
  const bits = fc.nat(2 ** columns - 1);
  const stepOf = (what: Step['what']): fc.Arbitrary<Step> =>
    fc.record({
      what: fc.constant(what),
      row: fc.nat(1_000),
      cells: fc.array(fc.nat(1_000), { minLength: columns, maxLength: columns }),
      // A quarter of the columns is set, and three quarters of those that could be are stored out of line.
      sets: fc.tuple(bits, bits).map(([a, b]) => a & b),
      toasted: fc.tuple(bits, bits).map(([a, b]) => a | b),
    });
  const weighted = (weight: number, what: Step['what']) => ({ weight, arbitrary: stepOf(what) });
  const step = fc.oneof(
    weighted(12, 'update'),
    weighted(8, 'insert'),
    weighted(6, 'move'),
    weighted(5, 'rotate'),
    weighted(5, 'delete'),
    weighted(5, 'cut'),
    weighted(1, 'truncate'),
  );
  const filling = fc.array(stepOf('insert'), { minLength: 4, maxLength: 16, size: 'max' });
  const steps = fc.array(step, { minLength: 1, maxLength, size: 'max' });
  // Without the bias towards small numbers, which would always mean the same row and the same value.
  return fc
    .noBias(fc.tuple(filling, stepOf('cut'), steps))
    .map(([first, cut, rest]) => new History(spec).play([...first, cut, ...rest]));
}

class History {
  readonly #spec: HistorySpec;
  #rows: ModelRow[] = [];
  #changes: RowChange[] = [];
  #pieces: Piece[] = [];

  constructor(spec: HistorySpec) {
    this.#spec = spec;
  }

  play(steps: readonly Step[]): readonly Piece[] {
    for (const step of steps) this.#step(step);
    this.#cut();
    return this.#pieces;
  }

  #step(step: Step): void {
    const { key } = this.#spec.table;
    const row = this.#rows[step.row % Math.max(1, this.#rows.length)];
    const cells = this.#spec.values.map((values, i) => values[(step.cells[i] ?? 0) % values.length] ?? null);
    if (step.what === 'cut') this.#cut();
    else if (step.what === 'truncate') {
      this.#rows = [];
      this.#changes.push({ kind: 'truncate' });
    } else if (step.what === 'insert') this.#insert(cells);
    else if (!row) return;
    else if (step.what === 'delete') this.#delete(row);
    else if (step.what === 'rotate') this.#rotate(step);
    else {
      const sets = (i: number): boolean => (step.sets & (1 << i)) !== 0 && (step.what === 'move' || !key.includes(i));
      this.#update(
        row,
        row.map((cell, i) => (sets(i) ? (cells[i] ?? null) : cell)),
        step.toasted,
      );
    }
  }

  #insert(row: ModelRow): void {
    if (!this.#isFree(row, null)) return;
    this.#rows.push(row);
    this.#changes.push({ kind: 'insert', row });
  }

  #delete(row: ModelRow): void {
    this.#rows.splice(this.#rows.indexOf(row), 1);
    this.#changes.push({ kind: 'delete', old: this.#oldRow(row) });
  }

  #update(before: ModelRow, after: ModelRow, toasted: number): boolean {
    const { table, toast } = this.#spec;
    if (!this.#isFree(after, before)) return false;
    this.#rows[this.#rows.indexOf(before)] = after;
    const isSent = (i: number): boolean =>
      before[i] !== after[i] || after[i] === null || !toast.includes(i) || (toasted & (1 << i)) === 0;
    const row = after.map((cell, i): Cell => (isSent(i) ? cell : UNCHANGED));
    // A key that changes comes with its old values, and so does one that is stored out of line.
    const needsOld = table.key.length === 0 || this.#isFull() || table.key.some((i) => before[i] !== row[i]);
    this.#changes.push({ kind: 'update', old: needsOld ? this.#oldRow(before) : null, row });
    return true;
  }

  /** Keys (or the values of one unique index) go round among some rows, by way of a value that nobody has. */
  #rotate(step: Step): void {
    const { table, unique } = this.#spec;
    const groups = [...(table.key.length > 0 ? [table.key] : []), ...unique];
    const group = groups[step.sets % Math.max(1, groups.length)];
    const rows = this.#rows.slice(step.row % Math.max(1, this.#rows.length)).slice(0, 2 + (step.toasted % 3));
    if (!group || rows.length < 2) return;
    const valuesOf = (row: ModelRow): ModelRow => group.map((i) => row[i] ?? null);
    const withValues = (row: ModelRow, values: ModelRow): ModelRow =>
      row.map((cell, i) => (group.includes(i) ? (values[group.indexOf(i)] ?? null) : cell));
    const parked = this.#freeValues(group, step);
    const [first, ...rest] = rows;
    if (!parked || !first) return;
    let free = valuesOf(first);
    let held = withValues(first, parked);
    if (!this.#update(first, held, step.toasted)) return;
    for (const row of rest) {
      const given = valuesOf(row);
      if (this.#update(row, withValues(row, free), step.toasted)) free = given;
    }
    if (this.#update(held, withValues(held, free), step.toasted >> 1)) held = withValues(held, free);
  }

  #freeValues(group: readonly number[], step: Step): ModelRow | null {
    const longest = Math.max(...group.map((i) => this.#spec.values[i]?.length ?? 1));
    for (let n = 0; n < longest; n += 1) {
      const values = group.map((i) => {
        const of = this.#spec.values[i] ?? [null];
        return of[((step.cells[i] ?? 0) + n) % of.length] ?? null;
      });
      if (!this.#rows.some((row) => group.every((i, at) => row[i] === values[at]))) return values;
    }
    return null;
  }

  #isFree(row: ModelRow, except: ModelRow | null): boolean {
    const { table, unique } = this.#spec;
    const others = this.#rows.filter((other) => other !== except);
    const clashes = (columns: readonly number[]): boolean =>
      columns.length > 0 && others.some((other) => columns.every((i) => row[i] !== null && row[i] === other[i]));
    if (table.source.columns.some((column, i) => column.notNull && row[i] === null)) return false;
    return !clashes(table.key) && !unique.some(clashes);
  }

  #isFull(): boolean {
    return this.#spec.table.source.replicaIdentity === 'f';
  }

  #oldRow(row: ModelRow): PlainOldRow {
    const { key } = this.#spec.table;
    const full = key.length === 0 || this.#isFull();
    return { full, row: full ? row : row.map((cell, i) => (key.includes(i) ? cell : null)) };
  }

  #cut(): void {
    this.#pieces.push({ changes: this.#changes, after: [...this.#rows] });
    this.#changes = [];
  }
}

/** Tells net changes what happened, as the stream's loop does. */
export function tell(net: PlainChanges, changes: readonly RowChange[]): void {
  for (const change of changes) {
    if (change.kind === 'insert') net.insert(change.row);
    else if (change.kind === 'update') net.update(change.old, change.row);
    else if (change.kind === 'delete') net.delete(change.old);
    else net.truncate();
  }
}

/** Rows as sorted lists of JSON: the same for the same rows. */
export const contentOf = (rows: readonly Row[]): string[] =>
  rows
    .map((row) => JSON.stringify(row, (_, cell: unknown) => (cell === UNCHANGED ? { unchanged: true } : cell)))
    .sort();
