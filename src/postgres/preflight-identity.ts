import type pg from 'pg';
import { error, type Finding, listed, warning } from '../core/finding.js';
import { queryRows } from './client.js';
import type { Publication, TableName } from './publication.js';

/**
 * Tables whose UPDATEs and DELETEs Postgres refuses while they are published, because nothing in them tells which row
 * is meant. A publication that we create would bring that upon the application, so it is an error then; one that exists
 * already does it today, so it is a warning. Of partitioned tables the partitions decide, each for itself.
 *
 * Source: https://www.postgresql.org/docs/current/logical-replication-publication.html#LOGICAL-REPLICATION-PUBLICATION-REPLICA-IDENTITY
 */
export async function checkIdentity(
  client: pg.Client,
  publication: Publication | null,
  tables: readonly TableName[],
): Promise<Finding[]> {
  const unusable = await readUnusable(client, tables);
  const rows = unusable.filter((table) => table.unreplicated === null);
  const findings: Finding[] = [];
  if (rows.length > 0) {
    const reasons = listed(rows.map((table) => `${table.name} (${reasonOf(table)})`));
    const fix = [...new Set(rows.flatMap(alterTable))].join('\n');
    findings.push(
      publication
        ? warning(
            'replica_identity',
            `Postgres refuses UPDATE and DELETE on published tables without replica identity: ${reasons}.`,
            fix,
          )
        : error(
            'replica_identity',
            `Once published, Postgres would refuse UPDATE and DELETE on tables without replica identity: ${reasons}.`,
            fix,
          ),
    );
  }
  const partitions = unusable.filter((table) => table.unreplicated !== null);
  if (partitions.length > 0) {
    const names = listed(partitions.map((table) => `${table.name} (${table.unreplicated})`));
    findings.push(
      warning(
        'partition_not_replicated',
        `Changes of these partitions never reach the stream, so their rows are left out: ${names}.`,
      ),
    );
  }
  return [...findings, ...(publication ? await checkColumnLists(client, publication) : [])];
}

/** Tables whose column list leaves out what tells which row is meant; with whole old rows, every list does. */
async function checkColumnLists(client: pg.Client, publication: Publication): Promise<Finding[]> {
  const rows = await queryRows<{ name: string; missing: string; fix: string }>(
    client,
    `WITH listed AS (
       SELECT r.*, format('%I.%I', n.nspname, c.relname) AS name, p.pubname,
         ARRAY(SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = r.prrelid AND attnum = ANY (r.prattrs) ORDER BY attnum) AS columns
       FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid AND r.prattrs IS NOT NULL
       JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE p.pubname = $1 AND (p.pubupdate OR p.pubdelete)
     ), lacking AS (
       -- Of a partitioned table the partitions decide.
       SELECT DISTINCT l.prrelid, c.relreplident = 'f' AS whole, a.attname, a.attnum
       FROM listed l CROSS JOIN LATERAL (SELECT l.prrelid AS oid UNION SELECT relid FROM pg_partition_tree(l.prrelid)) t
       JOIN pg_catalog.pg_class c ON c.oid = t.oid AND c.relkind = 'r'
       JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       WHERE c.relreplident = 'f' OR a.attname <> ALL (l.columns) AND EXISTS (
         SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisvalid
           AND CASE c.relreplident WHEN 'd' THEN i.indisprimary AND i.indimmediate WHEN 'i' THEN i.indisreplident ELSE false END
           AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
     ), needed AS (
       SELECT prrelid, bool_or(whole) AS whole, array_agg(attname ORDER BY attnum) AS missing FROM lacking GROUP BY prrelid
     )
     SELECT name, CASE WHEN whole THEN 'all: its replica identity is FULL' ELSE array_to_string(missing, ', ') END AS missing,
       format('ALTER PUBLICATION %I DROP TABLE %s; ALTER PUBLICATION %I ADD TABLE %s%s%s;', pubname, name, pubname, name,
         CASE WHEN NOT whole THEN (SELECT format(' (%s)', string_agg(quote_ident(c), ', ')) FROM unnest(columns || missing) c) END,
         ' WHERE ' || pg_get_expr(prqual, prrelid)) AS fix
     FROM listed JOIN needed USING (prrelid) ORDER BY name`,
    [publication.name],
  );
  if (rows.length === 0) return [];
  const names = listed(rows.map(({ name, missing }) => `${name} (${missing})`));
  return [
    warning(
      'column_list',
      `Postgres refuses UPDATE and DELETE on tables of which the publication leaves out columns of the replica identity: ${names}.`,
      rows.map(({ fix }) => fix).join('\n'),
    ),
  ];
}

