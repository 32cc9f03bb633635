import { readFile as readFileFromDisk } from 'node:fs/promises';
import type { z } from 'zod';
import { type Config, configSchema, FIELDS, type TargetConfig, targetConfigSchema } from '../config.js';
import { mergeRules } from '../core/patterns.js';
import { Wal2DoltError } from '../errors.js';
import type { Field } from './fields.js';
import { scrubSecrets } from './secrets.js';
import { CONFIG_VARIABLE, type Collected, fromArguments, fromEnvironment, fromFile, type Given } from './sources.js';
import { tableRules } from './tables.js';

/** Read when it exists and no other file is named. */
export const DEFAULT_FILE = 'wal2dolt.yaml';

export interface ConfigSources {
  /** Options as commander parsed them, by camel-case name; `config` is the file. */
  readonly argvOptions: Readonly<Record<string, unknown>>;
  /** Words of the command line that no option took. */
  readonly argvUnknown?: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Rejects with ENOENT where there is no such file. */
  readonly readFile?: (path: string) => Promise<string>;
}

/**
 * The configuration from flags, environment and file (in this order of precedence), else defaults.
 * Throws Wal2DoltError E_CONFIG that lists every problem of all sources at once.
 */
export const loadConfig = (sources: ConfigSources): Promise<Config> => load(sources, configSchema);

/** The same for a command that asks only the target: the source may be missing. */
export const loadTargetConfig = (sources: ConfigSources): Promise<TargetConfig> => load(sources, targetConfigSchema);

async function load<T extends TargetConfig>(sources: ConfigSources, schema: z.ZodType<T>): Promise<T> {
  const file = await collectFile(sources);
  const environment = fromEnvironment(sources.env, FIELDS);
  const flags = fromArguments(sources.argvOptions, sources.argvUnknown ?? [], FIELDS);
  const problems = [...file.problems, ...environment.problems, ...flags.problems];

  // Lowest precedence first: a later value replaces an earlier one, except that table rules add up.
  const given = new Map<string, Given>();
  let tables = tableRules().parse({});
  for (const one of [file, environment, flags].flatMap((collected) => collected.given)) {
    if (one.path !== 'tables') {
      given.set(one.path, one);
      continue;
    }
    const rules = tableRules().safeParse(one.value);
    if (rules.success) tables = mergeRules(tables, rules.data);
    else problems.push(...rules.error.issues.map((issue) => describe(['tables', ...issue.path], issue.message, one)));
  }

  const parsed = schema.safeParse(nest([...given.values()]));
  for (const { path, message } of parsed.error?.issues ?? []) {
    const name = path.join('.');
    const field = FIELDS.find((candidate) => name === candidate.path || name.startsWith(`${candidate.path}.`));
    const origin = field && given.get(field.path);
    if (!field?.required || origin) problems.push(describe(path, message, origin));
    else if (!file.unreadable) problems.push(missing(field, message));
  }
  if (problems.length > 0 || !parsed.success) throw configError(problems);
  return { ...parsed.data, tables };
}

/** One problem on the line itself, several on lines of their own. */
export function configError(problems: readonly string[]): Wal2DoltError {
  const lines = problems.map(scrubSecrets);
  const message =
    lines.length === 1 ? `${lines[0]}` : [`${lines.length} problems in the configuration`, ...lines].join('\n  ');
  return new Wal2DoltError('E_CONFIG', message);
}

async function collectFile(sources: ConfigSources): Promise<Collected> {
  const named = sources.argvOptions.config ?? (sources.env[CONFIG_VARIABLE] || undefined);
  const path = typeof named === 'string' ? named : DEFAULT_FILE;
  const readFile = sources.readFile ?? ((name) => readFileFromDisk(name, 'utf8'));
  let text: string;
  try {
    text = await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    if (named === undefined && code === 'ENOENT') return { given: [], problems: [] };
    const problem = `${path}: ${code === 'ENOENT' ? 'no such file' : `can not be read (${code})`}`;
    return { given: [], problems: [problem], unreadable: true };
  }
  return fromFile(text, path, FIELDS);
}

const missing = (field: Field, message: string): string =>
  `${field.path} ${message}; give ${field.flag}, ${field.variable}, or ${field.path}: in ${DEFAULT_FILE}`;

const describe = (path: readonly PropertyKey[], message: string, origin: Given | undefined): string =>
  `${path.join('.')}${origin ? ` (${origin.origin})` : ''}: ${message}`;

/** `commit.maxRows` becomes {commit: {maxRows}}. */
function nest(given: readonly Given[]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { path, value } of given) {
    const [group, name] = path.split('.');
    if (group === undefined) continue;
    if (name === undefined) root[group] = value;
    // Only this function fills groups, and only with maps.
    else root[group] = { ...(root[group] as Record<string, unknown> | undefined), [name]: value };
  }
  return root;
}
