import { readTargetTls, type TargetTls } from '../config/target-tls.js';
import { Wal2DoltError } from '../errors.js';

/** `mysql://user:password@host:port/database?ssl-ca=/path/ca.pem`, taken apart. */
export interface TargetAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Null for a connection without TLS. */
  readonly tls: TargetTls | null;
}

/** Reads the file of `ssl-ca` too. Throws E_CONFIG, without the password in the message. */
export function parseTarget(url: string): TargetAddress {
  const refuse = (why: string): never => {
    throw new Wal2DoltError('E_CONFIG', `target: ${why}; expected mysql://user:password@host:port/database`);
  };
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return refuse('not a URL');
  }
  if (parsed.protocol !== 'mysql:') return refuse(`the scheme is ${parsed.protocol.slice(0, -1)}`);
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return refuse('a % that stands for itself is written %25');
    }
  };
  const tls = (): TargetTls | null => {
    try {
      return readTargetTls(parsed.searchParams);
    } catch (error) {
      if (error instanceof TypeError) return refuse(error.message);
      throw error;
    }
  };
  const database = decode(parsed.pathname.slice(1));
  if (database === '') return refuse('the database is missing');
  if (database.includes('/')) return refuse('a database name has no slash (the branch is set by targetBranch)');
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: parsed.port === '' ? 3306 : Number(parsed.port),
    user: decode(parsed.username) || 'root',
    password: decode(parsed.password),
    database,
    tls: tls(),
  };
}
