import { renameOrder } from '../core/rename-order.js';
import type { DdlStep } from '../core/schema-diff.js';
import type { TargetColumn, TargetTable } from '../core/target.js';
import { quoteName } from './client.js';
import { columnDefinition, comment, createIndex, type PlannedIndex, plannedIndexes, renameTable } from './ddl.js';

/*
 * Changes of a table as SQL. Nothing here talks to Dolt, whose traps these statements go around:
 * MODIFY says the whole definition again; CHANGE with a new name and a new type at once makes a column of new identity;
 * most ALTERs, and a unique index that is made, lose the table's comment;
 * a column that is dropped silently shrinks its indexes; a long text can not come under an index without a prefix.
 */

export interface TableChangeSql {
  /** All but the last ones. */
  readonly steps: readonly string[];
  /** Once the rows are there: the indexes, and the comment. */
  readonly last: readonly string[];
}

/** What makes `before` into `after`. `rebuildIndexes`: all of them are made anew, since the rows are written anew. */
export function alterTable(
  before: TargetTable,
  after: TargetTable,
  steps: readonly DdlStep[],
  rebuildIndexes = false,
): TableChangeSql {
  const table = quoteName(after.name);
  const indexes = compareIndexes(before, after, rebuildIndexes);
  const renames = steps.filter((step) => step.kind === 'rename table');
  const statements = [
    ...renames.map(({ from, to }) => renameTable(from, to)),
    ...indexes.dropped.map((name) => `ALTER TABLE ${table} DROP INDEX ${quoteName(name)}`),
    ...steps.flatMap((step) => stepSql(step).map((clause) => `ALTER TABLE ${table} ${clause}`)),
    ...indexes.renamed.map(
      ({ from, to }) => `ALTER TABLE ${table} RENAME INDEX ${quoteName(from)} TO ${quoteName(to)}`,
    ),
  ];
  const last = indexes.created.map((index) => createIndex(after, index));
  const lost = after.source.comment !== null && (statements.length > 0 || last.length > 0);
  if (lost || steps.some(({ kind }) => kind === 'comment')) last.push(comment(after));
  return { steps: statements, last };
}

function stepSql(step: DdlStep): string[] {
  switch (step.kind) {
    case 'rename table': // comes first
    case 'comment': // comes last
      return [];
    case 'drop key':
      return ['DROP PRIMARY KEY'];
    case 'drop column':
      return [`DROP COLUMN ${quoteName(step.name)}`];
    case 'rename column':
      return [`RENAME COLUMN ${quoteName(step.from)} TO ${quoteName(step.to)}`];
    case 'modify column': {
      const definition = columnDefinition(step.to);
      const before = columnDefinition(step.from).slice(quoteName(step.from.name).length);
      return before === definition.slice(quoteName(step.to.name).length) ? [] : [`MODIFY COLUMN ${definition}`];
    }
    case 'add column':
      return addColumn(step);
    case 'add placeholder':
      return [`ADD COLUMN ${quoteName(step.name)} VARCHAR(1)`];
    case 'add key':
      return [`ADD PRIMARY KEY (${step.columns.map(quoteName).join(', ')})`];
  }
}

/** Rows that are there get the value by a default that does not stay. */
function addColumn({ column, missing, after }: Extract<DdlStep, { kind: 'add column' }>): string[] {
  const definition = columnDefinition(column);
  const place = after === undefined ? '' : after === null ? ' FIRST' : ` AFTER ${quoteName(after)}`;
  if (missing === null) return [`ADD COLUMN ${definition}${place}`];
  const { conversion, notNull, name } = column;
  const filled = `${quoteName(name)} ${conversion.sql} ${notNull ? 'NOT NULL' : 'NULL'} DEFAULT (${conversion.literal(missing)})`;
  return [`ADD COLUMN ${filled}${place}`, ...(filled === definition ? [] : [`MODIFY COLUMN ${definition}`])];
}

interface IndexChanges {
  readonly dropped: readonly string[];
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  readonly created: readonly PlannedIndex[];
}

/** Indexes by what they are over, whatever it is called now. */
function compareIndexes(before: TargetTable, after: TargetTable, rebuild: boolean): IndexChanges {
  const [old, now] = [plannedIndexes(before), plannedIndexes(after)];
  if (rebuild || keyText(before) !== keyText(after)) {
    return { dropped: old.map(({ name }) => name), renamed: [], created: now };
  }
  const kept = new Map<PlannedIndex, PlannedIndex>();
  const pair = (same: (a: PlannedIndex, b: PlannedIndex) => boolean): void => {
    for (const index of now) {
      if (kept.has(index)) continue;
      const taken = new Set(kept.values());
      const found = old.find(
        (other) => !taken.has(other) && indexText(other) === indexText(index) && same(other, index),
      );
      if (found) kept.set(index, found);
    }
  };
  pair((a, b) => a.name === b.name);
  pair(() => true);
  const staying = new Set(kept.values());
  return {
    dropped: old.filter((index) => !staying.has(index)).map(({ name }) => name),
    renamed: renameOrder([...kept].map(([to, from]) => ({ from: from.name, to: to.name }))),
    created: now.filter((index) => !kept.has(index)),
  };
}

const columnText = ({ source, conversion }: TargetColumn): string => `${source.attnum} ${conversion.sql}`;

const indexText = ({ unique, parts }: PlannedIndex): string =>
  [unique, ...parts.map(({ column, prefix }) => `${columnText(column)} ${prefix}`)].join();

const keyText = (table: TargetTable): string =>
  table.key.map((position) => columnText(table.columns[position] as TargetColumn)).join(); // positions of columns