interface Unusable {
  /** Quoted. */
  readonly name: string;
  /** Of a partition: the published table at the top, quoted. */
  readonly root: string | null;
  readonly identity: 'd' | 'n' | 'f' | 'i';
  readonly primary: 'immediate' | 'deferrable' | null;
  /** Quoted name of a unique index that could serve. */
  readonly index: string | null;
  /** `foreign` or `unlogged`, for a partition that is. */
  readonly unreplicated: string | null;
}

async function readUnusable(client: pg.Client, tables: readonly TableName[]): Promise<Unusable[]> {
  const rows = await queryRows<{ table: string }>(
    client,
    `WITH named AS (
       SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name FROM unnest($1::text[], $2::text[]) t (schema, name)
       JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
       JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
     ), leaf AS (
       SELECT oid, NULL AS root FROM named WHERE relkind = 'r'
       UNION
       SELECT tree.relid, named.name FROM named, pg_partition_tree(named.oid) tree WHERE named.relkind = 'p' AND tree.isleaf
     ), judged AS (
       SELECT c.oid, c.relreplident, format('%I.%I', n.nspname, c.relname) AS name, leaf.root,
         CASE WHEN leaf.root IS NULL THEN NULL WHEN c.relkind = 'f' THEN 'foreign' WHEN c.relpersistence = 'u' THEN 'unlogged' END AS unreplicated
       FROM leaf JOIN pg_catalog.pg_class c ON c.oid = leaf.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'f')
     )
     SELECT json_build_object(
       'name', j.name, 'root', j.root, 'identity', j.relreplident, 'unreplicated', j.unreplicated,
       'primary', (
         SELECT CASE WHEN i.indimmediate THEN 'immediate' ELSE 'deferrable' END
         FROM pg_catalog.pg_index i WHERE i.indrelid = j.oid AND i.indisprimary AND i.indisvalid),
       'index', (
         SELECT format('%I', x.relname) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
         WHERE i.indrelid = j.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
           AND NOT EXISTS (
             SELECT FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = j.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]) AND NOT a.attnotnull)
         ORDER BY i.indnkeyatts, x.relname LIMIT 1)
     )::text AS table
     FROM judged j
     WHERE j.unreplicated IS NOT NULL OR j.relreplident <> 'f' AND NOT EXISTS (
       SELECT FROM pg_catalog.pg_index i
       WHERE i.indrelid = j.oid AND i.indisvalid
         AND CASE j.relreplident WHEN 'd' THEN i.indisprimary AND i.indimmediate WHEN 'i' THEN i.indisreplident ELSE false END)
     ORDER BY j.name`,
    [tables.map((table) => table.schema), tables.map((table) => table.name)],
  );
  return rows.map((row) => JSON.parse(row.table) as Unusable); // the shape is what the statement builds
}

function reasonOf(table: Unusable): string {
  if (table.identity === 'n') return 'replica identity nothing';
  if (table.identity === 'i') return 'its identity index was dropped';
  return table.primary === 'deferrable' ? 'its primary key is deferrable' : 'no primary key';
}

/**
 * The cheapest that works: FULL writes whole old rows to the WAL and the stream. It is set on the partitioned table as
 * well, which partitions do not inherit it from, but which the stream describes in their place.
 */
function alterTable(table: Unusable): string[] {
  const alter = (name: string, identity: string): string => `ALTER TABLE ${name} REPLICA IDENTITY ${identity};`;
  if (table.primary === 'immediate') return [alter(table.name, 'DEFAULT')];
  if (table.index !== null) return [alter(table.name, `USING INDEX ${table.index}`)];
  return [...(table.root === null ? [] : [alter(table.root, 'FULL')]), alter(table.name, 'FULL')];
}
