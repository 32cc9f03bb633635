import type { ReferentialAction } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import { checkExpression } from './check-expression.js';
import { quoteName } from './client.js';

/**
 * Foreign keys and checks, created on request only. Replication does not need them, and does not obey them: wal2dolt
 * writes with foreign_key_checks=0, and a check is NOT ENFORCED, since an expression that Dolt reads differently must
 * never stop the stream. They document the schema, and foreign keys hold for whoever writes to a branch of the history.
 */
export interface ConstraintStatement {
  /** `table.constraint`, for the log. */
  readonly name: string;
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
      return [{ name: `${table.name}.${constraint.name}`, sql }];
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
      return [{ name: `${table.name}.${constraint.name}`, sql }];
    }),
  );
}

function names(table: TargetTable, attnums: readonly number[]): string | null {
  const columns = attnums.map((attnum) => table.columns.find(({ source }) => source.attnum === attnum));
  return columns.includes(undefined) ? null : columns.map((column) => quoteName(column?.name ?? '')).join(', ');
}

/** SET DEFAULT is not known to Dolt. */
function action(event: 'UPDATE' | 'DELETE', what: ReferentialAction): string {
  const words = { a: '', r: 'RESTRICT', c: 'CASCADE', n: 'SET NULL', d: '' }[what];
  return words === '' ? '' : ` ON ${event} ${words}`;
}
