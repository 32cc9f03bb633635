import { describe, expect, it } from 'vitest';
import { targetOf } from '../../test/support/tables.js';
import { lsn, type Position } from '../core/position.js';
import {
  datetime,
  insertPosition,
  insertTable,
  type SourceIdentity,
  updatePosition,
  updateTableState,
} from './bookkeeping.js';

const position: Position = { endLsn: lsn(0x1_016b3748n), commitTime: -1n, xid: 4_294_967_295 };
const source: SourceIdentity = {
  systemId: '7300000000000000001',
  timeline: { id: 2, start: lsn(0x3000060n) },
  database: "Ann's \\ db",
  slot: 'wal2dolt',
  publication: 'pub',
};

it('a time is text that DATETIME(6) takes', () => {
  expect(datetime(1_795_262_400_123_456n)).toBe(`'2026-11-21 12:00:00.123456'`);
  expect(datetime(-1n)).toBe(`'1969-12-31 23:59:59.999999'`);
});

it('the position is kept as text, as a number, and with whose it is', () => {
  expect(insertPosition(position, source, 'snapshot')).toBe(
    String.raw`INSERT INTO wal2dolt_position VALUES ('wal2dolt', '1/16B3748', 4318771016, '1969-12-31 23:59:59.999999', 4294967295, '7300000000000000001', 2, '0/3000060', 'Ann''s \\ db', 'pub', 'snapshot', 1, 0)`,
  );
  expect(updatePosition(position, 'wal2dolt', 'streaming')).toBe(
    `UPDATE wal2dolt_position SET end_lsn='1/16B3748', end_lsn_num=4318771016, commit_time='1969-12-31 23:59:59.999999', xid=4294967295, phase='streaming', spills=0 WHERE slot='wal2dolt' AND spills=0`,
  );
});

describe('a table', () => {
  const table = targetOf({
    name: "Ann's",
    schema: 'sales',
    oid: 4_294_967_295,
    columns: {
      a: { type: 'text', defaultExpression: `'it''s'::text` },
      A: { type: 'integer', notNull: true },
      id: 'uuid',
    },
    key: ['id', 'a'],
    identity: 'f',
  });

  it('is kept with its whole definition, its columns with both names and types', () => {
    const [row, columns, ...rest] = [...insertTable(table, 'copying')];
    expect(rest).toEqual([]);
    expect(row).toMatch(
      /^INSERT INTO wal2dolt_tables VALUES \(4294967295, 'sales', 'Ann''s', 'sales__Ann''s', 'copying', NULL, 'full', '\{/,
    );
    expect(columns).toBe(
      [
        `INSERT INTO wal2dolt_columns VALUES (4294967295, 1, 'a', 'text', 1, '''it''''s''::text', 2, 'a', 'VARCHAR(4000)')`,
        `(4294967295, 2, 'A', 'integer', 1, NULL, NULL, 'A_2', 'INT')`,
        `(4294967295, 3, 'id', 'uuid', 1, NULL, 1, 'id', 'CHAR(36)')`,
      ].join(','),
    );
  });

  it('without columns has no rows for them', () => {
    expect([...insertTable({ ...table, columns: [], key: [] }, 'copying')]).toHaveLength(1);
  });

  it('says how far it is', () => {
    expect(updateTableState(7, 'streaming', lsn(16n))).toBe(
      `UPDATE wal2dolt_tables SET state='streaming', snapshot_lsn='0/10' WHERE relation_oid=7`,
    );
  });
});
