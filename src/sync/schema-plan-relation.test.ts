import { describe, expect, it } from 'vitest';
import {
  AT,
  brief,
  defined,
  FRUIT,
  identity,
  known,
  type Scene,
  VEG,
  without,
  withPrice,
} from '../../test/support/schema-plans.js';
import { PLAIN_RULES, schemaOf, type TableSpec, targetOf } from '../../test/support/tables.js';
import type { DdlSnapshot } from '../core/ddl-snapshot.js';
import { lsn } from '../core/position.js';
import type { TableSchema } from '../core/schema.js';
import { type InferredSchema, type KnownTables, planRelation, planSnapshot } from './schema-plan.js';

describe('a partition', () => {
  const ROOT: TableSpec = { ...FRUIT, name: 'root', oid: 5 };
  const root = (...partitions: number[]): Partial<TableSchema> => ({ kind: 'p', partitions });
  const followed = (...partitions: number[]): KnownTables => {
    const table = targetOf(ROOT);
    const streamed = { table: { ...table, source: { ...table.source, ...root(...partitions) } }, snapshotLsn: lsn(7n) };
    return { ...known({}), followed: new Map([[5, streamed]]) };
  };
  const planned = (before: KnownTables, snapshot: Partial<DdlSnapshot>): string[] => {
    const nothing = { publication: 'p', tag: 'ALTER TABLE', command: '', user: '', settings: {}, failure: null };
    const lists = { tables: [], unpublished: [], dropped: [], droppedIndexes: [], rewritten: [], complete: false };
    return planSnapshot({ ...nothing, ...lists, ...snapshot }, { finalLsn: AT, xid: 7 }, before, PLAIN_RULES).map(
      brief,
    );
  };
  const leaf = (oid: number, created: boolean) => ({ oid, schema: 'public', name: `leaf${oid}`, created });

  it('that comes empty changes nothing in the rows of its root', () => {
    const tables = [defined(ROOT, {}, root(6, 7))];
    expect(planned(followed(6), { tables, unpublished: [leaf(7, true)] })).toEqual([
      'change root: partitions changed, rows kept',
    ]);
  });

  it('that is attached brings rows', () => {
    const tables = [defined(ROOT, {}, root(6, 7))];
    const copied = ['copy public.root: a partition joined it'];
    expect(planned(followed(6), { tables, unpublished: [leaf(7, false)] })).toEqual(copied);
    // Also to a root that has none.
    expect(planned({ ...followed(6), empty: new Set([5]) }, { tables, unpublished: [leaf(7, false)] })).toEqual(copied);
    expect(planned({ ...followed(6), empty: new Set([5]) }, { tables, unpublished: [leaf(7, true)] })).toEqual([
      'change root: partitions changed, rows kept',
    ]);
  });

  it('that is dropped or detached takes its rows along', () => {
    const copied = ['copy public.root: a partition left it'];
    expect(planned(followed(6, 7), { dropped: [identity({ ...FRUIT, oid: 7 })] })).toEqual(copied);
    expect(planned(followed(6, 7), { tables: [defined(ROOT, {}, root(6))] })).toEqual(copied);
    expect(planned({ ...followed(6, 7), empty: new Set([5]) }, { dropped: [identity({ ...FRUIT, oid: 7 })] })).toEqual([
      'change root: partitions changed, rows kept',
    ]);
  });
});

describe('a relation that no message told of', () => {
  const planned = (
    scene: Scene,
    spec: TableSpec,
    rewritten = false,
    displaced: InferredSchema['displaced'] = new Map(),
  ): string[] =>
    planRelation({ schema: schemaOf(spec), rewritten, displaced }, AT, known(scene), PLAIN_RULES).map(brief);

  it('is copied where it is new, since it may have had rows before', () => {
    expect(planned({ followed: [VEG] }, FRUIT)).toEqual(['copy public.fruit: it is new in the publication']);
  });

  it('is changed, or copied where Postgres may have written its rows again', () => {
    const dropped = without(withPrice, 'name');
    expect(planned({ followed: [FRUIT] }, withPrice)).toEqual(['change fruit: column price integer added, rows kept']);
    expect(planned({ followed: [FRUIT] }, withPrice, true)).toMatchObject([
      expect.stringMatching(/^copy public\.fruit/),
    ]);
    expect(planned({ followed: [withPrice], pending: [1] }, dropped)).toEqual([]);
  });

  it('has its own name in the target though another table was known by it', () => {
    const renamed = { ...VEG, name: 'fruit' };
    const names = (scene: Scene, spec: TableSpec, now: string | null): (string | undefined)[] => {
      const displaced = new Map([[1, now === null ? null : { schema: 'public', name: now }]]);
      const inferred = { schema: schemaOf(spec), rewritten: false, displaced };
      return planRelation(inferred, AT, known(scene), PLAIN_RULES).map((action) =>
        action.kind === 'change' ? `${action.before.table.name} to ${action.after.name}` : brief(action),
      );
    };
    expect(names({ followed: [FRUIT, VEG] }, renamed, 'plum')).toEqual([
      'fruit to fruit_2',
      'veg to fruit',
      'fruit_2 to plum',
    ]);
    expect(names({ followed: [FRUIT, VEG] }, renamed, 'veg')).toEqual([
      'fruit to fruit_2',
      'veg to fruit',
      'fruit_2 to veg',
    ]);
    expect(names({ followed: [FRUIT, VEG] }, renamed, null)).toEqual([
      'fruit to fruit_2',
      'veg to fruit',
      'leave fruit_2: dropped',
    ]);
    expect(names({ followed: [FRUIT] }, renamed, 'plum')).toEqual([
      'fruit to fruit_2',
      'copy public.fruit: it is new in the publication',
      'fruit_2 to plum',
    ]);
  });
});
