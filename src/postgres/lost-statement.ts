import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Wal2DoltError } from '../errors.js';

/** The server is asked about a statement when nothing was received for so long, and the answer may come for as long after that. */
const PATIENCE_MS = 10_000;

/**
 * The result of a statement that is sent already. It may take as long as it likes; but where the network drops what is sent,
 * the statement or its answer is lost, and the system would wait for it for a quarter of an hour. So the server is asked,
 * elsewhere, whether it `runs` anything for us: when it does not and nothing more comes, the connection is ended, and the
 * statement rejects with E_SOURCE_UNREACHABLE.
 */
export async function unlessLost<T>(socket: Socket, runs: () => Promise<boolean>, statement: Promise<T>): Promise<T> {
  const settled = new AbortController();
  endWhenLost(socket, runs, settled.signal).catch(() => {}); // rejects when the statement has settled
  return statement.finally(() => settled.abort());
}

async function endWhenLost(socket: Socket, runs: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (;;) {
    const received = socket.bytesRead;
    await pause(PATIENCE_MS, undefined, { signal });
    if (socket.bytesRead !== received) continue;
    // Who can not be asked may well be at it.
    if (await runs().catch(() => true)) continue;
    await pause(PATIENCE_MS, undefined, { signal });
    if (socket.bytesRead !== received) continue;
    const message =
      'the network lost a statement, or its answer: Postgres runs nothing for the connection that waits for it';
    socket.destroy(new Wal2DoltError('E_SOURCE_UNREACHABLE', message));
    return;
  }
}
