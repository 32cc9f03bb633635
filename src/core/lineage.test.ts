import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attribute, Attributes } from './attribute-facts.js';
import type { RelationColumn } from './change.js';
import { type AnnouncementTime, deduceLineage, type Lineage } from './lineage.js';
import type { TableSchema } from './schema.js';

/*
 * A model of what Postgres keeps of a table's columns, altered by whole histories of transactions: from what is stored,
 * announced and found by then, the attributes must be found that the model knows, or it must be said that they are not.
 */

interface Row extends Omit<Attribute, 'published'> {}

interface Model {
  readonly rows: readonly Row[];
  readonly fileNode: number;
  /** Attnums that the publication lists; null for all columns. */
  readonly list: readonly number[] | null;
}

type Change =
  | {
      readonly kind: 'add';
      readonly name: string;
      readonly type: number;
      readonly what: 'plain' | 'filled' | 'generated';
    }
  | { readonly kind: 'drop' | 'drop expression' | 'touch'; readonly which: number }
  | { readonly kind: 'rename'; readonly which: number; readonly name: string }
  | { readonly kind: 'retype'; readonly which: number; readonly type: number; readonly rewritten: boolean };

const isPublished = ({ list }: Model, row: Row): boolean =>
  !row.dropped && row.generated === '' && (list === null || list.includes(row.attnum));

const sent = (model: Model): Row[] => model.rows.filter((row) => isPublished(model, row));

/** Null where Postgres refuses it. */
function alter(model: Model, change: Change, xid: bigint): Model | null {
  const living = model.rows.filter((row) => !row.dropped);
  const free = (name: string): boolean => living.every((row) => row.name !== name);
  if (change.kind === 'add') {
    if (!free(change.name)) return null;
    const { name, type, what } = change;
    const attnum = model.rows.length + 1;
    const generated = what === 'generated' ? 's' : '';
    const row: Row = {
      attnum,
      name,
      typeOid: type,
      typmod: -1,
      generated,
      dropped: false,
      hasMissing: what === 'filled',
      xid,
    };
    return { ...model, rows: [...model.rows, row], fileNode: model.fileNode + (generated === '' ? 0 : 1) };
  }
  const row = living[change.which % Math.max(living.length, 1)];
  if (!row) return null;
  const put = (changed: Row, rewritten = false): Model => ({
    ...model,
    rows: model.rows.map((other) => {
      const one = other === row ? changed : other;
      return rewritten && one.hasMissing ? { ...one, hasMissing: false, xid } : one;
    }),
    fileNode: model.fileNode + (rewritten ? 1 : 0),
  });
  switch (change.kind) {
    case 'drop':
      if (model.list?.includes(row.attnum)) return null;
      return put({
        ...row,
        dropped: true,
        name: `........pg.dropped.${row.attnum}........`,
        typeOid: 0,
        hasMissing: false,
        xid,
      });
    case 'drop expression':
      return row.generated === '' ? null : put({ ...row, generated: '', xid });
    case 'touch':
      return put({ ...row, xid });
    case 'rename':
      return free(change.name) ? put({ ...row, name: change.name, xid }) : null;
    case 'retype':
      return put({ ...row, typeOid: change.type, xid }, change.rewritten);
  }
}

const announce = (model: Model): RelationColumn[] =>
  sent(model).map(({ name, typeOid, typmod }) => ({ name, typeOid, typmod, key: false }));

function store(model: Model): TableSchema {
  return {
    oid: 1,
    schema: 'public',
    name: 't',
    kind: 'r',
    columns: sent(model).map(({ attnum, name, typeOid, typmod, generated }) => ({
      attnum,
      name,
      type: { oid: typeOid, typmod, name: '', base: '', baseTypmod: -1, kind: 'b', builtin: true },
      notNull: false,
      defaultExpression: null,
      identity: '',
      generated,
    })),
    unpublished: model.rows.filter((row) => !row.dropped && !isPublished(model, row)).map(({ name }) => name),
    replicaIdentity: 'd',
    indexes: [],
    constraints: [],
    comment: null,
    rowFilter: null,
    publishedBy: [7],
    fileNode: model.fileNode,
  };
}

