import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of its files. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** A certificate authority of the test's own, made by openssl. */
export interface Authority extends AsyncDisposable {
  /** Path of its certificate. */
  readonly file: string;
  /** For a server of these names, e.g. `DNS:localhost,IP:127.0.0.1`; less than 0 days are over already. */
  issue(names: string, days?: number): Promise<Certificate>;
}

export async function createAuthority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'wal2dolt-tls-'));
  const openssl = (...words: string[]) => run('openssl', words, { cwd: folder });
  const selfSigned = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=Test authority'];
  await openssl(...selfSigned, '-keyout', 'ca.key', '-out', 'ca.pem');
  let issued = 0;
  return {
    file: join(folder, 'ca.pem'),
    async issue(names, days = 30) {
      issued += 1;
      const file = (kind: string): string => join(folder, `server${issued}.${kind}`);
      await writeFile(file('ext'), `subjectAltName=${names}\n`);
      const request = ['req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=a server'];
      await openssl(...request, '-keyout', file('key'), '-out', file('csr'));
      const sign = ['x509', '-req', '-in', file('csr'), '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
      await openssl(...sign, '-days', String(days), '-extfile', file('ext'), '-out', file('pem'));
      return { key: file('key'), certificate: file('pem') };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
