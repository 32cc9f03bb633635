import type { DrainCase } from '../case.js';

/** Types of Postgres, and a value of each for row `g`. */
const VALUES: readonly (readonly [type: string, value: string])[] = [
  ['smallint', 'g % 30000'],
  ['int', 'g'],
  ['bigint', 'g * 1000003::bigint'],
  ['numeric(12,2)', 'g / 7.0'],
  ['numeric', 'g / 11.0'],
  ['real', 'g / 3.0'],
  ['double precision', 'g / 9.0'],
  ['boolean', 'g % 2 = 0'],
  ['char(10)', "'c' || g"],
  ['varchar(40)', 'md5(g::text)'],
  ['text', "md5('t' || g)"],
  ['bytea', "decode(md5('b' || g), 'hex')"],
  ['date', "date '2000-01-01' + g % 10000"],
  ['time', "time '00:00' + g * interval '1 s'"],
  ['timestamp', "timestamp '2026-01-01' + g * interval '1.5 s'"],
  ['timestamptz', "timestamptz '2026-01-01 00:00+00' + g * interval '1.5 s'"],
  ['interval', "g * interval '1 minute'"],
  ['uuid', "md5('u' || g)::uuid"],
  ['inet', "'10.0.0.0'::inet + g"],
  ['jsonb', "jsonb_build_object('n', g, 'text', md5(g::text))"],
  ['int[]', 'array[g, g + 1, null]'],
  ['text[]', "array['a', md5(g::text)]"],
  ['int4range', 'int4range(g, g + 10)'],
  ['bit(8)', '(g % 256)::bit(8)'],
  ['money', 'g::money'],
];

const COLUMNS = [...VALUES, ...VALUES];

export const wide: DrainCase = {
  kind: 'drain',
  name: 'wide',
  work: `backlog of {n} inserts into a table of ${COLUMNS.length} columns, twice of each of ${VALUES.length} types, in transactions of 100`,
  size: { full: 20_000, short: 5_000 },
  before: async (source) => {
    const columns = COLUMNS.map(([type], i) => `c${i} ${type}`).join(', ');
    await source.query(`CREATE TABLE wide (id bigint PRIMARY KEY, ${columns})`);
  },
  backlog: async (source, size) => {
    const values = COLUMNS.map(([, value]) => value).join(', ');
    await source.query(`DO $$ BEGIN FOR t IN 0..${size / 100} - 1 LOOP
      INSERT INTO wide SELECT g, ${values} FROM generate_series(t * 100 + 1, t * 100 + 100) g; COMMIT; END LOOP; END $$`);
    return size;
  },
  contenders: ['ceiling', 'summit'],
  limits: [{ of: 'ceiling', atLeast: 0.9 }],
};

export const toast: DrainCase = {
  kind: 'drain',
  name: 'toast',
  work: 'backlog of {n} updates, in transactions of 10, of another column of 1,000 rows that have a text of 100 kB, which is not sent',
  size: { full: 20_000, short: 4_000 },
  before: async (source) => {
    await source.query(`CREATE TABLE pages (id int PRIMARY KEY, n int NOT NULL, body text NOT NULL);
      ALTER TABLE pages ALTER body SET STORAGE EXTERNAL;
      INSERT INTO pages SELECT g, 0, repeat(md5(g::text), 3200) FROM generate_series(1, 1000) g`);
  },
  backlog: async (source, size) => {
    await source.query(`DO $$ DECLARE r int; BEGIN PERFORM setseed(0.5); FOR t IN 1..${size / 10} LOOP
      FOR i IN 1..10 LOOP r := 1 + floor(random() * 1000); UPDATE pages SET n = n + 1 WHERE id = r; END LOOP; COMMIT; END LOOP; END $$`);
    return size;
  },
  contenders: ['single updates'],
  limits: [{ of: 'single updates', atLeast: 0.9 }],
};

export const jsonb: DrainCase = {
  kind: 'drain',
  name: 'jsonb',
  work: 'backlog of {n} inserts of 4 kB of jsonb in transactions of 100',
  size: { full: 20_000, short: 5_000 },
  before: async (source) => {
    await source.query('CREATE TABLE documents (id bigint PRIMARY KEY, doc jsonb NOT NULL)');
  },
  backlog: async (source, size) => {
    await source.query(`DO $$ BEGIN FOR t IN 0..${size / 100} - 1 LOOP
      INSERT INTO documents SELECT g, (SELECT jsonb_object_agg('key' || i, jsonb_build_object('text', md5(g::text || i), 'n', g * i, 'list', jsonb_build_array(i, null, true)))
        FROM generate_series(1, 42) i) FROM generate_series(t * 100 + 1, t * 100 + 100) g; COMMIT; END LOOP; END $$`);
    return size;
  },
  contenders: ['ceiling', 'summit'],
  limits: [{ of: 'ceiling', atLeast: 0.9 }],
};
