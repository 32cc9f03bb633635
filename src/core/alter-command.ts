import { sqlTokens, type SqlToken as Token } from './sql-tokens.js';

/*
 * What `ALTER TABLE … ALTER … TYPE` says about how old values become new ones. A reader of SQL that is meant to be sure or
 * to say that it is not: whatever it does not know makes the answer `unknown`.
 */

/** How the values of a column came to its new type. */
export type Retyping =
  /** By the cast from the old type to the new one. */
  | 'cast'
  /** By way of text: `c::text::type`. */
  | 'by text'
  /** By an expression, or nothing is known. */
  | 'unknown';

/** The type changes of one table in a command. */
export interface Retypings {
  /** `newType` as `format_type` prints it. A column that the command does not name is `unknown`. */
  of(column: string, newType: string): Retyping;
  /** Whether the command says why rows were written anew, and all that it does to types, of any table's columns, is known to be a cast. */
  readonly plain: boolean;
}

/** What a text ends with that is not whole: see `wal2dolt.without_password` in sql/wal2dolt.sql. */
const CUT = '...';

interface Retype {
  readonly column: string;
  readonly type: readonly Token[];
  readonly using: readonly Token[] | null;
}

/**
 * The text that a client sent, which may hold several statements. `tables` are names that the table goes by. Null where
 * something else may be behind a change: a function or a DO block, another table's command, a part of the text that is not
 * there, or SQL that is not understood.
 */
export function readRetypings(command: string, tables: readonly string[]): Retypings | null {
  const tokens = command.endsWith(CUT) ? null : sqlTokens(command);
  if (tokens === null) return null;
  const statements = split(tokens, ';').filter((statement) => statement.length > 0);
  if (!statements.every(([first]) => first?.kind === 'word' && DEFINES.has(first.text))) return null;
  const all = statements.flatMap((statement) => readAlterTable(statement) ?? []);
  const altered = all.filter(({ table }) => tables.includes(table));
  if (altered.length === 0) return null;
  const retypes = altered.flatMap((alter) => alter.retypes);
  const explained = retypes.length > 0 || altered.some(({ moves }) => moves);
  return {
    of: (column, newType) => {
      const own = retypes.filter((retype) => retype.column === column).map((retype) => retypingOf(retype, newType));
      const [first] = own;
      return first !== undefined && own.every((other) => other === first) ? first : 'unknown';
    },
    // Another table may be the one that this one inherits from.
    plain: explained && all.every((alter) => alter.retypes.every((retype) => retypingOf(retype, null) !== 'unknown')),
  };
}

/** First words of statements that run no code of the user's that could change a table behind our back. */
const DEFINES = new Set(
  'abort alter analyze begin comment commit create discard drop end grant lock release reset revoke savepoint set show start truncate vacuum'.split(
    ' ',
  ),
);

interface AlterTable {
  readonly table: string;
  readonly retypes: readonly Retype[];
  /** Rows are written anew as they were, to another place. */
  readonly moves: boolean;
}

/** `ALTER TABLE [IF EXISTS] [ONLY] name [*] action, …`; null for another statement. */
function readAlterTable(tokens: readonly Token[]): AlterTable | null {
  const read = new Reader(tokens);
  if (!read.words('alter', 'table')) return null;
  read.words('if', 'exists');
  read.words('only');
  let table = read.identifier();
  while (table !== null && read.sign('.')) table = read.identifier();
  if (table === null) return null;
  read.sign('*');
  const actions = split(read.rest(), ',');
  return { table, retypes: actions.flatMap((action) => readRetype(action) ?? []), moves: actions.some(isMove) };
}

/** `SET LOGGED`, `SET UNLOGGED`, `SET ACCESS METHOD`. */
function isMove(tokens: readonly Token[]): boolean {
  const read = new Reader(tokens);
  return read.words('set') && (read.words('logged') || read.words('unlogged') || read.words('access', 'method'));
}

/** `ALTER [COLUMN] name [SET DATA] TYPE type [COLLATE collation] [USING expression]`; null for another action. */
function readRetype(tokens: readonly Token[]): Retype | null {
  const read = new Reader(tokens);
  if (!read.words('alter')) return null;
  read.words('column');
  const column = read.identifier();
  if (column === null) return null;
  read.words('set', 'data');
  if (!read.words('type')) return null;
  const rest = read.rest();
  const isWord = (word: string) => (token: Token) => token.kind === 'word' && token.text === word;
  const at = rest.findIndex(isWord('using'));
  const before = at < 0 ? rest : rest.slice(0, at);
  const collate = before.findIndex(isWord('collate'));
  return {
    column,
    type: collate < 0 ? before : before.slice(0, collate),
    using: at < 0 ? null : rest.slice(at + 1),
  };
}

