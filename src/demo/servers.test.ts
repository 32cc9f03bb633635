import { expect, test } from 'vitest';
import { findPrograms } from './servers.js';

test('a platform without Postgres gets a sentence that says so, and what to do', async () => {
  const found = findPrograms(new AbortController().signal, [async () => null, async () => null]);
  await expect(found).rejects.toMatchObject({
    code: 'E_DEMO',
    message: expect.stringContaining(`no Postgres for ${process.platform}-${process.arch}`),
    policy: { exit: 3, remedy: expect.stringContaining('wal2dolt run --source') },
  });
});
