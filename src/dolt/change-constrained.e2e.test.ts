import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDoltDatabase, type DoltDatabase } from '../../test/support/dolt.js';
import { numbered } from '../../test/support/numbered-tables.js';
import type { Constraint } from '../core/schema.js';
import { diffTables, touchesConstraints } from '../core/schema-diff.js';
import type { TargetTable } from '../core/target.js';
import { Tuple } from '../core/tuple.js';
import { parseTarget } from './address.js';
import { createBookkeeping } from './bookkeeping.js';
import { changeTable } from './change-table.js';
import { quoteName, TargetConnection } from './client.js';
import { checks, foreignKeys } from './constraints.js';
import { createTable } from './ddl.js';
import { ExactValues } from './exact.js';
import { Writer } from './writer.js';

// Dolt refuses to change what a foreign key or a check is about: they make way, and can be made again.

let database: DoltDatabase;
let connection: TargetConnection;
let exact: ExactValues;
beforeAll(async () => {
  database = await createDoltDatabase();
  connection = await TargetConnection.open(parseTarget(database.url), 'main');
  await connection.run('SET foreign_key_checks=0');
  await createBookkeeping(connection);
  exact = await ExactValues.load(connection);
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const PARENT = 1;
const CHILD = 2;
const reference = (attnum: number, to = 1): Constraint => ({
  kind: 'f',
  name: 'Child``parent fk',
  definition: '',
  attnums: [attnum],
  references: { oid: PARENT, attnums: [to] },
  onUpdate: 'a',
  onDelete: 'c',
});
const check = (column: string): Constraint => ({
  kind: 'c',
  name: 'child_check',
  definition: `CHECK ((${column} > 0))`,
});

type Columns = Parameters<typeof numbered>[0];
type Rest = Parameters<typeof numbered>[1];
const parent = (columns: Columns = { 1: 'id integer', 2: 'code integer' }, rest: Rest = {}): TargetTable =>
  numbered(columns, { oid: PARENT, name: 'a parent', indexes: { u_code: [2] }, ...rest });
const child = (columns: Columns = { 1: 'id integer', 2: 'parent integer' }, rest: Rest = {}): TargetTable =>
  numbered(columns, { oid: CHILD, name: 'a child', constraints: [reference(2), check('parent')], ...rest });

/** Of tables that changed, or of all. What Dolt refuses for now is to come with the next change. */
async function constrain(tables: readonly TargetTable[], changed?: number): Promise<void> {
  for (const { sql, tables: oids } of [...foreignKeys(tables), ...checks(tables)]) {
    if (changed !== undefined && !oids.includes(changed)) continue;
    await connection.run(sql ?? 'not made').catch((error: Error) => expect(error.message).toMatch(/type mismatch/));
  }
}

/** Constraints and indexes of both tables, as Dolt tells them. */
async function definitions(tables: readonly TargetTable[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { name } of tables) {
    const [row] = await connection.rows(`SHOW CREATE TABLE ${quoteName(name)}`);
    lines.push(...(row?.[1] ?? '').split('\n').map((line) => line.trim().replace(/,$/, '')));
  }
  return lines.filter((line) => !/^(CREATE|\))/.test(line)).sort();
}

describe('a table with foreign keys and checks, where', () => {
  it.each<[string, TargetTable, TargetTable]>([
    [
      'the referenced column is of another type',
      parent({ 1: 'id bigint', 2: 'code integer' }),
      child({ 1: 'id integer', 2: 'parent bigint' }),
    ],
    [
      'the referencing column has another name',
      parent(),
      child({ 1: 'id integer', 2: 'mother integer' }, { constraints: [reference(2), check('mother')] }),
    ],
    ['the referencing column is gone', parent(), child({ 1: 'id integer' }, { constraints: [] })],
    [
      'the key is gone, and a unique index referenced',
      parent(undefined, { key: [] }),
      child(undefined, { constraints: [reference(2, 2)] }),
    ],
    ['the referenced index has another name', parent(undefined, { indexes: { u_other: [2] } }), child()],
    ['both tables have other names', parent(undefined, { name: 'mother' }), child(undefined, { name: 'daughter' })],
    ['the check is gone', parent(), child(undefined, { constraints: [reference(2)] })],
    ['the foreign key has an index of its own', parent(), child(undefined, { indexes: { i: [2] } })],
  ])('%s', async (_, ...after) => {
    const before = [parent(), child()] as const;
    for (const table of before) await connection.run(createTable(table, true));
    const writer = new Writer(connection, exact);
    await writer.insert(before[0], [Tuple.of(['1', '10'])]);
    await writer.insert(before[1], [Tuple.of(['5', '1'])]);
    await constrain(before);
    const head = (await connection.value(`CALL DOLT_COMMIT('-Am', 'before')`)) ?? '';

    for (const [i, table] of after.entries()) {
      const was = before[i] as TargetTable; // both have two
      const diff = diffTables(was, table, { rewritten: false, command: null });
      if (diff === null) continue;
      const rows = await changeTable({
        connection,
        writer,
        exact,
        before: was,
        after: table,
        diff,
        head,
        recast: null,
      });
      expect(rows.kind).toBe('kept');
      const now = i === 0 ? [table, before[1]] : after;
      if (touchesConstraints(was, table, diff)) await constrain(now, table.source.oid);
    }
    await expectAsNew(after);
  });

  it('the key is gone, and with it the foreign key', async () => {
    const before = [parent(), child()] as const;
    for (const table of before) await connection.run(createTable(table, true));
    await constrain(before);
    const head = (await connection.value(`CALL DOLT_COMMIT('-Am', 'before')`)) ?? '';
    const after = [parent(undefined, { key: [] }), child(undefined, { constraints: [] })] as const;
    const options = { connection, writer: new Writer(connection, exact), exact, head, recast: null };
    for (const [i, table] of after.entries()) {
      const was = before[i] as TargetTable; // both have two
      const diff = diffTables(was, table, { rewritten: false, command: null });
      if (diff) await changeTable({ ...options, before: was, after: table, diff });
    }
    await expectAsNew(after);
  });

  /** The tables are as if they were created so; they go. */
  async function expectAsNew(after: readonly TargetTable[]): Promise<void> {
    const made = await definitions(after);
    await connection.rows(`CALL DOLT_COMMIT('-Am', 'after')`);

    for (const { name } of after) await connection.run(`DROP TABLE ${quoteName(name)}`);
    for (const table of after) await connection.run(createTable(table, true));
    await constrain(after);
    expect(made).toEqual(await definitions(after));
    for (const { name } of after) await connection.run(`DROP TABLE ${quoteName(name)}`);
  }
});
