import pg from 'pg';
import { error, type Finding, info, listed, warning } from '../core/finding.js';
import { optionsFor, selects } from '../core/patterns.js';
import { qualifiedName } from '../core/schema.js';
import { readUnreplicated, type Unreplicated } from './catalog.js';
import { queryRows } from './client.js';
import type { Server, SourceWishes } from './preflight-wishes.js';
import { type Publication, quoteTable, type TableName } from './publication.js';

/** What the catalog says of a table that is, or is to be, published. */
export interface TableFacts extends TableName {
  readonly partitioned: boolean;
  /** USAGE on its schema. */
  readonly usage: boolean;
  /** Our role is its owner, a member of it, or a superuser. */
  readonly owned: boolean;
  /** Row-level security would hide rows from us. */
  readonly rowSecurity: boolean;
  /** Published columns that we may not SELECT. */
  readonly unreadable: readonly string[];
  readonly generated: readonly { readonly name: string; readonly stored: boolean; readonly listed: boolean }[];
}

/** One statement, however many tables. */
export async function readTableFacts(
  client: pg.Client,
  tables: readonly TableName[],
  publication: Publication | null,
): Promise<TableFacts[]> {
  const rows = await queryRows<{ facts: string }>(
    client,
    `SELECT json_build_object(
       'schema', n.nspname, 'name', c.relname, 'partitioned', c.relkind = 'p',
       'usage', has_schema_privilege(n.oid, 'USAGE'),
       'owned', pg_has_role(c.relowner, 'USAGE'),
       'rowSecurity', row_security_active(c.oid),
       'unreadable', (
         SELECT coalesce(json_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND (p.attnames IS NULL OR a.attname = ANY (p.attnames))
           AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT')),
       'generated', (
         SELECT coalesce(json_agg(json_build_object(
           'name', a.attname, 'stored', a.attgenerated = 's', 'listed', coalesce(a.attname = ANY (p.attnames), false)) ORDER BY a.attnum), '[]')
         FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated <> '' AND NOT a.attisdropped)
     )::text AS facts
     FROM unnest($1::text[], $2::text[]) t (schema, name)
     JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
     JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
     LEFT JOIN pg_catalog.pg_publication_tables p ON p.pubname = $3 AND p.schemaname = n.nspname AND p.tablename = c.relname
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
    [tables.map((table) => table.schema), tables.map((table) => table.name), publication?.name ?? ''],
  );
  return rows.map((row) => JSON.parse(row.facts) as TableFacts); // the shape is what the statement builds
}

/** TRUNCATE of a partition is not in the stream of its root, and no command that an event trigger could tell of. */
export function checkPartitioned(tables: readonly TableFacts[]): Finding[] {
  const partitioned = tables.filter((table) => table.partitioned);
  if (partitioned.length === 0) return [];
  return [
    warning(
      'partitions',
      `Postgres does not replicate TRUNCATE of a single partition of ${listed(partitioned.map(qualifiedName))}: Dolt would keep its rows until the table is copied again. TRUNCATE of the whole table, and DELETE, are replicated.`,
    ),
  ];
}

/** The copy and every later verification read the tables themselves. */
export function checkReading(wishes: SourceWishes, server: Server, tables: readonly TableFacts[]): Finding[] {
  const findings: Finding[] = [];
  const schemas = [...new Set(tables.filter((table) => !table.usage).map((table) => table.schema))];
  if (schemas.length > 0) {
    findings.push(
      error(
        'schema_privilege',
        `The role ${server.role} may not look into ${listed(schemas)}.`,
        schemas.map((schema) => `GRANT USAGE ON SCHEMA ${pg.escapeIdentifier(schema)} TO ${server.role};`).join('\n'),
      ),
    );
  }
  const unreadable = tables.filter((table) => {
    const { excludeColumns } = optionsFor(wishes.tables, table.schema, table.name);
    return table.unreadable.some((column) => !excludeColumns.has(column));
  });
  if (unreadable.length > 0) {
    findings.push(
      error(
        'select_privilege',
        `The role ${server.role} may not read ${listed(unreadable.map(qualifiedName))}, which the copy has to.`,
        unreadable.map((table) => `GRANT SELECT ON ${quoteTable(table)} TO ${server.role};`).join('\n'),
      ),
    );
  }
  const hidden = tables.filter((table) => table.rowSecurity);
  if (hidden.length > 0) {
    findings.push(
      error(
        'row_security',
        `Row-level security of ${listed(hidden.map(qualifiedName))} hides rows from the role ${server.role}: the copy would lack them.`,
        `ALTER ROLE ${server.role} BYPASSRLS;`,
      ),
    );
  }
  return findings;
}

/** Generated columns that the stream does not carry. Source: https://www.postgresql.org/docs/current/logical-replication-gencols.html */
export function checkGenerated(
  wishes: SourceWishes,
  server: Server,
  tables: readonly TableFacts[],
  publication: Publication | null,
): Finding[] {
  const canSend = server.version >= 180_000;
  const columns = tables.flatMap((table) => {
    const { excludeColumns } = optionsFor(wishes.tables, table.schema, table.name);
    return table.generated
      .filter((column) => !excludeColumns.has(column.name))
      .map((column) => ({
        ...column,
        full: `${qualifiedName(table)}.${column.name}`,
        sent: canSend && (publication ? column.listed : column.stored),
      }));
  });
  const missing = columns.filter((column) => !column.sent);
  if (missing.length === 0) return [];
  const names = listed(missing.map((column) => column.full));
  if (!canSend)
    return [
      warning(
        'generated_columns',
        `Not replicated, since Postgres sends generated columns from version 18 on: ${names}.`,
      ),
    ];
  const virtual = missing.filter((column) => !column.stored);
  const stored = missing.filter((column) => column.stored);
  const findings: Finding[] = [];
  if (virtual.length > 0) {
    findings.push(
      warning(
        'generated_columns',
        `Not replicated, since Postgres sends no virtual generated columns: ${listed(virtual.map((column) => column.full))}.`,
      ),
    );
  }
  if (stored.length > 0 && publication) {
    findings.push(
      warning(
        'generated_columns',
        `Not replicated, since the publication ${publication.name} leaves out generated columns: ${listed(stored.map((column) => column.full))}.`,
        `ALTER PUBLICATION ${pg.escapeIdentifier(publication.name)} SET (publish_generated_columns = stored);`,
      ),
    );
  }
  return findings;
}

const NOTES: Readonly<Record<Unreplicated['kind'], string>> = {
  'unlogged table': 'unlogged tables (ALTER TABLE … SET LOGGED would change that)',
  'foreign table': 'foreign tables',
  'materialized view': 'materialized views',
  sequence: 'the state of sequences',
};

/** What Postgres never replicates. */
export async function checkUnreplicated(client: pg.Client, wishes: SourceWishes): Promise<Finding[]> {
  const all = (await readUnreplicated(client)).filter(({ schema, name }) => selects(wishes.tables, schema, name));
  return Object.entries(NOTES).flatMap(([kind, what]) => {
    const names = all.filter((one) => one.kind === kind).map(qualifiedName);
    return names.length === 0 ? [] : [info('not_replicated', `Postgres does not replicate ${what}: ${listed(names)}.`)];
  });
}
