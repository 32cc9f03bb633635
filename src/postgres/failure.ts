import { type ErrorCode, Wal2DoltError } from '../errors.js';

/**
 * What the Postgres driver threw, classified: by SQLSTATE where the server spoke, by the system's error code where it did not.
 * The server's texts may be in any language (`lc_messages`), so they decide only between causes that share an SQLSTATE, and
 * only after the name of the server routine that raised it, which is never translated.
 *
 * A TypeError and its like are defects: E_INTERNAL.
 *
 * Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function asSourceError(thrown: unknown): Wal2DoltError {
  if (thrown instanceof Wal2DoltError) return thrown;
  const error = thrown instanceof AggregateError && thrown.errors.length > 0 ? thrown.errors[0] : thrown;
  const failure = readFailure(error);
  const code = failure.sqlState ? codeOfSqlState(failure.sqlState, failure) : codeOfConnection(failure);
  return new Wal2DoltError(code, describe(failure), { cause: thrown });
}

interface Failure {
  readonly message: string;
  /** Five characters, from the server. */
  readonly sqlState: string;
  /** `ECONNREFUSED` and the like, from the system or from OpenSSL. */
  readonly systemCode: string;
  readonly routine: string;
  readonly detail: string;
  readonly hint: string;
  /** Thrown by the language, not by a server or a socket. */
  readonly defect: boolean;
}

function readFailure(error: unknown): Failure {
  const field = (name: string): string => {
    const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
    return typeof value === 'string' ? value : '';
  };
  // A DatabaseError of node-postgres has a severity; system errors (`EPERM`, `EPIPE`) may look like an SQLSTATE.
  const fromServer = field('severity') !== '' && /^[0-9A-Z]{5}$/.test(field('code'));
  return {
    message: error instanceof Error ? error.message : String(error),
    sqlState: fromServer ? field('code') : '',
    systemCode: fromServer ? '' : field('code'),
    routine: field('routine'),
    detail: field('detail'),
    hint: field('hint'),
    defect: error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError,
  };
}

function codeOfSqlState(sqlState: string, failure: Failure): ErrorCode {
  switch (sqlState) {
    case '28000': // invalid_authorization_specification: also "no pg_hba.conf entry"
    case '28P01': // invalid_password
      return 'E_SOURCE_AUTH';
    case '3D000': // invalid_catalog_name
      return 'E_SOURCE_DATABASE';
    case '42501': // insufficient_privilege
      return 'E_SOURCE_PRIVILEGE';
    case '55006': // object_in_use
      return subject(failure) === 'slot' ? 'E_SLOT_IN_USE' : 'E_SOURCE_QUERY';
    case '42704': // undefined_object: also a type, a role, a collation
      if (subject(failure) === 'slot') return 'E_SLOT_MISSING';
      return subject(failure) === 'publication' ? 'E_PUBLICATION_MISSING' : 'E_SOURCE_QUERY';
    case '55000': // object_not_in_prerequisite_state
      return codeOfUnusableSlot(failure);
    case '58P01': // undefined_file
      return /WAL/.test(failure.message) ? 'E_SLOT_LOST' : 'E_SOURCE_QUERY';
    case '22023': // invalid_parameter_value: another output plugin does not know the options of pgoutput
      return /proto_version|publication_names/.test(failure.message) ? 'E_SLOT_INVALID' : 'E_SOURCE_QUERY';
    case '57P01': // admin_shutdown: also pg_terminate_backend
    case '57P02': // crash_shutdown
    case '57P03': // cannot_connect_now: starting up, shutting down, in recovery
    case '57P05': // idle_session_timeout
      return 'E_SOURCE_UNREACHABLE';
    case '40P01': // deadlock_detected: another session alters a table that is read, and waits for one that was
      return 'E_TABLE_REWRITTEN';
    case '53400': // configuration_limit_exceeded: all replication slots are in use
      return 'E_SOURCE_QUERY';
    case 'XX000': // internal_error
      // Read, and removed meanwhile, which should not be: the next attempt is told whether it is really gone (58P01).
      if (/WAL segment .* has already been removed/.test(failure.message)) return 'E_STREAM_ENDED';
      return TORN.test(failure.message) ? 'E_TABLE_REWRITTEN' : 'E_SOURCE_QUERY';
    default:
      // 08 connection exceptions; 53 too many connections or walsenders, disk full, out of memory.
      return /^(08|53)/.test(sqlState) ? 'E_SOURCE_UNREACHABLE' : 'E_SOURCE_QUERY';
  }
}

/**
 * What a statement found of a table and then did not find any more: whatever prints definitions or opens tables looks at the newest
 * catalog, not at the statement's snapshot. Such messages of Postgres are never translated.
 */
const TORN = /cache lookup failed|could not (open|find)/;

/**
 * A slot that was invalidated says so in the routine that acquires it (Postgres 18) or creates the decoding context (before),
 * and the latter also refuses a slot of another database.
 */
function codeOfUnusableSlot(failure: Failure): ErrorCode {
  if (/not created in this database|physical replication slot/.test(failure.message)) return 'E_SLOT_INVALID';
  if (/invalidated|can no longer/.test(`${failure.message} ${failure.detail}`)) return 'E_SLOT_LOST';
  return failure.routine === 'ReplicationSlotAcquire' ? 'E_SLOT_LOST' : 'E_SOURCE_QUERY';
}

/** What a "does not exist" or "is in use" is about. */
function subject(failure: Failure): 'slot' | 'publication' | null {
  const is = (what: RegExp): boolean =>
    what.test(failure.routine) || (failure.routine === '' && what.test(failure.message));
  if (is(/^replication ?slot/i)) return 'slot';
  return is(/publication/i) ? 'publication' : null;
}

/** Without a word from the server. What is not known is taken for a lost connection: the driver names only some of those. */
function codeOfConnection(failure: Failure): ErrorCode {
  if (/^SASL|password/i.test(failure.message)) return 'E_SOURCE_AUTH';
  if (failure.systemCode === 'ERR_SOCKET_BAD_PORT') return 'E_CONFIG';
  if (/CERT|SIGNATURE|TLS|SSL/.test(failure.systemCode) || /SSL/.test(failure.message)) return 'E_SOURCE_TLS';
  return failure.defect ? 'E_INTERNAL' : 'E_SOURCE_UNREACHABLE';
}

function describe(failure: Failure): string {
  const more = [failure.detail, failure.hint].filter((text) => text !== '').join(' ');
  const code = failure.sqlState || failure.systemCode;
  const text = failure.message || 'the connection failed';
  return `${text}${more ? `. ${more}` : ''}${code && !text.includes(code) ? ` [${code}]` : ''}`;
}

/** Whether a statement gave up waiting for a lock (lock_timeout). */
export function isLockTimeout(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? thrown.cause : null;
  return cause instanceof Error && 'code' in cause && cause.code === '55P03';
}
