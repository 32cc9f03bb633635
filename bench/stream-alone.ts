import pg from 'pg';
import { LSN_ZERO } from '../src/core/position.js';
import { PacedReading, pausableSocket } from '../src/postgres/paced-reading.js';
import { startReplication } from '../src/postgres/walsender.js';
import type { Source } from './source.js';

/** Of a message of the stream: where the plugin's message begins, and the kinds that are rows. */
const HEADER = 25;
const ROWS = new Set(Buffer.from('IUD'));

/** Seconds that Postgres takes to send a backlog of so many rows to somebody who does nothing with them but count. */
export async function streamAlone(source: Source, rows: number): Promise<number> {
  const config = { connectionString: source.url, replication: 'database', stream: pausableSocket }; // the types do not have all
  const client = new pg.Client(config);
  client.on('error', () => {}); // it is ended in the middle of a command
  await client.connect();
  new PacedReading(client.connection.stream); // or Postgres takes twice as long
  let left = rows;
  const received = new Promise<void>((resolve) => {
    client.connection.on('copyData', ({ chunk }: { readonly chunk: Buffer }) => {
      if (chunk[0] === 0x77 && ROWS.has(chunk[HEADER] ?? 0)) left -= 1;
      if (left === 0) resolve();
    });
  });
  const started = performance.now();
  const ended = client.query(startReplication(await source.slotForPeer(), 'wal2dolt', LSN_ZERO)).catch(() => {});
  await received;
  const seconds = (performance.now() - started) / 1000;
  client.connection.stream.destroy();
  await ended;
  return seconds;
}
