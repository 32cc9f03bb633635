import type { CopyCase } from '../case.js';
import { ROW_COLUMNS, rowCells } from './rows.js';

const copyOf = (name: string, tables: number): CopyCase => ({
  kind: 'copy',
  name,
  work: `copy of {n} rows of about 200 bytes in ${tables === 1 ? 'one table' : `${tables} tables`}`,
  size: { full: 1_000_000, short: 100_000 },
  before: async (source, size) => {
    for (let i = 0; i < tables; i += 1) {
      await source.query(`CREATE TABLE events_${i} (id bigint PRIMARY KEY, ${ROW_COLUMNS})`);
      await source.query(`INSERT INTO events_${i} SELECT g, ${rowCells} FROM generate_series(1, ${size / tables}) g`);
    }
    await source.query('ANALYZE');
    return size;
  },
  contenders: ['ceiling', 'summit'],
  limits: [
    { of: 'ceiling', atLeast: 1.3 },
    { of: 'summit', atLeast: 0.8 },
  ],
});

export const copyOne = copyOf('copy', 1);
export const copyEight = copyOf('copy-8-tables', 8);
