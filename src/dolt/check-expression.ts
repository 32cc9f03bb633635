import { quoteText } from './sql-text.js';

/**
 * A check's expression in Dolt's words, or null where it uses more than columns, literals, comparisons, arithmetic and
 * logic: a function or an operator that Dolt lacks, or has with another meaning, is better left out than guessed.
 *
 * `definition` is what pg_get_constraintdef prints: fully parenthesized, so precedence needs no thought.
 * Source: https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CATALOG
 */
export function checkExpression(definition: string, column: (name: string) => string | null): string | null {
  const body = /^CHECK \((.*)\)(?: NOT VALID| NO INHERIT| NOT ENFORCED)*$/s.exec(definition)?.[1];
  const tokens = body === undefined ? null : tokenize(body);
  return tokens && translate(tokens, column);
}

interface Token {
  readonly kind: 'text' | 'number' | 'name' | 'word' | 'symbol';
  readonly text: string;
}

const TOKEN =
  /\s*(?:'((?:[^']|'')*)'|(\d+(?:\.\d+)?)|"((?:[^"]|"")*)"|([A-Za-z_]\w*)|(::|<>|<=|>=|[=<>+\-*/%(),[\]]))/y;

function tokenize(text: string): Token[] | null {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  const source = text.trimEnd();
  while (TOKEN.lastIndex < source.length) {
    const match = TOKEN.exec(source);
    if (!match) return null;
    const [, string, number, quoted, word, symbol] = match;
    if (string !== undefined) tokens.push({ kind: 'text', text: string.replaceAll("''", "'") });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (quoted !== undefined) tokens.push({ kind: 'name', text: quoted.replaceAll('""', '"') });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else tokens.push({ kind: 'symbol', text: symbol ?? '' });
  }
  return tokens;
}

const KEYWORDS = new Set(['AND', 'OR', 'NOT', 'IS', 'NULL', 'true', 'false']);
/** Division of integers and of decimals differ between the two. */
const OPERATORS = new Set(['=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '(', ')']);

function translate(tokens: readonly Token[], column: (name: string) => string | null): string | null {
  const parts: string[] = [];
  let at = 0;
  const is = (offset: number, text: string): boolean => tokens[at + offset]?.text === text;
  while (at < tokens.length) {
    const token = tokens[at];
    if (!token) return null;
    if (token.text === '::' && token.kind === 'symbol') {
      at = afterType(tokens, at + 1);
      continue;
    }
    if (token.text === '=' && is(1, 'ANY')) {
      const list = readList(tokens, at + 2);
      if (!list) return null;
      parts.push(`IN (${list.values.join(', ')})`);
      at = list.end;
      continue;
    }
    const part = translateToken(token, tokens[at + 1], column);
    if (part === null) return null;
    parts.push(part);
    at += 1;
  }
  return parts.join(' ');
}

function translateToken(token: Token, next: Token | undefined, column: (name: string) => string | null): string | null {
  if (token.kind === 'text') return quoteText(token.text);
  if (token.kind === 'number') return token.text;
  if (token.kind === 'symbol') return OPERATORS.has(token.text) ? token.text : null;
  if (token.kind === 'word' && KEYWORDS.has(token.text)) return token.text;
  return next?.text === '(' ? null : column(token.text); // a name before a parenthesis is a function
}

/** Skips a type: `numeric`, `character varying(20)`, `text[]`, `timestamp without time zone`. */
function afterType(tokens: readonly Token[], start: number): number {
  let at = start;
  while (tokens[at]?.kind === 'word' && !KEYWORDS.has(tokens[at]?.text ?? '')) at += 1;
  if (tokens[at]?.text === '(' && tokens[at + 1]?.kind === 'number') {
    while (at < tokens.length && tokens[at]?.text !== ')') at += 1;
    at += 1;
  }
  while (tokens[at]?.text === '[' && tokens[at + 1]?.text === ']') at += 2;
  return at;
}

/** `(ARRAY['a'::text, 'b'::text])` or `((ARRAY['a'::character varying])::text[])` after `= ANY`. */
function readList(tokens: readonly Token[], start: number): { values: string[]; end: number } | null {
  let at = start;
  let depth = 0;
  for (; tokens[at]?.text === '('; at += 1) depth += 1;
  if (depth === 0 || tokens[at]?.text !== 'ARRAY' || tokens[at + 1]?.text !== '[') return null;
  at += 2;
  const values: string[] = [];
  while (tokens[at]?.text !== ']') {
    const token = tokens[at];
    if (token?.kind === 'text') values.push(quoteText(token.text));
    else if (token?.kind === 'number') values.push(token.text);
    else return null;
    at += 1;
    if (tokens[at]?.text === '::') at = afterType(tokens, at + 1);
    if (tokens[at]?.text === ',') at += 1;
  }
  at += 1;
  for (; depth > 0; depth -= 1) {
    if (tokens[at]?.text === '::') at = afterType(tokens, at + 1);
    if (tokens[at]?.text !== ')') return null;
    at += 1;
  }
  return values.length > 0 ? { values, end: at } : null;
}
