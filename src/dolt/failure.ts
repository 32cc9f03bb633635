import { type ErrorCode, Wal2DoltError } from '../errors.js';

/** mysql2's errors carry these beside the message. */
interface MysqlError extends Error {
  readonly code?: string;
  readonly errno?: number;
  readonly fatal?: boolean;
}

/** TLS that was not agreed on, as mysql2 and Dolt say it. */
const NO_TLS = /^HANDSHAKE_(SSL_ERROR|NO_SSL_SUPPORT)$/;
const TLS_REQUIRED = /^unknown error: Code: UNAVAILABLE\s+server does not allow insecure connections/;
/** mysql2 says so too where a server ends, or the network fails, in the middle of the handshake. */
const CUT_OFF = /socket disconnected|ECONNRESET|EPIPE|ETIMEDOUT|socket hang up/i;

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
  [/^(error: )?local changes would be stomped/i, 'E_TARGET_DIRTY'],
  [/^(fatal: )?not possible to fast-forward|^cannot fast forward/i, 'E_TARGET_DIVERGED'],
  [/^command denied|^access denied for user .* to database/i, 'E_TARGET_PRIVILEGE'],
  [
    /^`[^`]*`@`[^`]*` (does not have the correct permissions on branch|cannot (create a|delete the) branch)/,
    'E_TARGET_PRIVILEGE',
  ],
  [/^duplicate primary key given/i, 'E_TARGET_DIVERGED'],
  // Postgres took the value twice, so the constraint is gone there.
  [/^duplicate unique key given/i, 'E_SCHEMA_CHANGED'],
  [TLS_REQUIRED, 'E_TARGET_TLS'],
  // information_schema looks at all databases of the server, also at one that is just being dropped.
  [/^no root value found in session|^root hash doesn't exist/i, 'E_TARGET_UNREACHABLE'],
  [/^server is (currently )?(shutting down|in quiescing)/i, 'E_TARGET_UNREACHABLE'],
];

const BY_ERRNO: Readonly<Record<number, ErrorCode>> = {
  1048: 'E_SCHEMA_CHANGED', // NULL for a column that was NOT NULL
  1044: 'E_TARGET_PRIVILEGE',
  1045: 'E_TARGET_AUTH',
  1049: 'E_TARGET_DATABASE',
  1062: 'E_TARGET_DIVERGED',
  1142: 'E_TARGET_PRIVILEGE',
  1213: 'E_TARGET_CONFLICT',
};

const NETWORK =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|PROTOCOL_CONNECTION_LOST|PROTOCOL_UNEXPECTED_PACKET|PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR|ER_CON_COUNT_ERROR|HANDSHAKE_TIMEOUT)$/;

/** It does nothing by itself. */
const BEGIN = 'START TRANSACTION';

/** What a statement fails with that never got to Dolt, since the connection had been lost before. */
export const NOT_SENT = 'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR';

/**
 * Says what a failed call to Dolt means. `statements` are those that were not answered, of several that were sent together: the first one
 * failed, and where the connection was lost it may have been any. They are named by their beginnings only: their values may be secret.
 * The message of E_TARGET_LOST is the same whenever the connection is lost in the same statement, sent by itself.
 */
export function asTargetError(thrown: unknown, statements: readonly string[] = []): Wal2DoltError {
  if (thrown instanceof Wal2DoltError) return thrown;
  const error: MysqlError = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = codeOf(error);
  if (statements.length > 0 && NETWORK.test(error.code ?? '') && error.code !== NOT_SENT) {
    const suspects = new Set(statements.filter((one) => one !== BEGIN || statements.length === 1).map(head));
    const message = `Dolt: the connection was lost (in: ${clip([...suspects].join('; '))})`;
    return new Wal2DoltError('E_TARGET_LOST', message, { cause: thrown });
  }
  const [failed] = statements;
  const where = failed === undefined ? '' : ` (in: ${head(failed)})`;
  const said = code === 'E_TARGET_TLS' ? tlsProblem(error) : error.message || String(error.code);
  return new Wal2DoltError(code, `Dolt: ${clip(said)}${where}`, { cause: thrown });
}

function codeOf(error: MysqlError): ErrorCode {
  const text = error.message ?? '';
  if (NO_TLS.test(error.code ?? '')) return CUT_OFF.test(text) ? 'E_TARGET_UNREACHABLE' : 'E_TARGET_TLS';
  for (const [pattern, code] of BY_MESSAGE) if (pattern.test(text)) return code;
  if (error.errno !== undefined && BY_ERRNO[error.errno]) return BY_ERRNO[error.errno] ?? 'E_TARGET_QUERY';
  if (error.code !== undefined && NETWORK.test(error.code)) return 'E_TARGET_UNREACHABLE';
  if (/closed state|connection (is )?lost|socket has been ended/i.test(text)) return 'E_TARGET_UNREACHABLE';
  return 'E_TARGET_QUERY';
}

function tlsProblem({ code, message }: MysqlError): string {
  if (TLS_REQUIRED.test(message)) return 'the server takes connections by TLS only, and ssl is not set';
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return 'the server does not speak TLS, which ssl asks for';
  return `no connection by TLS: ${message.trim()}`;
}

/** Statement up to its values: enough to know the table and the kind of change. Flags of a procedure are no values. */
function head(statement: string): string {
  const values = statement.search(/\b(VALUES|WHERE|SET)\b|(?<=[\s(=,])'(?!-)/);
  const end = values < 0 ? 80 : Math.min(values, 120);
  return statement.slice(0, end).trim();
}

/** Dolt quotes offending values at full length. */
const clip = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
