import { beforeAll, describe, expect, it } from 'vitest';
import { expectFollowed } from './ddl-checks.js';
import { type Played, playCases } from './ddl-play.js';

/** How wal2dolt learns of a change of schema: from event triggers, or from what Postgres announces before a table's next row. */
export type Mode = 'triggers' | 'relations';

export const MODES: readonly Mode[] = ['triggers', 'relations'];

/**
 * One change of schema, in a Postgres schema of its own that search_path names: tables of it are called without their
 * schema here, also in what Dolt shows. `{schema}` stands for the schema's name, where one is needed.
 */
export interface DdlCase {
  readonly name: string;
  /** Before anything is copied; `FRUIT` unless given. */
  readonly setup?: string;
  /** Each entry is sent as one query, and so is a transaction. In Dolt each is one commit. */
  readonly change: readonly string[];
  /** What SHOW CREATE TABLE and SELECT showed before, read back with AS OF. */
  readonly was?: Shown;
  /** What they show in the end: one or several tables. */
  readonly is: Shown;
  /** Tables that are in Dolt still, marked as left, with their last rows. */
  readonly left?: Shown;
  /** Only the schema changed, or all rows are what they were: no row differs from the one before. */
  readonly keepsRows?: true;
  /**
   * What is different where only Postgres's announcements tell:
   * - 'unseen': nothing says that it happened;
   * - 'halts': it stops, since what came in between can not be known; 'may halt' where it depends on how fast it is;
   * - 'stops': the table left the publication, which is seen a while later or at the next start;
   * - 'looser': NOT NULL and UNIQUE are not taken over, since rows from before them may still come;
   * - 'copies': its rows are copied again, since it looks as if they had changed.
   */
  readonly relations?: 'unseen' | 'halts' | 'may halt' | 'stops' | 'looser' | 'copies';
  /** Nothing is waited for between the transactions. */
  readonly quick?: true;
  /** Identity is not to be seen in Dolt's diff: a name changed hands, or a table and all of its columns have other names. */
  readonly namesMove?: true;
}

/**
 * By a table's name: the columns and keys as SHOW CREATE TABLE has them, and the rows ordered by the first column.
 *
 *     { fruit: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple']] }
 */
export type Shown = Readonly<Record<string, readonly [definition: string, ...rows: readonly Cells[]]>>;
export type Cells = readonly unknown[];

export const FRUIT = `create table fruit (id int primary key, name text); insert into fruit values (1, 'apple'), (2, 'pear')`;

export const FRUIT_WAS = {
  fruit: ['id int NOT NULL, name longtext, PRIMARY KEY (id)', [1, 'apple'], [2, 'pear']],
} as const satisfies Shown;

export interface GroupOptions {
  /** Of the configuration, beside those that every test has. */
  readonly settings?: Record<string, unknown>;
  /** Run once per mode before it starts, with `{publication}` as the name of its publication; `PUBLICATION` unless given. */
  readonly publication?: string;
  /** Each case's change happens while nothing runs. */
  readonly whileDown?: true;
}

/** A test for each case and mode. All cases are played first, one after the other, on one database of each kind. */
export function followsDdl(title: string, cases: readonly DdlCase[], options: GroupOptions = {}): void {
  describe(title, () => {
    let played: Played;
    // biome-ignore lint/correctness/noEmptyPattern: vitest wants to see which fixtures are used
    beforeAll(async ({}, suite) => {
      const wanted = new Set(suite.tasks.filter((task) => task.mode !== 'skip').map((task) => task.name));
      played = await playCases(
        cases.filter(({ name }) => MODES.some((mode) => wanted.has(testName(name, mode)))),
        options,
      );
      return () => played[Symbol.asyncDispose]();
    }, 300_000);

    for (const ddlCase of cases)
      for (const mode of MODES) it(testName(ddlCase.name, mode), () => expectFollowed(played, ddlCase, mode));

    it.each(MODES)('a second start goes on, and changes nothing (%s)', (mode) => {
      expect(played.restarts.get(mode)).toEqual({ failure: null, changed: [] });
    });
  });
}

const testName = (name: string, mode: Mode): string => `${name} (${mode})`;
