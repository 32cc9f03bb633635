import type pg from 'pg';
import { connectSource, queryRows } from '../postgres/client.js';

/**
 * Ends the connection when the signal comes, and what it may be waiting for on the server (a lock, say: closing the
 * connection alone would leave that waiting, and then done). Its statement rejects at once, as on a lost connection.
 * Until disposed, which waits for the server to be told.
 */
export async function interruptOnAbort(client: pg.Client, url: string, signal: AbortSignal): Promise<AsyncDisposable> {
  const [backend] = await unlessAborted(signal, queryRows<{ pid: string }>(client, 'SELECT pg_backend_pid() AS pid'));
  let told: Promise<void> | undefined;
  const interrupt = (): void => {
    told = cancel(url, Number(backend?.pid)).catch(() => {}); // a server that does not answer runs nothing for long
    client.end().catch(() => {});
  };
  signal.addEventListener('abort', interrupt, { once: true });
  if (signal.aborted) interrupt();
  return {
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', interrupt);
      await told;
    },
  };
}

/** Whoever sent the signal waits. */
const CANCEL_MS = 5_000;

async function cancel(url: string, pid: number): Promise<void> {
  const other = await connectSource(url, 'wal2dolt cancel', AbortSignal.timeout(CANCEL_MS));
  await queryRows(other, 'SELECT pg_cancel_backend($1)', [pid]).finally(() => other.end());
}

/** The result, or the signal's reason as soon as it comes: for what changes nothing and may go on alone. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** A signal that is aborted so long after another, with its reason; never, once this is disposed. */
export function after(signal: AbortSignal, ms: number): { readonly signal: AbortSignal } & Disposable {
  const later = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => later.abort(signal.reason), ms);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    signal: later.signal,
    [Symbol.dispose]() {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    },
  };
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
