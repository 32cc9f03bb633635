import { foldName, uniqueNames } from './names.js';

/** A name that becomes another one, in a namespace that folds case. */
export interface Rename {
  readonly from: string;
  readonly to: string;
}

/**
 * Renames in an order in which every name is free when it is taken. Where they wait for each other (a swap, a cycle), or
 * where a name changes only in case, which Dolt refuses, one of them goes by a temporary name. `others` are names of the
 * same namespace that stay.
 */
export function renameOrder(renames: readonly Rename[], others: Iterable<string> = []): Rename[] {
  const waiting = renames.filter(({ from, to }) => from !== to);
  const [temporary = 'wal2dolt_rename'] = uniqueNames(
    ['wal2dolt_rename'],
    [...others, ...renames.flatMap(({ from, to }) => [from, to])],
  );
  const ordered: Rename[] = [];
  while (waiting.length > 0) {
    const used = new Set(waiting.map(({ from }) => foldName(from)));
    const free = waiting.findIndex(({ to }) => !used.has(foldName(to)));
    if (free >= 0) ordered.push(...waiting.splice(free, 1));
    else {
      // Everything waits: what steps aside makes room for another one, so there is never a second one aside.
      const [first] = waiting.splice(0, 1) as [Rename]; // not empty
      ordered.push({ from: first.from, to: temporary });
      waiting.push({ from: temporary, to: first.to });
    }
  }
  return ordered;
}
