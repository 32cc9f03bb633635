import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldName } from './names.js';
import { type Rename, renameOrder } from './rename-order.js';

/** A namespace that refuses a name that is taken, also by another case of it, as Dolt does. */
function carryOut(names: readonly string[], renames: readonly Rename[]): string[] {
  const owners = new Map(names.map((name, owner) => [name, owner]));
  for (const { from, to } of renames) {
    const owner = owners.get(from);
    if (owner === undefined) throw new Error(`there is no ${from}`);
    if ([...owners.keys()].some((name) => foldName(name) === foldName(to))) throw new Error(`${to} exists`);
    owners.delete(from);
    owners.set(to, owner);
  }
  return [...owners].sort(([, a], [, b]) => a - b).map(([name]) => name);
}

describe('renames', () => {
  it.each<[string, Rename[], number]>([
    ['none', [{ from: 'a', to: 'a' }], 0],
    ['one', [{ from: 'a', to: 'b' }], 1],
    [
      'a chain, from its end',
      [
        { from: 'a', to: 'b' },
        { from: 'b', to: 'c' },
      ],
      2,
    ],
    [
      'a swap, by a third name',
      [
        { from: 'a', to: 'b' },
        { from: 'b', to: 'a' },
      ],
      3,
    ],
    ['only case, by another name', [{ from: 'a', to: 'A' }], 2],
    ['only case of an umlaut', [{ from: 'Ä', to: 'ä' }], 2],
  ])('%s', (_, renames, steps) => {
    const ordered = renameOrder(renames);
    expect(ordered).toHaveLength(steps);
    expect(
      carryOut(
        renames.map(({ from }) => from),
        ordered,
      ),
    ).toEqual(renames.map(({ to }) => to));
  });

  it('of any names to any others, in an order in which no name is ever taken', () => {
    const name = fc.constantFrom('a', 'A', 'b', 'B', 'é', 'É', 'c', 'wal2dolt_rename', 'WAL2DOLT_rename', 'd', 'e');
    const names = fc.uniqueArray(name, { selector: foldName, maxLength: 6 });
    fc.assert(
      fc.property(names, names, names, (from, to, others) => {
        const renames = from.slice(0, to.length).map((old, i) => ({ from: old, to: to[i] ?? old }));
        const taken = new Set(renames.flatMap((rename) => [foldName(rename.from), foldName(rename.to)]));
        const staying = others.filter((other) => !taken.has(foldName(other)));
        const before = [...renames.map((rename) => rename.from), ...staying];
        const after = [...renames.map((rename) => rename.to), ...staying];
        const ordered = renameOrder(renames, staying);
        expect(carryOut(before, ordered)).toEqual(after);
        expect(ordered.length).toBeLessThanOrEqual(2 * renames.length);
      }),
    );
  });
});
