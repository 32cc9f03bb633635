import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PacedReading, pausableSocket } from './paced-reading.js';

describe('PacedReading', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const MANY = 8;

  /** `receive` is what the socket does where it is read. */
  function reading(): { reading: PacedReading; stream: Readable; receive(pieces: number, length?: number): void } {
    const stream = new Readable({ read: () => {} });
    const paced = new PacedReading(stream);
    const receive = (pieces: number, length = 300): void => {
      for (let i = 0; i < pieces; i += 1) {
        stream.emit('data', Buffer.alloc(length));
        vi.advanceTimersByTime(0); // the next turn of the event loop
      }
    };
    return { reading: paced, stream, receive };
  }

  it('rests for a millisecond after many small pieces, again and again', () => {
    const { stream, receive } = reading();
    for (let round = 0; round < 3; round += 1) {
      receive(MANY - 1);
      expect(stream.isPaused()).toBe(false);
      receive(1);
      expect(stream.isPaused()).toBe(true);
      vi.advanceTimersByTime(1);
      expect(stream.isPaused()).toBe(false);
    }
  });

  it('does not rest where pieces come one by one, or are large', () => {
    const { stream, receive } = reading();
    const paused = vi.fn();
    stream.on('pause', paused);
    for (let i = 0; i < 10 * MANY; i += 1) {
      receive(1);
      vi.advanceTimersByTime(0.5);
    }
    vi.advanceTimersByTime(10);
    receive(10 * MANY, 64 << 10);
    expect(paused).not.toHaveBeenCalled();
  });

  it('counts what one read gave as one piece, however many it was', () => {
    const { stream } = reading();
    for (let i = 0; i < 10 * MANY; i += 1) stream.emit('data', Buffer.alloc(300));
    expect(stream.isPaused()).toBe(false);
  });

  it('does not go on after a rest while whoever reads has enough, nor gives more', async () => {
    const { reading: paced, stream, receive } = reading();
    receive(MANY);
    paced.pause();
    let received = 0;
    stream.on('data', ({ length }) => {
      received += length;
    });
    stream.push(Buffer.alloc(10));
    vi.advanceTimersByTime(10);
    expect(stream.isPaused()).toBe(true);
    expect(received).toBe(0);
    paced.resume();
    await new Promise(process.nextTick);
    expect(received).toBe(10);
  });

  it('gives what came during a rest in one piece', () => {
    const { stream, receive } = reading();
    const lengths: number[] = [];
    stream.on('data', (piece: Buffer) => lengths.push(piece.length));
    receive(MANY, 1);
    for (let i = 0; i < 2 * MANY; i += 1) stream.push(Buffer.alloc(10));
    expect(lengths).toHaveLength(MANY);
    vi.advanceTimersByTime(1);
    expect(lengths.slice(MANY)).toEqual([20 * MANY]);
    expect(stream.isPaused()).toBe(false);
  });

  it('does not go on where what came during a rest is enough already', () => {
    const { reading: paced, stream, receive } = reading();
    receive(MANY);
    stream.once('data', () => paced.pause());
    stream.push(Buffer.alloc(10));
    vi.advanceTimersByTime(1);
    expect(stream.isPaused()).toBe(true);
  });

  it('rests to the end where whoever reads wants more meanwhile', () => {
    const { reading: paced, stream, receive } = reading();
    paced.pause();
    receive(MANY);
    paced.resume();
    expect(stream.isPaused()).toBe(true);
    vi.advanceTimersByTime(1);
    expect(stream.isPaused()).toBe(false);
  });
});

it('a pausable socket reads no more than one piece after it was paused, and all when it goes on', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = pausableSocket();
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1'); // it listens on a port
  const [[sender]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown];
  sender.setNoDelay();
  let received = 0;
  socket.on('data', ({ length }) => {
    received += length;
  });
  socket.pause();
  for (let i = 0; i < 20; i += 1) {
    sender.write('x'.repeat(10));
    await sleep(5);
  }
  expect(socket.bytesRead).toBeLessThanOrEqual(20);
  socket.resume();
  await vi.waitFor(() => expect(received).toBe(200));
  socket.destroy();
  server.close();
});
