import type { CopyCase, DrainCase, Finding, Limit, OwnCase } from './case.js';
import type { Measurement } from './run-case.js';

export interface Compared {
  readonly work: DrainCase | CopyCase;
  readonly measured: readonly Measurement[];
}

export interface Found {
  readonly work: OwnCase;
  /** Each found the same things. */
  readonly runs: readonly (readonly Finding[])[];
}

/** A line for each case and contender, as Markdown. */
export function* comparisonTable(results: readonly Compared[], short: boolean): Iterable<string> {
  if (results.length === 0) return;
  yield '| case | who | rows/s: median (min to max) | wal2dolt is | must be | CPU s: client, Dolt, Postgres | peak MB: client, Dolt |';
  yield '|---|---|---|---|---|---|---|';
  for (const { work, measured } of results) {
    for (const [contender, runs] of byContender(measured)) {
      const speeds = runs.map(({ rowsPerSecond }) => rowsPerSecond);
      const speed = `${round(median(speeds))} (${round(Math.min(...speeds))} to ${round(Math.max(...speeds))})`;
      const ratio = contender === 'wal2dolt' ? '' : `${ratioTo(contender, measured).toFixed(2)}`;
      const limit = work.limits.find(({ of }) => of === contender);
      const sides = ['client', 'dolt'] as const;
      const seconds = [
        ...sides.map((side) => runs.map((run) => run[side].cpuSeconds)),
        runs.map(({ postgresSeconds }) => postgresSeconds),
      ];
      const used = seconds.map((each) => median(each).toFixed(1)).join(', ');
      const peak = sides.map((side) => round(Math.max(...runs.map((run) => run[side].peakBytes)) / 2 ** 20)).join(', ');
      yield `| ${work.name} | ${contender} | ${speed} | ${ratio} | ${(limit && leastOf(limit, short)) ?? ''} | ${used} | ${peak} |`;
    }
  }
}

/** A line for each thing that was measured, as Markdown. */
export function* findingsTable(results: readonly Found[]): Iterable<string> {
  if (results.length === 0) return;
  yield '| case | what | measured | at most |';
  yield '|---|---|---|---|';
  for (const { work, runs } of results) {
    for (const { what, values, unit, atMost } of together(runs)) {
      const range = values.length === 1 ? '' : ` (${three(Math.min(...values))} to ${three(Math.max(...values))})`;
      yield `| ${work.name} | ${what} | ${three(median(values))}${range} ${unit} | ${atMost ?? ''} |`;
    }
  }
}

/** Sentences on what is slower than it must be. */
export function slower({ work, measured }: Compared, short: boolean): string[] {
  return work.limits.flatMap((limit) => {
    const ratio = ratioTo(limit.of, measured);
    const least = leastOf(limit, short);
    return least === null || ratio >= least
      ? []
      : [`${work.name}: ${ratio.toFixed(2)} of ${limit.of}, less than ${least}`];
  });
}

const leastOf = (limit: Limit, short: boolean): number | null => (short ? (limit.short ?? null) : limit.atLeast);

/** Sentences on what is more than it may be. */
export function exceeded({ work, runs }: Found): string[] {
  return together(runs).flatMap(({ what, values, unit, atMost }) => {
    const value = median(values);
    return atMost === null || value <= atMost
      ? []
      : [`${work.name}: ${what}: ${three(value)} ${unit}, more than ${atMost}`];
  });
}

/** What the runs found of each thing. */
const together = ([first = [], ...others]: Found['runs']): (Finding & { readonly values: readonly number[] })[] =>
  first.map((finding) => {
    const same = others.flatMap((run) => run.filter(({ what }) => what === finding.what));
    return { ...finding, values: [finding, ...same].map(({ value }) => value) };
  });

function ratioTo(contender: string, measured: readonly Measurement[]): number {
  const speeds = byContender(measured);
  const of = (who: string): number => median((speeds.get(who) ?? []).map(({ rowsPerSecond }) => rowsPerSecond));
  return of('wal2dolt') / of(contender);
}

function byContender(measured: readonly Measurement[]): Map<string, Measurement[]> {
  const found = new Map<string, Measurement[]>();
  for (const one of measured) found.set(one.contender, [...(found.get(one.contender) ?? []), one]);
  return found;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

const round = (number: number): string => Math.round(number).toLocaleString('en');

const three = (number: number): string => String(Number(number.toPrecision(3)));
