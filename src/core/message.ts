import { type ClosedBatch, type CloseReason, LISTED, type TableCounts, type TransactionContext } from './batch.js';
import { firstLine } from './command-text.js';
import { formatLsn, formatMicros, type Lsn, type Micros, type Position } from './position.js';

/**
 * The message of a Dolt commit: one readable line, then trailers for programs, as git has them. HEAD's trailers also
 * tell a restarted wal2dolt what HEAD holds, since a commit can not contain its own row of `wal2dolt_commits`.
 */
export interface CommitFacts {
  readonly position: Position;
  readonly transactionCount: number;
  readonly rowCount: number;
  readonly reason: CloseReason;
  readonly tag: string | null;
}

/** A commit message may not grow with the batch. */
const TABLES_SHOWN = 8;
/** Dolt panics at a message of 16 MB, and a context may have a gigabyte: `wal2dolt_transactions` keeps it whole. */
const MESSAGE_CHARACTERS = 100_000;
const CONTEXT_CHARACTERS = 1_000;
const AUTHOR_CHARACTERS = 200;
const SUBJECT_CHARACTERS = 120;
const COMMAND_CHARACTERS = 10_000;
const CHANGES_SHOWN = 100;
const CHANGE_CHARACTERS = 300;

const clip = (text: string, characters: number): string =>
  text.length > characters ? `${text.slice(0, characters)}… (${text.length} characters)` : text;

const givenMessage = (context: TransactionContext | null): string =>
  clip(context?.message?.trim() ?? '', MESSAGE_CHARACTERS);

/** How many transactions became this batch. */
export const transactionCount = ({ spilled, transactions }: Pick<ClosedBatch, 'spilled' | 'transactions'>): number =>
  spilled.count + transactions.length;

export function commitMessage(batch: ClosedBatch, position: Position): string {
  const { spilled, transactions } = batch;
  const count = transactionCount(batch);
  const summary = summaryLine(batch, position);
  const given = count === 1 ? givenMessage(transactions[0]?.context ?? null) : '';
  const told = count === 1 ? [] : transactions.filter(({ context }) => context !== null);
  const body = [...spilled.contexts, ...told]
    .slice(0, LISTED)
    .map(
      ({ xid, context }) =>
        `${xid}: ${clip([context?.author, context?.message ?? context?.content].filter(Boolean).join(': '), CONTEXT_CHARACTERS)}`,
    );
  const contextCount = spilled.contextCount + told.length;
  if (contextCount > LISTED) body.push(`and ${contextCount - LISTED} more`);
  const trailers = formatTrailers(
    { position, transactionCount: count, rowCount: batch.rows, reason: batch.reason, tag: batch.tag },
    [...spilled.xids, ...transactions.map(({ xid }) => xid)],
  );
  return [given || summary, ...(given ? [summary] : []), ...(body.length > 0 ? [body.join('\n')] : []), trailers].join(
    '\n\n',
  );
}

export function snapshotMessage(position: Position, tables: number, rows: number): string {
  const facts: CommitFacts = { position, transactionCount: 0, rowCount: rows, reason: 'snapshot', tag: null };
  return `snapshot of ${plural(tables, 'table')}, ${plural(rows, 'row')}, at ${formatLsn(position.endLsn)}\n\n${formatTrailers(facts, [])}`;
}

/** A commit without transactions, such as a step on the way to the first snapshot: HEAD still says where the target stands. */
export function stepMessage(what: string, position: Position): string {
  return `${what}\n\nLsn: ${formatLsn(position.endLsn)}`;
}

/** Rows of a transaction that go on in the commits that follow: no state of the source. */
export function partMessage(what: string, position: Position, xid: number): string {
  return `${what}\n\nLsn: ${formatLsn(position.endLsn)}\nPart-Of: ${xid}`;
}

/** Whether the commit holds only a part of a source transaction. */
export const isPart = (message: string): boolean => trailer(message, 'Part-Of') !== null;

/** A schema change, which is a Dolt commit of its own. */
export interface SchemaCommit {
  /** As Postgres calls the command, e.g. `ALTER TABLE`. */
  readonly tag: string;
  /** As the client sent it, without passwords (the source cuts them off); may hold several statements, and anything else. */
  readonly command: string;
  /** What it changed, a line each. */
  readonly changes: readonly string[];
  /** Of the position row in this commit: with `part`, that of the transaction before. */
  readonly endLsn: Lsn;
  readonly xid: number;
  readonly user: string;
  readonly commitTime: Micros;
  /** The same transaction has rows or other commands, in the commits that follow. */
  readonly part: boolean;
}

/**
 * `ALTER TABLE: alter table orders add note text`, what that changed, the whole command if it has more lines, trailers. What the
 * transaction's context says of it comes first.
 */
