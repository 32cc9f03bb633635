import fc from 'fast-check';
import type pg from 'pg';
import { expect, it } from 'vitest';
import { createPostgresDatabase, postgresVersion } from '../../test/support/postgres.js';
import { createSlot, takeUntil } from '../../test/support/replication.js';
import type { AnnouncementTime } from '../core/announcement-time.js';
import type { CatalogRelation } from '../core/catalog-relation.js';
import type { RelationEvent, StreamEvent } from '../core/change.js';
import { Horizons } from '../core/horizons.js';
import { inferSchema } from '../core/infer-schema.js';
import { keyAttnums, type TableSchema } from '../core/schema.js';
import { readHorizon, readRelation, readSettledXid } from './attributes.js';
import { readTables } from './catalog.js';
import { connectSource } from './client.js';

/*
 * Random commands and rows in random transactions. What is inferred of each announcement, from the catalog as it is at the
 * end or at a moment between, must agree with what the table was when its row was written. WAL2DOLT_RUNS gives more of them.
 */

const RUNS = Number(process.env.WAL2DOLT_RUNS ?? 6);

/** Draws from a list of numbers that fast-check makes smaller. */
class Dice {
  readonly #numbers: readonly number[];
  #next = 0;
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }
  below(count: number): number {
    return (this.#numbers[this.#next++ % this.#numbers.length] ?? 0) % count;
  }
  of<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to draw from');
    return item;
  }
}

const TYPES = ['int', 'bigint', 'text', 'varchar(20)'];
const NAMES = ['a', 'b', 'c', 'd', 'e'];

/** A command on t that Postgres accepts, or at least may accept. */
function command(table: TableSchema, dice: Dice): string {
  const column = (): string => dice.of(table.columns).name;
  const name = (): string =>
    dice.of(NAMES.filter((one) => table.columns.every((other) => other.name !== one)).concat('z'));
  const type = dice.of(TYPES);
  const value = type.includes('int') ? '7' : `'seven'`;
  const of = column();
  const adds = [
    '',
    '',
    ` default ${value}`,
    ` not null default ${value}`,
    ` default ${type.includes('int') ? '(random() * 9)::int' : 'random()::text'}`,
    ...(type.includes('int') ? [' generated always as identity'] : []),
    ` generated always as (${value}) stored`,
    ...(postgresVersion() >= 18 ? [` generated always as (${value})`] : []),
  ];
  return dice.of([
    `alter table t add ${name()} ${type}${dice.of(adds)}`,
    `alter table t add ${name()} ${type}${dice.of(adds)}`,
    `alter table t drop ${of}`,
    `alter table t drop ${of}`,
    `alter table t rename ${of} to ${name()}`,
    `alter table t rename ${of} to ${name()}`,
    `alter table t alter ${of} type varchar(30)`,
    `alter table t alter ${of} type ${type} using ${value}`,
    `alter table t alter ${of} set not null`,
    `alter table t alter ${of} drop not null`,
    `alter table t alter ${of} drop expression if exists`,
    `alter table t alter ${of} set statistics 9`,
    `alter table t add constraint k primary key (${[...new Set([of, column()])].join()})`,
    'alter table t drop constraint if exists k',
    `create unique index ${dice.of(['u', 'v'])} on t (${of})`,
    `drop index if exists ${dice.of(['u', 'v'])}`,
    `alter table t replica identity ${dice.of(['default', 'full', 'nothing', 'using index u'])}`,
    'truncate t',
  ]);
}

let counter = 0;
async function insert(client: pg.Client, table: TableSchema): Promise<void> {
  counter += 1;
  const columns = table.columns.filter(({ generated, identity }) => generated === '' && identity === '');
  const values = columns.map(({ type }) => (type.base.startsWith('int') ? `${counter}` : `'x${counter}'`));
  const list = columns.map(({ name }) => name).join();
  await client.query(
    columns.length > 0 ? `insert into t (${list}) values (${values})` : 'insert into t default values',
  );
}

