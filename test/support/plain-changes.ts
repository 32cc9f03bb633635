import { KeyedChanges, KeylessChanges, netChangesOf } from '../../src/core/coalesce.js';
import type { Row } from '../../src/core/row.js';
import type { TargetTable } from '../../src/core/target.js';
import { Tuple } from '../../src/core/tuple.js';

export interface PlainOldRow {
  readonly full: boolean;
  readonly row: Row;
}

/** What an entry of a table with a key comes to, as cells. */
export interface PlainEntry {
  readonly key: readonly string[];
  readonly existed: boolean;
  readonly row: Row | null;
  readonly base: readonly string[] | null;
}

/** Net changes of a table, told and read as cells. */
export class PlainChanges {
  readonly net: KeyedChanges | KeylessChanges;

  constructor(of: TargetTable | KeyedChanges | KeylessChanges) {
    this.net = of instanceof KeyedChanges || of instanceof KeylessChanges ? of : netChangesOf(of);
  }

  insert(row: Row): void {
    this.net.insert(Tuple.of(row));
  }

  update(old: PlainOldRow | null, row: Row): void {
    this.net.update(old && oldTuple(old), Tuple.of(row));
  }

  delete(old: PlainOldRow): void {
    this.net.delete(oldTuple(old));
  }

  truncate(): void {
    this.net.truncate();
  }

  /** Of a table with a key. */
  entries(): PlainEntry[] {
    const { net } = this;
    if (net instanceof KeylessChanges) throw new Error('the table has no key');
    return [...net.numbers()].map((number) => {
      const { row, ...rest } = net.entry(number);
      return { ...rest, row: row === null ? null : row.cells() };
    });
  }

  /** Of a table without one. */
  copies(): { readonly row: Row; readonly delta: number }[] {
    const { net } = this;
    if (net instanceof KeyedChanges) throw new Error('the table has a key');
    return [...net.entries()].map(({ row, delta }) => ({ row: row.cells(), delta }));
  }
}

const oldTuple = ({ full, row }: PlainOldRow): { full: boolean; row: Tuple } => ({ full, row: Tuple.of(row) });
