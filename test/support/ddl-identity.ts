import { expect } from 'vitest';
import type { Moment } from './ddl-play.js';
import type { Reader } from './ddl-shown.js';
import type { State } from './ddl-state.js';

/** What became of tables and columns, as lists of names. */
interface Changes {
  readonly createdTables: number;
  readonly droppedTables: number;
  readonly renamedTables: number;
  readonly added: readonly string[];
  readonly dropped: readonly string[];
  readonly renamed: readonly string[];
}

/**
 * Between these moments, Dolt sees the same columns added, dropped and renamed as Postgres does by their attnums: none was
 * dropped and made anew, which would cut its history. And no table was.
 */
export async function expectIdentity(reader: Reader, moments: readonly Moment[], schema: string): Promise<void> {
  const known = moments.filter(({ hash }) => hash !== null);
  for (const [i, { postgres, hash }] of known.entries()) {
    const before = known[i - 1];
    if (!before) continue;
    const patch = await reader.rows<{ statement: string }>(
      `select statement from dolt_patch('${before.hash}', '${hash}')
       where diff_type = 'schema' and table_name like '${schema}\\_%' order by statement_order`,
    );
    const statements = patch.map(({ statement }) => statement);
    expect.soft(ofPatch(statements), statements.join('\n')).toEqual(ofStates(before.postgres, postgres));
  }
}

const NAME = '`((?:[^`]|``)+)`';

function ofPatch(statements: readonly string[]): Changes {
  const matches = (pattern: string): RegExpExecArray[] =>
    statements.flatMap((statement) => [...statement.matchAll(new RegExp(`^${pattern}`, 'g'))]);
  const table = `ALTER TABLE ${NAME} `;
  return {
    createdTables: matches('CREATE TABLE').length,
    droppedTables: matches('DROP TABLE').length,
    renamedTables: matches('RENAME TABLE').length,
    added: matches(`${table}ADD ${NAME}`)
      .map(([, , name = '']) => name)
      .sort(),
    dropped: matches(`${table}DROP ${NAME}`)
      .map(([, , name = '']) => name)
      .sort(),
    renamed: matches(`${table}RENAME COLUMN ${NAME} TO ${NAME}`)
      .map(([, , from, to]) => `${from} > ${to}`)
      .sort(),
  };
}

/** A table that goes stays in Dolt. */
function ofStates(before: State, after: State): Changes {
  const changes = { added: [] as string[], dropped: [] as string[], renamed: [] as string[] };
  let renamedTables = 0;
  for (const [oid, table] of after) {
    const old = before.get(oid);
    if (!old) continue;
    if (old.name !== table.name) renamedTables += 1;
    for (const [attnum, column] of table.columns) {
      const was = nameOf(old.columns.get(attnum));
      if (was === null) changes.added.push(nameOf(column) ?? '');
      else if (was !== nameOf(column)) changes.renamed.push(`${was} > ${nameOf(column)}`);
    }
    for (const [attnum, column] of old.columns)
      if (!table.columns.has(attnum)) changes.dropped.push(nameOf(column) ?? '');
  }
  return {
    createdTables: [...after.keys()].filter((oid) => !before.has(oid)).length,
    droppedTables: 0,
    renamedTables,
    added: changes.added.sort(),
    dropped: changes.dropped.sort(),
    renamed: changes.renamed.sort(),
  };
}

const nameOf = (column: { readonly name: string } | undefined): string | null => column?.name ?? null;
