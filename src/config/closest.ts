/**
 * The candidate that was probably meant, or undefined: at most a third of the letters differ,
 * case, punctuation and our own prefix apart.
 */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const plain = simplify(word);
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(plain, simplify(candidate));
    if (distance <= plain.length / 3 && (!best || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate;
}

const simplify = (word: string): string =>
  word
    .replace(/^WAL2DOLT_/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');

/** Letters to insert, remove, replace, or swap with their neighbour ("optimal string alignment"). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(beforeLast, j - 2) + 1 : Infinity;
      row.push(Math.min(replaced, swapped, at(last, j) + 1, at(row, j - 1) + 1));
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

const at = (row: readonly number[], index: number): number => row[index] ?? Infinity;
