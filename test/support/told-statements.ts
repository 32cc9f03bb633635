import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brief, ToldSource, untold } from './told.js';

/**
 * Tests of statements, a line each: `statement → message; message`, the messages as `brief` has them, and nothing after the
 * statement where none is expected. Each goes on from what the one before it left behind.
 *
 * After each, every published table is, with all that is known of it, as the messages say.
 */
export function follows(name: string, scene: string, statements: string, publication?: string): void {
  const cases = statements
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [sql = '', messages] = line.split(' → ');
      return { sql, messages: messages?.split('; ') ?? [] };
    });
  describe(name, () => {
    let source: ToldSource;
    beforeAll(async () => {
      source = await ToldSource.create(scene, publication);
    });
    afterAll(() => source[Symbol.asyncDispose]());

    it.each(cases)('$sql', async ({ sql, messages }) => {
      const before = await source.tables();
      await source.database.sql(sql);
      const told = await source.told();
      expect(told.map(brief)).toEqual(messages);
      expect(untold(before, await source.tables(), told)).toEqual([]);
    });
  });
}
