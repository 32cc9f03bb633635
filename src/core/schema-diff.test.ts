import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numbered } from '../../test/support/numbered-tables.js';
import { foldName } from './names.js';
import { type DdlStep, diffTables, touchesConstraints } from './schema-diff.js';
import type { TargetTable } from './target.js';

const HINTS = { rewritten: false, command: null };
const BEFORE = numbered({ 1: 'id integer', 2: 'a text', 3: 'b text' });

/** A step in a few words. */
function told(step: DdlStep): string {
  switch (step.kind) {
    case 'rename table':
    case 'rename column':
      return `${step.kind} ${step.from} ${step.to}`;
    case 'drop column':
    case 'add placeholder':
      return `${step.kind} ${step.name}`;
    case 'modify column':
      return `${step.kind} ${step.to.name} ${step.to.conversion.sql}`;
    case 'add column':
      return `${step.kind} ${step.column.name}${step.after === undefined ? '' : ` after ${step.after}`}`;
    case 'add key':
      return `${step.kind} ${step.columns}`;
    default:
      return step.kind;
  }
}

const steps = (before: TargetTable, after: TargetTable): string[] | null =>
  diffTables(before, after, HINTS)?.steps.map(told) ?? null;

describe('steps', () => {
  it.each<[string, TargetTable, TargetTable, string[] | null]>([
    ['nothing', BEFORE, numbered({ 1: 'id integer', 2: 'a text', 3: 'b text' }), null],
    [
      'of the bookkeeping alone',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'a text', 3: 'b text' }, { publishedBy: [7] }),
      [],
    ],
    ['of an index alone', BEFORE, numbered({ 1: 'id integer', 2: 'a text', 3: 'b text' }, { indexes: { i: [2] } }), []],
    [
      'a swap of names goes by a third one',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'b text', 3: 'a text' }),
      ['rename column a wal2dolt_rename', 'rename column b a', 'rename column wal2dolt_rename b'],
    ],
    [
      'a name is free before it is taken',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'b text', 3: 'c text' }),
      ['rename column b c', 'rename column a b'],
    ],
    [
      'a name of a column that is gone is free too',
      BEFORE,
      numbered({ 1: 'id integer', 3: 'a text', 4: 'b text' }),
      ['drop column a', 'rename column b a', 'add column b'],
    ],
    [
      'renamed before it is of another type',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'c integer', 3: 'b text' }),
      ['rename column a c', 'modify column c INT'],
    ],
    [
      'another key: without one in between',
      BEFORE,
      numbered({ 1: 'id integer', 3: 'b text', 4: 'c bigint' }, { key: [3, 4] }),
      [
        'drop key',
        'drop column a',
        'modify column id INT',
        'modify column b VARCHAR(4000)',
        'add column c',
        'add key b,c',
      ],
    ],
    [
      'a key of the same columns stays',
      BEFORE,
      numbered({ 1: 'key integer', 2: 'a text', 3: 'b text' }),
      ['rename column id key'],
    ],
    [
      'never without a column',
      numbered({ 1: 'a integer', 2: 'b integer' }, { key: [] }),
      numbered({ 3: 'b text', 4: 'a text' }, { key: [] }),
      [
        'add placeholder wal2dolt_placeholder',
        'drop column a',
        'drop column b',
        'add column b',
        'drop column wal2dolt_placeholder',
        'add column a',
      ],
    ],
    [
      'a column that was left out comes to its place',
      numbered({ 1: 'id integer', 3: 'b text' }),
      BEFORE,
      ['add column a after id'],
    ],
    [
      'another name and comment',
      BEFORE,
      numbered({ 1: 'id integer', 2: 'a text', 3: 'b text' }, { name: 'T', comment: 'x' }),
      ['rename table t wal2dolt_rename', 'rename table wal2dolt_rename T', 'comment'],
    ],
    [
      'shrinks before it grows',
      numbered({ 1: 'id integer', 2: 'a character varying(16000)' }),
      numbered({ 1: 'id integer', 2: 'a character varying(10000)', 3: 'b character varying(6000)' }),
      ['modify column a VARCHAR(10000)', 'add column b'],
    ],
  ])('%s', (_, before, after, expected) => {
    expect(steps(before, after)).toEqual(expected);
  });

  it('work at every moment: names are free, the row fits, and there is always a column', () => {
    fc.assert(
      fc.property(tables(), tables(), (before, after) => {
        const columns = new Map(before.columns.map(({ name, conversion }) => [name, conversion.declaredBytes]));
        const taken = (name: string): boolean =>
          [...columns.keys()].some((other) => foldName(other) === foldName(name));
        let key = before.key.map((position) => before.columns[position]?.name);
        for (const step of diffTables(before, after, HINTS)?.steps ?? []) {
          if (step.kind === 'drop key') key = [];
          if (step.kind === 'drop column') {
            expect(key).not.toContain(step.name);
            expect(columns.delete(step.name)).toBe(true);
          }
          if (step.kind === 'rename column') {
            expect(taken(step.to)).toBe(false);
            columns.set(step.to, columns.get(step.from) ?? Number.NaN);
            columns.delete(step.from);
            key = key.map((name) => (name === step.from ? step.to : name));
          }
          if (step.kind === 'modify column') {
            expect(columns.has(step.to.name)).toBe(true);
            columns.set(step.to.name, step.to.conversion.declaredBytes);
          }
          if (step.kind === 'add column') {
            expect(taken(step.column.name)).toBe(false);
            columns.set(step.column.name, step.column.conversion.declaredBytes);
          }
          if (step.kind === 'add placeholder') {
            expect(taken(step.name)).toBe(false);
            columns.set(step.name, 4);
          }
          if (step.kind === 'add key') {
            expect(key).toEqual([]);
            key = [...step.columns];
          }
          expect(columns.size).toBeGreaterThan(0);
          expect([...columns.values()].reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(65_504);
        }
        expect(columns).toEqual(new Map(after.columns.map(({ name, conversion }) => [name, conversion.declaredBytes])));
        expect(key).toEqual(after.key.map((position) => after.columns[position]?.name));
      }),
      { numRuns: 1_000 },
    );
  });

  /** Any table of columns 1 to 6. */
  function tables(): fc.Arbitrary<TargetTable> {
    const type = fc.constantFrom(
      'integer',
      'text',
      'character varying(9000)',
      'character varying(5000)',
      'jsonb',
      'uuid',
    );
    const name = fc.constantFrom(
      'a',
      'A',
      'b',
      'B',
      'c',
      'wal2dolt_rename',
      'wal2dolt_placeholder',
      'WAL2DOLT_placeholder',
    );
    const column = fc.record({ attnum: fc.integer({ min: 1, max: 6 }), name, type });
    return fc
      .tuple(
        fc.uniqueArray(column, {
          minLength: 1,
          maxLength: 6,
          comparator: (a, b) => a.attnum === b.attnum || a.name === b.name,
        }),
        fc.integer({ min: 0, max: 2 }),
      )
      .map(([columns, keys]) => {
        const key = columns.filter((one) => one.type !== 'jsonb').slice(0, keys);
        return numbered(Object.fromEntries(columns.map((one) => [one.attnum, { name: one.name, type: one.type }])), {
          key: key.map(({ attnum }) => attnum),
        });
      });
  }
});

