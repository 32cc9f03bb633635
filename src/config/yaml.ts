import { type ErrorCode, isNode, LineCounter, parseDocument } from 'yaml';

export interface Yaml {
  readonly value: unknown;
  /** The line where the value of a key begins, if it is there. */
  readonly lineOf: (path: readonly string[]) => number | undefined;
}

/** Where and why a text is no YAML. */
export interface YamlProblem {
  readonly line: number | undefined;
  readonly message: string;
}

/** Problems never quote the text around them: it may be a password. */
export function parseYaml(text: string): Yaml | readonly YamlProblem[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  // What the parser says of these is for programmers.
  const plain: Partial<Record<ErrorCode, string>> = {
    DUPLICATE_KEY: 'this key is there already',
    MULTIPLE_DOCS: 'a second document begins, but only one is read',
  };
  // An unquoted pattern is a tag (!x) or an alias (*.y) to YAML; unknown tags are warnings only, and the text is lost.
  const hint = ' (text that begins with ! or * needs quotes)';
  const trouble = [...document.errors, ...document.warnings];
  if (trouble.length > 0) {
    return trouble.map(({ code, message, pos }) => ({
      line: lines.linePos(pos[0]).line,
      message: plain[code] ?? `${message}${hint}`,
    }));
  }
  try {
    const value: unknown = document.toJS();
    const lineOf = (path: readonly string[]): number | undefined => {
      const node = document.getIn(path, true);
      return isNode(node) && node.range ? lines.linePos(node.range[0]).line : undefined;
    };
    return { value, lineOf };
  } catch (error) {
    if (error instanceof ReferenceError) return [{ line: undefined, message: `${error.message}${hint}` }];
    throw error;
  }
}

export const isYaml = (result: Yaml | readonly YamlProblem[]): result is Yaml => 'value' in result;