/** What the oldest row shows, by attnum. */
async function oldestRow(client: pg.Client, table: TableSchema): Promise<Map<number, string | null>> {
  if (table.columns.length === 0) return new Map();
  const list = table.columns.map(({ name }) => `${name}::text as "${name}"`).join();
  const [row] = (await client.query<Record<string, string | null>>(`select ${list} from t order by ctid limit 1`)).rows;
  return new Map(row && table.columns.map(({ attnum, name }) => [attnum, row[name] ?? null]));
}

/** The table when a row of it was written, and what its oldest row showed. */
interface Truth {
  readonly table: TableSchema;
  readonly oldest: ReadonlyMap<number, string | null>;
}

/** A transaction, and what a reader finds who comes after it. */
interface Done extends Truth {
  readonly xid: number;
  readonly rows: readonly Truth[];
  readonly catalog: CatalogRelation;
}

const OID_OF_TYPES = [20, 23, 25].map((typeOid) => ({ typeOid, typmod: -1 }));
const ANNOUNCED = [...OID_OF_TYPES, { typeOid: 1043, typmod: 24 }, { typeOid: 1043, typmod: 34 }];

async function story(numbers: readonly number[]): Promise<void> {
  const dice = new Dice(numbers);
  await using source = await createPostgresDatabase();
  await source.sql('create table t (a int, b text, c int)');
  const slot = await createSlot(source);
  const [client, reader] = [await connectSource(source.url, 'test'), await connectSource(source.url, 'test')];
  try {
    const truth = async (): Promise<Truth> => {
      const [table] = await readTables(client, 'pub');
      if (!table) throw new Error('there is no table t');
      return { table, oldest: await oldestRow(client, table) };
    };
    await client.query('set search_path = public');
    await insert(client, (await truth()).table);
    await source.sql('select pg_replication_slot_advance($1, pg_current_wal_lsn())', [slot.name]);
    const { table: stored, oldest } = await truth();
    const horizons = new Horizons();
    const all: Done[] = [];
    const said: string[] = [];
    const steps = 1 + dice.below(6);
    for (let i = 0; i < steps; i++) {
      const rows: Truth[] = [];
      try {
        await client.query('begin');
        for (let j = dice.below(5); j >= 0; j--) {
          if (dice.below(9) === 0) await client.query('savepoint s');
          const now = await truth();
          const what = dice.below(2) === 0 ? null : command(now.table, dice);
          said.push(what ?? 'insert');
          if (what !== null) await client.query(what);
          else {
            rows.push(now);
            await insert(client, now.table);
          }
        }
        const {
          rows: [current],
        } = await client.query<{ xid: string }>('select pg_current_xact_id()::xid as xid');
        await client.query('commit');
        said.push('commit');
        const catalog = await readRelation(reader, 'pub', stored.oid, ANNOUNCED);
        if (catalog) all.push({ ...(await truth()), xid: Number(current?.xid), rows, catalog });
      } catch {
        await client.query('rollback');
        said.push('rollback');
      }
      if (dice.below(3) > 0) {
        horizons.add(await readHorizon(reader));
        said.push('look');
      }
    }
    await source.sql(`select pg_logical_emit_message(false, 'test.end', '')`);
    const settled = await readSettledXid(client, slot.name);

    await using stream = await slot.open();
    let begin: Extract<StreamEvent, { kind: 'begin' }> | undefined;
    let announced: RelationEvent | null = null;
    let table = stored;
    let storedXid: bigint | null = null;
    /** What we have of the oldest row; null after a TRUNCATE. */
    let shown: ReadonlyMap<number, string | null> | null = oldest;
    let [transaction, row, reading, copied] = [-1, 0, 0, -1];
    for (const event of await takeUntil(stream, (event) => event.kind === 'message' && event.prefix === 'test.end')) {
      if (event.kind === 'begin') {
        [begin, row] = [event, 0];
        transaction = all.findIndex(({ xid }) => xid === event.xid);
      } else if (event.kind === 'relation') announced = event;
      else if (event.kind === 'truncate' && transaction > copied) shown = null;
      if (event.kind !== 'insert' || !begin) continue;
      const now = all[transaction]?.rows[row++];
      if (!now) throw new Error('a row came that was not written');
      if (transaction <= copied) continue;
      if (announced) {
        reading = Math.max(reading, transaction);
        reading += dice.below(all.length - reading);
        const read = all[reading];
        if (!read) throw new Error('nothing was read');
        const { settledXid, unendedXid } = horizons.at(begin.finalLsn, begin.xid);
        const time: AnnouncementTime = { xid: begin.xid, settledXid: settledXid ?? settled, unendedXid, storedXid };
        const inferred = inferSchema(table, announced, read.catalog, time);
        announced = null;
        if (inferred.kind === 'ambiguous') return;
        if (inferred.kind === 'changed' && inferred.rewritten) {
          agrees(inferred.schema, now.table, read.table, said);
          [table, storedXid, copied] = [read.table, null, reading];
          shown = read.oldest.size > 0 ? read.oldest : null;
          continue;
        }
        if (inferred.kind === 'changed') {
          const before = table;
          table = inferred.schema;
          shown = shown && altered(shown, before, table);
        }
        storedXid = time.settledXid;
        agrees(table, now.table, read.table, said);
      }
      if (shown) {
        for (const { attnum } of table.columns)
          expect([said, attnum, shown.get(attnum)]).toEqual([said, attnum, now.oldest.get(attnum)]);
      } else shown = new Map(table.columns.map(({ attnum }, i) => [attnum, event.row.cell(i) as string | null]));
    }
  } finally {
    await client.end();
    await reader.end();
  }
}

