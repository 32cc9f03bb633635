import type { SourceStatus, Status, TargetStatus } from '../sync/status.js';
import type { Pace } from './pace.js';

/** A status for people; null parts of it are left out. */
export function formatStatus({ source, target, lag }: Status, pace: Pace | null = null): string {
  return [
    ...section('Postgres', 'error' in source ? [source.error] : sourceLines(source)),
    ...section('Dolt', 'error' in target ? [target.error] : targetLines(target)),
    ...section('Lag', [lagText(lag), ...(pace === null ? [] : [paceText(pace)])]),
    ...('error' in target || target.commits.length === 0
      ? []
      : [
          '',
          'Last commits',
          ...target.commits.map(({ hash, date, message }) => `  ${hash.slice(0, 10)}  ${date}  ${message}`),
        ]),
  ].join('\n');
}

/** The same in one line, for a log. */
export function formatStatusLine({ time, source, target, lag }: Status, pace: Pace | null): string {
  const parts = [
    'error' in source ? source.error : `WAL at ${source.walPosition}, slot ${slotText(source)}`,
    'error' in target ? target.error : (targetLines(target)[0] ?? ''),
    `lag ${lagText(lag)}`,
    ...(pace === null ? [] : [paceText(pace)]),
  ];
  return `${time}  ${parts.join('; ').replaceAll(/\s+/g, ' ')}`;
}

/** Whether everything that was asked answered, and the stream can go on from where it is. */
export function isHealthy({ source, target }: Status): boolean {
  if ('error' in source || 'error' in target) return false;
  // Before the first run there is no slot yet.
  return source.slot.state === 'ok' || (source.slot.state === 'missing' && target.phase === 'empty');
}

function sourceLines({ walPosition, slot, ddl }: SourceStatus): string[] {
  const lines = [`WAL at ${walPosition}`, slot.sentence];
  if (slot.state === 'missing') return lines;
  const confirmed = slot.confirmedFlushLsn === null ? '' : `, acknowledged up to ${slot.confirmedFlushLsn}`;
  lines.push(`${slot.active ? 'in use' : 'not in use: no wal2dolt is running'}${confirmed}`);
  if (slot.retainedBytes !== null) lines.push(`${bytes(slot.retainedBytes)} of WAL are kept for it`);
  lines.push(ddl === 'triggers' ? 'schema changes: exact, by event triggers' : 'schema changes: by relation messages');
  return lines;
}

function targetLines({ phase, endLsn, commitTime, tables }: TargetStatus): string[] {
  if (phase === 'empty') return ['nothing of wal2dolt yet'];
  const copying = tables.copying > 0 ? `, ${tables.copying} to be copied` : '';
  const left = tables.left > 0 ? `, ${tables.left} that left` : '';
  return [
    `${phase === 'snapshot' ? 'the first copy is not complete' : 'streaming'}, up to ${endLsn ?? 'nothing'}`,
    ...(commitTime === null ? [] : [`last transaction of ${commitTime}`]),
    `${tables.streaming} ${tables.streaming === 1 ? 'table' : 'tables'}${copying}${left}`,
  ];
}

function slotText({ slot }: SourceStatus): string {
  if (slot.state !== 'ok') return slot.state;
  return slot.active ? 'in use' : 'not in use';
}

const lagText = (lag: Status['lag']): string =>
  lag === null ? 'unknown' : `${bytes(lag.bytes)} of WAL, ${duration(lag.seconds)}`;

function paceText({ writtenBytesPerSecond, appliedBytesPerSecond, lagIs, secondsToCatchUp }: Pace): string {
  const rates = `${bytes(writtenBytesPerSecond)}/s written, ${bytes(appliedBytesPerSecond)}/s applied`;
  if (lagIs === 'growing') return `${rates}: the lag grows`;
  return secondsToCatchUp === null ? rates : `${rates}: caught up in about ${duration(secondsToCatchUp)}`;
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.map((line, index) => `${(index === 0 ? title : '').padEnd(10)}${line}`);

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** In powers of 1024, as Postgres prints sizes. */
function bytes(count: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(count, 1)) / 10), UNITS.length - 1);
  return `${power === 0 ? count : (count / 1024 ** power).toFixed(1)} ${UNITS[power]}`;
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86_400)} days`;
}
