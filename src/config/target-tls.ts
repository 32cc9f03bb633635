import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** TLS to Dolt: the server's certificate must be valid, of a known authority, and for the host of the URL. */
export interface TargetTls {
  /** Certificates of the authorities to trust, as PEM; null for those that Node.js knows. */
  readonly ca: string | null;
}

const ON = /^(true|1|require|required|on)$/i;
const OFF = /^(false|0|off)$/i;

/**
 * The parameters of the target's URL: `ssl=true`, and `ssl-ca=/path/ca.pem`, which by itself means TLS too, as with
 * MySQL's own clients. Null without TLS. Reads the file. Throws a TypeError with the reason, which quotes no values but
 * the file's name: a slip must never mean a connection without TLS.
 */
export function readTargetTls(parameters: URLSearchParams): TargetTls | null {
  for (const name of parameters.keys()) {
    if (name !== 'ssl' && name !== 'ssl-ca')
      throw new TypeError(`the only parameters are ssl and ssl-ca, not ${JSON.stringify(name)}`);
  }
  const file = parameters.get('ssl-ca');
  const ssl = parameters.get('ssl') ?? String(file !== null);
  if (!ON.test(ssl) && !OFF.test(ssl)) throw new TypeError('ssl is neither true nor false');
  if (ON.test(ssl)) return { ca: file === null ? null : readCertificates(file) };
  if (file !== null) throw new TypeError('ssl-ca is given, but ssl is false');
  return null;
}

function readCertificates(file: string): string {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new TypeError(`the file of ssl-ca, ${JSON.stringify(file)}, can not be read (${code})`);
  }
  try {
    new X509Certificate(pem);
  } catch {
    throw new TypeError(`the file of ssl-ca, ${JSON.stringify(file)}, has no certificate in PEM form`);
  }
  return pem;
}
