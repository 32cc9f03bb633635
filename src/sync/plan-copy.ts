import { qualifiedName, type TableSchema } from '../core/schema.js';
import type { TargetTable } from '../core/target.js';
import { readTable } from '../dolt/bookkeeping.js';
import type { Committer } from '../dolt/committer.js';
import { Wal2DoltError } from '../errors.js';
import type { Relations } from './relations.js';
import type { RunContext, Sides } from './run-context.js';
import type { SchemaChanges } from './schema-changes.js';
import { planTables, replanTable, restoreTable } from './tables.js';

/** What copies of tables work on, beside the first one. */
export interface Copying {
  readonly sides: Sides;
  readonly context: RunContext;
  readonly committer: Committer;
  readonly relations: Relations;
  readonly changes: SchemaChanges;
}

/** A table that is to be copied: what Dolt has of it, and what it becomes. */
export interface PlannedCopy {
  readonly before: TargetTable | null;
  readonly after: TargetTable;
  /** The bookkeeping has it. */
  readonly isKnown: boolean;
}

/** What becomes of a table that is `schema` in its copy. */
export async function planCopy(options: Copying, schema: TableSchema): Promise<PlannedCopy> {
  const { sides, relations } = options;
  const { staging, rules } = sides;
  const known = await readTable(staging.writer, schema.oid);
  const isThere = known !== null && (await staging.writer.hasTable(known.targetName));
  const before = relations.tables.get(schema.oid)?.table ?? (isThere ? restoreTable(known, rules) : null);
  const after = before ? replan(options, before, schema) : planTables([schema], rules, taken(options, schema.oid))[0];
  if (!after) throw new Wal2DoltError('E_INTERNAL', `no plan for ${qualifiedName(schema)}`);
  return { before, after, isKnown: known !== null };
}

/** A table that is, or will be, in Dolt, and is `schema` in the source. */
export const replan = (options: Copying, before: TargetTable, schema: TableSchema): TargetTable =>
  replanTable(before, schema, options.sides.rules, taken(options, schema.oid));

/** Names in Dolt that the table can not have: of those that are followed, and of those that will be. */
function taken({ relations, changes }: Copying, oid: number): string[] {
  const all = [...relations.tables.values(), ...changes.joining.values()];
  return all.flatMap(({ table }) => (table.source.oid === oid ? [] : [table.name]));
}
