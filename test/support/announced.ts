import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { AnnouncementTime } from '../../src/core/announcement-time.js';
import type { RelationEvent } from '../../src/core/change.js';
import { Horizons } from '../../src/core/horizons.js';
import { type Inferred, inferSchema } from '../../src/core/infer-schema.js';
import { LSN_ZERO, type Lsn } from '../../src/core/position.js';
import type { TableSchema } from '../../src/core/schema.js';
import { readHorizon, readRelation } from '../../src/postgres/attributes.js';
import { readTables } from '../../src/postgres/catalog.js';
import { connectSource } from '../../src/postgres/client.js';
import { createPostgresDatabase } from './postgres.js';
import { createSlot, takeUntil } from './replication.js';

/** A step that looks at the running transactions, until those of the steps before it are known to have ended. */
export const LOOK: unique symbol = Symbol('look');

export type Step = string | typeof LOOK;

export interface Story {
  /** Makes the table t. The publication is of all tables, unless this makes `pub`. */
  readonly create: string;
  /** What happens, after a first look, while nobody reads the stream. */
  readonly steps: readonly Step[];
}

/**
 * What is inferred of t each time that it is announced, all of them from the catalog as it is after the last step: of the
 * table as stored before the steps, and then as inferred before. Ends with the first that is ambiguous.
 */
export async function inferAll({ create, steps }: Story): Promise<{ stored: TableSchema; inferred: Inferred[] }> {
  await using source = await createPostgresDatabase();
  await source.sql(create);
  const [made] = await source.sql(`select from pg_publication where pubname = 'pub'`);
  const slot = await createSlot(source, made ? 'all' : 'pub');
  const client = await connectSource(source.url, 'test');
  try {
    const stored = (await readTables(client, 'pub')).find(({ name }) => name === 't');
    if (!stored) throw new Error('there is no table t');
    const horizons = new Horizons();
    await lookAround(client, horizons);
    for (const step of steps) {
      if (step === LOOK) await lookAround(client, horizons);
      else await source.sql(step);
    }
    await source.sql(`select pg_logical_emit_message(false, 'test.end', '')`);

    const announced: { relation: RelationEvent; xid: number; place: Lsn }[] = [];
    await using stream = await slot.open({ publication: 'pub' });
    let begin = { xid: 0, finalLsn: LSN_ZERO };
    for (const event of await takeUntil(stream, (event) => event.kind === 'message' && event.prefix === 'test.end')) {
      if (event.kind === 'begin') begin = event;
      if (event.kind !== 'relation' || event.oid !== stored.oid) continue;
      announced.push({ relation: event, xid: begin.xid, place: begin.finalLsn });
    }
    let [table, storedXid] = [stored, null as bigint | null];
    const inferred: Inferred[] = [];
    for (const { relation, xid, place } of announced) {
      const { settledXid, unendedXid } = horizons.at(place, xid);
      const time: AnnouncementTime = { xid, settledXid, unendedXid, storedXid };
      const found = inferSchema(table, relation, await readRelation(client, 'pub', stored.oid, relation.columns), time);
      inferred.push(found);
      if (found.kind === 'ambiguous') break;
      if (found.kind === 'changed') table = found.schema;
      storedXid = time.settledXid;
    }
    return { stored, inferred };
  } finally {
    await client.end();
  }
}

/** Other tests have transactions of their own on this server, and those that are older may take longer. */
async function lookAround(client: pg.Client, horizons: Horizons): Promise<void> {
  const { xmax } = await readHorizon(client);
  for (;;) {
    const horizon = await readHorizon(client);
    horizons.add(horizon);
    if (horizon.xmin >= xmax) return;
    await sleep(20);
  }
}

/** `1 id integer!`: attnum, name, type, and whether it is NOT NULL. */
export const columnsOf = (table: TableSchema): string =>
  table.columns
    .map(({ attnum, name, type, notNull }) => `${attnum} ${name} ${type.name}${notNull ? '!' : ''}`)
    .join(', ');

/** Of each announcement what the table's columns are, or why that is not known. */
export async function told(story: Story): Promise<string[]> {
  const { stored, inferred } = await inferAll(story);
  let table = stored;
  return inferred.map((found) => {
    if (found.kind === 'ambiguous') return found.why;
    if (found.kind === 'unchanged') return 'unchanged';
    table = found.schema;
    return `${columnsOf(table)}${found.rewritten ? ', rewritten' : ''}`;
  });
}
