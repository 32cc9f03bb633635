import mysql, { type RowDataPacket } from 'mysql2/promise';
import type { Screen, Table } from './screen.js';
import { FOLLOWED_PRODUCT } from './shop.js';

interface Stop {
  readonly what: string;
  readonly sql: string;
}

/**
 * What Dolt can answer now and Postgres cannot. `beforeSale` is a time of the source, UTC, as commit dates are.
 * (No AS OF NOW(), which is of the server's time zone and cut to seconds: it would show an older commit.)
 */
const stops = (beforeSale: string): readonly Stop[] => [
  {
    what: 'The last commits. Two transactions in Postgres said who made them, and why',
    sql: `SELECT LEFT(commit_hash, 8) AS hash, DATE_FORMAT(date, '%T') AS time, committer,
       SUBSTRING_INDEX(message, '\\n', 1) AS message
FROM dolt_log LIMIT 7;`,
  },
  {
    what: 'What a lamp cost AS OF a time, AS OF a tag, and now',
    sql: `SELECT 'before' AS at, name, price FROM products
  AS OF TIMESTAMP('${beforeSale}') WHERE id = ${FOLLOWED_PRODUCT}
UNION ALL SELECT 'sale', name, price FROM products AS OF 'sale' WHERE id = ${FOLLOWED_PRODUCT}
UNION ALL SELECT 'now', name, price FROM products WHERE id = ${FOLLOWED_PRODUCT};`,
  },
  {
    what: 'Who changed its price, and when',
    sql: `SELECT date, committer, from_price, to_price
FROM dolt_diff_products JOIN dolt_log ON commit_hash = to_commit
WHERE to_id = ${FOLLOWED_PRODUCT} AND diff_type = 'modified' ORDER BY date;`,
  },
  {
    what: 'What the sale changed: a diff between two commits, here by their tags',
    sql: `SELECT diff_type, to_sku AS sku, to_name AS name, from_price, to_price
FROM dolt_diff('before-sale', 'sale', 'products') LIMIT 4;`,
  },
];

/** Runs the statements that it shows. */
export async function showHistory(doltUrl: string, beforeSale: string, screen: Screen): Promise<void> {
  const connection = await mysql.createConnection({
    uri: doltUrl,
    rowsAsArray: true,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
  });
  try {
    for (const { what, sql } of stops(beforeSale)) {
      screen.heading(what);
      screen.statement(sql, await answer(connection, sql));
    }
  } finally {
    connection.destroy();
  }
}

async function answer(connection: mysql.Connection, sql: string): Promise<Table> {
  const [rows, fields] = await connection.query<RowDataPacket[]>(sql);
  return {
    columns: fields.map((field) => field.name),
    // rowsAsArray above makes every row an array
    rows: (rows as unknown as unknown[][]).map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
  };
}