describe('in words', () => {
  const words = (after: TargetTable): readonly string[] | undefined => diffTables(BEFORE, after, HINTS)?.described;

  it('columns', () => {
    const after = numbered({
      1: 'key integer',
      2: { name: 'a', type: 'integer', notNull: true, defaultExpression: '1' },
      4: 'c text',
    });
    expect(words(after)).toEqual([
      'column id renamed to key',
      'column a from text to integer',
      'column a not null',
      'default of column a changed',
      'column b dropped',
      'column c text added',
    ]);
  });

  it('the rest', () => {
    const columns = { 1: 'id integer', 2: 'a text', 3: 'b text' };
    expect(
      words(numbered(columns, { schema: 's', key: [], comment: '', replicaIdentity: 'f', indexes: { i: [2] } })),
    ).toEqual([
      'table public.t renamed to s.t',
      'column id nullable',
      'no key any more',
      'index t_pkey dropped',
      'index i added',
      'comment changed',
      'replica identity changed',
    ]);
  });
});

it('foreign keys and checks are in the way of most', () => {
  const touched = (after: TargetTable): boolean => {
    const diff = diffTables(BEFORE, after, HINTS);
    return diff !== null && touchesConstraints(BEFORE, after, diff);
  };
  const columns = { 1: 'id integer', 2: 'a text', 3: 'b text' };
  expect(touched(numbered({ ...columns, 4: 'c text' }, { name: 'u', comment: 'x' }))).toBe(false);
  expect(touched(numbered({ ...columns, 2: 'c text' }))).toBe(true);
  expect(touched(numbered(columns, { indexes: { i: [2] } }))).toBe(true);
  const check = { kind: 'c', name: 'c', definition: 'CHECK (id > 0)' } as const;
  expect(touched(numbered(columns, { constraints: [check] }))).toBe(true);
});
