export interface SqlToken {
  readonly kind: 'word' | 'quoted' | 'string' | 'sign';
  /** Words as Postgres folds them, in lower case; quoted names as they are; of strings nothing. */
  readonly text: string;
}

/**
 * SQL of Postgres, taken apart: comments left out, `::` one sign, every other sign by itself. Null where it can not be
 * read for certain: something is not closed, or means another thing by the session's settings (a backslash in a string
 * that does not say E, U& names).
 * Source: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export function sqlTokens(sql: string): SqlToken[] | null {
  const tokens: SqlToken[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    const sticky = new RegExp(pattern, 'uys');
    sticky.lastIndex = at;
    const found = sticky.exec(sql)?.[0] ?? null;
    at += found?.length ?? 0;
    return found;
  };
  while (at < sql.length) {
    if (take(/\s+|--[^\n\r]*/) !== null) continue;
    if (sql.startsWith('/*', at)) {
      const end = commentEnd(sql, at);
      if (end < 0) return null;
      at = end;
      continue;
    }
    if (take(/u&['"]/i) !== null) return null;
    if (take(/e'(?:[^'\\]|\\.|'')*'/i) !== null) {
      tokens.push({ kind: 'string', text: '' });
      continue;
    }
    const string = take(/[bxn]?'(?:[^']|'')*'/i);
    if (string !== null) {
      if (string.includes('\\')) return null;
      tokens.push({ kind: 'string', text: '' });
      continue;
    }
    const dollar = take(/\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u);
    if (dollar !== null) {
      const end = sql.indexOf(dollar, at);
      if (end < 0) return null;
      at = end + dollar.length;
      tokens.push({ kind: 'string', text: '' });
      continue;
    }
    const quoted = take(/"(?:[^"]|"")*"/);
    if (quoted !== null) {
      tokens.push({ kind: 'quoted', text: quoted.slice(1, -1).replaceAll('""', '"') });
      continue;
    }
    const word = take(/[\p{L}_\u0080-\u{10ffff}][\p{L}\p{N}_$\u0080-\u{10ffff}]*|\d[\p{L}\p{N}_.]*/u);
    if (word !== null) {
      tokens.push({ kind: 'word', text: word.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) });
      continue;
    }
    const sign = take(/::|[^'"]/u);
    if (sign === null) return null; // a quote that is not closed
    tokens.push({ kind: 'sign', text: sign });
  }
  return tokens;
}

/** Comments nest. */
function commentEnd(sql: string, from: number): number {
  const edges = /\/\*|\*\//g;
  edges.lastIndex = from;
  let depth = 0;
  for (let edge = edges.exec(sql); edge !== null; edge = edges.exec(sql)) {
    depth += edge[0] === '/*' ? 1 : -1;
    if (depth === 0) return edges.lastIndex;
  }
  return -1;
}
