import { UNCHANGED } from '../core/row.js';
import { SqlBytes } from '../core/sql-bytes.js';
import type { TargetColumn, TargetTable } from '../core/target.js';
import type { Tuple } from '../core/tuple.js';
import { Wal2DoltError } from '../errors.js';
import { quoteName } from './client.js';
import { literalDefault } from './ddl.js';
import { assertKeyFits, type Statement } from './dml.js';

const ROWS = 2_000;
const BYTES = 1 << 20;

const COMMA = 0x2c;
const OPEN = 0x28;
const CLOSE = 0x29;

/**
 * Multi-row INSERTs of at most 2,000 rows and about a megabyte, written one at a time from the bytes of the rows; a statement is good until
 * the next one is asked for. `inexact` is told of rows with a value that its column does not hold exactly. Every cell must be known.
 * Throws E_VALUE_IN_KEY for a key that does not fit.
 */
export function* insertRows(
  table: TargetTable,
  rows: Iterable<Tuple>,
  inexact: (row: Tuple) => void = () => {},
): Iterable<Statement> {
  const sql = new SqlBytes();
  const head = `INSERT INTO ${quoteName(table.name)} (${table.columns.map(({ name }) => quoteName(name)).join(',')}) VALUES `;
  const nulls = table.columns.map(nullWord);
  let count = 0;
  for (const row of rows) {
    // A long row is alone, so that it is written if anyhow possible.
    if (count > 0 && sql.length + row.size > BYTES) {
      yield { sql: sql.bytes, expect: count };
      sql.clear();
      count = 0;
    }
    if (count === 0) sql.text(head);
    else sql.byte(COMMA);
    let isExact = true;
    sql.byte(OPEN);
    row.eachCell((position, start, end, without) => {
      const { conversion, name } = table.columns[position] as TargetColumn; // rows have one cell per column
      if (position > 0) sql.byte(COMMA);
      if (without === null) sql.text(nulls[position] ?? 'NULL');
      else if (without === UNCHANGED) throw new Wal2DoltError('E_INTERNAL', `the column ${name} is not known`);
      else if (!conversion.write?.(row.bytes, start, end, sql)) {
        const text = row.bytes.toString('utf8', start, end);
        isExact &&= conversion.isExact?.(text) ?? true;
        const word = conversion.word(text);
        sql.text(word === 'NULL' ? (nulls[position] ?? word) : word);
      }
    });
    sql.byte(CLOSE);
    count += 1;
    if (!isExact) {
      assertKeyFits(
        table,
        table.key.map((position) => String(row.cell(position))),
      );
      inexact(row);
    }
    if (count < ROWS && sql.length < BYTES) continue;
    yield { sql: sql.bytes, expect: count };
    sql.clear();
    count = 0;
  }
  if (count > 0) yield { sql: sql.bytes, expect: count };
}

/** To Dolt NULL is no word, but DEFAULT is, which comes to the same where a column may be NULL and has no other default. */
const nullWord = (column: TargetColumn): string =>
  column.notNull || literalDefault(column) !== null ? 'NULL' : 'DEFAULT';
