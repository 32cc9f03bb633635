import { existsSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../src/config/load.js';
import { parseTarget } from '../src/dolt/address.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const packageFile = JSON.parse(read('package.json')) as { bin: { wal2dolt: string }; engines: { node: string } };

/** A line of the Dockerfile each, with its continuation lines. */
const instructions = read('docker/Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, ' ')
  .trim()
  .split(/\n+/);
const argumentsOf = (name: string): string[] =>
  instructions.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}
// `${NAME:-default}`, without any such variable set.
const compose = parse(read('docker/compose.yaml').replace(/\$\{\w+:-([^}]*)\}/g, '$1')) as {
  readonly services: Readonly<Record<'postgres' | 'dolt' | 'wal2dolt', Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const { postgres, dolt, wal2dolt } = compose.services;

it('every file that is copied into the image exists and is sent to the builder', () => {
  const sources = argumentsOf('COPY').flatMap((line) =>
    line.startsWith('--from') ? [] : line.split(' ').slice(0, -1),
  );
  expect(sources).toContain('src');
  const sent = read('.dockerignore').split('\n');
  expect(sent).toContain('*');
  for (const source of sources) {
    expect(existsSync(join(ROOT, source)), source).toBe(true);
    expect(sent).toContain(`!${source}`);
  }
});

it('the image runs the program that the package names, on a Node that it takes, not as root', () => {
  const images = argumentsOf('FROM').map((line) => line.split(' ')[0]);
  expect(new Set(images).size).toBe(1);
  const major = Number(/^node:(\d+)-slim$/.exec(images[0] ?? '')?.[1]);
  expect(major).toBeGreaterThanOrEqual(Number(/^>=(\d+)/.exec(packageFile.engines.node)?.[1]));
  expect(JSON.parse(argumentsOf('ENTRYPOINT')[0] ?? '')).toEqual(['node', `/wal2dolt/${packageFile.bin.wal2dolt}`]);
  expect(JSON.parse(argumentsOf('CMD')[0] ?? '')).toEqual(['run']);
  const copied = argumentsOf('COPY').flatMap((line) => /^--from=build \S+ (\S+)$/.exec(line)?.[1] ?? []);
  expect(copied).toEqual(['/wal2dolt/package.json', '/wal2dolt/node_modules', '/wal2dolt/dist']);
  expect(argumentsOf('USER')[0]).toMatch(/^[1-9]/);
});

it('the packages of the image are those that the program needs', () => {
  const [install, build] = argumentsOf('RUN');
  expect(install).toMatch(/^npm ci --omit=optional/);
  expect(build).toMatch(/^npm run build && npm prune --omit=dev --omit=optional/);
});

it('compose takes the Dolt that the tests run with, and a Postgres that streams', () => {
  const version = /^require github.com\/dolthub\/dolt\/go .* \/\/ Dolt ([\d.]+)$/m.exec(
    read('scripts/dolt/go.mod'),
  )?.[1];
  expect(dolt.image).toBe(`dolthub/dolt-sql-server:${version}`);
  expect(Number(/^postgres:(\d+)$/.exec(postgres.image ?? '')?.[1])).toBeGreaterThanOrEqual(15);
  expect(postgres.command).toContain('wal_level=logical');
});

it('compose starts wal2dolt with a configuration that it takes, which fits both servers', async () => {
  expect(wal2dolt.command ?? ['run']).toEqual(['run']);
  const config = await loadConfig({
    argvOptions: {},
    env: wal2dolt.environment,
    readFile: () => Promise.reject(Object.assign(new Error(), { code: 'ENOENT' })),
  });
  const source = new URL(config.source);
  expect([source.hostname, source.port, source.pathname.slice(1), source.username, source.password]).toEqual([
    'postgres',
    '5432',
    postgres.environment.POSTGRES_DB,
    'postgres',
    postgres.environment.POSTGRES_PASSWORD,
  ]);
  const { DOLT_DATABASE: database, DOLT_USER: user, DOLT_PASSWORD: password } = dolt.environment;
  expect(parseTarget(config.target)).toEqual({ host: 'dolt', port: 3306, user, password, database, tls: null });
  expect(dolt.environment.DOLT_USER_HOST).toBe('%');
});

it('compose waits until both servers are healthy, and what it mounts exists', () => {
  for (const [name, { condition }] of Object.entries(wal2dolt.depends_on ?? {})) {
    expect(condition).toBe('service_healthy');
    expect(compose.services[name as keyof typeof compose.services].healthcheck, name).toBeDefined();
  }
  expect(Object.keys(wal2dolt.depends_on ?? {}).sort()).toEqual(['dolt', 'postgres']);
  const { context = '', dockerfile = '' } = wal2dolt.build ?? {};
  expect(normalize(join('docker', context, dockerfile))).toBe('docker/Dockerfile');
  for (const { volumes = [], ports = [] } of Object.values(compose.services)) {
    for (const volume of volumes) {
      const [from = ''] = volume.split(':');
      if (from.startsWith('.')) expect(existsSync(join(ROOT, 'docker', from)), from).toBe(true);
      else expect(compose.volumes).toHaveProperty(from);
    }
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/); // passwords are for trying out only
  }
});
