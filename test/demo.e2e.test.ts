import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { configSchema } from '../src/config.js';
import { compareAll } from '../src/demo/compare.js';
import { parseTarget } from '../src/dolt/address.js';
import { TargetConnection } from '../src/dolt/client.js';
import { embeddedPostgres } from '../src/servers/find-postgres.js';
import { type BuiltCli, buildCli, type Outcome, outcomeOf, startCli } from './support/built-cli.js';

/** The demo brings its own Postgres: once is enough, whatever the other tests run against. */
const ours = (await embeddedPostgres())?.folder === inject('postgresBinaries');
const hasTerminals = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

let cli: BuiltCli;
beforeAll(async () => {
  if (ours) cli = await buildCli();
}, 120_000);
afterAll(() => cli?.remove());

/** A place for temporary folders, so that it can be seen what is left there. */
async function emptyFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'wal2dolt-demo-'));
  await chmod(path, 0o755); // Postgres runs as another user, where this one is root
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const environment = (folder: string): Record<string, string> => ({ TMPDIR: folder, DOLT_BIN: inject('doltBinary') });

const demo = (folder: string, ...options: string[]): Promise<Outcome> =>
  outcomeOf(startCli(cli.path, ['demo', ...options], environment(folder)));

const urlsIn = (stdout: string): { source: string; target: string } => ({
  source: /postgres:\/\/\S+\/shop/.exec(stdout)?.[0] ?? '',
  target: /mysql:\/\/\S+\/shop/.exec(stdout)?.[0] ?? '',
});

