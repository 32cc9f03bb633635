import type pg from 'pg';
import type { MessageEvent, SourceEvent } from '../../src/core/change.js';
import type { DdlSnapshot, DefinedTable, TableIdentity } from '../../src/core/ddl-snapshot.js';
import type { TableSchema } from '../../src/core/schema.js';
import { readTables } from '../../src/postgres/catalog.js';
import { connectSource } from '../../src/postgres/client.js';
import { DDL_MESSAGE, parseDdlMessage } from '../../src/postgres/ddl-message.js';
import { installTriggers } from '../../src/postgres/ddl-triggers.js';
import { decodeMessage } from '../../src/postgres/decoder.js';
import type { LocalServer } from '../../src/servers/local-server.js';
import { createPostgresDatabase, type PostgresDatabase } from './postgres.js';

export const ALL_TABLES = 'for all tables with (publish_via_partition_root = true)';

/** A database with event triggers that tell of the publication `p`, and a slot behind it. */
export class ToldSource implements AsyncDisposable {
  readonly database: PostgresDatabase;
  /** A session as wal2dolt has them. */
  readonly client: pg.Client;

  private constructor(database: PostgresDatabase, client: pg.Client) {
    this.database = database;
    this.client = client;
  }

  static async create(scene: string, publication = ALL_TABLES, server?: LocalServer): Promise<ToldSource> {
    const database = await createPostgresDatabase(undefined, server);
    const client = await connectSource(database.url, 'test');
    await database.sql(`${scene}; create publication p ${publication}`);
    await installTriggers(client, 'p');
    await database.sql('select pg_create_logical_replication_slot($1, $2)', [database.name, 'pgoutput']);
    return new ToldSource(database, client);
  }

  /** What the stream says since it was asked last. */
  async events(): Promise<SourceEvent[]> {
    const rows = await this.database.sql<{ data: Buffer }>(
      `select data from pg_logical_slot_get_binary_changes($1, null, null,
         'proto_version', '1', 'publication_names', 'p', 'messages', 'true')`,
      [this.database.name],
    );
    return rows.map(({ data }) => decodeMessage(data));
  }

  /** The messages of the event triggers since it was asked last. */
  async told(): Promise<DdlSnapshot[]> {
    return snapshotsOf(await this.events());
  }

  tables(): Promise<TableSchema[]> {
    return readTables(this.client, 'p');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.end();
    await this.database[Symbol.asyncDispose]();
  }
}

export const snapshotsOf = (events: readonly SourceEvent[]): DdlSnapshot[] =>
  events
    .filter((event): event is MessageEvent => event.kind === 'message' && event.prefix === DDL_MESSAGE)
    .map(({ content }) => parseDdlMessage(content));

/**
 * A message in one line: `t` defined, `t+` created, `t*` rewritten, `(t)` not published, `-t` dropped, `-index i`; after
 * `all:` where it is all that the publication carries. Tables of public go by their bare name, in the order of names.
 */
export function brief(snapshot: DdlSnapshot): string {
  if (snapshot.failure !== null) return `failure: ${snapshot.failure}`;
  const nameOf = ({ schema, name }: Pick<TableIdentity, 'schema' | 'name'>): string =>
    schema === 'public' ? name : `${schema}.${name}`;
  const defined = ({ schema, created, rewritten }: DefinedTable): string =>
    `${nameOf(schema)}${created ? '+' : ''}${rewritten ? '*' : ''}`;
  return [
    ...(snapshot.complete ? ['all:'] : []),
    ...snapshot.tables.map(defined).sort(),
    ...snapshot.unpublished.map((table) => `(${nameOf(table)}${table.created ? '+' : ''})`).sort(),
    ...snapshot.dropped.map((table) => `-${nameOf(table)}`).sort(),
    ...snapshot.droppedIndexes.map((index) => `-index ${nameOf(index)}`).sort(),
  ].join(' ');
}

/**
 * What changed in what the publication carries, and no message tells or one tells wrongly. Left aside are the names that a
 * foreign key of another table has in its text, and files.
 */
export function untold(
  before: readonly TableSchema[],
  after: readonly TableSchema[],
  snapshots: readonly DdlSnapshot[],
): string[] {
  const expected = new Map(before.map((table) => [table.oid, table]));
  for (const snapshot of snapshots) {
    const gone = new Set([...snapshot.dropped, ...snapshot.unpublished].map(({ oid }) => oid));
    for (const oid of gone) expected.delete(oid);
    if (snapshot.complete) expected.clear();
    for (const { schema, name } of snapshot.droppedIndexes) {
      for (const [oid, table] of expected) {
        const indexes = table.indexes.filter((index) => table.schema !== schema || index.name !== name);
        expected.set(oid, { ...table, indexes });
      }
    }
    for (const [oid, table] of expected) {
      const { partitions, leaves } = table;
      const stays = (_: unknown, i: number): boolean => !gone.has(partitions?.[i] ?? 0);
      if (partitions && leaves)
        expected.set(oid, { ...table, partitions: partitions.filter(stays), leaves: leaves.filter(stays) });
    }
    for (const { schema } of snapshot.tables) expected.set(schema.oid, schema);
  }
  const show = (table: TableSchema | undefined): string =>
    JSON.stringify(
      table && {
        ...table,
        fileNode: 0,
        leaves: table.leaves?.map(([_, joinedBy]) => joinedBy),
        constraints: table.constraints.map((one) => (one.kind === 'f' ? { ...one, definition: '' } : one)),
      },
    );
  const now = new Map(after.map((table) => [table.oid, table]));
  return [...new Set([...expected.keys(), ...now.keys()])].flatMap((oid) => {
    const [told, is] = [show(expected.get(oid)), show(now.get(oid))];
    return told === is ? [] : [`told ${told}\n  is ${is}`];
  });
}
