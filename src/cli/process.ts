/** Exit codes of a process that a signal ended, as shells know them. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The first SIGINT or SIGTERM aborts the signal returned, the second exits at once: nothing needs to be saved, since
 * what Dolt has not committed is still in Postgres.
 */
export function stopOnSignals(announce: (name: string) => void): AbortSignal {
  const controller = new AbortController();
  for (const [name, code] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(code);
      announce(name);
      controller.abort();
    });
  }
  return controller.signal;
}

/** Whoever reads our output may stop reading (`wal2dolt check | head -3`); that ends nothing. */
export function ignoreBrokenPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** Exits when everything that was printed is out, whatever may still be open. */
export async function exit(code: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => {
      stream.write('', () => resolve());
    });
  }
  process.exit(code);
}