describe.runIf(ours)('demo', () => {
  it('copies, streams, compares and shows the history, and leaves nothing', async () => {
    await using folder = await emptyFolder();
    const { code, stdout, stderr } = await demo(folder.path);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^get-dolt: Dolt [\d.]+, .*\n$/) });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    for (const title of ['Starting', 'Creating a shop', 'Copying', 'Streaming', 'Comparing', 'The last commits']) {
      expect(stdout).toContain(`\n\n${title}`);
    }

    const [, transactions, commits] =
      /(\d+) transactions became (\d+) Dolt commits, up to LSN 0\/[0-9A-F]+ /.exec(stdout) ?? [];
    expect(Number(transactions)).toBeGreaterThan(300);
    expect(Number(commits)).toBeGreaterThan(3);
    expect(stdout.match(/ {2}public\.\w+ +[\d,]+ rows equal\n/g)).toHaveLength(6);
    expect(stdout).toContain('all are equal');

    expect(stdout).toMatch(/ Jon Brandt +10 % off are enough[\s\S]* Maya Okafor +Autumn sale/);
    expect(stdout).toMatch(/before +Oslo floor lamp +188\.90\n +sale +Oslo floor lamp +151\.12\n +now .* 170\.01\n/);
    expect(stdout).toMatch(/Maya Okafor +188\.90 +151\.12\n.* Jon Brandt +151\.12 +170\.01\n/);
    expect(stdout).toMatch(/modified +LIG-002 +Oslo floor lamp +188\.90 +151\.12\n/);

    expect(await readdir(folder.path)).toEqual([]);
    await expect(new pg.Client(urlsIn(stdout).source).connect()).rejects.toThrow('ECONNREFUSED');
    await expect(TargetConnection.open(parseTarget(urlsIn(stdout).target))).rejects.toThrow('ECONNREFUSED');
  });

  it.each(['Starting', 'Copying', 'Streaming'])(
    'ends at once at Ctrl-C while it is %s, and leaves nothing',
    async (step) => {
      await using folder = await emptyFolder();
      const child = startCli(cli.path, ['demo'], environment(folder.path));
      let interruptedAt = 0;
      child.stdout?.on('data', (text) => {
        if (interruptedAt > 0 || !String(text).includes(step)) return;
        interruptedAt = Date.now();
        child.kill('SIGINT');
      });
      const { code, stdout } = await outcomeOf(child);
      expect(code).toBe(130);
      expect(stdout).toContain('Interrupted.');
      expect(stdout).not.toContain('The last commits');
      expect(Date.now() - interruptedAt).toBeLessThan(10_000);
      expect(await readdir(folder.path)).toEqual([]);
    },
  );

  it('ends the download of Dolt too, which it began', async () => {
    await using folder = await emptyFolder();
    const program = (name: string, text: string): Promise<void> =>
      writeFile(join(folder.path, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    await program('dolt', 'exit 1');
    await program('curl', `echo $$ >${folder.path}/pid; exec sleep 60`);
    const child = startCli(cli.path, ['demo'], {
      PATH: `${folder.path}:${process.env.PATH}`,
      DOLT_BIN: '',
      XDG_CACHE_HOME: folder.path,
    });
    const outcome = outcomeOf(child);
    const pid = await vi.waitFor(
      async () => Number(await readFile(join(folder.path, 'pid'), 'utf8')) || expect.fail(),
      {
        timeout: 20_000,
      },
    );
    child.kill('SIGINT'); // to this process alone
    expect(await outcome).toMatchObject({ code: 130, stderr: expect.stringContaining('does not run here') });
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(await readdir(join(folder.path, 'wal2dolt'))).toEqual([]);
  });

  it('with --keep leaves servers that can be used, streamed from again, and stopped as it says', async () => {
    await using folder = await emptyFolder();
    const { code, stdout } = await demo(folder.path, '--keep');
    expect(code).toBe(0);
    const stop = /^ +(kill .*)$/m.exec(stdout)?.[1] ?? '';
    try {
      const urls = urlsIn(stdout);
      const client = new pg.Client(urls.source);
      await client.connect();
      await client.query('UPDATE products SET price = 1 WHERE id = 7');
      await client.end();

      const differences = async (): Promise<string[]> => {
        await using target = await TargetConnection.open(parseTarget(urls.target), 'main');
        const tables = await compareAll(urls.source, target, configSchema.parse(urls));
        return tables.filter(({ different }) => different > 0).map(({ table, different }) => `${table} ${different}`);
      };
      expect(await differences()).toEqual(['public.products 2']); // the row as it was, and as it is
      const again = /^ +node \S+ (run .*)$/m.exec(stdout)?.[1] ?? '';
      await promisify(execFile)('sh', ['-c', `"${process.execPath}" "${cli.path}" ${again} --until current`]);
      expect(await differences()).toEqual([]);

      const withDolt = /^ +(\S+dolt --host .* sql)$/m.exec(stdout)?.[1] ?? 'false';
      const sql = `${withDolt} -r csv -q 'SELECT price FROM products WHERE id = 7'`;
      const env = { ...process.env, HOME: folder.path };
      expect(execFileSync('sh', ['-c', sql], { encoding: 'utf8', env })).toBe('price\n1.00\n');
    } finally {
      execFileSync('sh', ['-c', stop]);
    }
    expect((await readdir(folder.path)).filter((name) => name.startsWith('wal2dolt-'))).toEqual([]);
  });

  it.runIf(hasTerminals)('has colours and bars on a terminal, and no colours where they are not wanted', async () => {
    await using folder = await emptyFolder();
    const onTerminal = async (env: Record<string, string>): Promise<string> => {
      const recording = join(folder.path, 'terminal');
      const command = `stty cols 90; '${process.execPath}' '${cli.path}' demo`;
      await promisify(execFile)('script', ['-qefc', command, recording], {
        env: { ...process.env, NO_COLOR: '', TERM: 'xterm', ...environment(folder.path), ...env },
      });
      return readFile(recording, 'utf8');
    };
    const colourful = await onTerminal({});
    expect(colourful).toContain('\u001b[1mCopying');
    expect(colourful).toMatch(/of 6 tables +█*░* \d+ % /);
    const lines = colourful.slice(colourful.indexOf('The last commits')).split('\r\n');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal does not show
    expect(lines.filter((line) => line.replaceAll(/\u001b\[\d+m/g, '').length > 90 && !line.includes(' run '))).toEqual(
      [],
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
    expect(await onTerminal({ NO_COLOR: '1' })).not.toMatch(/\u001b\[\d+m/);
  });
});
