import type { Config } from '../../src/config.js';
import { type SchemaCommit, schemaMessage, stepMessage } from '../../src/core/message.js';
import { formatLsn, lsn, type Position, parseMicros } from '../../src/core/position.js';
import type { TargetTable } from '../../src/core/target.js';
import { parseTarget } from '../../src/dolt/address.js';
import { createBookkeeping, insertPosition, insertTable, updatePosition } from '../../src/dolt/bookkeeping.js';
import { TargetConnection } from '../../src/dolt/client.js';
import { quoteText } from '../../src/dolt/sql-text.js';
import { createDoltDatabase } from './dolt.js';
import { configFor } from './run.js';

const SLOT = 'wal2dolt';
const SOURCE = { systemId: '1', timeline: { id: 1, start: lsn(0n) }, database: 'shop', slot: SLOT, publication: 'p' };

/** The history of tables as a run writes it, commit by commit, but without their rows. Needs no Postgres. */
export interface SchemaHistory extends AsyncDisposable {
  readonly config: Config;
  /** The transaction that the last commit was of. */
  readonly position: Position;
  /** A commit of rows, which changes no table. */
  rows(): Promise<string>;
  /** A commit of a command that leaves these tables so, and runs these statements on the bookkeeping. */
  command(what: Partial<SchemaCommit>, tables: readonly TargetTable[], statements?: readonly string[]): Promise<string>;
}

const positionAt = (n: number): Position => ({
  endLsn: lsn(BigInt(n) * 256n),
  commitTime: parseMicros('2026-11-22T00:00:00.123456') + BigInt(n) * 1_000_000n,
  xid: 700 + n,
});

export async function beginSchemaHistory(tables: readonly TargetTable[]): Promise<SchemaHistory> {
  const target = await createDoltDatabase();
  const connection = await TargetConnection.open(parseTarget(target.url), 'main');
  let reached = 1;

  const commit = async (message: string, statements: readonly string[]): Promise<string> => {
    for (const statement of statements) await connection.run(statement);
    const options = ['-A', '-m', message, '--author', 'wal2dolt <wal2dolt@localhost>'];
    return (await connection.value(`CALL DOLT_COMMIT(${options.map(quoteText).join(', ')})`)) ?? '';
  };
  /** To the next transaction; the commit before it is recorded with that. */
  const move = (): string[] => {
    const { endLsn } = positionAt(reached);
    reached += 1;
    return [
      `INSERT INTO wal2dolt_commits VALUES (${endLsn}, HASHOF('HEAD'), '${formatLsn(endLsn)}', now(6), 1, 0, '')`,
      updatePosition(positionAt(reached), SLOT, 'streaming'),
    ];
  };

  await createBookkeeping(connection);
  await commit(stepMessage('the first copy', positionAt(1)), [
    insertPosition(positionAt(1), SOURCE, 'streaming'),
    ...tables.flatMap((table) => [...insertTable(table, 'streaming')]),
  ]);
  return {
    config: configFor('postgres://nobody@127.0.0.1:1/shop', target.url),
    get position() {
      return positionAt(reached);
    },
    rows: () => commit(stepMessage('rows', positionAt(reached + 1)), move()),
    command: (what, changed, statements = []) => {
      const { xid, commitTime } = positionAt(reached + 1);
      const moved = what.part ? [] : move();
      const { endLsn } = positionAt(reached);
      const told = { tag: 'ALTER TABLE', command: 'alter table orders', changes: [], user: 'ann', part: false };
      return commit(schemaMessage({ ...told, endLsn, xid, commitTime, ...what }), [
        ...moved,
        ...changed.flatMap((table) => [...replaceTable(table)]),
        ...statements,
      ]);
    },
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

function* replaceTable(table: TargetTable): Iterable<string> {
  for (const name of ['tables', 'columns'])
    yield `DELETE FROM wal2dolt_${name} WHERE relation_oid = ${table.source.oid}`;
  yield* insertTable(table, 'streaming');
}
