import { expect, it } from 'vitest';
import {
  alter,
  announce,
  type Change,
  EMPTY_MODEL,
  readAttributes,
  sentAttnums,
  store,
  type TableModel,
} from '../../test/support/attribute-model.js';
import type { AnnouncementTime } from './announcement-time.js';
import { deduceLineage } from './lineage.js';

/*
 * All histories of a small table, however long: what those have in common that look the same is found, and what they have
 * not is told to be unknown.
 */

/** The thousands of an xid say what is known of its time. */
const TIME: AnnouncementTime = { xid: 2000, settledXid: 1000n };
const OWN = 2n;
const KINDS = {
  earlier: [0n, 1n],
  'own, before': [OWN],
  'own, after': [OWN],
  later: [1n],
} as const;
type Phase = keyof typeof KINDS;
const NEXT = { earlier: 'own, before', 'own, before': 'own, after', 'own, after': 'later', later: null } as const;

interface History {
  readonly phase: Phase;
  readonly model: TableModel;
  /** The transaction of the last command. */
  readonly open: bigint | null;
  /** The table when it was announced. */
  readonly announced: TableModel | null;
}

const [INTEGER, NAMES] = [23, ['a', 'b', 'c']];

function commands({ rows }: TableModel): Change[] {
  const living = rows.filter(({ dropped }) => !dropped);
  return [
    ...(rows.length < 3 ? NAMES.map(added) : []),
    ...living.flatMap((_, which): Change[] => [
      { kind: 'drop', which },
      ...NAMES.map((name): Change => ({ kind: 'rename', which, name })),
    ]),
  ];
}

/** Only whether two xids are the same matters: they count from 1 on, by the order of the attributes. */
function normalized({ model, open, ...history }: History): History {
  const known = new Map<bigint, bigint>();
  const rename = (xid: bigint): bigint => {
    const kind = xid / 1000n;
    const found = known.get(xid) ?? kind * 1000n + (kind === OWN ? 0n : BigInt(known.size + 1));
    known.set(xid, found);
    return found;
  };
  const rows = model.rows.map((row) => ({ ...row, xid: rename(row.xid) }));
  return { ...history, model: { ...model, rows }, open: open === null ? null : rename(open) };
}

const looks = (model: TableModel): string =>
  model.rows.map(({ name, dropped, xid }) => `${dropped ? '' : name}${xid}`).join();

const identity = ({ phase, model, open, announced }: History): string =>
  [phase, looks(model), open, announced && lineageOf(announced), announced && namesOf(announced)].join(' ');

const lineageOf = (model: TableModel): string => sentAttnums(model).join();
const namesOf = (model: TableModel): string =>
  announce(model)
    .map(({ name }) => name)
    .join();

function* continued(history: History): Iterable<History> {
  const { phase, model, open } = history;
  const next = NEXT[phase];
  if (next) yield { ...history, phase: next, open: null, announced: next === 'own, after' ? model : history.announced };
  const begun = KINDS[phase].map((kind) => kind * 1000n + (kind === OWN ? 0n : 999n));
  for (const xid of open === null ? begun : [open, ...begun]) {
    for (const command of commands(model)) {
      const altered = alter(model, command, xid);
      if (altered) yield { ...history, model: altered, open: xid };
    }
  }
}

const added = (name: string): Change => ({ kind: 'add', name, type: INTEGER, as: 'plain' });

function run(model: TableModel, ...changes: [Change, bigint][]): TableModel {
  return changes.reduce((now, [change, xid]) => alter(now, change, xid) ?? now, model);
}

it.each([['a'], ['a, b']])('what all histories of a table (%s) have in common is found', (columns) => {
  const names = columns.split(', ');
  const begin = (xid: bigint): TableModel =>
    run(EMPTY_MODEL, ...names.map((name): [Change, bigint] => [added(name), xid]));
  const stored = store(begin(1n));
  // A column that was dropped before the table was stored can not be seen in it.
  const dropped = [1n, 1001n, 1002n].map((xid) =>
    run(begin(1n), [added('c'), xid], [{ kind: 'drop', which: names.length }, xid]),
  );
  const todo = [begin(1n), begin(1001n), ...dropped].map((model) =>
    normalized({ phase: 'earlier', model, open: null, announced: null }),
  );
  const seen = new Set(todo.map(identity));
  /** By what can be seen of them: all that the announced columns are in some history. */
  const found = new Map<string, { readonly lineages: Set<string>; readonly history: History }>();
  for (let history = todo.pop(); history; history = todo.pop()) {
    if (history.announced) {
      const seenNow = normalized({ ...history, open: null });
      const key = `${looks(seenNow.model)} ${namesOf(history.announced)}`;
      const { lineages } = found.get(key) ?? { lineages: new Set() };
      found.set(key, { lineages: lineages.add(lineageOf(history.announced)), history: seenNow });
    }
    for (const longer of continued(history)) {
      const next = normalized(longer);
      const id = identity(next);
      if (seen.has(id)) continue;
      seen.add(id);
      todo.push(next);
    }
  }

  const counts = { known: 0, ambiguous: 0 };
  const wrong: unknown[] = [];
  for (const [key, { lineages, history }] of found) {
    const columns = announce(history.announced ?? history.model);
    const now = { ...readAttributes(history.model), virtualColumns: false };
    const lineage = deduceLineage(stored, columns, now, TIME);
    counts[lineage.kind]++;
    const possible = columns.map((_, i) => [...new Set([...lineages].map((one) => Number(one.split(',')[i])))].sort());
    const deduced = lineage.kind === 'known' ? lineage.attnums.map((attnum) => [attnum]) : lineage.candidates;
    if (JSON.stringify(deduced) !== JSON.stringify(possible)) wrong.push({ key, deduced, possible });
  }
  expect(wrong.slice(0, 20)).toEqual([]);
  expect(counts.known).toBeGreaterThan(1000);
  expect(counts.ambiguous).toBeGreaterThan(1000);
});
