/** A Postgres type with values at its edges, as SQL expressions of any type that can be assigned to it. */
export interface TypeCase {
  readonly type: string;
  /** The Dolt type that it gets. */
  readonly dolt: string;
  /** Values that Dolt holds exactly. */
  readonly exact: readonly string[];
  /** Values that it does not, and what is restored from the nearest one (null: NULL). */
  readonly inexact?: readonly (readonly [expression: string, restored: string | null])[];
  /** First major version of Postgres that has it. */
  readonly since?: number;
}