/** `newType` null: whatever the statement says that it is. */
function retypingOf({ column, type, using }: Retype, newType: string | null): Retyping {
  if (using === null) return 'cast';
  const casts = castsOf(using, column);
  if (casts === null) return 'unknown';
  const last = casts.at(-1);
  if (last === undefined) return 'cast';
  const wanted = [textOf(type), ...(newType === null ? [] : [textOf(sqlTokens(newType) ?? [])])];
  if (!wanted.includes(last)) return 'unknown';
  const between = casts.slice(0, -1);
  if (between.length === 0) return 'cast';
  return between.every((text) => TEXT_TYPES.has(text)) ? 'by text' : 'unknown';
}

const TEXT_TYPES = new Set(['text', 'varchar', 'character varying']);

/** The types that the column is cast to, one after the other; null where the expression is anything else. */
function castsOf(tokens: readonly Token[], column: string): string[] | null {
  const expression = withoutParentheses(tokens);
  const parts = split(expression, '::');
  if (parts.length > 1) {
    const inner = castsOf(parts[0] ?? [], column);
    const types = parts.slice(1);
    return inner && types.every(isType) ? [...inner, ...types.map(textOf)] : null;
  }
  const read = new Reader(expression);
  if (read.words('cast') && read.sign('(') && expression.at(-1)?.text === ')') {
    const inside = read.rest().slice(0, -1);
    const as = lastAtTop(inside, 'as');
    const inner = as < 0 ? null : castsOf(inside.slice(0, as), column);
    const type = inside.slice(as + 1);
    return inner && isType(type) ? [...inner, textOf(type)] : null;
  }
  const [only] = expression;
  const isColumn = expression.length === 1 && (only?.kind === 'word' || only?.kind === 'quoted');
  return isColumn && only?.text === column ? [] : null;
}

/** Names, numbers and the signs of `numeric(10,2)[]`: nothing that could be an operator or a value. */
const isType = (tokens: readonly Token[]): boolean =>
  tokens.length > 0 &&
  tokens.every(({ kind, text }) => kind !== 'string' && (kind !== 'sign' || /^[.,()[\]]$/.test(text)));

/** For comparison, with one name for each of the types that have several. */
function textOf(tokens: readonly Token[]): string {
  const text = tokens
    .map(({ kind, text: part }) => (kind === 'quoted' ? `"${part}"` : part))
    .join(' ')
    .replace(/ ?([.,()[\]]) ?/g, '$1')
    .replace(/"([a-z_][a-z0-9_$]*)"/g, '$1')
    .replace(/^pg_catalog\./, '');
  const [, name = text, rest = ''] = /^([^([]*)(.*)$/.exec(text) ?? [];
  return (SYNONYMS[name.trim()] ?? name.trim()) + rest;
}

const SYNONYMS: Readonly<Record<string, string>> = {
  int: 'integer',
  int4: 'integer',
  int2: 'smallint',
  int8: 'bigint',
  bool: 'boolean',
  decimal: 'numeric',
  dec: 'numeric',
  float: 'double precision',
  float8: 'double precision',
  float4: 'real',
  varchar: 'character varying',
  char: 'character',
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
  timetz: 'time with time zone',
  time: 'time without time zone',
};

function withoutParentheses(tokens: readonly Token[]): readonly Token[] {
  let inner = tokens;
  while (inner[0]?.text === '(' && inner[0].kind === 'sign' && closing(inner, 0) === inner.length - 1) {
    inner = inner.slice(1, -1);
  }
  return inner;
}

const depthOf = ({ kind, text }: Token): number =>
  kind !== 'sign' ? 0 : text === '(' || text === '[' ? 1 : text === ')' || text === ']' ? -1 : 0;

function closing(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let i = from; i < tokens.length; i += 1) {
    depth += depthOf(tokens[i] as Token); // below its length
    if (depth === 0) return i;
  }
  return -1;
}

function lastAtTop(tokens: readonly Token[], word: string): number {
  let depth = 0;
  let found = -1;
  for (const [i, token] of tokens.entries()) {
    depth += depthOf(token);
    if (depth === 0 && token.kind === 'word' && token.text === word) found = i;
  }
  return found;
}

/** Outside of parentheses. */
function split(tokens: readonly Token[], sign: string): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    depth += depthOf(token);
    if (depth === 0 && token.kind === 'sign' && token.text === sign) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** Goes on only where all of them are next. */
  words(...words: readonly string[]): boolean {
    const there = words.every((word, i) => {
      const token = this.#tokens[this.#at + i];
      return token?.kind === 'word' && token.text === word;
    });
    if (there) this.#at += words.length;
    return there;
  }

  sign(sign: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'sign' || token.text !== sign) return false;
    this.#at += 1;
    return true;
  }

  identifier(): string | null {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return null;
    this.#at += 1;
    return token.text;
  }

  rest(): Token[] {
    return this.#tokens.slice(this.#at);
  }
}
