import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { embeddedPostgres } from '../src/servers/find-postgres.js';
import { type BuiltCli, buildCli } from './support/built-cli.js';
import { blocksOf, follow, isExcerpt } from './support/document.js';
import { startPostgres } from './support/postgres.js';
import { CLIENT, Story } from './support/story.js';

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const read = (name: string): Promise<string> => readFile(path(name), 'utf8');

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

it.each(['README.md', 'docs/operating.md', 'docs/schema-changes.md'])(
  'what %s tells to do works, and prints what it shows (write that with -u)',
  { timeout: 300_000 },
  async (page) => {
    const markdown = await read(page);
    await using server = await startPostgres();
    await using story = await Story.begin(server, cli.path, inject('doltBinary'), await read('docker/shop.sql'));
    if (page !== 'README.md')
      await story.background('mkdir history\ndolt sql-server --host localhost --port 3306 --data-dir history\n');
    else expect(markdown).toContain(`\n${CLIENT}\n`);
    await expect(await follow(markdown, story)).toMatchFileSnapshot(path(page));
  },
);

/** It brings its own Postgres: once is enough. */
const ours = (await embeddedPostgres())?.folder === inject('postgresBinaries');

it.runIf(ours)('the transcript of README.md is what scripts/quickstart prints', { timeout: 180_000 }, async () => {
  const transcript = blocksOf(await read('README.md')).find(({ info }) => info === 'text demo')?.text ?? '';
  expect(transcript.length).toBeGreaterThan(1000);
  const env = { ...process.env, DOLT_BIN: inject('doltBinary') };
  const { stdout } = await promisify(execFile)(path('scripts/quickstart'), { env });
  expect(isExcerpt(transcript, stdout), stdout).toBe(true);
});