const read = (model: Model): Attributes => ({
  attributes: model.rows.map((row) => ({ ...row, published: isPublished(model, row) })),
  columnList: model.list !== null,
  fileNode: model.fileNode,
  publishedBy: [7],
});

const EMPTY: Model = { rows: [], fileNode: 1, list: null };

describe('random histories', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const type = fc.constantFrom(23, 25);
  const which = fc.nat(5);
  const change = fc.oneof<fc.Arbitrary<Change>[]>(
    fc.record({ kind: fc.constant('add'), name, type, what: fc.constantFrom('plain', 'plain', 'filled', 'generated') }),
    fc.record({ kind: fc.constantFrom('drop', 'drop expression', 'touch'), which }),
    fc.record({ kind: fc.constant('drop'), which }),
    fc.record({ kind: fc.constant('rename'), which, name }),
    fc.record({ kind: fc.constant('retype'), which, type, rewritten: fc.boolean() }),
  );
  /** Some of its changes may be those of a subtransaction. */
  const transaction = fc.array(fc.record({ change, inside: fc.boolean() }), { maxLength: 4 });

  const history = fc.record({
    first: fc.array(change, { minLength: 2, maxLength: 8 }),
    listed: fc.option(fc.subarray([1, 2, 3, 4, 5]), { freq: 5 }),
    earlier: fc.array(transaction, { maxLength: 3 }),
    own: fc.record({ before: transaction, after: transaction }),
    later: fc.array(transaction, { maxLength: 3 }),
    xids: fc.shuffledSubarray(
      Array.from({ length: 7 }, (_, i) => 1000n + 10n * BigInt(i)),
      { minLength: 7 },
    ),
    epoch: fc.constantFrom(0n, 5n << 32n),
    settled: fc.option(fc.nat(80)),
    unbegun: fc.option(fc.nat(80)),
  });

  it('are found, or told to be unknown', () => {
    const counts = { known: 0, ambiguous: 0 };
    fc.assert(
      fc.property(history, ({ first, listed, earlier, own, later, xids, epoch, settled, unbegun }) => {
        let model = EMPTY;
        const run = (changes: readonly { change: Change; inside: boolean }[], xid: bigint): void => {
          for (const { change, inside } of changes) model = alter(model, change, inside ? xid + 3n : xid) ?? model;
        };
        run(
          first.map((change) => ({ change, inside: false })),
          epoch + 500n,
        );
        if (listed) model = { ...model, list: listed.filter((attnum) => model.rows[attnum - 1]?.dropped === false) };
        const stored = store(model);
        const at = xids.map((xid) => epoch + xid);
        for (const [i, changes] of earlier.entries()) run(changes, at[i] ?? 0n);
        const announcing = at[3] ?? 0n;
        run(own.before, announcing);
        const truth = sent(model).map(({ attnum }) => attnum);
        const columns = announce(model);
        run(own.after, announcing);
        for (const [i, changes] of later.entries()) run(changes, at[i + 4] ?? 0n);

        const unended = [announcing, ...later.map((_, i) => at[i + 4] ?? 0n)];
        const begun = [announcing, ...earlier.map((_, i) => at[i] ?? 0n)];
        const lowest = unended.reduce((a, b) => (a < b ? a : b));
        const highest = begun.reduce((a, b) => (a > b ? a : b)) + 9n;
        const time: AnnouncementTime = {
          xid: Number(BigInt.asUintN(32, announcing)),
          settledXid: settled === null ? null : lowest - BigInt(settled),
          unbegunXid: unbegun === null ? null : highest + BigInt(unbegun),
        };
        const lineage = deduceLineage(stored, columns, read(model), time);
        counts[lineage.kind]++;
        expect(lineage).toSatisfy((found: Lineage) =>
          found.kind === 'known'
            ? found.attnums.join() === truth.join()
            : truth.every((attnum, i) => found.candidates[i]?.includes(attnum)),
        );
      }),
      { numRuns: 5000 },
    );
    // Both must have been tried.
    expect(counts.known).toBeGreaterThan(1000);
    expect(counts.ambiguous).toBeGreaterThan(100);
  });
});