export function schemaMessage(
  { tag, command, changes, endLsn, xid, user, commitTime, part }: SchemaCommit,
  context: TransactionContext | null = null,
): string {
  const text = command.trim();
  const line = firstLine(text);
  const subject = oneLine(tag, SUBJECT_CHARACTERS) + (line === '' ? '' : `: ${oneLine(line, SUBJECT_CHARACTERS)}`);
  const shown = changes.slice(0, CHANGES_SHOWN).map((change) => oneLine(change, CHANGE_CHARACTERS));
  if (changes.length > shown.length) shown.push(`and ${changes.length - shown.length} more`);
  const trailers = [
    `Lsn: ${formatLsn(endLsn)}`,
    `Ddl: ${oneLine(tag, SUBJECT_CHARACTERS)}`,
    `Xid: ${xid}`,
    `Ddl-User: ${oneLine(user, AUTHOR_CHARACTERS)}`,
    `Commit-Time: ${formatMicros(commitTime)}`,
    ...(part ? [`Part-Of: ${xid}`] : ['Transactions: 1', 'Rows: 0', 'Reason: ddl']),
  ].join('\n');
  const whole = subject.endsWith(`: ${text}`) ? '' : clip(text, COMMAND_CHARACTERS);
  const paragraphs = [givenMessage(context), subject, shown.join('\n'), whole, trailers];
  return paragraphs.filter((paragraph) => paragraph !== '').join('\n\n');
}

/** What a schema commit's message says of the transaction; null for any other commit. */
export interface SchemaCommitFacts {
  readonly tag: string;
  readonly xid: number | null;
  readonly user: string | null;
  readonly part: boolean;
}

export function readSchemaMessage(message: string): SchemaCommitFacts | null {
  const tag = trailer(message, 'Ddl');
  if (tag === null) return null;
  const xid = trailer(message, 'Xid');
  return {
    tag,
    xid: xid === null ? null : Number(xid),
    user: trailer(message, 'Ddl-User') || null,
    part: trailer(message, 'Part-Of') !== null,
  };
}

export const subjectOf = (message: string): string => message.split('\n')[0] ?? '';

const oneLine = (text: string, characters: number): string => clip(text.replaceAll(/\s+/g, ' ').trim(), characters);

function summaryLine(batch: ClosedBatch, position: Position): string {
  const tables = batch.counts.map(describeCounts);
  const shown = tables.slice(0, TABLES_SHOWN);
  if (tables.length > shown.length) shown.push(`${tables.length - shown.length} more tables`);
  return [
    plural(transactionCount(batch), 'transaction'),
    plural(batch.rows, 'row'),
    ...shown,
    `to ${formatLsn(position.endLsn)}`,
  ].join(', ');
}

/** `orders +100 ~20 -3`, with `emptied` for a TRUNCATE. */
function describeCounts(counts: TableCounts): string {
  const parts = [counts.name];
  if (counts.copied) parts.push('copied');
  if (counts.truncated) parts.push('emptied');
  if (counts.inserted > 0) parts.push(`+${counts.inserted}`);
  if (counts.updated > 0) parts.push(`~${counts.updated}`);
  if (counts.deleted > 0) parts.push(`-${counts.deleted}`);
  return parts.join(' ');
}

const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

function formatTrailers(facts: CommitFacts, xids: readonly number[]): string {
  const { position } = facts;
  const more = facts.transactionCount - LISTED;
  const shown = xids.slice(0, LISTED).join(' ') + (more > 0 ? ` and ${more} more` : '');
  return [
    `Lsn: ${formatLsn(position.endLsn)}`,
    ...(xids.length > 0 ? [`Xids: ${shown}`] : []),
    `Commit-Time: ${formatMicros(position.commitTime)}`,
    `Transactions: ${facts.transactionCount}`,
    `Rows: ${facts.rowCount}`,
    `Reason: ${facts.reason}`,
    ...(facts.tag === null ? [] : [`Tag: ${clip(facts.tag.replaceAll(/\s+/g, ' '), CONTEXT_CHARACTERS)}`]),
  ].join('\n');
}

/** A trailer's value, from the message's last paragraph; null where there is none. */
export function trailer(message: string, name: string): string | null {
  const last = message.trimEnd().split('\n\n').at(-1) ?? '';
  for (const line of last.split('\n')) if (line.startsWith(`${name}: `)) return line.slice(name.length + 2);
  return null;
}

/**
 * `Ann <ann@example.org>` as Dolt wants it; a bare name or address is completed, null where nothing is usable. Dolt
 * refuses (and so would stop the stream at) an empty address and a `)` before the address.
 */
export function authorOf(given: string | undefined): string | null {
  const text =
    given?.replaceAll(/\s+/g, ' ').replaceAll('(', '[').replaceAll(')', ']').trim().slice(0, AUTHOR_CHARACTERS) ?? '';
  const match = /^([^<>]*[^<>\s])\s*<([^<>]*)>$/.exec(text);
  if (match) return `${match[1]} <${match[2]?.trim() || 'unknown'}>`;
  const bare = text.replaceAll(/[<>]/g, '').trim();
  if (bare === '') return null;
  return bare.includes('@') && !bare.includes(' ') ? `${bare} <${bare}>` : `${bare} <unknown>`;
}
