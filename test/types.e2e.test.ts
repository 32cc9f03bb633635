import { describe, expect, it } from 'vitest';
import { differences, doltContents, postgresContents, tableHashes } from './support/compare.js';
import { createDoltDatabaseName, type DoltDatabase } from './support/dolt.js';
import { createPostgresDatabase, type PostgresDatabase } from './support/postgres.js';
import { drain } from './support/run.js';
import { createTypes, sqlLiteral, TYPE_GROUPS, type TypeValues, valuesOf } from './support/type-values.js';

/** What happens to a row of the keyed table, as the thousands of its id; the rest is the value's number. */
const INSERTED = 1_000;
const UPDATED_TO = 2_000;
const UPDATED_FROM = 3_000;
const UPDATED_TO_NULL = 4_000;
const DELETED = 5_000;
const TOUCHED = 6_000;
const INSERTED_AND_UPDATED = 7_000;

/** The tables of one type. */
interface Tables {
  readonly type: TypeValues;
  readonly keyed: string;
  readonly keyless: string;
  /** The values are the key; null where Postgres has no order for them. */
  readonly key: string | null;
}

async function createTables(source: PostgresDatabase, type: TypeValues, n: number): Promise<Tables> {
  const tables = {
    type,
    keyed: `keyed_${n}`,
    keyless: `keyless_${n}`,
    key: type.keyable === false ? null : `key_${n}`,
  };
  const fallback = sqlLiteral(valuesOf(type)[0] ?? null, type.type);
  await source.sql(`
    create table ${tables.keyed} (
      id int primary key, touched int not null default 0, v ${type.type}, w ${type.type} not null default ${fallback});
    create table ${tables.keyless} (v ${type.type}, n int);
    alter table ${tables.keyless} replica identity full;`);
  if (tables.key)
    await source.sql(`create table ${tables.key} (v ${type.type} primary key, w ${type.type} unique, n int)`);
  return tables;
}

function inserts({ type, keyed, keyless, key }: Tables): string[] {
  const literals = valuesOf(type).map((value) => sqlLiteral(value, type.type));
  const statements = literals.flatMap((literal, i) => {
    const ids = [INSERTED, UPDATED_FROM, UPDATED_TO_NULL, DELETED, TOUCHED].map((id) => id + i);
    return [
      `insert into ${keyed} (id, v, w) values ${ids.map((id) => `(${id}, ${literal}, ${literal})`).join(', ')}`,
      `insert into ${keyed} (id) values (${UPDATED_TO + i})`,
      `insert into ${keyless} values (${literal}, ${i}), (${literal}, ${i}), (null, ${i}), (${literal}, null)`,
    ];
  });
  if (key) {
    for (const [i, value] of type.exact.entries()) {
      const literal = sqlLiteral(value, type.type);
      // Values of different text may be equal.
      statements.push(`insert into ${key} values (${literal}, ${literal}, ${i}) on conflict do nothing`);
    }
  }
  return statements;
}

function changes({ type, keyed, keyless, key }: Tables): string[] {
  const literals = valuesOf(type).map((value) => sqlLiteral(value, type.type));
  const statements = literals.flatMap((literal, i) => {
    const next = literals[(i + 1) % literals.length] ?? literal;
    return [
      `update ${keyed} set v = ${literal}, w = ${literal} where id = ${UPDATED_TO + i}`,
      `update ${keyed} set v = ${next}, w = ${next} where id = ${UPDATED_FROM + i}`,
      `update ${keyed} set v = null where id = ${UPDATED_TO_NULL + i}`,
      `delete from ${keyed} where id = ${DELETED + i}`,
      `update ${keyed} set touched = 1 where id = ${TOUCHED + i}`,
      `insert into ${keyed} (id, v) values (${INSERTED_AND_UPDATED + i}, ${next})`,
      `update ${keyed} set v = ${literal} where id = ${INSERTED_AND_UPDATED + i}`,
      // Of two equal rows one is changed; the row with NULL gets the value; and one of the rows goes.
      `update ${keyless} set v = ${next} where ctid = (select min(ctid) from ${keyless} where n = ${i} and v is not null)`,
      `update ${keyless} set v = ${literal} where n = ${i} and v is null`,
      `delete from ${keyless} where ctid = (select max(ctid) from ${keyless} where n = ${i})`,
    ];
  });
  if (key) {
    statements.push(
      `delete from ${key} where n = (select max(n) from ${key}) and n > 1`,
      // The first two rows exchange their unique values.
      `create temp table swapped on commit drop as select * from ${key} where n < 2`,
      `delete from ${key} where n < 2`,
      `insert into ${key} select a.v, b.w, a.n from swapped a join swapped b on b.n = 1 - a.n or (select count(*) from swapped) = 1`,
      `update ${key} set n = n + 100 where n = 2`,
    );
  }
  return statements;
}

async function apply(
  source: PostgresDatabase,
  tables: readonly Tables[],
  make: (of: Tables) => string[],
): Promise<void> {
  for (const of of tables) {
    try {
      await source.sql(['begin', ...make(of), 'commit'].join(';\n'));
    } catch (error) {
      throw new Error(`the test's own statements for ${of.type.type}`, { cause: error });
    }
  }
}

async function expectSame(source: PostgresDatabase, target: DoltDatabase): Promise<void> {
  expect(differences(await doltContents(target.url), await postgresContents(source.url, target.url))).toEqual([]);
}

describe('types, by snapshot and by stream', () => {
  for (const [group, listed] of Object.entries(TYPE_GROUPS)) {
    it(`keeps ${group}`, async (context) => {
      await using source = await createPostgresDatabase();
      await using streamed = createDoltDatabaseName();
      await using joined = createDoltDatabaseName();
      await using copied = createDoltDatabaseName();
      const tables: Tables[] = [];
      for (const type of await createTypes(source, listed))
        tables.push(await createTables(source, type, tables.length));
      if (tables.length === 0) context.skip('none of these types is installed');

      await drain(source.url, streamed.url);
      await apply(source, tables, inserts);
      await drain(source.url, streamed.url);
      await expectSame(source, streamed);
      await drain(source.url, joined.url, { slot: `${source.name}_joined` });
      await expectSame(source, joined);
      expect(await tableHashes(joined.url)).toEqual(await tableHashes(streamed.url));

      await apply(source, tables, changes);
      await drain(source.url, streamed.url);
      await drain(source.url, joined.url, { slot: `${source.name}_joined` });
      await drain(source.url, copied.url, { snapshot: 'only', slot: `${source.name}_copied` });
      for (const target of [streamed, joined, copied]) await expectSame(source, target);
      const hashes = await tableHashes(copied.url);
      expect(await tableHashes(streamed.url)).toEqual(hashes);
      expect(await tableHashes(joined.url)).toEqual(hashes);
    });
  }
});
