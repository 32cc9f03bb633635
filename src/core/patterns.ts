/**
 * Which tables are replicated, and how: patterns over `schema.table`.
 *
 * `*` stands for any characters within one part; a pattern without a schema means `public`; a part in double quotes is
 * taken literally (`""` is a quote inside it). Names are compared exactly, case included.
 */
export interface TablePattern {
  /** As it was written, for messages. */
  readonly text: string;
  /** False where it can only match one table. */
  readonly wildcard: boolean;
  readonly matches: (schema: string, name: string) => boolean;
}

export interface Selection {
  readonly pattern: TablePattern;
  readonly include: boolean;
}

export interface TableOptions {
  /** The table's name in Dolt. */
  readonly name?: string;
  /** Columns that are not replicated. */
  readonly exclude?: readonly string[];
  /** Dolt column type by source column. */
  readonly types?: Readonly<Record<string, string>>;
}

/** Both lists in the order in which they were written. */
export interface TableRules {
  readonly selection: readonly Selection[];
  readonly options: readonly { readonly pattern: TablePattern; readonly options: TableOptions }[];
}

export const EVERY_TABLE: TableRules = { selection: [], options: [] };

/** Whether the table is replicated: excludes win; where there are includes, one of them must match. */
export function selects(rules: TableRules, schema: string, name: string): boolean {
  const matching = rules.selection.filter(({ pattern }) => pattern.matches(schema, name));
  if (matching.some(({ include }) => !include)) return false;
  return matching.length > 0 || !rules.selection.some(({ include }) => include);
}

/** What is set for one table, by all entries that match it: excluded columns add up, of names and types the last wins. */
export function optionsFor(
  rules: TableRules,
  schema: string,
  name: string,
): {
  readonly name?: string;
  readonly excludeColumns: ReadonlySet<string>;
  readonly columnTypes: ReadonlyMap<string, string>;
} {
  let targetName: string | undefined;
  const excludeColumns = new Set<string>();
  const columnTypes = new Map<string, string>();
  for (const { pattern, options } of rules.options) {
    if (!pattern.matches(schema, name)) continue;
    targetName = options.name ?? targetName;
    for (const column of options.exclude ?? []) excludeColumns.add(column);
    for (const [column, type] of Object.entries(options.types ?? {})) columnTypes.set(column, type);
  }
  return { ...(targetName === undefined ? {} : { name: targetName }), excludeColumns, columnTypes };
}

/** Patterns that match none of these tables: most often a slip of the pen. As written, each once. */
export function unmatchedPatterns(
  rules: TableRules,
  tables: readonly { readonly schema: string; readonly name: string }[],
): string[] {
  const patterns = [...rules.selection, ...rules.options].map(({ pattern }) => pattern);
  const unmatched = patterns.filter((pattern) => !tables.some((table) => pattern.matches(table.schema, table.name)));
  return [...new Set(unmatched.map((pattern) => pattern.text))];
}

/**
 * Columns that entries exclude or give a type, and that none of the tables they match has: as `pattern: column`, each once.
 * Entries that match no table are not asked.
 */
export function unknownColumns(
  rules: TableRules,
  tables: readonly {
    readonly schema: string;
    readonly name: string;
    readonly columns: readonly { readonly name: string }[];
    /** Names of those that are not replicated anyway. */
    readonly unpublished: readonly string[];
  }[],
): string[] {
  const unknown = rules.options.flatMap(({ pattern, options }) => {
    const matching = tables.filter(({ schema, name }) => pattern.matches(schema, name));
    const columns = new Set(
      matching.flatMap((table) => [...table.columns.map(({ name }) => name), ...table.unpublished]),
    );
    const named = matching.length > 0 ? [...(options.exclude ?? []), ...Object.keys(options.types ?? {})] : [];
    return named.filter((column) => !columns.has(column)).map((column) => `${pattern.text}: ${column}`);
  });
  return [...new Set(unknown)];
}

/** `over` was given with more authority: its selection, if it has one, replaces that of `base`; its options come last. */
export function mergeRules(base: TableRules, over: TableRules): TableRules {
  return {
    selection: over.selection.length > 0 ? over.selection : base.selection,
    options: [...base.options, ...over.options],
  };
}

/** Parses `public.*`, `orders`, `sales."odd.name"`. Throws a TypeError that says what is wrong. */
export function parsePattern(text: string): TablePattern {
  const parts = readParts(text.trim());
  const [first, second] = parts;
  if (first === undefined || parts.length > 2)
    throw new TypeError(`expected table or schema.table, got ${quoted(text)}`);
  const [schema, name] = second === undefined ? [{ text: 'public', literal: true }, first] : [first, second];
  const matchesSchema = matcher(schema);
  const matchesName = matcher(name);
  return {
    text: text.trim(),
    wildcard: hasWildcard(schema) || hasWildcard(name),
    matches: (schemaName, tableName) => matchesSchema(schemaName) && matchesName(tableName),
  };
}

/** Parses one entry of a list: a pattern, with `!` before it an exclusion. Throws a TypeError as parsePattern. */
export function parseSelection(text: string): Selection {
  const trimmed = text.trim();
  const include = !trimmed.startsWith('!');
  return { pattern: parsePattern(include ? trimmed : trimmed.slice(1)), include };
}

/** Splits a comma separated list; commas inside double quotes belong to a name. */
export function splitPatterns(text: string): string[] {
  return (
    text
      .match(/(?:"(?:[^"]|"")*"|[^,])+/g)
      ?.map((item) => item.trim())
      .filter((item) => item !== '') ?? []
  );
}

interface Part {
  readonly text: string;
  readonly literal: boolean;
}

const PART = /(?:"((?:[^"]|"")*)"|([^".]*))(\.|$)/y;

function readParts(text: string): Part[] {
  const parts: Part[] = [];
  PART.lastIndex = 0;
  for (let more = true; more; ) {
    const match = PART.exec(text);
    const part = match?.[1] === undefined ? match?.[2]?.trim() : match[1].replaceAll('""', '"');
    if (!match || !part) {
      throw new TypeError(`expected table or schema.table, odd names in double quotes, got ${quoted(text)}`);
    }
    parts.push({ text: part, literal: match[1] !== undefined });
    more = match[3] === '.';
  }
  return parts;
}

const hasWildcard = (part: Part): boolean => !part.literal && part.text.includes('*');

function matcher(part: Part): (name: string) => boolean {
  if (!hasWildcard(part)) return (name) => name === part.text;
  const escaped = part.text.replace(/[\\^$.+?()[\]{}|]/g, '\\$&').replace(/\*+/g, '.*');
  const expression = new RegExp(`^${escaped}$`, 'su');
  return (name) => expression.test(name);
}

const quoted = (text: string): string => JSON.stringify(text);
