import { expect, it } from 'vitest';
import { createDoltDatabase } from '../../test/support/dolt.js';
import { type TableSpec, targetOf } from '../../test/support/tables.js';
import { lsn } from '../core/position.js';
import { parseTarget } from './address.js';
import {
  createBookkeeping,
  deleteTable,
  insertTable,
  readTables,
  type StoredTable,
  updateTable,
  updateTableState,
  updateTargetName,
} from './bookkeeping.js';
import { TargetConnection } from './client.js';

const FRUIT: TableSpec = { name: 'fruit', oid: 1, columns: { id: 'integer', name: 'text' }, key: ['id'] };
const VEG: TableSpec = {
  name: `v'e"g\\`,
  oid: 2,
  columns: { 'i\\d': 'integer', "na'me": 'numeric(6,2)' },
  key: ['i\\d'],
};

/** What is stored of a table in short: its name in Dolt, its state, and its columns. */
const brief = ({ targetName, state, columns }: StoredTable): unknown[] => [
  targetName,
  state,
  ...[...columns].map(([attnum, { name, type }]) => `${attnum} ${name} ${type}`),
];

it('a table is stored, changed, renamed, and forgotten, and others are left alone', async () => {
  await using target = await createDoltDatabase();
  await using connection = await TargetConnection.open(parseTarget(target.url));
  await createBookkeeping(connection);
  const run = async (statements: Iterable<string>): Promise<void> => {
    for (const statement of statements) await connection.run(statement);
  };
  const [fruit, veg] = [targetOf(FRUIT), targetOf(VEG)];
  await run([...insertTable(fruit, 'copying'), ...insertTable(veg, 'streaming')]);
  const keptVeg = [`v'e"g\\`, 'streaming', '1 i\\d INT', "2 na'me DECIMAL(6,2)"];
  expect((await readTables(connection)).map(brief)).toEqual([
    ['fruit', 'copying', '1 id INT', '2 name LONGTEXT'],
    keptVeg,
  ]);
  expect((await readTables(connection)).map(({ schema }) => schema)).toEqual([fruit.source, veg.source]);

  await run([updateTableState(1, 'streaming', lsn(0x16b3748n))]);
  const changed = targetOf({
    name: 'Obst',
    schema: 'shop',
    oid: 1,
    columns: {
      id: 'bigint',
      name: { type: 'character varying(20)', defaultExpression: "'x'::text" },
      price: 'integer',
    },
    key: ['name', 'id'],
    identity: 'f',
  });
  await run(updateTable(changed));
  const [stored, other] = await readTables(connection);
  expect(stored && brief(stored)).toEqual([
    'shop__Obst',
    'streaming',
    '1 id BIGINT',
    '2 name VARCHAR(20)',
    '3 price INT',
  ]);
  expect(stored?.schema).toEqual(changed.source);
  expect(stored?.snapshotLsn).toBe(0x16b3748n);
  expect(other && brief(other)).toEqual(keptVeg);
  expect(
    await target.sql(
      'select source_schema, source_table, replica_identity from wal2dolt_tables where relation_oid = 1',
    ),
  ).toEqual([{ source_schema: 'shop', source_table: 'Obst', replica_identity: 'full' }]);
  expect(
    await target.sql(
      'select source_column, default_expression, key_position from wal2dolt_columns where relation_oid = 1 order by attnum',
    ),
  ).toEqual([
    { source_column: 'id', default_expression: null, key_position: 2 },
    { source_column: 'name', default_expression: "'x'::text", key_position: 1 },
    { source_column: 'price', default_expression: null, key_position: null },
  ]);

  // Columns that go are forgotten.
  await run(updateTable(targetOf({ ...FRUIT, columns: { id: 'integer' } })));
  await run([updateTableState(1, 'left'), updateTargetName(1, "fruit'left")]);
  expect((await readTables(connection)).map(brief)).toEqual([["fruit'left", 'left', '1 id INT'], keptVeg]);
  expect((await readTables(connection))[0]?.schema.name).toBe('fruit');

  await run(deleteTable(1));
  expect((await readTables(connection)).map(brief)).toEqual([keptVeg]);
  expect(await target.sql('select distinct relation_oid from wal2dolt_columns')).toEqual([{ relation_oid: 2 }]);
});
