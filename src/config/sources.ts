import { closest } from './closest.js';
import type { Field } from './fields.js';
import { isYaml, parseYaml } from './yaml.js';

/** A value for a key, and where it stands. */
export interface Given {
  readonly path: string;
  readonly value: unknown;
  /** For messages: `--slot`, `WAL2DOLT_SLOT`, `wal2dolt.yaml line 3`. */
  readonly origin: string;
}

/** What one source gives; problems are sentences that begin with the name they are about. */
export interface Collected {
  readonly given: readonly Given[];
  readonly problems: readonly string[];
  /** Nothing of it could be read, so that nobody knows what it would have given. */
  readonly unreadable?: true;
}

export const CONFIG_VARIABLE = 'WAL2DOLT_CONFIG';

/** Variables that are no keys; core/failpoint.ts reads the last one, in tests. */
const OTHER_VARIABLES = [CONFIG_VARIABLE, 'WAL2DOLT_FAILPOINT'];

/** What Kubernetes sets in every pod beside a Service called wal2dolt. */
const KUBERNETES_VARIABLE = /^WAL2DOLT_(SERVICE_(HOST|PORT\w*)|PORT(_\d+_\w+)?)$/;

/** Keys of the parsed command line; `unknown` are the words that no option took. */
export function fromArguments(
  options: Readonly<Record<string, unknown>>,
  unknown: readonly string[],
  fields: readonly Field[],
): Collected {
  const given = fields.flatMap((field) => {
    const value = options[attributeOf(field)];
    return value === undefined ? [] : [{ path: field.path, value, origin: field.flag }];
  });
  const flags = fields.map((field) => field.flag);
  const problems: string[] = [];
  for (const [index, word] of unknown.entries()) {
    const flag = word.split('=')[0] ?? word;
    // A word after an unknown option is most likely its value.
    if (flag.startsWith('-')) problems.push(`${flag}: unknown option${didYouMean(flag, flags)}`);
    else if (!unknown[index - 1]?.startsWith('-')) problems.push(`unexpected argument ${JSON.stringify(word)}`);
  }
  return { given, problems };
}

/** The name under which commander keeps an option: `--commit-max-delay` is `commitMaxDelay`. */
export const attributeOf = (field: Field): string =>
  field.flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** An empty variable counts as not set: compose files pass variables on as empty. */
export function fromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  fields: readonly Field[],
): Collected {
  const byName = new Map(fields.map((field) => [field.variable, field]));
  const given: Given[] = [];
  const problems: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('WAL2DOLT_') || OTHER_VARIABLES.includes(name) || KUBERNETES_VARIABLE.test(name)) continue;
    const field = byName.get(name);
    if (!field) problems.push(`${name}: unknown variable${didYouMean(name, [...byName.keys()])}`);
    else if (value !== undefined && value !== '') given.push({ path: field.path, value, origin: name });
  }
  return { given, problems };
}

/** A YAML file: one map, nested as the paths are. */
export function fromFile(text: string, file: string, fields: readonly Field[]): Collected {
  const yaml = parseYaml(text);
  const at = (line: number | undefined): string => (line === undefined ? file : `${file} line ${line}`);
  if (!isYaml(yaml)) {
    return { given: [], problems: yaml.map(({ line, message }) => `${at(line)}: ${message}`), unreadable: true };
  }

  const given: Given[] = [];
  const problems: string[] = [];
  const originOf = (path: readonly string[]): string => at(yaml.lineOf(path));
  const keysIn = (path: readonly string[]): string[] => {
    const prefix = path.map((part) => `${part}.`).join('');
    const inside = fields.filter((field) => field.path.startsWith(prefix));
    return [...new Set(inside.map((field) => field.path.slice(prefix.length).split('.')[0] ?? ''))];
  };
  const walk = (value: unknown, path: readonly string[]): void => {
    const name = path.join('.');
    const accepted = keysIn(path);
    if (fields.some((field) => field.path === name)) {
      // To YAML, commit.maxDelay and maxDelay in commit are two keys.
      const same = given.find((other) => other.path === name);
      if (same) problems.push(`${name} (${originOf(path)}): this key is there already (${same.origin})`);
      else given.push({ path: name, value, origin: originOf(path) });
    } else if (accepted.length === 0) {
      const siblings = keysIn(path.slice(0, -1));
      const hint = didYouMean(path.at(-1) ?? '', siblings) || `; accepted here: ${siblings.join(', ')}`;
      problems.push(`${name} (${originOf(path)}): unknown key${hint}`);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, member] of Object.entries(value)) walk(member, [...path, key]);
    } else {
      const where = name === '' ? file : `${name} (${originOf(path)})`;
      problems.push(`${where}: expected a map with ${accepted.join(', ')}`);
    }
  };
  if (yaml.value !== null) walk(yaml.value, []);
  return { given, problems };
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const candidate = closest(word, candidates);
  return candidate === undefined ? '' : `; did you mean ${candidate}?`;
}
