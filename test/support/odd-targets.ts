import mysql from 'mysql2';
import { inject } from 'vitest';
import { launchDolt } from '../../src/servers/dolt.js';
import { GuardedFolder } from '../../src/servers/guarded-folder.js';
import { freePort } from '../../src/servers/port.js';

interface Target extends AsyncDisposable {
  /** Without a database. */
  readonly url: string;
}

/** A Dolt that takes no writes. */
export async function startReadOnlyDolt(): Promise<Target> {
  const folder = await GuardedFolder.create('wal2dolt-dolt');
  return launchDolt(folder, {
    binary: inject('doltBinary'),
    args: (port) => ['--host', '127.0.0.1', '--port', String(port), '--data-dir', folder.path, '--readonly'],
    env: { HOME: folder.path },
  });
}

/** A server that speaks the protocol and is no Dolt: answers every statement with these two values. */
export async function startMysql(comment: string, version: string): Promise<Target> {
  const server = mysql.createServer((connection) => {
    connection.on('error', () => {});
    // The cast: the driver's types know neither of these members, which its documentation shows.
    const speaker = connection as unknown as { sequenceId: number } & Record<
      'serverHandshake' | 'writeTextResult',
      (...args: unknown[]) => void
    >;
    const column = {
      catalog: 'def',
      schema: '',
      table: '',
      orgTable: '',
      orgName: '',
      characterSet: 45,
      columnLength: 99,
      columnType: 253,
      flags: 0,
      decimals: 0,
    };
    connection.on('query', () => {
      speaker.sequenceId = 1;
      speaker.writeTextResult(
        [{ comment, version }],
        [
          { ...column, name: 'comment' },
          { ...column, name: 'version' },
        ],
      );
      speaker.sequenceId = 0; // the client counts every command's packets from 0
    });
    const authCallback = (_given: unknown, done: (refusal: null) => void) => {
      done(null);
      setImmediate(() => (speaker.sequenceId = 0));
    };
    speaker.serverHandshake({
      protocolVersion: 10,
      serverVersion: version,
      connectionId: 1,
      statusFlags: 2,
      characterSet: 45,
      capabilityFlags: 0xfff7df,
      authCallback,
    });
  });
  const port = await freePort();
  server.listen(port);
  return {
    url: `mysql://root@127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
