import type { Client } from 'pg';
import type { Source } from './source.js';

/** Work that waits in a replication slot, and what may be expected of whoever brings it into Dolt. */
export interface DrainCase {
  readonly kind: 'drain';
  readonly name: string;
  /** What is done, as the documentation says it; `{n}` is the size. */
  readonly work: string;
  /** How much: for a measurement, and for the short form. */
  readonly size: Sizes;
  /** Makes the tables and the rows that are there before. */
  readonly before: (source: Client, size: number) => Promise<void>;
  /** Makes the backlog. Returns how many rows it changes. */
  readonly backlog: (source: Client, size: number) => Promise<number>;
  /** Options of `wal2dolt run`. */
  readonly options?: readonly string[];
  readonly contenders: readonly Contender[];
  readonly limits: readonly Limit[];
}

/** All rows of a database, copied. */
export interface CopyCase extends Omit<DrainCase, 'kind' | 'backlog' | 'before'> {
  readonly kind: 'copy';
  /** Makes the tables. Returns how many rows they have. */
  readonly before: (source: Client, size: number) => Promise<number>;
}

export interface Sizes {
  readonly full: number;
  readonly short: number;
}

/**
 * Who else does the work, in the same run, knowing beforehand what is to be written:
 * - `ceiling`: one connection, the net rows sorted by key, one SQL transaction, one Dolt commit;
 * - `summit`: the same, over two connections;
 * - `single updates`: one connection and one Dolt commit too, but an UPDATE of what changed for each row: the best where rows are large;
 * - `row by row`: a statement for each row, of a sample of them, in transactions of ten;
 * - `same statements`: what wal2dolt sent, statement by statement, recorded beforehand;
 * - `stream alone`: nobody writes anything; how fast Postgres sends, which is the most that anybody can reach who has to be told;
 * - `debezium`: where it is asked for, and does not know anything beforehand either.
 */
export type Contender =
  | 'ceiling'
  | 'summit'
  | 'single updates'
  | 'row by row'
  | 'same statements'
  | 'stream alone'
  | 'debezium';

/** wal2dolt's speed divided by a contender's must be at least this; in the short form, of which less can be said, `short`. */
export interface Limit {
  readonly of: Contender;
  readonly atLeast: number;
  readonly short?: number;
}

/** What is not work in a slot and its speed: a test bench of its own. */
export interface OwnCase {
  readonly kind: 'own';
  readonly name: string;
  readonly work: string;
  /** It is done several times, as others are: what it says differs from one time to the next. */
  readonly isRepeated: boolean;
  readonly run: (environment: Environment, short: boolean) => Promise<Finding[]>;
}

/** What was measured, and what it must not exceed. */
export interface Finding {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly atMost: number | null;
}

/** What cases have in common. */
export interface Environment {
  readonly source: Source;
  readonly doltBinary: string;
  readonly say: (line: string) => void;
}
