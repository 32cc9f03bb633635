import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseTarget } from '../src/dolt/address.js';
import { TargetConnection } from '../src/dolt/client.js';
import type { LocalServer } from '../src/servers/local-server.js';
import { type Authority, createAuthority } from './support/authority.js';
import { type BuiltCli, buildCli, type Outcome, outcomeOf, startCli } from './support/built-cli.js';
import { createPostgresDatabase, type PostgresDatabase } from './support/postgres.js';
import { drain } from './support/run.js';
import { startTlsDolt } from './support/tls-dolt.js';

let cli: BuiltCli;
let authority: Authority;
let dolt: LocalServer;
let source: PostgresDatabase;
beforeAll(async () => {
  [cli, authority, source] = await Promise.all([buildCli(), createAuthority(), createPostgresDatabase()]);
  dolt = await startTlsDolt(await authority.issue('DNS:localhost'));
});
afterAll(async () => {
  await dolt[Symbol.asyncDispose]();
  await Promise.all([cli.remove(), authority[Symbol.asyncDispose](), source[Symbol.asyncDispose]()]);
});

const target = (parameters: string): string => `mysql://root@localhost:${dolt.port}/shop?${parameters}`;

const check = (parameters: string, env: Record<string, string> = {}): Promise<Outcome> =>
  outcomeOf(startCli(cli.path, ['check', '--source', source.url, '--target', target(parameters)], env));

it('a whole run goes by TLS', async () => {
  await source.sql('create table t (id int primary key); insert into t values (1)');
  await drain(source.url, target(`ssl-ca=${authority.file}`));
  await source.sql('insert into t values (2)');
  await drain(source.url, target(`ssl-ca=${authority.file}`));
  await using connection = await TargetConnection.open(parseTarget(target(`ssl-ca=${authority.file}`)));
  expect(await connection.rows('SELECT id FROM t ORDER BY id')).toEqual([['1'], ['2']]);
});

it('an authority may be known to Node.js instead', async () => {
  const unknown = await check('ssl=true');
  expect(unknown.stdout).toContain('[E_TARGET_TLS] Dolt: no connection by TLS: unable to verify');
  expect(unknown.code).toBe(1);
  const known = await check('ssl=true', { NODE_EXTRA_CA_CERTS: authority.file });
  expect(known.stdout).not.toContain('E_TARGET_TLS');
});

it('a file that is not there is told before anything else', async () => {
  const { code, stderr } = await check('ssl-ca=/nowhere/ca.pem');
  expect(stderr).toContain('the file of ssl-ca, "/nowhere/ca.pem", can not be read (ENOENT)');
  expect(stderr).toContain('error E_CONFIG');
  expect(code).toBe(2);
});
