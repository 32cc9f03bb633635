import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ranges from which Linux (32768) and macOS (49152) take the ports of outgoing connections: a server that is
 * stopped and started again finds its port free, where one from those ranges could be some client's by then.
 */
const FIRST = 20_000;
const LAST = 32_000;
const ATTEMPTS = 100;

/**
 * A TCP port of 127.0.0.1 on which nobody listens now. Somebody else may take it before its user does; whoever starts a
 * server must be ready to ask for another one (see `LocalServer`).
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port found between ${FIRST} and ${LAST} on 127.0.0.1.`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  await new Promise((resolve) => probe.close(resolve));
  return true;
}
