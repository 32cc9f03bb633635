import { qualifiedName, type TableSchema } from '../core/schema.js';
import type { TargetConnection, TextRow } from '../dolt/client.js';
import { quoteText } from '../dolt/sql-text.js';
import type { ColumnRow, Difference, TableDifference, TableRow } from './schema-difference.js';

/** What a commit changed in `wal2dolt_tables` and `wal2dolt_columns`, by the oid of the table, in the order of the tables' names. */
export async function readDifferences(
  connection: TargetConnection,
  commit: string,
): Promise<Map<number, TableDifference>> {
  const rows = await readTableRows(connection, commit);
  const columns = await readColumnRows(connection, commit);
  const names = new Map([...rows].map(([oid, { from, to }]) => [oid, to ?? from]));
  const others = [...columns.keys()].filter((oid) => !names.has(oid));
  const found = new Map(others.length > 0 ? await readNames(connection, commit, others) : []);
  const differences: (readonly [number, TableDifference])[] = [];
  for (const oid of [...names.keys(), ...others]) {
    const named = names.get(oid);
    const of = columns.get(oid) ?? [];
    const row = rows.get(oid) ?? null;
    const key = row === null || (row.from && row.to) ? await readKeys(connection, commit, oid, of) : null;
    const table = named ? qualifiedName(named) : (found.get(oid) ?? String(oid));
    differences.push([oid, { table, row, columns: of, key }]);
  }
  return new Map(differences.sort(([, a], [, b]) => (a.table < b.table ? -1 : 1)));
}

const diff = (commit: string, table: string): string =>
  `DOLT_DIFF(${quoteText(`${commit}^`)}, ${quoteText(commit)}, '${table}')`;

const both = (columns: readonly string[]): string =>
  ['from', 'to'].flatMap((side) => columns.map((column) => `${side}_${column}`)).join(', ');

const TABLE = [
  'relation_oid',
  'source_schema',
  'source_table',
  'target_table',
  'state',
  'snapshot_lsn',
  'replica_identity',
];

async function readTableRows(connection: TargetConnection, commit: string): Promise<Map<number, Difference<TableRow>>> {
  // A first copy may bring thousands, whose definitions are not compared with anything.
  const definitions = ['from', 'to'].map((side) => `IF(diff_type = 'modified', ${side}_definition, NULL)`).join(', ');
  const rows = await connection.rows(`SELECT ${both(TABLE)}, ${definitions} FROM ${diff(commit, 'wal2dolt_tables')}`);
  const width = TABLE.length;
  return new Map(
    rows.map((row) => {
      const from = tableRow(row.slice(0, width), row[2 * width] ?? null);
      const to = tableRow(row.slice(width, 2 * width), row[2 * width + 1] ?? null);
      return [Number(row[0] ?? row[width]), { from, to }];
    }),
  );
}

function tableRow(
  [oid, schema, name, target, state, lsn, identity]: TextRow,
  definition: string | null,
): TableRow | null {
  if (oid === null) return null;
  return {
    schema: schema ?? '',
    name: name ?? '',
    target: target ?? '',
    state: state ?? '',
    snapshotLsn: lsn ?? null,
    replicaIdentity: identity ?? '',
    // Written by the bookkeeping from a TableSchema.
    definition: definition === null ? null : (JSON.parse(definition) as TableSchema),
  };
}

const COLUMN = [
  'attnum',
  'source_column',
  'source_type',
  'not_null',
  'default_expression',
  'key_position',
  'target_column',
  'target_type',
];

async function readColumnRows(
  connection: TargetConnection,
  commit: string,
): Promise<Map<number, Difference<ColumnRow>[]>> {
  const rows = await connection.rows(
    `SELECT coalesce(from_relation_oid, to_relation_oid) AS oid, ${both(COLUMN)} FROM ${diff(commit, 'wal2dolt_columns')} ORDER BY oid, coalesce(from_attnum, to_attnum)`,
  );
  const byTable = new Map<number, Difference<ColumnRow>[]>();
  for (const [oid, ...row] of rows) {
    const of = byTable.get(Number(oid)) ?? [];
    of.push({ from: columnRow(row.slice(0, COLUMN.length)), to: columnRow(row.slice(COLUMN.length)) });
    byTable.set(Number(oid), of);
  }
  return byTable;
}

function columnRow([attnum, name, type, notNull, expression, key, target, targetType]: TextRow): ColumnRow | null {
  if (attnum === null) return null;
  return {
    name: name ?? '',
    type: type ?? '',
    notNull: notNull === '1',
    defaultExpression: expression ?? null,
    keyPosition: key ? Number(key) : null,
    target: target ?? '',
    targetType: targetType ?? '',
  };
}

async function readNames(
  connection: TargetConnection,
  commit: string,
  oids: readonly number[],
): Promise<[number, string][]> {
  const rows = await connection.rows(
    `SELECT relation_oid, source_schema, source_table FROM wal2dolt_tables AS OF ${quoteText(commit)} WHERE relation_oid IN (${oids.join(', ')})`,
  );
  return rows.map(([oid, schema, name]) => [Number(oid), qualifiedName({ schema: schema ?? '', name: name ?? '' })]);
}

/** The keys before and after, by the names of their columns in Postgres; null where they are the same. */
async function readKeys(
  connection: TargetConnection,
  commit: string,
  oid: number,
  columns: readonly Difference<ColumnRow>[],
): Promise<TableDifference['key']> {
  const placed = (row: ColumnRow | null): number | null => row?.keyPosition ?? null;
  if (columns.every(({ from, to }) => placed(from) === placed(to))) return null;
  const read = async (at: string): Promise<string> => {
    const rows = await connection.rows(
      `SELECT source_column FROM wal2dolt_columns AS OF ${quoteText(at)} WHERE relation_oid = ${oid} AND key_position IS NOT NULL ORDER BY key_position`,
    );
    return rows.length === 0 ? '' : `(${rows.map(([name]) => name).join(', ')})`;
  };
  return { from: await read(`${commit}^`), to: await read(commit) };
}
