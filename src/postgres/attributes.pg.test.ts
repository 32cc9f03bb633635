import { describe, expect, it } from 'vitest';
import { createPostgresDatabase, type PostgresDatabase } from '../../test/support/postgres.js';
import { createSlot, type TestSlot, takeUntil } from '../../test/support/replication.js';
import type { RelationEvent } from '../core/change.js';
import { inferSchema } from '../core/infer-schema.js';
import type { TableSchema } from '../core/schema.js';
import { readRelation, readSettledXid } from './attributes.js';
import { readTables } from './catalog.js';
import { connectSource } from './client.js';

interface Announced {
  readonly relation: RelationEvent;
  readonly xid: number;
}

/** What is announced with the rows of `count` transactions. */
async function announcements(slot: TestSlot, count: number): Promise<Announced[]> {
  await using stream = await slot.open();
  let xid = 0;
  let commits = 0;
  const found: Announced[] = [];
  for (const event of await takeUntil(stream, (event) => event.kind === 'commit' && ++commits >= count)) {
    if (event.kind === 'begin') xid = event.xid;
    if (event.kind === 'relation') found.push({ relation: event, xid });
  }
  return found;
}

/** The table t and a slot behind it. */
async function stored(source: PostgresDatabase, definition: string): Promise<{ slot: TestSlot; table: TableSchema }> {
  await source.sql(definition);
  const slot = await createSlot(source);
  const client = await connectSource(source.url, 'test');
  const [table] = await readTables(client, 'pub');
  await client.end();
  if (!table) throw new Error('no table');
  return { slot, table };
}

describe('a table whose rows come after it was changed', () => {
  it.each<[string, string, string, (string | RegExp)[]]>([
    ['is the same', 'id int primary key, a text', 'analyze t', ['1 id integer', '2 a text']],
    ['has a column more', 'id int primary key', "alter table t add a text default 'x'", ['1 id integer', '2 a text']],
    ['has a column less', 'id int primary key, a text, b int', 'alter table t drop a', ['1 id integer', '3 b integer']],
    ['has a column renamed', 'id int primary key, a text', 'alter table t rename a to b', ['1 id integer', '2 b text']],
    [
      'has two names swapped',
      'id int primary key, a text, b text',
      'begin; alter table t rename a to x; alter table t rename b to a; alter table t rename x to b; commit',
      ['1 id integer', '2 b text', '3 a text'],
    ],
    [
      'has a column in the middle dropped and added again',
      'id int primary key, a text, b int',
      'alter table t drop a; alter table t add a text',
      ['1 id integer', '3 b integer', '4 a text'],
    ],
  ])('%s', async (_, columns, change, expected) => {
    await using source = await createPostgresDatabase();
    const { slot, table } = await stored(source, `create table t (${columns})`);
    await source.sql(change);
    await source.sql('insert into t default values').catch(() => source.sql('insert into t (id) values (1)'));
    const [announced] = await announcements(slot, 1);
    const client = await connectSource(source.url, 'test');
    const settledXid = await readSettledXid(client, slot.name);
    const catalog = await readRelation(client, 'pub', announced?.relation.oid ?? 0);
    await client.end();
    if (!announced) throw new Error('nothing was announced');
    const inferred = inferSchema(table, announced.relation, catalog, { xid: announced.xid, settledXid });
    const schema = inferred.kind === 'changed' ? inferred.schema : inferred.kind === 'unchanged' ? table : null;
    expect(schema?.columns.map(({ attnum, name, type }) => `${attnum} ${name} ${type.name}`) ?? inferred).toEqual(
      expected,
    );
  });
});