function altered(
  shown: ReadonlyMap<number, string | null>,
  before: TableSchema,
  after: TableSchema,
): Map<number, string | null> {
  const had = (attnum: number): boolean => before.columns.some((column) => column.attnum === attnum);
  return new Map(
    after.columns.map(({ attnum, missing }) => [attnum, (had(attnum) ? shown.get(attnum) : missing) ?? null]),
  );
}

/**
 * Whatever is said of a table is so; not everything has to be said. NOT NULL and UNIQUE may also hold before and later, where
 * it can not be known whether they did all the time.
 */
function agrees(inferred: TableSchema, truth: TableSchema, later: TableSchema, said: readonly string[]): void {
  const columns = ({ columns }: TableSchema): unknown =>
    columns.map(({ attnum, name, type }) => [attnum, name, type.oid, type.typmod]);
  expect([said, columns(inferred)]).toEqual([said, columns(truth)]);
  const known = [truth, later];
  for (const { attnum, name, notNull } of inferred.columns) {
    const really = known.some((table) => table.columns.some((column) => column.attnum === attnum && column.notNull));
    if (notNull) expect([said, name, really]).toEqual([said, name, true]);
  }
  for (const { unique, immediate, attnums } of inferred.indexes) {
    if (!unique || !immediate) continue;
    const really = known.some(({ indexes }) =>
      indexes.some((index) => index.unique && same(index.attnums ?? [], attnums ?? [])),
    );
    expect([said, attnums, really]).toEqual([said, attnums, true]);
  }
  expect(inferred.replicaIdentity).toBe(truth.replicaIdentity);
  const [key, really] = [keyAttnums(inferred), keyAttnums(truth)];
  if (key.length > 0 || truth.replicaIdentity === 'd')
    expect([said, [...key].sort()]).toEqual([said, [...really].sort()]);
}

const same = (a: readonly number[], b: readonly number[]): boolean => [...a].sort().join() === [...b].sort().join();

it('what is inferred is so', async () => {
  const numbers = fc.array(fc.nat(1_000_000), { minLength: 50, maxLength: 50 });
  await fc.assert(fc.asyncProperty(numbers, story), { numRuns: RUNS, endOnFailure: true });
});
