import type { DrainCase } from '../case.js';

const SCALE = 10;

/**
 * TPC-B as pgbench has it (three updates and an insert a transaction), run inside of the server: a backlog is a backlog.
 * Source: https://www.postgresql.org/docs/current/pgbench.html#PGBENCH-OPTIONS
 */
export const pgbench: DrainCase = {
  kind: 'drain',
  name: 'pgbench',
  work: `backlog of {n} TPC-B transactions (scale ${SCALE}), four rows each`,
  size: { full: 50_000, short: 10_000 },
  before: async (source) => {
    await source.query(`
      CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
      CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
      CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
      CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
      ALTER TABLE pgbench_history REPLICA IDENTITY FULL;
      INSERT INTO pgbench_branches SELECT g, 0, NULL FROM generate_series(1, ${SCALE}) g;
      INSERT INTO pgbench_tellers SELECT g, (g - 1) / 10 + 1, 0, NULL FROM generate_series(1, ${SCALE * 10}) g;
      INSERT INTO pgbench_accounts SELECT g, (g - 1) / 100000 + 1, 0, '' FROM generate_series(1, ${SCALE * 100_000}) g;`);
  },
  backlog: async (source, size) => {
    await source.query(`DO $$ DECLARE a int; b int; c int; d int; BEGIN PERFORM setseed(0.5);
      FOR t IN 1..${size} LOOP
        a := 1 + floor(random() * ${SCALE * 100_000}); b := 1 + floor(random() * ${SCALE}); c := 1 + floor(random() * ${SCALE * 10});
        d := floor(random() * 10001) - 5000;
        UPDATE pgbench_accounts SET abalance = abalance + d WHERE aid = a;
        UPDATE pgbench_tellers SET tbalance = tbalance + d WHERE tid = c;
        UPDATE pgbench_branches SET bbalance = bbalance + d WHERE bid = b;
        INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (c, b, a, d, timestamp '2026-01-01' + t * interval '1 ms');
        COMMIT;
      END LOOP; END $$`);
    return 4 * size;
  },
  contenders: ['ceiling', 'row by row'],
  limits: [{ of: 'row by row', atLeast: 5 }],
};
