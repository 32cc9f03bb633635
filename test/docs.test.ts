import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config/load.js';
import { type Action, POLICY } from '../src/errors.js';
import { blocksOf } from './support/document.js';
import { CLIENT } from './support/story.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const PAGES = [
  'README.md',
  'docs/architecture.md',
  'docs/configuration.md',
  'docs/operating.md',
  'docs/performance.md',
  'docs/schema-changes.md',
  'docs/types.md',
];

const DOES: Readonly<Record<Action, string>> = { retry: 'tries again', halt: 'halts', resync: 'halts; copy again' };

function errorTable(): string {
  const rows = Object.entries(POLICY).map(
    ([code, { action, exit, remedy }]) =>
      `| \`${code}\` | ${DOES[action]} | ${exit} | ${remedy.replace(/[|*_<>]/g, '\\$&')} |`,
  );
  return ['| code | wal2dolt | exit code | what to do |', '|---|---|---|---|', ...rows].join('\n');
}

it('docs/operating.md has every error, with what to do (write it with -u)', async () => {
  const page = read('docs/operating.md').replace(
    /(<!-- errors: [^\n]*-->\n)[\s\S]*(<!-- \/errors -->)/,
    (_, begin: string, end: string) => `${begin}${errorTable()}\n${end}`,
  );
  expect(page).toContain('| `E_INTERNAL` |');
  await expect(page).toMatchFileSnapshot(join(ROOT, 'docs/operating.md'));
});

describe.each(PAGES)('%s', (page) => {
  const text = read(page).replace(/^```[\s\S]*?^```$/gm, '');

  it('has links that lead somewhere', () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      expect(existsSync(join(ROOT, file)), target).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(read(file)), target).toContain(anchor);
    }
  });

  it('names files that exist', () => {
    for (const [, path = ''] of text.matchAll(/`((?:src|test|scripts|docs|docker)\/[\w./-]+)`/g)) {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
    }
  });
});

it('docs/performance.md measures with commands that there are, the short one as the tests do', () => {
  const commands = blocksOf(read('docs/performance.md')).flatMap(({ info, text }) =>
    info === 'sh' ? text.trim().split('\n') : [],
  );
  expect(commands.length).toBeGreaterThan(2);
  const [npm, main] = ['npm run bench', join(ROOT, 'bench/main.ts')];
  for (const command of commands) {
    const words = command
      .slice(npm.length)
      .split(' ')
      .filter((word) => word !== '' && word !== '--');
    expect(command.startsWith(npm), command).toBe(true);
    // What it would measure, without measuring it.
    expect(
      execFileSync(process.execPath, ['--import', 'tsx', main, ...words, '--list'], { encoding: 'utf8' }),
    ).toContain(': ');
  }
  const inTests = /npm run --silent bench -- (.*)/.exec(read('scripts/test'))?.[1];
  expect(commands).toContain(`npm run bench -- ${inTests?.replace('--json /dev/null ', '')}`);
});

/** As GitHub makes them of headings. */
const anchorsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  );

const blocks = (page: string, info: string): string[] =>
  blocksOf(read(page)).flatMap((block) => (block.info === info ? [block.text] : []));

it('the service of docs/operating.md starts with what its files have', async () => {
  const [unit = '', environment = ''] = blocks('docs/operating.md', 'ini');
  const [yaml = ''] = blocks('docs/operating.md', 'yaml');
  const config = await loadConfig({
    argvOptions: { config: /ExecStart=\S+ run --config (\S+)/.exec(unit)?.[1] },
    env: Object.fromEntries(
      environment
        .trim()
        .split('\n')
        .map((line) => /^(\w+)=(.*)$/.exec(line)?.slice(1) ?? []),
    ),
    readFile: async (path) => {
      expect(path).toBe('/etc/wal2dolt/wal2dolt.yaml');
      return yaml;
    },
  });
  expect(config).toMatchObject({ commit: { maxDelay: 10_000 }, logFormat: 'json' });
  // Another start cannot help against these.
  const halting = new Set(Object.values(POLICY).flatMap(({ action, exit }) => (action === 'retry' ? [] : [exit])));
  expect(/^RestartPreventExitStatus=(.*)$/m.exec(unit)?.[1]?.split(' ').map(Number)).toEqual([...halting]);
});

/** Commands of the pages that docs.e2e.test.ts does not run, and where they are run instead, as the same text. */
const ELSEWHERE: Readonly<Record<string, { readonly file: string; readonly text: string }>> = {
  './scripts/quickstart': { file: 'test/docs.e2e.test.ts', text: 'scripts/quickstart' },
  './scripts/test': { file: '.ci/run', text: 'exec ./scripts/test\n' },
  [CLIENT]: { file: 'test/support/story.ts', text: CLIENT },
};

it('what is not run with its page is run elsewhere', () => {
  for (const command of PAGES.flatMap((page) => blocks(page, 'sh elsewhere'))) {
    const where = ELSEWHERE[command.trim()];
    expect(where, command).toBeDefined();
    if (where) expect(read(where.file)).toContain(where.text);
  }
});
