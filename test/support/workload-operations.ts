import { sqlLiteral } from './type-values.js';

/**
 * What may happen to a table of the random workload. Each row of it has a number `i`, of which its key follows; so any
 * operation is possible at any time, whatever happened before.
 */
export interface WorkloadTable {
  /** Quoted, with its schema where that is not public. */
  readonly name: string;
  /** Null for several tables that exist. */
  readonly create: string | null;
  /** Made of `i`, one to one; empty where nothing but all its values identifies a row. */
  readonly key: readonly Column[];
  /** What may be updated. */
  readonly values: readonly Column[];
  /** Most rows that one operation inserts. */
  readonly limit: number;
  readonly operations: readonly Operation[];
  /** The tables that its operations change: itself, and those that follow it. */
  readonly changes: readonly string[];
}

export interface Column {
  readonly name: string;
  /** A SQL expression of one for a whole number. */
  readonly from: (i: string) => string;
}

/** What is thrown for an operation: three numbers up to 999, and about how many rows. */
export interface Dice {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly rows: number;
}

/** Statements. */
export type Operation = (table: WorkloadTable, dice: Dice) => string;

export const column = (name: string, from: (i: string) => string): Column => ({ name, from });

/** One of the values by the number, NULL for null. */
export function pick(type: string, values: readonly (string | null)[]): (i: string) => string {
  const cases = values.map((value, n) => `when ${n} then ${sqlLiteral(value, type)}`).join(' ');
  return (i) => `case abs(${i}) % ${values.length} ${cases} end`;
}

/** All rows, or a few. */
const some = ({ a, b }: Dice): string => {
  const modulus = [1, 2, 7, 50][b % 4] ?? 1;
  return `i % ${modulus} = ${a % modulus}`;
};

/** Most rows are among the first few hundred, so that operations meet. */
const first = ({ limit }: WorkloadTable, { a }: Dice): number => (a % 10) * Math.min(20, limit / 10);

const set = (columns: readonly Column[], i: string): string =>
  columns.map(({ name, from }) => `${name} = ${from(i)}`).join(', ');

/** `i` and with it the key. */
const setKey = ({ key }: WorkloadTable, i: string): string =>
  [`i = ${i}`, ...key.map(({ name, from }) => `${name} = ${from(i)}`)].join(', ');

function insertRange({ name, key, values }: WorkloadTable, from: number, to: number, shift: number): string {
  const names = ['i', ...[...key, ...values].map((one) => one.name)].join(', ');
  const cells = [
    'g.i',
    ...key.map((one) => one.from('g.i')),
    ...values.map((one) => one.from(`(g.i + ${shift})`)),
  ].join(', ');
  return `insert into ${name} (${names}) select ${cells} from generate_series(${from}, ${to}) g (i)
    where not exists (select from ${name} t where t.i = g.i)`;
}

/** Row after row, in an order in which no key is taken: each gets the key that the one before has left. */
function chain(table: WorkloadTable, { c }: Dice, from: number, by: 1 | -1): string {
  const { name } = table;
  const [low, high] = [from + 1, from + 1 + (c % 60)];
  const free = by > 0 ? high : low - 1;
  return `delete from ${name} where i = ${free};
    do $do$ declare old_i int; begin
      for old_i in select i from ${name} where i >= ${low} and i < ${high} order by i ${by > 0 ? 'desc' : 'asc'} loop
        update ${name} set ${setKey(table, `(old_i + ${by})`)} where i = old_i;
      end loop;
    end $do$`;
}

/** Finds two rows, and runs the statements on them if there are two: `old_one` and `old_two` are their numbers. */
const onTwo = (table: WorkloadTable, dice: Dice, statements: readonly string[]): string => `
    do $do$ declare old_one int; old_two int; x int; y int; begin
      select i into old_one from ${table.name} where i >= ${first(table, dice) + (dice.b % 10)} order by i limit 1;
      select i into old_two from ${table.name} where i > old_one + ${dice.c % 3} order by i limit 1;
      if old_two is not null then ${statements.join('; ')}; end if;
    end $do$`;

/** Postgres refuses it while a deferred constraint has something to check. */
const truncate = (what: string): string =>
  `set constraints all immediate; truncate ${what}; set constraints all deferred`;

/** What a table begins with. */
export const fill = (table: WorkloadTable): string => insertRange(table, 0, Math.min(table.limit, 250) - 1, 0);

