import { formatLsn } from '../core/position.js';
import { qualifiedName } from '../core/schema.js';
import type { Copied, Waited } from '../sync/await-resync.js';
import type { Resync } from '../sync/resync.js';

/** What was done about it, and who goes on. */
export function formatResync(resync: Resync): string {
  const names = resync.tables.map(qualifiedName).join(', ');
  return resync.how === 'marked'
    ? `No run is going on. Marked in commit ${resync.commit}; the next \`wal2dolt run\` copies again: ${names}`
    : `The run that is going on was asked at ${formatLsn(resync.lsn)} to copy again: ${names}`;
}

export const formatCopied = ({ table, lsn }: Copied): string => `${qualifiedName(table)}: copied at ${formatLsn(lsn)}`;

export const WAITED: Readonly<Record<Exclude<Waited, 'done'>, string>> = {
  ended: 'The run has ended before. The next one reads in the WAL what was asked for.',
  interrupted: 'Not waiting any more; the run does it all the same.',
};

/** `waited` is null where nobody waited. */
export function resyncJson(resync: Resync, waited: Waited | null, copied: readonly Copied[]): unknown {
  return {
    how: resync.how,
    tables: resync.tables.map(qualifiedName),
    lsn: resync.how === 'asked' ? formatLsn(resync.lsn) : null,
    commit: resync.how === 'marked' ? resync.commit : null,
    waited,
    copied: copied.map(({ table, lsn }) => ({ table: qualifiedName(table), lsn: formatLsn(lsn) })),
  };
}
