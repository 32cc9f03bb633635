import { describe, expect, it } from 'vitest';
import { AT, defined, FRUIT, identity, known, only, plan, VEG, withPrice } from '../../test/support/schema-plans.js';
import { PLAIN_RULES, schemaOf, type TableSpec } from '../../test/support/tables.js';
import type { DdlSnapshot } from '../core/ddl-snapshot.js';
import { lsn } from '../core/position.js';
import { planName, planRelation, planSnapshot } from './schema-plan.js';

describe('a table that a command defines', () => {
  it('is created where it is new and empty', () => {
    expect(plan({}, { tag: 'CREATE TABLE', tables: [defined(FRUIT, { created: true })] })).toEqual(['create fruit']);
  });

  it.each(['CREATE TABLE AS', 'SELECT INTO'])('is copied where %s filled it', (tag) => {
    expect(plan({}, { tag, tables: [defined(FRUIT, { created: true })] })).toEqual([
      'copy public.fruit: it is new in the publication',
    ]);
  });

  it('is copied where it existed before', () => {
    expect(plan({}, { tag: 'ALTER PUBLICATION', tables: [defined(FRUIT)] })).toEqual([
      'copy public.fruit: it is new in the publication',
    ]);
    expect(plan({ left: { 1: 'fruit' } }, { tables: [defined(FRUIT)] })).toEqual([
      'copy public.fruit: it is new in the publication',
    ]);
  });

  it('is changed where that is all', () => {
    expect(plan({ followed: [FRUIT, VEG] }, { tables: [defined(withPrice)] })).toEqual([
      'change fruit: column price integer added, rows kept',
    ]);
  });

  it('is left alone where it is as it was', () => {
    expect(plan({ followed: [FRUIT] }, { tables: [defined(FRUIT)] })).toEqual([]);
  });

  it('has its rows written again, or copied, where Postgres did', () => {
    const retyped = { ...FRUIT, columns: { id: 'integer', name: 'date' } };
    const command = (text: string) => ({ command: text, tables: [defined(retyped, { rewritten: true })] });
    expect(plan({ followed: [FRUIT] }, command('alter table fruit alter name type date using name::date'))).toEqual([
      'change fruit: column name from text to date, rows converted',
    ]);
    expect(
      plan({ followed: [FRUIT] }, command('alter table fruit alter name type date using parse(name)')),
    ).toMatchObject([expect.stringMatching(/^copy public\.fruit: the column name was converted by an expression/)]);
  });

  it('is not copied where it is known to have no rows', () => {
    const retyped = { ...FRUIT, columns: { id: 'integer', name: 'date' } };
    const command = 'alter table fruit alter name type date using parse(name)';
    const tables = [defined(retyped, { rewritten: true })];
    expect(plan({ followed: [FRUIT], empty: [1] }, { command, tables })).toEqual([
      'change fruit: column name from text to date, rows kept',
    ]);
  });

  it('is not looked at while a copy of it is to come, which has all of that', () => {
    expect(plan({ followed: [FRUIT], pending: [1] }, { tables: [defined(withPrice)] })).toEqual([]);
    expect(plan({ pending: [1] }, { tables: [defined(FRUIT, { created: true })] })).toEqual([]);
  });

  it('is not changed by what was before its copy', () => {
    const later = { followed: [FRUIT], snapshotLsn: lsn(101n) };
    expect(plan(later, { tables: [defined(withPrice)] })).toEqual([]);
    expect(plan(later, { dropped: [identity(FRUIT)] })).toEqual([]);
    const indexed = { ...later, followed: [{ ...FRUIT, indexes: [['name']] }] };
    expect(plan(indexed, { droppedIndexes: [{ schema: 'public', name: 'fruit_name_idx' }] })).toEqual([]);
    expect(plan({ ...later, snapshotLsn: AT }, { dropped: [identity(FRUIT)] })).toEqual(['leave fruit: dropped']);
  });

  it('is not taken where the configuration leaves it out, and left where its new name is', () => {
    expect(plan({}, { tables: [defined(FRUIT, { created: true })] }, only('!fruit'))).toEqual([]);
    const renamed = { ...FRUIT, name: 'old_fruit' };
    expect(plan({ followed: [FRUIT] }, { tables: [defined(renamed)] }, only('!old_*'))).toEqual([
      'leave fruit: public.old_fruit is not selected by the configuration',
    ]);
  });
});

