import { describe, expect, it } from 'vitest';
import { clientConfig, describeSource } from './client.js';

const failure = (url: string): string => {
  try {
    clientConfig(url, 'test');
    return 'accepted';
  } catch (error) {
    expect(error).toMatchObject({ code: 'E_CONFIG' });
    return String(error);
  }
};

describe('describeSource', () => {
  it('names user, host, port and database without the password, wherever that stands', () => {
    expect(describeSource('postgres://ann:s3cret@db.example.org:5433/shop')).toBe('ann@db.example.org:5433/shop');
    expect(describeSource('postgresql://ann@db/shop?password=s3cret&sslmode=require')).toBe('ann@db:5432/shop');
    expect(describeSource('postgres://ann:p%40ss%2Fword@[::1]:5432/my%20shop')).toBe('ann@::1:5432/my shop');
    expect(describeSource('postgres://ann@db/a%2Fb%26c%2541')).toBe('ann@db:5432/a/b&c%41');
  });

  it('understands unix sockets', () => {
    expect(describeSource('postgres://ann@/shop?host=/run/pg')).toBe('ann@/run/pg:5432/shop');
    expect(describeSource('postgres://ann@%2Frun%2Fpg:5433/shop')).toBe('ann@/run/pg:5433/shop');
  });
});

describe('clientConfig', () => {
  it('takes the connect timeout from the URL', () => {
    expect(clientConfig('postgres://db/shop', 'test').connectionTimeoutMillis).toBe(15_000);
    expect(clientConfig('postgres://db/shop?connect_timeout=3', 'test').connectionTimeoutMillis).toBe(3_000);
  });

  it('refuses what the driver would misunderstand, without telling the password', () => {
    expect(failure('mysql://ann:s3cret@db/shop')).toMatch(/must begin with postgres/);
    expect(failure('host=db password=s3cret')).toMatch(/must begin with postgres/);
    expect(failure('postgres://ann:s3cret@db:port/shop')).toMatch(/Invalid URL/);
    expect(failure('postgres://ann:s3cret@a:1,b:2/shop')).toMatch(/Invalid URL/);
    for (const sslmode of ['prefer', 'no-verify', 'Require']) {
      expect(failure(`postgres://ann:s3cret@db/shop?sslmode=${sslmode}`)).toMatch(
        `sslmode=${sslmode} is not supported`,
      );
    }
    expect(failure('postgres://ann:s3cret@db/shop?sslmod=require')).toMatch(/no connection parameter sslmod$/);
    expect(() => clientConfig('postgres://ann@db/shop?channel_binding=require&keepalives=1', '')).not.toThrow();
    expect(failure('postgres://ann:s3cret@db/shop?sslmode=require&sslrootcert=/nowhere/ca.pem')).toMatch(/ENOENT/);
    for (const url of [
      'mysql://ann:s3cret@db/shop',
      'postgres://ann:s3cret@db:port/shop',
      'postgres://ann:s3cret@a:1,b:2/shop',
    ]) {
      expect(failure(url)).not.toContain('s3cret');
    }
  });
});
