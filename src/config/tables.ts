import { z } from 'zod';
import {
  parsePattern,
  parseSelection,
  type Selection,
  splitPatterns,
  type TableOptions,
  type TableRules,
} from '../core/patterns.js';
import { refusal, scalar, type ValueInfo, values } from './values.js';
import { isYaml, parseYaml } from './yaml.js';

/** Part of a statement, so it has to look like a type: letters, then sizes. */
const DOLT_TYPE = /^[a-z][a-z0-9_ ]*(\(\s*\d+\s*(,\s*\d+\s*)?\))?( [a-z0-9_ ]+)?$/i;

const doltType = scalar({ accepts: 'a Dolt column type such as DECIMAL(20,4)', placeholder: 'type' }, (value) =>
  DOLT_TYPE.test(value) ? value : undefined,
);

const targetName = scalar(
  { accepts: 'a table name of at most 64 bytes that does not begin with dolt_ or wal2dolt_', placeholder: 'name' },
  (value) => (value !== '' && Buffer.byteLength(value) <= 64 && !/^(wal2)?dolt_/i.test(value) ? value : undefined),
);

const tableOptions = z.strictObject({
  name: targetName.optional(),
  exclude: z.array(z.string().min(1)).optional(),
  types: z.record(z.string(), doltType).optional(),
});

const TYPES: ValueInfo = {
  accepts: 'a map of Postgres type to Dolt type, such as {numeric: DOUBLE}',
  placeholder: 'map',
};

/** Dolt type by Postgres type. As a flag or variable: YAML on one line. */
export const typeMap = () =>
  z
    .preprocess(
      (input, context) => (typeof input === 'string' ? inlineYaml(input, context) : input),
      z.record(z.string().min(1), doltType, { error: (issue) => refusal(TYPES, issue.input) }),
    )
    .transform((types): ReadonlyMap<string, string> => new Map(Object.entries(types)))
    .register(values, TYPES);

const TABLES: ValueInfo = {
  accepts: 'table patterns such as public.*, !public.audit_*, or a map of pattern to true, false, name or options',
  placeholder: 'patterns',
};

type Report = (message: string, path?: readonly PropertyKey[]) => void;

/** Patterns (a list, or text with commas), or a map of pattern to what holds for it; see `TableRules`. */
export const tableRules = () =>
  z
    .unknown()
    .transform((input, context): TableRules => {
      const report: Report = (message, path = []) => context.addIssue({ code: 'custom', message, path: [...path] });
      const text = typeof input === 'string' ? input.trim() : undefined;
      const value = text === undefined ? input : /^[{[]/.test(text) ? inlineYaml(text, context) : splitPatterns(text);
      if (Array.isArray(value) && value.length > 0) return fromList(value, report);
      if (isMap(value)) return fromMap(value, report);
      if (value !== z.NEVER) report(refusal(TABLES, input));
      return z.NEVER;
    })
    .register(values, TABLES);

function fromList(items: readonly unknown[], report: Report): TableRules {
  const selection: Selection[] = [];
  for (const [index, item] of items.entries()) {
    if (typeof item === 'string') attempt(() => selection.push(parseSelection(item)), report, [index]);
    else report(`expected a pattern, got ${JSON.stringify(item)}`, [index]);
  }
  return { selection, options: [] };
}

function fromMap(map: Readonly<Record<string, unknown>>, report: Report): TableRules {
  const selection: Selection[] = [];
  const options: TableRules['options'][number][] = [];
  for (const [key, setting] of Object.entries(map)) {
    attempt(
      () => {
        if (key.startsWith('!')) throw new TypeError('in a map, exclude by the value false instead of !');
        const pattern = parsePattern(key);
        if (typeof setting === 'boolean') {
          selection.push({ pattern, include: setting });
          return;
        }
        const read = readOptions(setting, (message, path = []) => report(message, [key, ...path]));
        if (read?.name !== undefined && pattern.wildcard)
          throw new TypeError('only a single table can be given a name, not a pattern');
        if (read) options.push({ pattern, options: read });
      },
      report,
      [key],
    );
  }
  return { selection, options };
}

/** `orders: bestellungen` is short for `orders: {name: bestellungen}`. */
function readOptions(setting: unknown, report: Report): TableOptions | undefined {
  const parsed =
    typeof setting === 'string' ? tableOptions.safeParse({ name: setting }) : tableOptions.safeParse(setting);
  if (parsed.success) {
    const { name, exclude, types } = parsed.data;
    return { ...(name === undefined ? {} : { name }), ...(exclude ? { exclude } : {}), ...(types ? { types } : {}) };
  }
  if (!isMap(setting) && typeof setting !== 'string') {
    report(`expected true, false, a name, or {name, exclude, types}, got ${JSON.stringify(setting)}`);
    return undefined;
  }
  for (const issue of parsed.error.issues) {
    const message =
      issue.code === 'unrecognized_keys'
        ? `unknown ${issue.keys.join(', ')}; accepted are name, exclude, types`
        : issue.message;
    report(message, typeof setting === 'string' ? [] : issue.path);
  }
  return undefined;
}

function attempt(action: () => void, report: Report, path: readonly PropertyKey[]): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    report(error.message, path);
  }
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function inlineYaml(text: string, context: z.core.$RefinementCtx): unknown {
  const yaml = parseYaml(text);
  if (isYaml(yaml)) return yaml.value;
  context.addIssue({ code: 'custom', message: `can not be read as YAML: ${yaml[0]?.message ?? ''}` });
  return z.NEVER;
}
