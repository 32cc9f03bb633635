/**
 * Names in Dolt. Dolt folds case when it looks a table or column up, and two tables that differ only in case silently
 * share their rows, so every name is made unique under folding before anything is written. What was chosen is recorded
 * in the bookkeeping and kept from then on: a name never depends on which other tables exist later.
 */

/** Dolt refuses identifiers of more than 64 bytes. */
const MAX_BYTES = 64;

const bytes = (text: string): number => Buffer.byteLength(text, 'utf8');

/**
 * Equal for all names that Dolt takes for the same; coarser than Dolt's own folding, which costs only a suffix. Dolt
 * lower-cases every character by itself, to a single one: `İ` is `i`, and `ẞ` is `ß`, whose upper case is `SS`.
 */
export function foldName(name: string): string {
  return name.replaceAll('İ', 'i').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
}

/** Cuts to at most `limit` bytes without splitting a character. */
function cut(text: string, limit: number): string {
  let result = '';
  let size = 0;
  for (const character of text) {
    size += bytes(character);
    if (size > limit) break;
    result += character;
  }
  return result;
}

/** A table's name in Dolt: as `given` by the configuration, else its own in `public`, else by the template. */
export function tableNameFor(template: string, schema: string, table: string, given?: string): string {
  const templated =
    schema === 'public' ? table : template.replaceAll('{schema}', () => schema).replaceAll('{table}', () => table);
  return acceptedName(given ?? templated);
}

/** A column's name in Dolt, whose INSERT finds no column with an İ in its name. */
export const columnNameFor = (column: string): string => column.replaceAll('\u0130', 'I');

/**
 * The name as Dolt accepts it for a table or an index: not empty, not a dot (which means every table), no character
 * beyond the BMP, none of the prefixes that Dolt (all of `dolt…`) and wal2dolt keep for themselves, and no white space at
 * the end.
 */
export function acceptedName(plain: string): string {
  let name = '';
  for (const character of plain) {
    const code = character.codePointAt(0) ?? 0;
    name += code > 0xffff ? `u${code.toString(16)}` : character;
  }
  if (/^(dolt|wal2dolt_|\.?$)/i.test(name)) name = `t_${name}`;
  name = cut(name, MAX_BYTES).replace(/[\t-\r ]+$/, (blanks) => '_'.repeat(blanks.length));
  // Dolt looks at the last byte alone, and takes that of `città` and `успех` for white space.
  const last = Buffer.from(name).at(-1);
  return last === 0x85 || last === 0xa0 ? `${cut(name, MAX_BYTES - 1)}_` : name;
}

/**
 * Gives every wish a name that is unique under folding and fits: the first in order keeps its name, the next get
 * `_2`, `_3`, … Names already given (`taken`) are never given again.
 */
export function uniqueNames(wishes: readonly string[], taken: Iterable<string> = []): string[] {
  const used = new Set<string>();
  for (const name of taken) used.add(foldName(name));
  return wishes.map((wish) => {
    let name = cut(wish, MAX_BYTES);
    for (let n = 2; used.has(foldName(name)); n += 1) name = `${cut(wish, MAX_BYTES - `_${n}`.length)}_${n}`;
    used.add(foldName(name));
    return name;
  });
}
