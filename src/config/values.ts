import { z } from 'zod';
import { type Lsn, parseLsn } from '../core/position.js';
import { scrubSecrets } from './secrets.js';
import { readTargetTls } from './target-tls.js';

/** The kinds of values that a key may have. Each says in words what it accepts, for messages, `--help` and the docs. */
export interface ValueInfo {
  readonly accepts: string;
  /** Stands for the value in `--help`, e.g. `<duration>`; null for a switch, which needs none. */
  readonly placeholder: string | null;
  /** Never printed. */
  readonly secret?: boolean;
}

export const values = z.registry<ValueInfo>();

/** What was refused and what is accepted; `undefined` means that nothing was given. */
export function refusal(info: ValueInfo, input: unknown, reason = ''): string {
  if (input === undefined) return `is required: ${info.accepts}`;
  if (input === null) return `is empty; expected ${info.accepts}`;
  const why = reason === '' ? '' : ` (${reason})`;
  if (info.secret) return `expected ${info.accepts}${why}`;
  const shown = scrubSecrets(JSON.stringify(input) ?? String(input));
  return `expected ${info.accepts}, got ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown}${why}`;
}

/**
 * A value that fits on a command line. It arrives as text (from a flag or variable) or as YAML's number or boolean;
 * `parse` gets text in every case and returns undefined, or throws a TypeError with the reason, for what it refuses.
 */
export function scalar<T>(info: ValueInfo, parse: (text: string) => T | undefined) {
  return z
    .union([z.string(), z.number(), z.boolean()], { error: (issue) => refusal(info, issue.input) })
    .transform((input, context): T => {
      let reason: string | undefined;
      try {
        const value = parse(String(input).trim());
        if (value !== undefined) return value;
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        reason = error.message;
      }
      context.addIssue({ code: 'custom', message: refusal(info, input, reason) });
      return z.NEVER;
    })
    .register(values, info);
}

/** Text of a given form. */
export const text = (accepts: string, placeholder: string, form: RegExp) =>
  scalar({ accepts, placeholder }, (value) => (form.test(value) ? value : undefined));

export const choice = <const T extends string>(...choices: readonly T[]) =>
  scalar({ accepts: choices.join(', ').replace(/, ([^,]*)$/, ' or $1'), placeholder: 'choice' }, (value) =>
    choices.find((candidate) => candidate === value),
  );

export const onOff = () =>
  scalar({ accepts: 'true or false', placeholder: null }, (value) =>
    value === 'true' ? true : value === 'false' ? false : undefined,
  );

/** A whole number from 1. */
export const count = (max = Number.MAX_SAFE_INTEGER) =>
  scalar(
    {
      accepts: max === Number.MAX_SAFE_INTEGER ? 'a whole number, at least 1' : `a whole number from 1 to ${max}`,
      placeholder: 'n',
    },
    (value) => {
      const number = /^\d+$/.test(value) ? Number(value) : 0;
      return number >= 1 && number <= max ? number : undefined;
    },
  );

const MILLISECONDS = { '': 1, ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** Node's timers take no more; a longer one would fire at once. */
const MAX_DURATION = 2 ** 31 - 1;

/** Milliseconds. */
export const duration = () =>
  scalar(
    {
      accepts: 'a duration such as 250ms, 5s, 2m or 1h (a plain number is milliseconds), at most 24 days',
      placeholder: 'duration',
    },
    (value) => {
      const milliseconds = withUnit(value, MILLISECONDS);
      return milliseconds !== undefined && milliseconds <= MAX_DURATION ? milliseconds : undefined;
    },
  );

// As in Postgres' own settings, units are powers of 1024.
const BYTES = { '': 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 };

/** Bytes. */
export const size = () =>
  scalar(
    { accepts: 'a size such as 512kB, 16MB or 1GB (a plain number is bytes), at least 1', placeholder: 'size' },
    (value) => {
      const bytes = withUnit(value.toLowerCase(), BYTES);
      return bytes !== undefined && bytes >= 1 ? bytes : undefined;
    },
  );

function withUnit(value: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(value);
  const unit = Object.hasOwn(units, match?.[2] ?? '') ? units[match?.[2] ?? ''] : undefined;
  return match && unit !== undefined ? Math.round(Number(match[1]) * unit) : undefined;
}

/** Where to stop: an LSN, or the source's position at start. */
export const stopPosition = () =>
  scalar({ accepts: 'current, or an LSN such as 0/16B3748', placeholder: 'position' }, (value): 'current' | Lsn =>
    value === 'current' ? value : parseLsn(value),
  );

const SOURCE_URL: ValueInfo = {
  accepts: 'postgres://<user>:<password>@<host>:<port>/<database> (special characters percent-encoded: @ as %40)',
  placeholder: 'url',
  secret: true,
};
const TARGET_URL: ValueInfo = {
  accepts:
    'mysql://<user>:<password>@<host>:<port>/<database>, with ?ssl=true for TLS, or ?ssl-ca=<file> for TLS with an authority of your own (special characters percent-encoded: @ as %40)',
  placeholder: 'url',
  secret: true,
};

export const sourceUrl = () =>
  scalar(SOURCE_URL, (value) => {
    readUrl(value, ['postgres:', 'postgresql:']);
    return value;
  });

export const targetUrl = () =>
  scalar(TARGET_URL, (value) => {
    const url = readUrl(value, ['mysql:']);
    const database = decodeURIComponent(url.pathname.slice(1));
    if (url.hostname === '') throw new TypeError('the host is missing');
    if (database === '') throw new TypeError('the database name at the end is missing');
    if (database.includes('/')) throw new TypeError('a database name has no slash; targetBranch sets the branch');
    // Dolt decodes the name of a folder once more, and takes a backslash for a slash there.
    if (/[%\\]|^\.dolt$/.test(database) || database.includes('\0'))
      throw new TypeError('Dolt can not have a database of that name');
    if (/^(mysql|information_schema)$/i.test(database)) throw new TypeError('this database is for Dolt itself');
    readTargetTls(url.searchParams);
    return value;
  });

/** Reasons never quote the URL: where a password has unescaped characters, any part of it may be the password. */
function readUrl(value: string, protocols: readonly string[]): URL {
  let url: URL;
  try {
    url = new URL(value);
    for (const part of [url.username, url.password, url.pathname]) decodeURIComponent(part);
  } catch {
    throw new TypeError('it can not be read as a URL');
  }
  // The drivers would take their default port instead.
  if (url.port === '0') throw new TypeError('there is no port 0');
  if (!protocols.includes(url.protocol)) throw new TypeError(`it must begin with ${protocols[0]}//`);
  if (url.hash !== '' || /@/.test(url.pathname + url.search)) {
    throw new TypeError('a #, /, ? or @ in it is not percent-encoded');
  }
  return url;
}
