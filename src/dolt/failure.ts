import { type ErrorCode, Wal2DoltError } from '../errors.js';

/** mysql2's errors carry these beside the message. */
interface MysqlError extends Error {
  readonly code?: string;
  readonly errno?: number;
  readonly fatal?: boolean;
}

/**
 * Dolt answers nearly everything with errno 1105 and SQLSTATE HY000, so most failures can only be told by their words.
 * Seen on Dolt 2.2.0.
 */
const BY_MESSAGE: readonly (readonly [RegExp, ErrorCode])[] = [
  // Only as the message begins: Dolt quotes values in some, and a value may say anything.
  [
    /^serialization failure|^Committing this transaction resulted in a working set with constraint/i,
    'E_TARGET_CONFLICT',
  ],
  [/^local changes would be stomped/i, 'E_TARGET_DIRTY'],
  [/^(fatal: )?not possible to fast-forward|^cannot fast forward/i, 'E_TARGET_DIVERGED'],
  [
    /^command denied|^access denied for user .* to database|does not have the correct permissions on branch/i,
    'E_TARGET_PRIVILEGE',
  ],
  [/^duplicate primary key given/i, 'E_TARGET_DIVERGED'],
  // Postgres took the value twice, so the constraint is gone there.
  [/^duplicate unique key given/i, 'E_SCHEMA_CHANGED'],
  [/^server is (currently )?(shutting down|in quiescing)/i, 'E_TARGET_UNREACHABLE'],
];

const BY_ERRNO: Readonly<Record<number, ErrorCode>> = {
  1048: 'E_SCHEMA_CHANGED', // NULL for a column that was NOT NULL
  1044: 'E_TARGET_PRIVILEGE',
  1045: 'E_TARGET_AUTH',
  1062: 'E_TARGET_DIVERGED',
  1142: 'E_TARGET_PRIVILEGE',
  1213: 'E_TARGET_CONFLICT',
};

const NETWORK =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|PROTOCOL_CONNECTION_LOST|PROTOCOL_UNEXPECTED_PACKET|PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR|ER_CON_COUNT_ERROR|HANDSHAKE_TIMEOUT)$/;

/** Says what a failed call to Dolt means. The statement is named by its beginning only: its values may be secret. */
export function asTargetError(thrown: unknown, statement?: string): Wal2DoltError {
  if (thrown instanceof Wal2DoltError) return thrown;
  const error: MysqlError = thrown instanceof Error ? thrown : new Error(String(thrown));
  const where = statement === undefined ? '' : ` (in: ${head(statement)})`;
  return new Wal2DoltError(codeOf(error), `Dolt: ${clip(error.message || String(error.code))}${where}`, {
    cause: thrown,
  });
}

function codeOf(error: MysqlError): ErrorCode {
  const text = error.message ?? '';
  for (const [pattern, code] of BY_MESSAGE) if (pattern.test(text)) return code;
  if (error.errno !== undefined && BY_ERRNO[error.errno]) return BY_ERRNO[error.errno] ?? 'E_TARGET_QUERY';
  if (error.code !== undefined && NETWORK.test(error.code)) return 'E_TARGET_UNREACHABLE';
  if (/closed state|connection (is )?lost|socket has been ended/i.test(text)) return 'E_TARGET_UNREACHABLE';
  return 'E_TARGET_QUERY';
}

/** Statement up to its values: enough to know the table and the kind of change. */
function head(statement: string): string {
  const values = statement.search(/\b(VALUES|WHERE|SET)\b/);
  const end = values < 0 ? 80 : Math.min(values, 120);
  return statement.slice(0, end).trim();
}

/** Dolt quotes offending values at full length. */
const clip = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
