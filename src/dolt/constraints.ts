import type { ReferentialAction } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import { checkExpression } from './check-expression.js';
import { quoteName, type TargetConnection } from './client.js';
import { plannedIndexes } from './ddl.js';
import { quoteText } from './sql-text.js';

/**
 * Foreign keys and checks, created on request only. Replication does not need them, and does not obey them: wal2dolt
 * writes with foreign_key_checks=0, and a check is NOT ENFORCED, since an expression that Dolt reads differently must
 * never stop the stream. They document the schema, and foreign keys hold for whoever writes to a branch of the history.
 */
export interface ConstraintStatement {
  /** `table.constraint`, for the log. */
  readonly name: string;
  /** oids of the tables that it is about. */
  readonly tables: readonly number[];
  /** Null where it can not be expressed in Dolt. */
  readonly sql: string | null;
}

export function foreignKeys(tables: readonly TargetTable[]): ConstraintStatement[] {
  const byOid = new Map(tables.map((table) => [table.source.oid, table]));
  return tables.flatMap((table) =>
    table.source.constraints.flatMap((constraint) => {
      if (constraint.kind !== 'f') return [];
      const parent = byOid.get(constraint.references.oid);
      const columns = names(table, constraint.attnums);
      const referenced = parent && names(parent, constraint.references.attnums);
      const sql =
        parent && columns && referenced
          ? `ALTER TABLE ${quoteName(table.name)} ADD CONSTRAINT ${quoteName(constraint.name)} FOREIGN KEY (${columns}) REFERENCES ${quoteName(parent.name)} (${referenced})${action('UPDATE', constraint.onUpdate)}${action('DELETE', constraint.onDelete)}`
          : null;
      const oids = [table.source.oid, constraint.references.oid];
      return [{ name: `${table.name}.${constraint.name}`, tables: oids, sql }];
    }),
  );
}

export function checks(tables: readonly TargetTable[]): ConstraintStatement[] {
  return tables.flatMap((table) =>
    table.source.constraints.flatMap((constraint) => {
      if (constraint.kind !== 'c') return [];
      const expression = checkExpression(constraint.definition, (column) => {
        const found = table.columns.find(({ source }) => source.name === column);
        return found ? quoteName(found.name) : null;
      });
      const sql =
        expression === null
          ? null
          : `ALTER TABLE ${quoteName(table.name)} ADD CONSTRAINT ${quoteName(constraint.name)} CHECK (${expression}) NOT ENFORCED`;
      return [{ name: `${table.name}.${constraint.name}`, tables: [table.source.oid], sql }];
    }),
  );
}

/**
 * Drops a table's checks, its foreign keys, and those that reference it: Dolt refuses to change columns, keys and indexes
 * that they are about. An index that bears a foreign key's name and is not the table's own was made for it by Dolt, and would
 * be in the way just as well; the foreign key may have gone before, with the key that it referenced.
 */
export async function dropConstraints(connection: TargetConnection, target: TargetTable): Promise<void> {
  const { name: table, source } = target;
  const foreign = await connection.rows(
    `SELECT table_name, constraint_name FROM information_schema.referential_constraints WHERE constraint_schema=database() AND ${quoteText(table)} IN (table_name, referenced_table_name)`,
  );
  for (const [child = '', name] of foreign) {
    await connection.run(`ALTER TABLE ${quoteName(child ?? '')} DROP CONSTRAINT ${quoteName(name ?? '')}`);
  }
  const definition = (await connection.rows(`SHOW CREATE TABLE ${quoteName(table)}`))[0]?.[1] ?? '';
  for (const name of namesIn(definition, /^ +CONSTRAINT `((?:[^`]|``)+)` CHECK /gm)) {
    await connection.run(`ALTER TABLE ${quoteName(table)} DROP CONSTRAINT ${quoteName(name)}`);
  }
  const kept = new Set(plannedIndexes(target).map(({ name }) => name));
  const had = new Set(source.constraints.flatMap(({ kind, name }) => (kind === 'f' ? [name] : [])));
  for (const name of namesIn(definition, /^ +KEY `((?:[^`]|``)+)` /gm)) {
    if (had.has(name) && !kept.has(name)) {
      await connection.run(`ALTER TABLE ${quoteName(table)} DROP INDEX ${quoteName(name)}`);
    }
  }
}

const namesIn = (definition: string, pattern: RegExp): string[] =>
  [...definition.matchAll(pattern)].map(([, name = '']) => name.replaceAll('``', '`'));

function names(table: TargetTable, attnums: readonly number[]): string | null {
  const columns = attnums.map((attnum) => table.columns.find(({ source }) => source.attnum === attnum));
  return columns.includes(undefined) ? null : columns.map((column) => quoteName(column?.name ?? '')).join(', ');
}

/** SET DEFAULT is not known to Dolt. */
function action(event: 'UPDATE' | 'DELETE', what: ReferentialAction): string {
  const words = { a: '', r: 'RESTRICT', c: 'CASCADE', n: 'SET NULL', d: '' }[what];
  return words === '' ? '' : ` ON ${event} ${words}`;
}

/** Whether any table has one. They are looked at when a transaction is merged, which may have only the one of two rows. */
export async function hasForeignKeys(connection: TargetConnection): Promise<boolean> {
  const rows = await connection.rows(
    'SELECT 1 FROM information_schema.referential_constraints WHERE constraint_schema=database() LIMIT 1',
  );
  return rows.length > 0;
}
