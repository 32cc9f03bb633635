import { createInterface } from 'node:readline/promises';
import type { Config } from '../config.js';
import type { TeardownPlan } from '../sync/teardown.js';

/** What a teardown will do, a line each, and what it leaves alone. */
export function formatPlan(plan: TeardownPlan, { slot, publication }: Pick<Config, 'slot' | 'publication'>): string {
  return [
    plan.slot
      ? `drops the replication slot ${slot}: the stream can not go on without it`
      : `the replication slot ${slot} does not exist`,
    {
      drop: `drops the publication ${publication}`,
      leave: `leaves the publication ${publication}, which wal2dolt did not create`,
      missing: `the publication ${publication} does not exist`,
    }[plan.publication],
    ...{
      drop: ['drops the event triggers wal2dolt_ddl, wal2dolt_drop and wal2dolt_rewrite, and the schema wal2dolt'],
      unfollow: [`leaves the event triggers, which other publications have, without ${publication}`],
      leave: ['leaves the event triggers and the schema wal2dolt, which somebody else owns'],
      missing: [],
    }[plan.triggers],
    'leaves Dolt as it is, with all data and history',
  ]
    .map((line) => `  ${line}`)
    .join('\n');
}

export const isNothing = (plan: TeardownPlan): boolean =>
  !plan.slot && plan.publication !== 'drop' && plan.triggers !== 'drop' && plan.triggers !== 'unfollow';

/** Asks on the terminal; everything but y or yes is a no. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-D ends the input without an answer, which would leave the question open for ever.
  const ended = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    return /^\s*y(es)?\s*$/i.test(await Promise.race([terminal.question(`${question} [y/N] `), ended]));
  } finally {
    terminal.close();
  }
}