export const OPERATIONS = {
  insert: (table, dice) => {
    const from = (dice.a % 25) * 40;
    return insertRange(table, from, from + Math.min(dice.rows, table.limit) - 1, dice.c);
  },
  update: ({ name, values }, dice) =>
    values.length === 0 ? `select` : `update ${name} set ${set(values, `(i + ${dice.c})`)} where ${some(dice)}`,
  updateOne: ({ name, values }, dice) => {
    const one = values[dice.c % values.length];
    return one ? `update ${name} set ${set([one], `(i + ${dice.c})`)} where ${some(dice)}` : `select`;
  },
  /** Postgres sends a row that did not change. */
  same: ({ name }, dice) => `update ${name} set i = i where ${some(dice)}`,
  nothing: ({ name, values }, dice) => {
    const last = values.at(-1);
    return last ? `update ${name} set ${last.name} = null where ${some(dice)}` : `select`;
  },
  remove: ({ name }, dice) =>
    `delete from ${name} where ${some({ ...dice, b: dice.b % 40 === 0 ? 0 : 2 + (dice.b % 2) })}`,
  /** Far away, where nothing is. */
  move: (table, dice) => {
    const far = 20_000 * (1 + (dice.c % 3)) * (dice.c % 2 === 0 ? 1 : -1);
    const to = `(t.i + ${far})`;
    return `update ${table.name} t set ${setKey(table, to)} where ${some(dice).replace('i', 't.i')} and ${to} >= 0
      and not exists (select from ${table.name} o where o.i = ${to})`;
  },
  chainUp: (table, dice) => chain(table, dice, first(table, dice), 1),
  chainDown: (table, dice) => chain(table, dice, first(table, dice), -1),
  /** All keys at once, which only a deferrable constraint allows. */
  shift: (table, dice) => `update ${table.name} set ${setKey(table, `(i + ${1 + (dice.c % 3)})`)}`,
  /** Two rows trade their keys. */
  swap: (table, dice) =>
    onTwo(table, dice, [
      `update ${table.name} set ${setKey(table, '1000000')} where i = old_one`,
      `update ${table.name} set ${setKey(table, 'old_one')} where i = old_two`,
      `update ${table.name} set ${setKey(table, 'old_two')} where i = 1000000`,
    ]),
  replace: (table, dice) => {
    const [from, to] = [first(table, dice), first(table, dice) + (Math.min(dice.rows, table.limit) >> 1)];
    return `delete from ${table.name} where i between ${from} and ${to}; ${insertRange(table, from, to, dice.c)}`;
  },
  /** Two rows trade the value of a column that must stay unique, through NULL. */
  exchange: (table, dice) =>
    onTwo(table, dice, [
      `select u into x from ${table.name} where i = old_one`,
      `select u into y from ${table.name} where i = old_two`,
      `update ${table.name} set u = null where i = old_one`,
      `update ${table.name} set u = x where i = old_two`,
      `update ${table.name} set u = y where i = old_one`,
    ]),
  /** The values of a column whose constraint is deferred go round. */
  rotate: (table, dice) => `update ${table.name} t set d = r.d from (
      select i, coalesce(lead(d) over (order by i), first_value(d) over (order by i)) as d
      from ${table.name} where i between ${first(table, dice)} and ${first(table, dice) + dice.c}) r
    where r.i = t.i`,
  /** More copies of rows, of which one may change at once. */
  double: ({ name, values }, dice) => {
    const names = ['i', ...values.map((one) => one.name)].join(', ');
    const [last] = values.slice(-1);
    return `insert into ${name} (${names}) select ${names} from (
        select * from ${name} where ${some(dice)} order by i limit 20) t, generate_series(0, ${dice.c % 3});
      update ${name} set ${last?.name} = null where i = (select min(i) from ${name}) and ${dice.a % 2} = 0`;
  },
  removeOne: ({ name }, dice) => `delete from ${name} where ctid = any (
      select min(ctid) from ${name} where ${some(dice)} group by tableoid, i having count(*) > 1)
    and tableoid = (select min(tableoid) from ${name} where ${some(dice)})`,
  truncate: ({ name }) => truncate(name),
  /** What was done before in the same transaction must not come back. */
  truncateBetween: (table, dice) => {
    const from = first(table, dice);
    return `${insertRange(table, from + 300, from + 310, 0)}; update ${table.name} set i = i where ${some(dice)};
      ${truncate(table.name)}; ${insertRange(table, from, from + Math.min(dice.rows, 50), dice.c)}`;
  },
  truncateCascade: ({ name }) => truncate(`${name} cascade`),
  truncateRestart: ({ name }) => truncate(`${name} restart identity`),
  none: () => 'select',
} as const satisfies Readonly<Record<string, Operation>>;

export type Kind = keyof typeof OPERATIONS;
