import { pino } from 'pino';
import { type Config, configSchema } from '../../src/config.js';
import { type CopyProgress, LoggedProgress } from '../../src/ops/progress.js';
import { run } from '../../src/sync/supervisor.js';

const SILENT = pino({ level: process.env.WAL2DOLT_TEST_LOG ?? 'silent' });

/** A configuration as a user would write it, for the two servers of the test. */
export function configFor(source: string, target: string, settings: Record<string, unknown> = {}): Config {
  return configSchema.parse({ source, target, ...settings });
}

/** A slot's name is taken for the whole server, and tests run side by side. */
const ownSlot = (source: string): { slot: string } => ({ slot: new URL(source).pathname.slice(1) });

/** Runs in this process until everything that Postgres has now is in Dolt; the slot has the name of the source's database. */
export async function drain(source: string, target: string, settings: Record<string, unknown> = {}): Promise<void> {
  await run(configFor(source, target, { ...ownSlot(source), until: 'current', ...settings }), {
    logger: SILENT,
    progress: new LoggedProgress(SILENT),
    signal: new AbortController().signal,
  });
}

/** A run that is stopped when so many tables are copied, and stops in the middle of the next. */
export async function runBroken(
  source: string,
  target: string,
  tables: number,
  settings: Record<string, unknown> = {},
): Promise<void> {
  const controller = new AbortController();
  let left = tables;
  const progress: CopyProgress = {
    start: () => {},
    add: () => {
      if (left <= 0) controller.abort();
    },
    done: () => {
      left -= 1;
    },
    finish: () => {},
  };
  await run(configFor(source, target, { ...ownSlot(source), until: 'current', ...settings }), {
    logger: SILENT,
    progress,
    signal: controller.signal,
  });
}

/** A run that goes on until it is stopped; `stop` resolves when it has ended in order, and throws what it threw. */
export interface Running extends AsyncDisposable {
  /** When it ends, by itself or stopped; rejects with what it threw. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export function startRun(source: string, target: string, settings: Record<string, unknown> = {}): Running {
  const controller = new AbortController();
  const ended = run(configFor(source, target, { ...ownSlot(source), ...settings }), {
    logger: SILENT,
    progress: new LoggedProgress(SILENT),
    signal: controller.signal,
  });
  // Reported by stop(); until then it must not end the process.
  ended.catch(() => {});
  const stop = async (): Promise<void> => {
    controller.abort();
    await ended;
  };
  return { ended, stop, [Symbol.asyncDispose]: () => stop().catch(() => {}) };
}
