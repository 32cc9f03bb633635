import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

let home: string;

/** A program that owns a guarded folder with a child, says `<folder> <pid of the child>` and then meets `end`. */
const program = (end: string) => `
  import { spawn } from 'node:child_process';
  import { GuardedFolder } from './guarded-folder.mjs';
  const folder = await GuardedFolder.create('wal2dolt-test');
  const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
  folder.watch({ pid: child.pid, signal: 'SIGTERM' });
  process.stdout.write(folder.path + ' ' + child.pid, () => { ${end} });
  setInterval(() => {}, 1000);
`;

beforeAll(async () => {
  // in JavaScript, since it runs in a process of its own here
  home = await mkdtemp(join(tmpdir(), 'wal2dolt-test-'));
  const source = await readFile(new URL('./guarded-folder.ts', import.meta.url), 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ES2022, target: ts.ScriptTarget.ES2022 },
  });
  await writeFile(join(home, 'guarded-folder.mjs'), outputText);
});
afterAll(() => rm(home, { recursive: true }));

async function run(end: string): Promise<{ folder: string; pid: number }> {
  const file = join(home, `${randomUUID()}.mjs`);
  await writeFile(file, program(end));
  const stdout = await new Promise<string>((resolve) => {
    execFile(process.execPath, [file], (_error, stdout) => resolve(stdout)); // most of these ends are errors
  });
  const [folder = '', pid] = stdout.split(' ');
  return { folder, pid: Number(pid) };
}

async function isAlive(pid: number): Promise<boolean> {
  if (process.platform === 'linux') {
    // a zombie is dead, though in a container it may be that nobody clears it away
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
    return stat !== null && !/\) Z /.test(stat);
  }
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test.each([
  ['exits', 'process.exit()'],
  ['is interrupted', "process.kill(process.pid, 'SIGINT')"],
  ['is killed', "process.kill(process.pid, 'SIGKILL')"],
  ['throws', "throw new Error('x')"],
])('child and folder end with a process that %s', { timeout: 30_000 }, async (_name, end) => {
  const { folder, pid } = await run(end);
  expect(folder).toContain('wal2dolt-test-');
  await vi.waitFor(() => expect(existsSync(folder)).toBe(false), { timeout: 20_000 });
  expect(await isAlive(pid)).toBe(false);
});

test('what was released stays', async () => {
  const { folder, pid } = await run('folder.release(); process.exit()');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(existsSync(folder)).toBe(true);
  expect(await isAlive(pid)).toBe(true);
  process.kill(pid);
  await rm(folder, { recursive: true });
});
