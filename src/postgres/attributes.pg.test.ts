import { describe, expect, it } from 'vitest';
import { LOOK, type Step, told } from '../../test/support/announced.js';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { createSlot } from '../../test/support/replication.js';
import { readHorizon, readRelation, readSettledXid } from './attributes.js';
import { connectSource } from './client.js';

const P = 'create table t (id int default 1, a text, b int)';
const ROW = 'insert into t default values';

describe('a table that is announced is', () => {
  it.each<[string, Step[], string[]]>([
    ['as it was', [ROW, 'analyze t', ROW], ['unchanged', 'unchanged']],
    ['with a column more', ['alter table t add c text', ROW], ['1 id integer, 2 a text, 3 b integer, 4 c text']],
    [
      'with one that has a value in older rows',
      [`alter table t add c text not null default 'x'`, ROW],
      ['1 id integer, 2 a text, 3 b integer, 4 c text!'],
    ],
    ['with a column less', ['alter table t drop a', ROW], ['1 id integer, 3 b integer']],
    ['with a column renamed', ['alter table t rename a to c', ROW], ['1 id integer, 2 c text, 3 b integer']],
    [
      'with other types',
      ['alter table t alter a type varchar(9), alter b type bigint', ROW],
      ['1 id integer, 2 a character varying(9), 3 b bigint, rewritten'],
    ],
    [
      'with a type that needs no new file',
      ['alter table t alter a type varchar', ROW],
      ['1 id integer, 2 a character varying, 3 b integer'],
    ],
    [
      'with two names swapped',
      ['begin; alter table t rename a to x; alter table t rename b to a; alter table t rename x to b; commit', ROW],
      ['1 id integer, 2 b text, 3 a integer'],
    ],
    [
      'with a column dropped and added again',
      ['alter table t drop a; alter table t add a text', ROW],
      ['1 id integer, 3 b integer, 4 a text'],
    ],
    [
      'with its last column dropped and one of another length added',
      ['alter table t drop b; alter table t add b text', ROW],
      ['1 id integer, 2 a text, 4 b text'],
    ],
    [
      'with its last column dropped and one of another type of its length added, in one transaction',
      [`begin; alter table t drop b; alter table t add b date; ${ROW}; commit`],
      ['1 id integer, 2 a text, 4 b date'],
    ],
    [
      'with its last column dropped and one of a type that may be the same added, in one transaction',
      [`begin; alter table t drop b; alter table t add b oid; ${ROW}; commit`],
      [expect.stringMatching(/the column b may be the former b or a new column$/)],
    ],
    [
      'with its last column dropped and added again',
      ['alter table t drop b; alter table t add b int', LOOK, ROW],
      ['1 id integer, 2 a text, 4 b integer'],
    ],
    [
      'with its last column dropped and added again later',
      [ROW, LOOK, LOOK, 'alter table t drop b; alter table t add b int'],
      ['unchanged'],
    ],
    [
      'with its last column dropped and added again, nobody knows when',
      [ROW, 'alter table t drop b; alter table t add b int', ROW],
      [
        'public.t: the table was changed again since, or it is not known when, so that the column b may be the former b or a new column',
      ],
    ],
    [
      'announced again for each change',
      [ROW, 'alter table t add c int', ROW, 'alter table t drop a', ROW],
      ['unchanged', '1 id integer, 2 a text, 3 b integer, 4 c integer', '1 id integer, 3 b integer, 4 c integer'],
    ],
    [
      'changed inside of a transaction',
      [`begin; ${ROW}; alter table t rename a to c; ${ROW}; commit`],
      ['unchanged', '1 id integer, 2 c text, 3 b integer'],
    ],
    [
      'changed inside of a subtransaction',
      [`begin; ${ROW}; savepoint s; alter table t drop b; alter table t add b int; ${ROW}; release s; commit`],
      [
        'public.t: the table was changed again since, or it is not known when, so that the column b may be the former b or a new column',
      ],
    ],
    [
      'as it was before a change that was rolled back',
      [`begin; alter table t drop b; ${ROW}; rollback`, ROW],
      ['unchanged'],
    ],
    [
      'altered later',
      [ROW, 'alter table t drop a; alter table t rename b to c; alter table t add d int'],
      ['unchanged'],
    ],
    ['dropped later', [ROW, 'drop table t'], ['unchanged']],
    [
      'altered and dropped later',
      ['alter table t rename a to c', ROW, 'drop table t'],
      ['public.t: its columns changed and the table was dropped since, so what they were is not known'],
    ],
    [
      'with a column that is gone again',
      ['alter table t add c int', ROW, 'alter table t drop c'],
      ['public.t: the column c is new and by now gone again, so what it shows in older rows is not known'],
    ],
    // Its file is another one from now on.
    ['emptied', [ROW, LOOK, 'truncate t', ROW], ['1 id integer, 2 a text, 3 b integer', 'unchanged', 'unchanged']],
    [
      'emptied among new columns, the first of which shows that none was of another type before',
      [
        `begin; alter table t add c text default 'x'; alter table t add d int2; truncate t;
        alter table t add e interval; commit`,
      ],
      ['1 id integer, 2 a text, 3 b integer, 4 c text, 5 d smallint, rewritten'],
    ],
    ['packed', [ROW, 'vacuum full t', ROW], ['1 id integer, 2 a text, 3 b integer', 'unchanged']],
    [
      'written anew with the same columns',
      [ROW, 'alter table t alter b type int using -b', ROW],
      ['1 id integer, 2 a text, 3 b integer, rewritten', 'unchanged'],
    ],
    [
      'written anew in all columns, and renamed in the same transaction',
      [
        `begin; alter table t rename to u;
        alter table u alter id type int using -id, alter a type text using a || '!', alter b type int using -b;
        insert into u default values; commit`,
      ],
      ['1 id integer, 2 a text, 3 b integer, rewritten'],
    ],
    [
      'written anew, also where that column is gone later',
      [`alter table t alter b type int using -b`, ROW, 'alter table t drop b'],
      ['1 id integer, 2 a text, 3 b integer, rewritten'],
    ],
    [
      'written anew for a column that is announced later',
      [LOOK, ROW, LOOK, 'alter table t add c float default random()', ROW],
      [
        '1 id integer, 2 a text, 3 b integer, rewritten',
        '1 id integer, 2 a text, 3 b integer, 4 c double precision, rewritten',
      ],
    ],
    ['renamed', ['alter table t rename to u', 'insert into u default values'], ['1 id integer, 2 a text, 3 b integer']],
  ])('%s', async (_, steps, expected) => {
    expect(await told({ create: P, steps })).toEqual(expected);
  });
});

it('a slot tells what had ended before whatever it sends', async () => {
  await using source = await createPostgresDatabase();
  const client = await connectSource(source.url, 'test');
  try {
    expect(await readSettledXid(client, 'nobody')).toBeNull();
    expect(await readRelation(client, 'pub', 1)).toBeNull();
    const before = await readHorizon(client);
    // A new slot keeps what the oldest of the server's other slots keeps (GetOldestSafeDecodingTransactionId).
    const others = await source.sql('select slot_name from pg_replication_slots where catalog_xmin is not null');
    const kept = await Promise.all(others.map(({ slot_name }) => readSettledXid(client, String(slot_name))));
    const slot = await createSlot(source);
    const settledXid = await readSettledXid(client, slot.name);
    const least = kept.reduce<bigint>((so, xid) => (xid !== null && xid < so ? xid : so), before.xmin);
    expect(settledXid).toBeGreaterThanOrEqual(least);
    expect(settledXid).toBeLessThanOrEqual((await readHorizon(client)).xmax);
  } finally {
    await client.end();
  }
});
