import { describe, expect, it } from 'vitest';
import { Inbox } from './inbox.js';

function inbox(highWater = 10): { inbox: Inbox<string>; calls: string[] } {
  const calls: string[] = [];
  const producer = { pause: () => void calls.push('pause'), resume: () => void calls.push('resume') };
  return { inbox: new Inbox<string>(highWater, producer), calls };
}

describe('Inbox', () => {
  it('gives everything that waits, once', async () => {
    const { inbox: box } = inbox();
    box.push('a', 1);
    box.push('b', 1);
    expect(await box.take(0)).toEqual(['a', 'b']);
    expect(await box.take(0)).toEqual([]);
  });

  it('wakes a waiting take, which gives all that came in the same turn', async () => {
    const { inbox: box } = inbox();
    const taken = box.take(60_000);
    box.push('a', 1);
    box.push('b', 1);
    expect(await taken).toEqual(['a', 'b']);
  });

  it('waits as long as it was told, and no longer', async () => {
    const { inbox: box } = inbox();
    const before = performance.now();
    expect(await box.take(30)).toEqual([]);
    expect(performance.now() - before).toBeGreaterThan(25);
    const endless = box.take(Number.POSITIVE_INFINITY);
    setTimeout(() => box.push('late', 1), 20);
    expect(await endless).toEqual(['late']);
  });

  it('returns from a wait when woken', async () => {
    const { inbox: box } = inbox();
    const taken = box.take(60_000);
    box.wake();
    expect(await taken).toEqual([]);
  });

  it('pauses once at high water, and resumes when everything was taken', async () => {
    const { inbox: box, calls } = inbox(10);
    box.push('a', 9);
    expect(calls).toEqual([]);
    box.push('b', 1);
    box.push('c', 1);
    expect(calls).toEqual(['pause']);
    expect(box.paused).toBe(true);
    await box.take(0);
    expect(calls).toEqual(['pause', 'resume']);
    box.push('d', 9);
    await box.take(0);
    expect(calls).toEqual(['pause', 'resume']);
    expect(box.paused).toBe(false);
  });

  it('after twice as much or more, resumes only when the consumer comes again', async () => {
    const { inbox: box, calls } = inbox(10);
    box.push('huge', 32);
    expect(await box.take(0)).toEqual(['huge']);
    expect(calls).toEqual(['pause']);
    box.push('in hand', 1);
    expect(await box.take(0)).toEqual(['in hand']);
    expect(calls).toEqual(['pause', 'resume']);

    box.push('huge', 32);
    await box.take(0);
    expect(box.paused).toBe(true);
    const waiting = box.take(60_000);
    expect(box.paused).toBe(false);
    box.push('next', 1);
    expect(await waiting).toEqual(['next']);
  });

  it('gives what came before a failure, then fails for ever, with the first failure', async () => {
    const { inbox: box } = inbox();
    box.push('a', 1);
    box.fail(new Error('first'));
    box.fail(new Error('second'));
    expect(await box.take(0)).toEqual(['a']);
    await expect(box.take(60_000)).rejects.toThrow('first');
    await expect(box.take(60_000)).rejects.toThrow('first');
  });

  it('fails a take that waits', async () => {
    const { inbox: box } = inbox();
    const taken = box.take(60_000);
    box.fail(new Error('gone'));
    await expect(taken).rejects.toThrow('gone');
  });

  it('knows its last item, and replaces it', async () => {
    const { inbox: box } = inbox();
    expect(box.last).toBeUndefined();
    box.push('a', 1);
    box.push('b', 1);
    expect(box.last).toBe('b');
    box.replaceLast('c');
    expect(await box.take(0)).toEqual(['a', 'c']);
    expect(box.last).toBeUndefined();
  });

  it('refuses two takes at once: the first would wait for ever', async () => {
    const { inbox: box } = inbox();
    const first = box.take(60_000);
    await expect(box.take(60_000)).rejects.toThrow('another take()');
    box.push('a', 1);
    expect(await first).toEqual(['a']);
  });
});
