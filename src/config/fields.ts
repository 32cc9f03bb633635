import { z } from 'zod';
import { type ValueInfo, values } from './values.js';

/** What the schema says of a key beyond its kind of value. */
export interface KeyInfo {
  readonly group: string;
  /** One or two sentences: what it does, and when to change it. */
  readonly help: string;
  /** A value as one would write it in the file. */
  readonly example: string;
  /** Shown where the default is no value of the key itself, e.g. `all tables`. */
  readonly defaultHelp?: string;
}

export const keys = z.registry<KeyInfo>();

/** A key of the configuration, with its three names. */
export interface Field extends KeyInfo, ValueInfo {
  /** `commit.maxDelay` in the file. */
  readonly path: string;
  /** `--commit-max-delay` */
  readonly flag: string;
  /** `WAL2DOLT_COMMIT_MAX_DELAY` */
  readonly variable: string;
  /** As one would write it; undefined where there is none. */
  readonly default: string | undefined;
  readonly required: boolean;
  readonly schema: z.core.$ZodType;
}

/** All keys of a schema, nested ones by their path, in the order in which they were written. */
export function fieldsOf(schema: z.ZodObject, prefix = ''): Field[] {
  return Object.entries(schema.shape).flatMap(([name, member]): Field[] => {
    const path = `${prefix}${name}`;
    const info = keys.get(member);
    const inner =
      member instanceof z.ZodPrefault || member instanceof z.ZodDefault || member instanceof z.ZodOptional
        ? member.def.innerType
        : member;
    if (inner instanceof z.ZodObject) return fieldsOf(inner, `${path}.`);
    const value = values.get(inner);
    // Written once in the schema, so a test of any kind finds it.
    if (!info || !value) throw new Error(`${path} has no description`);
    const fallback = member instanceof z.ZodPrefault ? String(member.def.defaultValue) : info.defaultHelp;
    const words = path
      .replace(/([A-Z])/g, '-$1')
      .replaceAll('.', '-')
      .toLowerCase();
    return [
      {
        ...info,
        ...value,
        path,
        flag: `--${words}`,
        variable: `WAL2DOLT_${words.replaceAll('-', '_').toUpperCase()}`,
        default: fallback,
        required: member === inner,
        schema: member,
      },
    ];
  });
}
