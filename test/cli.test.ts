import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FIELDS } from '../src/config.js';
import { type BuiltCli, buildCli, type Outcome, outcomeOf, startCli } from './support/built-cli.js';

/** Nobody listens there. */
const UNREACHABLE = {
  WAL2DOLT_SOURCE: 'postgres://ann:s3cret@127.0.0.1:1/shop',
  WAL2DOLT_TARGET: 'mysql://bob:h1dden@127.0.0.1:1/shop',
};

let cli: BuiltCli;
beforeAll(async () => {
  cli = await buildCli();
}, 120_000);
afterAll(() => cli.remove());

const wal2dolt = (args: readonly string[], env?: Record<string, string>): Promise<Outcome> =>
  outcomeOf(startCli(cli.path, args, env));

describe('help', () => {
  it('of the program tells the commands, exit codes and two examples', async () => {
    const { code, stdout, stderr } = await wal2dolt(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/Commands:\n {2}check.*[\s\S]*\n {2}run /);
    expect(stdout).toMatch(/\$ wal2dolt check --source[\s\S]*\$ wal2dolt run --source/);
    expect(stdout).toContain('Exit codes: 0 done; 1');
  });

  it('of run has every key, with its default, in groups', async () => {
    const { code, stdout } = await wal2dolt(['run', '--help']);
    expect(code).toBe(0);
    for (const { flag, group } of FIELDS) {
      expect(stdout).toContain(`  ${flag} `);
      expect(stdout).toContain(`${group}:\n`);
    }
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'and larger while it is behind. Longer means fewer, larger commits. (default: 1s)',
    );
  });

  it('is what one gets without a command, as an error', async () => {
    const { code, stdout, stderr } = await wal2dolt([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: wal2dolt');
  });

  it('survives a reader that goes away', async () => {
    const child = startCli(cli.path, ['run', '--help']);
    child.stdout?.destroy();
    expect(await outcomeOf(child)).toMatchObject({ code: 0, stderr: '' });
  });

  it('has the version of the package', async () => {
    const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
    expect(await wal2dolt(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('bad usage', () => {
  it('is answered with what was probably meant', async () => {
    const { code, stderr } = await wal2dolt(['rum']);
    expect(code).toBe(2);
    expect(stderr).toContain("unknown command 'rum' (Did you mean run?)");
  });

  it('is told at once, all of it, with the remedy', async () => {
    const args = [
      'check',
      '--log-format',
      'pretty',
      '--slto',
      'a',
      '--commit-max-rows',
      '0',
      'stray',
      ...['--target', 'mysql://bob:h1dden@dolt'],
    ];
    const { code, stdout, stderr } = await wal2dolt(args, { WAL2DOLT_FOO: '1' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      'error E_CONFIG: 6 problems in the configuration',
      '  WAL2DOLT_FOO: unknown variable',
      '  --slto: unknown option; did you mean --slot?',
      '  unexpected argument "stray"',
      expect.stringMatching(/^ {2}source is required: /),
      expect.stringMatching(/^ {2}target \(--target\): .*database name at the end is missing/),
      '  commit.maxRows (--commit-max-rows): expected a whole number, at least 1, got "0"',
      'Correct the configuration; `wal2dolt run --help` lists every key.',
      '',
    ]);
  });

  it('is one JSON line where run writes a log file', async () => {
    const { code, stderr } = await wal2dolt(['run']);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      level: 'error',
      code: 'E_CONFIG',
      remedy: expect.stringContaining('--help'),
    });
  });

  it('is an option without its value', async () => {
    const { code, stderr } = await wal2dolt(['check', '--slot'], { WAL2DOLT_LOG_FORMAT: 'pretty' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error E_CONFIG: option '--slot <name>' argument missing\n/);
  });

  it('never shows a password', async () => {
    const { stderr } = await wal2dolt([
      'run',
      'postgres://ann:s3cret@db/x',
      '--source',
      'postgres://ann:s3c#ret@db/x',
      '--target=mysql://bob:h1dden@x',
    ]);
    expect(stderr).toContain('E_CONFIG');
    expect(stderr).not.toMatch(/s3c|h1dden/);
  });
});

describe('the configuration', () => {
  it('comes from a file, with switches negated by flags', async () => {
    const file = join(cli.folder, 'test.yaml');
    await writeFile(
      file,
      'foreignKeys: true\nchecks: true\nlogLevel: debug\nretry: {giveUpAfter: 1ms, firstDelay: 1ms}\n',
    );
    const { stderr } = await wal2dolt(['run', '--config', file, '--no-foreign-keys'], UNREACHABLE);
    const configuration = stderr.split('\n').find((line) => line.includes('"msg":"configuration"'));
    expect(JSON.parse(configuration ?? '{}').config).toMatchObject({ foreignKeys: false, checks: true });
  });
});

describe('run', () => {
  it('gives up with exit code 4 when it may', async () => {
    const { code, stderr } = await wal2dolt(
      ['run', '--retry-give-up-after', '10ms', '--retry-first-delay', '5ms'],
      UNREACHABLE,
    );
    expect(code).toBe(4);
    const last = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
    expect(last).toMatchObject({ code: 'E_TARGET_UNREACHABLE', action: 'retry', remedy: expect.any(String) });
    expect(stderr).not.toMatch(/s3cret|h1dden|at file:/);
  });

  it('ends with exit code 0 at the first signal', async () => {
    const child = startCli(cli.path, ['run', '--retry-first-delay', '1m', '--retry-max-delay', '1m'], UNREACHABLE);
    child.stderr?.on('data', (text: Buffer) => {
      if (text.toString().includes('_UNREACHABLE')) child.kill('SIGTERM');
    });
    const { code, stderr } = await outcomeOf(child);
    expect(code).toBe(0);
    expect(stderr).toContain('"signal":"SIGTERM","msg":"stopping after the open batch; a second signal exits at once"');
  });

  it('reports what nobody caught as its own defect', async () => {
    const boom = "process.on('SIGUSR2', () => Promise.reject(new Error('boom')))";
    const child = startCli(cli.path, ['run', '--retry-first-delay', '1m', '--retry-max-delay', '1m'], {
      ...UNREACHABLE,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(boom)}`,
    });
    child.stderr?.on('data', (text: Buffer) => {
      if (text.toString().includes('_UNREACHABLE')) child.kill('SIGUSR2');
    });
    const { code, stderr } = await outcomeOf(child);
    expect(code).toBe(3);
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ code: 'E_INTERNAL', msg: 'boom' });
  });
});

describe('a second signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s exits at once with %i', async (signal, expected) => {
    const script = join(cli.folder, 'busy.mjs');
    await writeFile(
      script,
      `import { stopOnSignals } from './dist/cli/process.js';
       stopOnSignals((name) => console.log(name));
       setTimeout(() => {}, 20_000);
       console.log('started');`,
    );
    const child = startCli(script, []);
    child.stdout?.on('data', () => child.kill(signal)); // at 'started', and again when the first is announced
    expect(await outcomeOf(child)).toEqual({
      code: expected,
      stdout: `started\n${signal}\n`,
      stderr: '',
    });
  });
});
