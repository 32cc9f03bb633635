import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pipeline } from './pipeline.js';

interface Piece {
  readonly work: () => Promise<void>;
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
}

/** Work that says when it begins and ends when it is told to. */
function piece(log: string[], name: string): Piece {
  let finish: () => void = () => {};
  let fail: (error: Error) => void = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  const work = async (): Promise<void> => {
    log.push(`${name} begins`);
    await promise;
    log.push(`${name} ends`);
  };
  return { work, finish, fail };
}

const microtasks = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await null;
};
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a pipeline', () => {
  it('does what follows a piece beside the next one, in turn, and is not idle or drained before', async () => {
    const log: string[] = [];
    const pipeline = new Pipeline();
    const [one, two] = [piece(log, 'shows one'), piece(log, 'shows two')];
    await pipeline.submit(async () => pipeline.follow(one.work));
    await pipeline.submit(async () => pipeline.follow(two.work));
    await settled();
    expect(log).toEqual(['shows one begins']);
    expect(pipeline.isIdle).toBe(false);
    let drained = false;
    const draining = pipeline.drain().then(() => {
      drained = true;
    });
    one.finish();
    await settled();
    expect(log).toEqual(['shows one begins', 'shows one ends', 'shows two begins']);
    expect([pipeline.isIdle, drained]).toEqual([false, false]);
    two.finish();
    await draining;
    expect(pipeline.isIdle).toBe(true);
  });

  it('fails by what follows a piece as by the piece, and does nothing more', async () => {
    const log: string[] = [];
    const pipeline = new Pipeline();
    const [one, two, three] = [piece(log, 'shows one'), piece(log, 'shows two'), piece(log, 'three')];
    await pipeline.submit(async () => pipeline.follow(one.work));
    await pipeline.submit(async () => pipeline.follow(two.work));
    one.fail(new Error('refused'));
    await expect(pipeline.drain()).rejects.toThrow('refused');
    expect(pipeline.failed.aborted).toBe(true);
    await expect(pipeline.submit(three.work)).rejects.toThrow('refused');
    expect(log).toEqual(['shows one begins']);
  });

  it('has one piece at work, and takes the next while it is', async () => {
    const log: string[] = [];
    const pipeline = new Pipeline();
    const [one, two, three] = [piece(log, 'one'), piece(log, 'two'), piece(log, 'three')];
    expect(pipeline.isIdle).toBe(true);
    await pipeline.submit(one.work);
    expect(log).toEqual(['one begins']);
    expect(pipeline.isIdle).toBe(false);
    const second = pipeline.submit(two.work).then(() => log.push('two was taken'));
    await settled();
    expect(log).toEqual(['one begins']);
    one.finish();
    await second;
    expect(log).toEqual(['one begins', 'one ends', 'two begins', 'two was taken']);
    two.finish();
    await pipeline.submit(three.work);
    const drained = pipeline.drain().then(() => log.push('drained'));
    await settled();
    expect(log.at(-1)).toBe('three begins');
    three.finish();
    await drained;
    expect(log.slice(-2)).toEqual(['three ends', 'drained']);
    expect(pipeline.isIdle).toBe(true);
    expect(pipeline.failed.aborted).toBe(false);
  });

  it('is drained at once when there is nothing to do', async () => {
    await new Pipeline().drain();
  });

  it('does nothing more after an error, and tells everyone', async () => {
    const log: string[] = [];
    const pipeline = new Pipeline();
    const one = piece(log, 'one');
    await pipeline.submit(one.work);
    const next = expect(pipeline.submit(piece(log, 'two').work)).rejects.toThrow('no disk');
    const other = expect(pipeline.submit(piece(log, 'three').work)).rejects.toThrow('no disk');
    one.fail(new Error('no disk'));
    await Promise.all([next, other]);
    await expect(pipeline.drain()).rejects.toThrow('no disk');
    await expect(pipeline.submit(piece(log, 'four').work)).rejects.toThrow('no disk');
    expect(log).toEqual(['one begins']);
    expect(pipeline.failed.reason).toEqual(new Error('no disk'));
    expect(pipeline.isIdle).toBe(true);
  });

  it('hides no error, however quickly the work fails and whenever one waits for its end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(12), fc.nat(30), fc.boolean(), async (failsAfter, waits, drains) => {
        const pipeline = new Pipeline();
        const log: string[] = [];
        await pipeline.submit(async () => {
          await microtasks(failsAfter);
          throw new Error('no disk');
        });
        await microtasks(waits);
        await expect(drains ? pipeline.drain() : pipeline.submit(piece(log, 'two').work)).rejects.toThrow('no disk');
        expect(log).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
