import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Authority, createAuthority } from '../../test/support/authority.js';
import { createDoltDatabase } from '../../test/support/dolt.js';
import { startTlsDolt } from '../../test/support/tls-dolt.js';
import { parseTarget } from './address.js';
import { TargetConnection } from './client.js';

type Server = Awaited<ReturnType<typeof startTlsDolt>>;

let authority: Authority;
let dolt: Server;
beforeAll(async () => {
  authority = await createAuthority();
  dolt = await startTlsDolt(await authority.issue('DNS:localhost'));
});
afterAll(async () => {
  await dolt[Symbol.asyncDispose]();
  await authority[Symbol.asyncDispose]();
});

/** What the server calls us; throws as a connection fails. */
async function connect(server: Server, host: string, parameters: string): Promise<string | null> {
  const address = parseTarget(`mysql://root@${host}:${server.port}/information_schema?${parameters}`);
  await using connection = await TargetConnection.open(address);
  return connection.value('SELECT user()');
}

const refused = (message: RegExp) => ({ code: 'E_TARGET_TLS', message: expect.stringMatching(message) });

describe('a server that takes connections by TLS only', () => {
  it('is connected to where its certificate is of the given authority and for its name', async () => {
    expect(await connect(dolt, 'localhost', `ssl-ca=${authority.file}`)).toBe('root@localhost');
    expect(await connect(dolt, 'localhost', `ssl=true&ssl-ca=${authority.file}`)).toBe('root@localhost');
  });

  it('or for its address', async () => {
    await using server = await startTlsDolt(await authority.issue('IP:127.0.0.1'));
    expect(await connect(server, '127.0.0.1', `ssl-ca=${authority.file}`)).toBe('root@localhost');
    await expect(connect(server, 'localhost', `ssl-ca=${authority.file}`)).rejects.toMatchObject(
      refused(/^Dolt: no connection by TLS: .*localhost. is not cert's CN/),
    );
  });

  it('and refused where that is for another name or address', async () => {
    await expect(connect(dolt, '127.0.0.1', `ssl-ca=${authority.file}`)).rejects.toMatchObject(
      refused(/^Dolt: no connection by TLS: .*127\.0\.0\.1 is not in the cert's list/),
    );
    await using other = await startTlsDolt(await authority.issue('DNS:dolt.example.org'));
    await expect(connect(other, 'localhost', `ssl-ca=${authority.file}`)).rejects.toMatchObject(
      refused(/^Dolt: no connection by TLS: .*localhost. is not in the cert's altnames: DNS:dolt\.example\.org$/),
    );
  });

  it('of an authority that nobody knows', async () => {
    await expect(connect(dolt, 'localhost', 'ssl=true')).rejects.toMatchObject(
      refused(/^Dolt: no connection by TLS: unable to verify the first certificate$/),
    );
    await using stranger = await createAuthority();
    await expect(connect(dolt, 'localhost', `ssl-ca=${stranger.file}`)).rejects.toMatchObject(
      refused(/^Dolt: no connection by TLS: /),
    );
  });

  it('that has expired', async () => {
    await using server = await startTlsDolt(await authority.issue('DNS:localhost', -1));
    await expect(connect(server, 'localhost', `ssl-ca=${authority.file}`)).rejects.toMatchObject(
      refused(/^Dolt: no connection by TLS: certificate has expired$/),
    );
  });

  it('says so to a connection without TLS', async () => {
    await expect(connect(dolt, 'localhost', '')).rejects.toMatchObject(
      refused(/^Dolt: the server takes connections by TLS only, and ssl is not set$/),
    );
  });

  it('is only away while it is not there', async () => {
    await dolt.stop();
    await expect(connect(dolt, 'localhost', `ssl-ca=${authority.file}`)).rejects.toMatchObject({
      code: 'E_TARGET_UNREACHABLE',
    });
    await dolt.start();
    expect(await connect(dolt, 'localhost', `ssl-ca=${authority.file}`)).toBe('root@localhost');
  });
});

it('a server without TLS is not connected to without', async () => {
  await using database = await createDoltDatabase({ url: inject('doltUrl') });
  await expect(TargetConnection.open(parseTarget(`${database.url}?ssl=true`))).rejects.toMatchObject(
    refused(/^Dolt: the server does not speak TLS, which ssl asks for$/),
  );
});