describe('a table that is gone', () => {
  it.each<[string, Partial<DdlSnapshot>, string]>([
    ['dropped', { dropped: [identity(FRUIT)] }, 'dropped'],
    ['not published', { unpublished: [{ ...identity(FRUIT), created: false }] }, 'not in the publication any more'],
    ['not among all', { complete: true, tables: [defined(VEG)] }, 'not in the publication any more'],
  ])('because it is %s is left as it is', (_, snapshot, why) => {
    expect(plan({ followed: [FRUIT, VEG] }, snapshot)).toEqual([`leave fruit: ${why}`]);
  });

  it('and was not followed is nothing', () => {
    expect(plan({ followed: [VEG], left: { 1: 'fruit' } }, { dropped: [identity(FRUIT)] })).toEqual([]);
  });

  it('gives its name to one that is created in its place, by the same command', () => {
    const again = { ...FRUIT, oid: 3 };
    const snapshot = { dropped: [identity(FRUIT)], tables: [defined(again, { created: true })] };
    expect(plan({ followed: [FRUIT] }, snapshot)).toEqual([
      'leave fruit: dropped',
      'move fruit to fruit_left',
      'create fruit',
    ]);
  });

  it('gives its name, in any case, to one that is renamed; whoever left before keeps theirs', () => {
    const renamed = { ...VEG, name: 'FRUIT' };
    expect(
      plan({ followed: [VEG], left: { 1: 'fruit', 9: 'Fruit_Left' } }, { tables: [defined(renamed)] }),
    ).toMatchObject(['move fruit to fruit_left_2', expect.stringMatching(/^change veg: table public\.veg renamed/)]);
  });
});

describe('names of tables', () => {
  it('are given beside those that are followed', () => {
    const other = { ...FRUIT, oid: 3, schema: 'public', name: 'Fruit' };
    expect(plan({ followed: [FRUIT] }, { tables: [defined(other, { created: true })] })).toEqual(['create Fruit_2']);
  });

  it('are given beside those that are to come', () => {
    expect(plan({ reserved: ['FRUIT'] }, { tables: [defined(FRUIT, { created: true })] })).toEqual(['create fruit_2']);
  });

  it('may be exchanged', () => {
    const tables = [defined(FRUIT, {}, { name: 'aside' }), defined(VEG, {}, { name: 'fruit' })];
    expect(plan({ followed: [FRUIT, VEG] }, { tables })).toEqual([
      'change fruit: table public.fruit renamed to public.aside, rows kept',
      'change veg: table public.veg renamed to public.fruit, rows kept',
    ]);
  });

  it('are freed for a table that comes back with its own', () => {
    const rules = PLAIN_RULES;
    const left = { left: { 1: 'fruit', 2: 'veg' } };
    expect(planName('Fruit', 1, known(left), rules)).toEqual([]);
    expect(planName('Fruit', 2, known(left), rules)).toEqual([
      { kind: 'moveAway', oid: 1, from: 'fruit', to: 'fruit_left' },
    ]);
  });
});

describe('an index that is dropped', () => {
  const indexed: TableSpec = { ...FRUIT, indexes: [['name']] };

  it('goes from the table of its schema that has it', () => {
    const elsewhere = { ...indexed, oid: 3, schema: 'shop' };
    const scene = { followed: [elsewhere, indexed, VEG] };
    expect(plan(scene, { droppedIndexes: [{ schema: 'public', name: 'fruit_name_idx' }] })).toEqual([
      'change fruit: index fruit_name_idx dropped, rows kept',
    ]);
    expect(plan(scene, { droppedIndexes: [{ schema: 'public', name: 'fruit_price_idx' }] })).toEqual([]);
  });

  it('takes the key along, if it is that of the identity', () => {
    const byName = { ...FRUIT, columns: { id: 'integer', name: 'text' }, key: [], unique: [['name']] };
    const identified: TableSpec = { ...byName, identity: 'i', identityIndex: 0 };
    expect(
      plan({ followed: [identified] }, { droppedIndexes: [{ schema: 'public', name: 'fruit_name_idx' }] }),
    ).toMatchObject([expect.stringContaining('no key any more')]);
  });
});

it('a plan leaves what is known as it was', () => {
  const tables = known({ followed: [FRUIT, VEG], left: { 9: 'plum' } });
  const shown = (): unknown => [[...tables.followed].map(([oid, { table }]) => [oid, table.name]), [...tables.left]];
  const before = JSON.stringify(shown());
  const plum = planRelation(
    { schema: { ...schemaOf(VEG), name: 'plum' }, rewritten: false, displaced: new Map() },
    AT,
    tables,
    PLAIN_RULES,
  );
  expect(plum.map(({ kind }) => kind)).toEqual(['moveAway', 'change']);
  expect(JSON.stringify(shown())).toBe(before);
});

it('a definition that is older than what was told already ends in a copy', () => {
  const orders: TableSpec = { name: 'orders', oid: 1, columns: { id: 'integer' }, key: ['id'] };
  const followed = { ...known({ followed: [orders] }), changedBy: () => 12 };
  const snapshot: DdlSnapshot = {
    ...{ publication: 'p', tag: 'ALTER TYPE', command: '', user: '', settings: {}, unpublished: [], dropped: [] },
    ...{ droppedIndexes: [], rewritten: [], complete: false, failure: null, tables: [defined(orders)] },
  };
  const at = { finalLsn: AT, xid: 11 };
  const kinds = (seen: string) =>
    planSnapshot({ ...snapshot, seen }, at, followed, PLAIN_RULES).map(({ kind }) => kind);
  expect(kinds('10:13:11')).toEqual([]);
  expect(kinds('10:13:11,12')).toEqual(['copy']);
  expect(kinds('10:12:11')).toEqual(['copy']);
});
