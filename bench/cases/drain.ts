import type { DrainCase } from '../case.js';
import { ROW_COLUMNS, rowCells, uuidKey } from './rows.js';

/** `r` is there for a random row: a call of random() in a condition would be made for every row of the table. */
const transactions = (count: string, body: string): string => `DO $$ DECLARE r int; BEGIN PERFORM setseed(0.5);
  FOR t IN 0..${count} - 1 LOOP ${body} COMMIT; END LOOP; END $$`;

const ROWS_BEFORE = 100_000;

export const inserts: DrainCase = {
  kind: 'drain',
  name: 'inserts',
  work: 'backlog of {n} inserts in transactions of 100',
  size: { full: 200_000, short: 60_000 },
  before: async (source) => {
    await source.query(`CREATE TABLE events (id bigint PRIMARY KEY, ${ROW_COLUMNS})`);
  },
  backlog: async (source, size) => {
    await source.query(
      transactions(
        `${size / 100}`,
        `INSERT INTO events SELECT g, ${rowCells} FROM generate_series(t * 100 + 1, t * 100 + 100) g;`,
      ),
    );
    return size;
  },
  contenders: ['ceiling', 'summit'],
  limits: [
    { of: 'ceiling', atLeast: 1.15, short: 0.7 },
    { of: 'summit', atLeast: 0.7 },
  ],
};

export const updates: DrainCase = {
  kind: 'drain',
  name: 'updates',
  work: `backlog of {n} single-row updates by key over a table of 100,000 rows, in transactions of 10`,
  size: { full: 200_000, short: 60_000 },
  before: async (source) => {
    await source.query(`CREATE TABLE events (id bigint PRIMARY KEY, ${ROW_COLUMNS})`);
    await source.query(`INSERT INTO events SELECT g, ${rowCells} FROM generate_series(1, ${ROWS_BEFORE}) g`);
  },
  backlog: async (source, size) => {
    await source.query(
      transactions(
        `${size / 10}`,
        `FOR i IN 0..9 LOOP
           r := 1 + floor(random() * ${ROWS_BEFORE});
           UPDATE events SET k = k + 1, c = reverse(c), ts = ts + interval '1 ms' WHERE id = r;
         END LOOP;`,
      ),
    );
    return size;
  },
  contenders: ['ceiling', 'summit', 'row by row'],
  limits: [
    { of: 'ceiling', atLeast: 1, short: 0.7 },
    { of: 'row by row', atLeast: 10 },
  ],
};

export const randomInserts: DrainCase = {
  ...inserts,
  name: 'random-inserts',
  work: 'backlog of {n} inserts with random keys (UUID) in transactions of 100',
  before: async (source) => {
    await source.query(`CREATE TABLE events (id uuid PRIMARY KEY, ${ROW_COLUMNS})`);
  },
  backlog: async (source, size) => {
    await source.query(
      transactions(
        `${size / 100}`,
        `INSERT INTO events SELECT ${uuidKey}, ${rowCells} FROM generate_series(t * 100 + 1, t * 100 + 100) g;`,
      ),
    );
    return size;
  },
  limits: [{ of: 'ceiling', atLeast: 1 }],
};

export const randomUpdates: DrainCase = {
  ...updates,
  name: 'random-updates',
  work: 'backlog of {n} single-row updates by random key (UUID) over a table of 100,000 rows, in transactions of 10',
  before: async (source) => {
    await source.query(`CREATE TABLE events (id uuid PRIMARY KEY, ${ROW_COLUMNS})`);
    await source.query(`INSERT INTO events SELECT ${uuidKey}, ${rowCells} FROM generate_series(1, ${ROWS_BEFORE}) g`);
  },
  backlog: async (source, size) => {
    await source.query(
      transactions(
        `${size / 10}`,
        `FOR i IN 0..9 LOOP
           r := 1 + floor(random() * ${ROWS_BEFORE});
           UPDATE events SET k = k + 1, c = reverse(c), ts = ts + interval '1 ms' WHERE id = md5('key' || r)::uuid;
         END LOOP;`,
      ),
    );
    return size;
  },
  contenders: ['ceiling', 'row by row'],
  limits: [{ of: 'ceiling', atLeast: 1 }],
};

export const deletes: DrainCase = {
  kind: 'drain',
  name: 'deletes',
  work: 'backlog of {n} deletes by key, all rows but every second, in transactions of 10',
  size: { full: 100_000, short: 30_000 },
  before: async (source, size) => {
    await source.query(`CREATE TABLE events (id bigint PRIMARY KEY, ${ROW_COLUMNS})`);
    await source.query(`INSERT INTO events SELECT g, ${rowCells} FROM generate_series(1, ${2 * size}) g`);
  },
  backlog: async (source, size) => {
    await source.query(
      transactions(`${size / 10}`, 'FOR i IN 0..9 LOOP DELETE FROM events WHERE id = (t * 10 + i) * 2 + 1; END LOOP;'),
    );
    return size;
  },
  contenders: ['ceiling', 'summit'],
  limits: [{ of: 'ceiling', atLeast: 0.9 }],
};

export const everyTransaction: DrainCase = {
  kind: 'drain',
  name: 'every-transaction',
  work: 'backlog of {n} transactions of one row, a Dolt commit for each',
  size: { full: 5_000, short: 1_500 },
  before: inserts.before,
  backlog: async (source, size) => {
    await source.query(
      transactions(`${size}`, `INSERT INTO events SELECT g, ${rowCells} FROM generate_series(t, t) g;`),
    );
    return size;
  },
  options: ['--commit-max-transactions', '1'],
  contenders: ['same statements'],
  limits: [{ of: 'same statements', atLeast: 0.85, short: 0.7 }],
};
