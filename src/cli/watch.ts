import { setTimeout as sleep } from 'node:timers/promises';
import { scrubSecrets } from '../config/secrets.js';
import { unlessAborted } from '../sync/interrupt.js';
import type { Status } from '../sync/status.js';
import { PaceMeter } from './pace.js';
import { formatStatus, formatStatusLine } from './status-text.js';

export interface WatchOptions {
  readonly look: () => Promise<Status>;
  readonly seconds: number;
  readonly json: boolean;
  readonly output: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

const CLEAR = '\u001b[H\u001b[2J\u001b[3J';
/**
 * Looks again and again until the signal, or until nobody reads the output any more: on a terminal in place of what was
 * there, else one line each time. A look that takes long delays the next one, but not those after it.
 */
export async function watch({ look, seconds, json, output, signal }: WatchOptions): Promise<void> {
  const closed = new AbortController();
  output.once('error', () => closed.abort());
  const end = AbortSignal.any([signal, closed.signal]);
  const meter = new PaceMeter();
  const step = seconds * 1000;
  const started = performance.now();
  let due = 0;
  while (!end.aborted) {
    const status = await unlessAborted(end, look()).catch((error: unknown) => {
      if (!end.aborted) throw error;
    });
    if (!status) return;
    const pace = meter.add(status);
    if (json) output.write(`${scrubSecrets(JSON.stringify({ ...status, pace }))}\n`);
    else if (output.isTTY) output.write(`${CLEAR}${scrubSecrets(formatStatus(status, pace))}\n`);
    else output.write(`${scrubSecrets(formatStatusLine(status, pace))}\n`);
    const passed = performance.now() - started;
    // A timer may be a little early, which is no turn of its own.
    due = Math.max(due + step, Math.ceil(passed / step) * step);
    await sleep(due - passed, undefined, { signal: end }).catch(() => {});
  }
}
