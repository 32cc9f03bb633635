import { qualifiedName } from '../../src/core/schema.js';
import type { TargetTable } from '../../src/core/target.js';
import { parseTarget } from '../../src/dolt/address.js';
import { createBookkeeping, insertTable } from '../../src/dolt/bookkeeping.js';
import { TargetConnection } from '../../src/dolt/client.js';
import { createIndexes, createTable } from '../../src/dolt/ddl.js';
import { ExactValues } from '../../src/dolt/exact.js';
import { halves, netRows } from '../../src/dolt/net-rows.js';
import { Writer } from '../../src/dolt/writer.js';
import { doltContents } from './compare.js';
import { createDoltDatabase } from './dolt.js';
import { PlainChanges } from './plain-changes.js';
import { type TableSpec, targetOf } from './tables.js';

/** A Dolt database with tables as wal2dolt makes them, to which net changes are written without a stream: by statements that go to Dolt each by itself, or together where that is possible. */
export interface TargetTables extends AsyncDisposable {
  /** Each table is made anew, under its own name and oid. */
  create(spec: Omit<TableSpec, 'name'>): Promise<TargetTable>;
  writer(): Promise<Writer>;
  /** One batch, as a whole or not at all. */
  write(changes: readonly PlainChanges[], writer?: Writer): Promise<void>;
  /** What was told to a table's net changes, written. */
  change(table: TargetTable, tell: (net: PlainChanges) => void): Promise<void>;
  /** The same by two connections, which have to be worth it. */
  share(table: TargetTable, tell: (net: PlainChanges) => void): Promise<void>;
  /** The rows as sorted lists of JSON, exact values put back in place. */
  rowsOf(table: TargetTable): Promise<readonly string[] | undefined>;
}

export async function createTargetTables(how: 'alone' | 'together' = 'together'): Promise<TargetTables> {
  const database = await createDoltDatabase();
  const open = (): Promise<TargetConnection> =>
    TargetConnection.open(parseTarget(database.url), 'main', how === 'alone' ? {} : { defers: () => true });
  let connection = await open();
  await createBookkeeping(connection);
  let count = 0;

  const writer = async (): Promise<Writer> => new Writer(connection, await ExactValues.load(connection));
  const write = async (changes: readonly PlainChanges[], by?: Writer): Promise<void> => {
    const used = by ?? (await writer());
    await connection.run('START TRANSACTION');
    try {
      await used.write(netRows(changes.map(({ net }) => net)));
      await connection.run('COMMIT');
    } catch (error) {
      if (connection.isLost) connection = await open();
      else await connection.run('ROLLBACK');
      throw error;
    }
  };
  return {
    async create(spec) {
      count += 1;
      const table = targetOf({ ...spec, name: `t${count}`, oid: count });
      for (const statement of insertTable(table, 'streaming')) await connection.run(statement);
      await connection.run(createTable(table));
      for (const statement of createIndexes(table)) await connection.run(statement);
      return table;
    },
    writer,
    write,
    async change(table, tell) {
      const net = new PlainChanges(table);
      tell(net);
      await write([net]);
    },
    async share(table, tell) {
      const net = new PlainChanges(table);
      tell(net);
      const shared = halves(netRows([net.net]));
      if (shared === null) throw new Error('two connections are not worth it');
      const exact = await ExactValues.load(connection);
      await using beside = await connection.another();
      const both = [connection, beside];
      for (const one of both) await one.run('START TRANSACTION');
      await Promise.all(both.map((one, i) => new Writer(one, exact).write(shared[i] ?? [])));
      for (const one of both) await one.run('COMMIT');
    },
    rowsOf: async ({ source }) => (await doltContents(database.url)).get(qualifiedName(source)),
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
