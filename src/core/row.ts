/** The value was not sent because it did not change (out-of-line TOAST): the target keeps what it has. */
export const UNCHANGED: unique symbol = Symbol('unchanged');

/** A value as Postgres prints it, NULL, or UNCHANGED. */
export type Cell = string | null | typeof UNCHANGED;

/** Cells by position, in the order of the relation's published columns. */
export type Row = readonly Cell[];
