import pg from 'pg';
import { error, type Finding, info, listed, warning } from '../core/finding.js';
import { selects, type TableRules, unmatchedPatterns } from '../core/patterns.js';
import { qualifiedName, type TableSchema } from '../core/schema.js';
import { readTables } from './catalog.js';
import { queryRows } from './client.js';
import { checkIdentity } from './preflight-identity.js';
import {
  checkGenerated,
  checkPartitioned,
  checkReading,
  checkUnreplicated,
  readTableFacts,
  type TableFacts,
} from './preflight-tables.js';
import type { Server, SourceWishes } from './preflight-wishes.js';
import {
  type Carried,
  missingOperations,
  PUBLISHED,
  type Publication,
  quoteTable,
  readPublication,
  selectTables,
  type TableName,
} from './publication.js';

/** The publication, or what keeps us from making it, and everything about the tables in it. */
export async function checkPublication(client: pg.Client, wishes: SourceWishes, server: Server): Promise<Finding[]> {
  const publication = await readPublication(client, wishes.publication);
  const existing = await selectTables(client, () => true);
  const selectable = await selectTables(client, (schema, name) => selects(wishes.tables, schema, name));
  const published = publication ? await readPublished(client, publication.name) : [];
  const followed = published.filter(({ schema, name }) => selects(wishes.tables, schema, name));
  const facts = await readTableFacts(client, publication ? followed : selectable, publication);
  return [
    ...(publication
      ? checkExisting(publication, followed, selectable, wishes)
      : await checkMissing(client, wishes, server, facts)),
    ...unmatchedPatterns(wishes.tables, [...existing, ...selectable, ...published]).map((pattern) =>
      warning(
        'pattern_unmatched',
        `No table matches the pattern ${pattern}; names are compared exactly, case included.`,
      ),
    ),
    // A publication names every table whose UPDATEs it lets Postgres refuse, whether we follow that table or not.
    ...(await checkIdentity(client, publication, publication ? published : selectable)),
    ...checkReading(wishes, server, facts),
    ...checkPartitioned(facts),
    ...checkGenerated(wishes, server, facts, publication),
    ...(await checkUnreplicated(client, wishes)),
  ];
}

/** The selected tables of the publication, or, where it does not exist, as a new one would carry them. */
export async function readWantedTables(
  client: pg.Client,
  publication: string,
  rules: TableRules,
): Promise<TableSchema[]> {
  const wanted = (schema: string, name: string): boolean => selects(rules, schema, name);
  if (await readPublication(client, publication)) {
    return (await readTables(client, publication)).filter(({ schema, name }) => wanted(schema, name));
  }
  const tables = await selectTables(client, wanted);
  const rows = await queryRows<{ oid: string }>(
    client,
    `SELECT c.oid FROM unnest($1::text[], $2::text[]) t (schema, name)
     JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
     JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name`,
    [tables.map((table) => table.schema), tables.map((table) => table.name)],
  );
  return readTables(
    client,
    null,
    rows.map((row) => Number(row.oid)),
  );
}

/**
 * Whether the publication carries all of the time what the target follows, as its definitions say; `carried` is how it
 * carries them now. Nothing in the stream tells of an ALTER PUBLICATION: Dolt would go on showing the rows that a table
 * had, and miss those of a time in between.
 */
export async function checkStillPublished(
  client: pg.Client,
  publication: string,
  carried: ReadonlyMap<number, Carried>,
  tables: readonly TableSchema[],
): Promise<Finding[]> {
  const left = tables.filter(({ oid }) => !carried.has(oid));
  const existing = await readExisting(client, left);
  const unpublished = left.filter(({ oid }) => existing.has(oid));
  const dropped = left.filter(({ oid }) => !existing.has(oid));
  const interrupted = tables.filter((table) => {
    const now = carried.get(table.oid);
    return now !== undefined && !isSentAsBefore(table, now);
  });
  const findings: Finding[] = [];
  if (unpublished.length > 0) {
    const message = `The publication ${publication} carries no more ${listed(unpublished.map(qualifiedName))}, which the target has: changes since then are not in the stream.`;
    findings.push(error('E_PUBLICATION_CHANGED', message, `Publish them again, and then copy${waysOut(unpublished)}`));
  }
  if (interrupted.length > 0) {
    const message = `The publication ${publication} was changed for ${listed(interrupted.map(qualifiedName))}: the table left it and came back, or has another row filter or column list now. Changes in between are not in the stream.`;
    findings.push(error('E_PUBLICATION_CHANGED', message, `Copy${waysOut(interrupted)}`));
  }
  if (dropped.length > 0) {
    findings.push(
      warning(
        'table_dropped',
        `Dropped in Postgres, while Dolt keeps the rows that they had: ${listed(dropped.map(qualifiedName))}.`,
      ),
    );
  }
  return findings;
}

async function readExisting(client: pg.Client, tables: readonly TableSchema[]): Promise<ReadonlySet<number>> {
  if (tables.length === 0) return new Set();
  const rows = await queryRows<{ oid: string }>(
    client,
    'SELECT oid FROM pg_catalog.pg_class WHERE oid = ANY ($1::oid[])',
    [tables.map(({ oid }) => oid)],
  );
  return new Set(rows.map((row) => Number(row.oid)));
}

/**
 * Whether all changes of a table came, and come, as they did. What carries it may be others: not where one of them filters, as
 * all tables of a schema overrule the filter of one of them.
 */
const isSentAsBefore = ({ publishedBy, rowFilter }: TableSchema, { by, whole }: Carried): boolean =>
  by.join() === publishedBy.join() || (rowFilter === null && whole.some((entry) => publishedBy.includes(entry)));

