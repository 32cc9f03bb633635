import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { launchDolt } from '../../src/servers/dolt.js';
import { GuardedFolder } from '../../src/servers/guarded-folder.js';
import type { LocalServer } from '../../src/servers/local-server.js';
import type { Certificate } from './authority.js';

/** A Dolt that takes connections by TLS only. Its url (root, no database) has the host 127.0.0.1 and no parameters. */
export async function startTlsDolt({ key, certificate }: Certificate): Promise<LocalServer> {
  const folder = await GuardedFolder.create('wal2dolt-dolt');
  const config = join(folder.path, 'config.yaml');
  const data = join(folder.path, 'data');
  await mkdir(data);
  const tls = { tls_key: key, tls_cert: certificate, require_secure_transport: true };
  return launchDolt(folder, {
    binary: inject('doltBinary'),
    args: (port) => {
      // Beside a configuration file no option counts. JSON is YAML. https://docs.dolthub.com/sql-reference/server/configuration
      const listener = { host: '127.0.0.1', port, ...tls };
      writeFileSync(config, JSON.stringify({ listener, data_dir: data }));
      return ['--config', config];
    },
    env: { HOME: folder.path },
  });
}
