import { parsePattern, type TablePattern } from '../core/patterns.js';
import { qualifiedName } from '../core/schema.js';
import { closest } from './closest.js';
import { configError } from './load.js';

/** A table, and all names by which a user may know it. */
export interface KnownTable {
  readonly names: readonly { readonly schema: string; readonly name: string }[];
}

const HINTS = 3;

/** Names of tables on a command line: `schema.table`, or `table` of public. Throws E_CONFIG for what is none. */
export function tableNames(words: readonly string[]): TablePattern[] {
  const problems: string[] = [];
  const names = words.flatMap((word) => {
    try {
      const name = parsePattern(word);
      if (!name.wildcard) return [name];
      problems.push(`${word}: the name of one table is expected`);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      problems.push(`${word}: ${error.message}`);
    }
    return [];
  });
  if (problems.length > 0) throw configError(problems);
  return names;
}

/** The tables that are meant, each once. Throws E_CONFIG for names that no table has, with those that are close. */
export function findTables<T extends KnownTable>(names: readonly TablePattern[], tables: readonly T[]): T[] {
  const unknown = names.filter((name) => !tables.some((table) => isNamed(table, name)));
  if (unknown.length > 0) throw configError(unknown.map(({ text }) => `${text}: ${hint(text, tables)}`));
  return tables.filter((table) => names.some((name) => isNamed(table, name)));
}

export const isNamed = ({ names }: KnownTable, { matches }: TablePattern): boolean =>
  names.some(({ schema, name }) => matches(schema, name));

function hint(text: string, tables: readonly KnownTable[]): string {
  const known = new Map(tables.flatMap(({ names }) => names.map((name) => [qualifiedName(name), name.name] as const)));
  if (known.size === 0) return 'no table is replicated yet';
  const wanted = text.split('.').at(-1) ?? text;
  // Of the same name in another schema, then of a name that is close.
  const close = [...known.keys()].filter((name) => known.get(name) === wanted);
  for (const rest = new Set(known.values()); close.length < HINTS; ) {
    const word = closest(wanted, [...rest]);
    if (word === undefined) break;
    rest.delete(word);
    close.push(...[...known.keys()].filter((name) => known.get(name) === word && !close.includes(name)));
  }
  if (close.length > 0) return `no such table is replicated; did you mean ${close.slice(0, HINTS).join(', ')}?`;
  const shown = [...known.keys()].sort().slice(0, HINTS);
  const more = known.size > HINTS ? `, and ${known.size - HINTS} more` : '';
  return `no such table is replicated; those that are: ${shown.join(', ')}${more}`;
}
