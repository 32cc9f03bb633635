import pg from 'pg';
import { expect, it } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { createSlot } from '../../test/support/replication.js';
import { LSN_ZERO } from '../core/position.js';
import { PacedReading, pausableSocket } from './paced-reading.js';
import { startReplication } from './walsender.js';

const ROWS = 50_000;

/** Bytes and pieces that came of a backlog of many rows, and how long it took in milliseconds, from the first row. */
async function receiveBacklog(url: string, slot: string): Promise<{ bytes: number; pieces: number; ms: number }> {
  const config = { connectionString: url, replication: 'database', stream: pausableSocket }; // the types do not have all
  const client = new pg.Client(config);
  client.on('error', () => {}); // it is ended in the middle of a command
  await client.connect();
  const { stream } = client.connection;
  new PacedReading(stream);
  const received = { bytes: 0, pieces: 0, ms: 0 };
  stream.on('data', (piece: Buffer) => {
    received.bytes += piece.length;
    received.pieces += 1;
  });
  let rows = 0;
  let first = 0;
  const complete = new Promise<void>((resolve) => {
    client.connection.on('copyData', ({ chunk }: { readonly chunk: Buffer }) => {
      if (chunk[0] === 0x77 && chunk[25] === 0x49) rows += 1; // XLogData, with an Insert
      if (rows === 1) first = performance.now();
      if (rows === ROWS) resolve();
    });
  });
  const ended = client.query(startReplication(slot, 'pub', LSN_ZERO)).catch(() => {});
  await complete;
  received.ms = performance.now() - first;
  stream.destroy();
  await ended;
  return received;
}

it('rows that Postgres sends one by one are read many at once', async () => {
  await using source = await createPostgresDatabase();
  await source.sql('create table t (id int primary key, v text)');
  const slot = await createSlot(source);
  await source.sql(`insert into t select g, repeat('x', 100) from generate_series(1, ${ROWS}) g`);
  const { bytes, pieces, ms } = await receiveBacklog(source.url, slot.name);
  expect(bytes).toBeGreaterThan(ROWS * 100);
  // In a millisecond eight small ones, what was gathered behind them, and what is large. As they come it is twenty.
  expect(pieces).toBeLessThan(10 * ms);
});
