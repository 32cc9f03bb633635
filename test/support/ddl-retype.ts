import type { Cells, DdlCase } from './ddl-case.js';

/** A column `v` of the table `t` that gets another type. */
export interface Retype {
  readonly name: string;
  /** Type and values before, as SQL. */
  readonly from: readonly [type: string, ...values: readonly string[]];
  /** What Dolt shows of them. */
  readonly was: readonly [type: string, ...values: Cells];
  /** What follows ALTER TABLE t ALTER COLUMN v. */
  readonly alter: string;
  /** A value that only the new type has, as SQL. */
  readonly next: string;
  readonly is: readonly [type: string, ...values: Cells];
  /** Before the command, in its session. */
  readonly session?: string;
  readonly setup?: string;
  readonly keepsRows?: true;
}

/** The same for every type: t.v has some values, gets another type, and one more row. */
export function asCase({ name, from, was, alter, next, is, session = '', setup = '', keepsRows }: Retype): DdlCase {
  const [type, ...values] = from;
  const shown = ([shownType, ...cells]: readonly [string, ...Cells]): readonly [string, ...Cells[]] => [
    `id int NOT NULL, v ${shownType}, PRIMARY KEY (id)`,
    ...cells.map((cell, i) => [i + 1, cell]),
  ];
  return {
    name,
    setup: `${setup}; create table t (id int primary key, v ${type});
      insert into t values ${values.map((value, i) => `(${i + 1}, ${value})`).join(', ')}`,
    change: [
      `${session};alter table t alter column v ${alter}`,
      `insert into t values (${values.length + 1}, ${next})`,
    ],
    was: { t: shown(was) },
    is: { t: shown(is) },
    ...(keepsRows ? { keepsRows } : {}),
  };
}
