import { setTimeout as pause } from 'node:timers/promises';
import pRetry from 'p-retry';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import type { Finding } from '../core/finding.js';
import { asWal2DoltError, type ErrorCode } from '../errors.js';
import { attempt } from './attempt.js';
import { preflight } from './check.js';
import { unlessAborted } from './interrupt.js';
import { Losses } from './losses.js';
import { markAll } from './resync.js';
import type { RunContext } from './run-context.js';

/** `retry.giveUpAfter: 0`. */
const NEVER = Number.POSITIVE_INFINITY;

/**
 * Runs until the end that was asked for, or the signal: the start-up check once, then attempt after attempt, each on new
 * connections, with growing pauses between failures that may pass. Throws a Wal2DoltError for the others, the last one when
 * it gave up, and E_TARGET_CRASHES where every attempt ends at the same statement, as `Losses` has it.
 */
export async function run(config: Config, io: Pick<RunContext, 'logger' | 'progress' | 'signal'>): Promise<void> {
  const { logger, signal } = io;
  const { firstDelay, maxDelay, giveUpAfter } = config.retry;
  let progressed = true;
  const passing = new Set<ErrorCode>();
  const losses = new Losses();
  const context: RunContext = {
    ...io,
    until: null,
    passing,
    onBegin: (head) => losses.begin(head),
    alone: () => losses.since,
    onProgress: () => {
      progressed = true;
      losses.clear();
    },
  };
  const isTransient = (error: unknown): boolean => {
    const { code, policy } = asWal2DoltError(error);
    return policy.action === 'retry' || passing.has(code);
  };
  let checked = false;
  const attemptChecked = async (): Promise<void> => {
    try {
      if (!checked) reportFindings(await unlessAborted(signal, preflight(config)), logger);
      checked = true;
      await attempt(config, context);
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = losses.judge(asWal2DoltError(error));
      throw failure.code === 'E_PUBLICATION_OPERATIONS' ? await markAll(config, failure) : failure;
    }
  };
  // What was achieved between two failures starts the patience anew.
  while (progressed) {
    progressed = false;
    try {
      await pRetry(attemptChecked, {
        retries: NEVER,
        minTimeout: firstDelay,
        maxTimeout: maxDelay,
        maxRetryTime: giveUpAfter === 0 ? NEVER : giveUpAfter,
        randomize: true,
        signal,
        shouldRetry: ({ error }) => isTransient(error) && !progressed,
        onFailedAttempt: ({ error }) => {
          if (!isTransient(error) || signal.aborted) return;
          const { code, message } = asWal2DoltError(error);
          logger.warn({ code }, `${message}; trying again`);
        },
      });
      return;
    } catch (error) {
      // The operator asked for the end: what a stopped attempt leaves undone is done by the next run.
      if (signal.aborted && (error === signal.reason || isTransient(error))) return;
      if (!isTransient(error) || !progressed) throw asWal2DoltError(error);
      await pause(firstDelay, undefined, { signal }).catch(() => {});
    }
  }
}

function reportFindings(findings: readonly Finding[], logger: Logger): void {
  for (const { severity, code, message, fix } of findings) {
    if (severity === 'warning') logger.warn({ code, ...(fix === undefined ? {} : { fix }) }, message);
    else logger.debug({ code }, message);
  }
}