/** With a new copy of the tables, or without them: the history goes on either way. */
function waysOut(tables: readonly TableName[]): string {
  const patterns = tables.map(qualifiedName);
  return ` them again: wal2dolt resync ${patterns.map(shellWord).join(' ')}; or go on without them, which keeps their history up to here: add to tables !${patterns.join(',!')}`;
}

/** As a word of a shell. */
const shellWord = (text: string): string => (/^[\w.]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

interface PublishedTable extends TableName {
  /** Of a partition that is published as a table of its own: the partitioned table at the top. */
  readonly root: TableName | null;
}

async function readPublished(client: pg.Client, publication: string): Promise<PublishedTable[]> {
  const rows = await queryRows<{ schema: string; name: string; root_schema: string | null; root_name: string | null }>(
    client,
    `SELECT n.nspname AS schema, c.relname AS name, rn.nspname AS root_schema, r.relname AS root_name
     FROM (${PUBLISHED}) p
     JOIN pg_catalog.pg_class c ON c.oid = p.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid)
     LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
     ORDER BY 1, 2`,
    [publication, null],
  );
  return rows.map(({ schema, name, root_schema, root_name }) => ({
    schema,
    name,
    root: root_schema === null || root_name === null ? null : { schema: root_schema, name: root_name },
  }));
}

function checkExisting(
  publication: Publication,
  tables: readonly PublishedTable[],
  selectable: readonly TableName[],
  { slotState }: SourceWishes,
): Finding[] {
  const name = pg.escapeIdentifier(publication.name);
  const findings: Finding[] = [];
  const absent = missingOperations(publication);
  if (absent.length > 0 && slotState === 'kept') {
    const message = `The publication ${publication.name} leaves out ${absent.join(', ')}, of which nothing since then is in the stream, nor will be.`;
    // To put it right first would only hide what is missing.
    const fix = `A run marks all tables to be copied again, and ends. After that: ALTER PUBLICATION ${name} SET (publish = 'insert, update, delete, truncate'), and start again.`;
    findings.push(error('E_PUBLICATION_OPERATIONS', message, fix));
  } else if (absent.length > 0) {
    findings.push(
      error(
        'publication_operations',
        `The publication ${publication.name} leaves out ${absent.join(', ')}, so the target would come to differ from Postgres.`,
        `ALTER PUBLICATION ${name} SET (publish = 'insert, update, delete, truncate');`,
      ),
    );
  }
  const taken = new Set(
    tables.flatMap((table) => [qualifiedName(table), ...(table.root ? [qualifiedName(table.root)] : [])]),
  );
  const left = selectable.filter((table) => !taken.has(qualifiedName(table)));
  const add =
    left.length > 0 && !publication.allTables ? `ALTER PUBLICATION ${name} ADD TABLE ${tableList(left)};` : undefined;
  if (tables.length === 0) {
    findings.push(
      error('publication_empty', `The publication ${publication.name} publishes no table that is selected.`, add),
    );
  } else if (left.length > 0) {
    findings.push(
      info('not_published', `Not in the publication ${publication.name}: ${listed(left.map(qualifiedName))}.`, add),
    );
  }
  const roots = [...new Set(tables.flatMap((table) => (table.root ? [qualifiedName(table.root)] : [])))];
  if (roots.length > 0 && !publication.viaRoot) {
    findings.push(
      info(
        'publish_via_root',
        `The publication ${publication.name} publishes every partition of ${listed(roots)} as a table of its own.`,
        `ALTER PUBLICATION ${name} SET (publish_via_partition_root = true);`,
      ),
    );
  }
  return findings;
}

/** Mirrors `createPublication`: FOR ALL TABLES takes a superuser, a list of tables their owner. */
async function checkMissing(
  client: pg.Client,
  wishes: SourceWishes,
  server: Server,
  tables: readonly TableFacts[],
): Promise<Finding[]> {
  if (tables.length === 0) {
    return [error('no_tables', 'There is no table to replicate: none exists in the source that is selected.')];
  }
  const what = wishes.tables.selection.length === 0 ? 'FOR ALL TABLES' : `FOR TABLE ${tableList(tables)}`;
  const generated = server.version >= 180_000 ? ', publish_generated_columns = stored' : '';
  const create = `CREATE PUBLICATION ${pg.escapeIdentifier(wishes.publication)} ${what} WITH (publish_via_partition_root = true${generated});`;
  if (wishes.slotState !== 'new') {
    const message = `The publication ${wishes.publication} does not exist, and changes that are made without it are not sent.`;
    return [error('E_PUBLICATION_MISSING', message, create)];
  }
  if (server.inRecovery) {
    return [
      error(
        'publication_missing',
        `The publication ${wishes.publication} does not exist and a standby cannot create it.`,
        `${create} -- on the primary`,
      ),
    ];
  }
  if (server.superuser) return [];
  const foreign = tables.filter((table) => !table.owned);
  if (foreign.length > 0) {
    const message = `The role ${server.role} cannot create the publication ${wishes.publication}: it does not own ${listed(foreign.map(qualifiedName))}. Let a superuser do it.`;
    return [error('publication_privilege', message, create)];
  }
  const [row] = await queryRows<{ may: string }>(
    client,
    `SELECT has_database_privilege(current_database(), 'CREATE') AS may`,
  );
  if (row?.may === 't') return [];
  const message = `The role ${server.role} may not create the publication ${wishes.publication} in this database.`;
  return [error('publication_privilege', message, `GRANT CREATE ON DATABASE ${server.database} TO ${server.role};`)];
}

const tableList = (tables: readonly TableName[]): string =>
  tables.map((table) => `ONLY ${quoteTable(table)}`).join(', ');
