import { z } from 'zod';
import type { DdlSnapshot } from '../core/ddl-snapshot.js';
import { tableDefinition, toSchemas, typeDefinition } from './definition.js';

/** The prefix of the messages of `wal2dolt.on_ddl`. */
export const DDL_MESSAGE = 'wal2dolt.ddl';

const identity = { oid: z.int(), schema: z.string(), name: z.string() };

/** Where the trigger failed there is nothing but `tag`, `rewritten` and `failure`, and `publication` if that was known. */
const ddlMessage = z.object({
  publication: z.string().default(''),
  tag: z.string(),
  command: z.string().default(''),
  user: z.string().default(''),
  seen: z.string().exactOptional(),
  settings: z.record(z.string(), z.string()).default({}),
  tables: z.array(z.object({ definition: tableDefinition, created: z.boolean(), rewritten: z.boolean() })).default([]),
  types: z.array(typeDefinition).default([]),
  unpublished: z.array(z.object({ ...identity, created: z.boolean() })).default([]),
  dropped: z.array(z.object(identity)).default([]),
  droppedIndexes: z.array(z.object({ schema: z.string(), name: z.string() })).default([]),
  complete: z.boolean().default(false),
  leavesOut: z.array(z.string()).exactOptional(),
  rewritten: z.array(z.int()).default([]),
  failure: z.string().nullable(),
});

/**
 * What a message of the event triggers says. Never throws: one that is not theirs, which everybody in the source may emit, is
 * told as a failure of theirs.
 */
export function parseDdlMessage(content: string): DdlSnapshot {
  try {
    return read(JSON.parse(content));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    return read({ tag: '', failure: `the message is not of the event triggers: ${reason}` });
  }
}

function read(content: unknown): DdlSnapshot {
  const { tables, types, ...message } = ddlMessage.parse(content);
  const definitions = tables.map(({ definition }) => definition);
  const defined = toSchemas(definitions, types).map((schema, i) => ({
    schema,
    created: tables[i]?.created ?? false,
    rewritten: tables[i]?.rewritten ?? false,
  }));
  return { ...message, tables: defined };
}
