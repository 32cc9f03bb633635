import type { LogEntry } from '../history/log.js';
import type { SchemaChange } from '../history/schema-difference.js';
import type { SchemaLogEntry } from '../history/schema-log.js';

/** A first copy brings all tables; JSON has them all. */
const CHANGES_SHOWN = 40;
/** Of a definition, a default or a comment. */
const VALUE_CHARACTERS = 200;

/** Commits for people, a line each, as `status` has them. */
export function formatLog(entries: readonly LogEntry[]): string {
  const width = Math.max(0, ...entries.map(({ lsn }) => lsn?.length ?? 0));
  return entries
    .map(({ commit, time, lsn, message }) => `${commit}  ${time}  ${(lsn ?? '').padEnd(width)}  ${message}`)
    .join('\n');
}

/** Schema changes for people: when and by which command, in which commit of which transaction, what changed. */
export function formatSchemaLog(entries: readonly SchemaLogEntry[]): string {
  return entries.map((entry) => [headline(entry), `  ${origin(entry)}`, ...lines(entry)].join('\n')).join('\n\n');
}

const headline = ({ time, message }: SchemaLogEntry): string => `${time}  ${message}`;

function origin({ commit, lsn, xid, user, author, completeIn }: SchemaLogEntry): string {
  return [
    `commit ${commit}`,
    ...(completeIn === null ? [] : [`complete in ${completeIn}`]),
    ...(lsn === null ? [] : [lsn]),
    ...(xid === null ? [] : [`transaction ${xid}`]),
    `by ${user ?? author}`,
  ].join(', ');
}

function lines({ changes }: SchemaLogEntry): string[] {
  const shown = changes.slice(0, CHANGES_SHOWN).map((change) => `    ${change.table}: ${describeChange(change)}`);
  if (changes.length > shown.length) shown.push(`    and ${changes.length - shown.length} more (--json has all)`);
  return shown;
}

/** `column note added: text`; what was there before comes last. */
export function describeChange({ kind, name, from: was, to: is }: SchemaChange): string {
  const from = was === null ? null : short(was);
  const to = is === null ? null : short(is);
  switch (kind) {
    case 'table_added':
      return `added, with ${to}`;
    case 'table_renamed':
      return `renamed from ${from}`;
    case 'table_removed':
      return 'removed';
    case 'table_left':
      return 'no longer followed; stays as it was';
    case 'table_dropped':
      return 'dropped in Postgres; stays as it was';
    case 'table_copying':
      return to === 'back' ? 'followed again, to be copied' : 'to be copied again';
    case 'table_copied':
      return from === null ? `copied at ${to}` : `copied again at ${to}`;
    case 'dolt_table_renamed':
      return `${to} in Dolt, was ${from}`;
    case 'dolt_column_renamed':
      return `column ${name}: ${to} in Dolt, was ${from}`;
    case 'dolt_column_type':
      return `column ${name}: ${to} in Dolt, was ${from}`;
    case 'column_added':
      return `column ${name} added: ${to}`;
    case 'column_dropped':
      return `column ${name} dropped, was ${from}`;
    case 'column_renamed':
      return `column ${to} renamed from ${from}`;
    case 'column_type':
    case 'column_nullable':
      return `column ${name}: ${to}, was ${from}`;
    case 'column_default':
      return `column ${name}: ${to === null ? 'no default' : `DEFAULT ${to}`}, was ${from ?? 'none'}`;
    case 'key':
      return `key ${to || 'none'}, was ${from || 'none'}`;
    case 'replica_identity':
      return `replica identity ${to}, was ${from}`;
    case 'index_added':
    case 'constraint_added':
      return `${kind.split('_')[0]} ${name} added: ${to}`;
    case 'index_dropped':
    case 'constraint_dropped':
      return `${kind.split('_')[0]} ${name} dropped, was ${from}`;
    case 'index_changed':
    case 'constraint_changed':
      return `${kind.split('_')[0]} ${name}: ${to}, was ${from}`;
    case 'comment':
      return to === null ? `no comment, was ${from}` : `comment ${to}`;
    case 'row_filter':
      return `row filter ${to ?? 'none'}, was ${from ?? 'none'}`;
    case 'partitions':
      return `partitions ${to}, were ${from}`;
  }
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > VALUE_CHARACTERS ? `${line.slice(0, VALUE_CHARACTERS)}…` : line;
}
