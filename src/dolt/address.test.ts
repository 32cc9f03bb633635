import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTarget, type TargetAddress } from './address.js';

const DEFAULTS: TargetAddress = {
  host: '127.0.0.1',
  port: 3306,
  user: 'root',
  password: '',
  database: 'db',
  tls: null,
};

describe('a target', () => {
  it.each<[string, Partial<TargetAddress>]>([
    ['mysql://127.0.0.1/db', {}],
    ['mysql:///db', {}],
    ['mysql://ann@dolt.example.org:3307/shop', { user: 'ann', host: 'dolt.example.org', port: 3307, database: 'shop' }],
    ['mysql://ann:s3cret@host/db', { user: 'ann', password: 's3cret', host: 'host' }],
    ['mysql://:s3cret@host/db', { password: 's3cret', host: 'host' }],
    ['mysql://ann:a%40b%2Fc%3Ad%25%23%3F%20%C3%A9@host/db', { user: 'ann', password: 'a@b/c:d%#? é', host: 'host' }],
    ['mysql://ann:p@ss:word@host/db', { user: 'ann', password: 'p@ss:word', host: 'host' }],
    ['mysql://a%40b.org:x@host/db', { user: 'a@b.org', password: 'x', host: 'host' }],
    ['mysql://[::1]:3307/db', { host: '::1', port: 3307 }],
    ['mysql://ann:x@[fe80::1]/db', { user: 'ann', password: 'x', host: 'fe80::1' }],
    ['mysql://host/my%20db', { host: 'host', database: 'my db' }],
    ['mysql://host/d%C3%A9p%C3%B4t', { host: 'host', database: 'dépôt' }],
    ['mysql://host/db?ssl=true', { host: 'host', tls: { ca: null } }],
    ['mysql://host/db?ssl=REQUIRED', { host: 'host', tls: { ca: null } }],
    ['mysql://host/db?ssl=1', { host: 'host', tls: { ca: null } }],
    ['mysql://host/db?ssl=false', { host: 'host' }],
  ])('%s', (url, address) => {
    expect(parseTarget(url)).toEqual({ ...DEFAULTS, ...address });
  });

  it.each([
    ['', 'not a URL'],
    ['shop', 'not a URL'],
    ['mysql://ann:s3cret@host:port/db', 'not a URL'],
    ['mysql://ann:s3/cret@host/db', 'not a URL'],
    ['postgres://ann:s3cret@host/db', 'the scheme is postgres'],
    ['mysql://ann:s3cret@host', 'the database is missing'],
    ['mysql://ann:s3cret@host/', 'the database is missing'],
    ['mysql://ann:s3cret@host/db/main', 'a database name has no slash'],
    ['mysql://ann:s3cret@host/db%2Fmain', 'a database name has no slash'],
    ['mysql://ann:s3cret@host/db?ssl=ture', 'ssl is neither true nor false'],
    ['mysql://ann:s3cret@host/db?ssl', 'ssl is neither true nor false'],
    ['mysql://ann:s3cret@host/db?ssl=prefer', 'ssl is neither true nor false'],
    ['mysql://ann:s3cret@host/db?ssl-ca=/nowhere/ca.pem', '"/nowhere/ca.pem", can not be read (ENOENT)'],
    ['mysql://ann:s3cret@host/db?ssl-ca=', 'can not be read'],
    ['mysql://ann:s3cret@host/db?ssl-ca=package.json', '"package.json", has no certificate'],
    ['mysql://ann:s3cret@host/db?ssl=false&ssl-ca=package.json', 'ssl-ca is given, but ssl is false'],
    ['mysql://ann:s3cret@host/db?ssl_ca=ca.pem', 'only parameters are ssl and ssl-ca, not "ssl_ca"'],
    ['mysql://ann:s3cret%@host/db', 'is written %25'],
    ['mysql://a%nn:s3cret@host/db', 'is written %25'],
    ['mysql://ann:s3cret@host/100%', 'is written %25'],
  ])('%s is refused, without its password', (url, why) => {
    const refused = expect(() => parseTarget(url));
    refused.toThrowError(expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining(why) }));
    refused.toThrowError(expect.objectContaining({ message: expect.not.stringMatching(/s3/) }));
    refused.not.toThrowError(expect.objectContaining({ cause: expect.anything() }));
  });

  it('may have any password', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'aZ0:/@%#?&=+ []\\"\'é日🍕\u0001\n'), minLength: 1 }),
        (password) => {
          expect(parseTarget(`mysql://ann:${encodeURIComponent(password)}@host:1/db`).password).toBe(password);
        },
      ),
    );
  });
});
