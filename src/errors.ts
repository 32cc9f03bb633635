/**
 * Every way in which wal2dolt stops, in one table: what the program does about it, and what the operator should.
 *
 * - retry: transient; the attempt is thrown away and made again on new connections, with backoff;
 * - halt: needs the operator; nothing that was saved is touched;
 * - resync: the stream can not go on for this slot or table; history up to here stays, and rows must be copied again.
 */
export type Action = 'retry' | 'halt' | 'resync';

interface Policy {
  readonly action: Action;
  /** Process exit code: 2 usage or configuration, 3 halted, 4 gave up retrying. */
  readonly exit: 2 | 3 | 4;
  /** What the operator should do; printed after the message. */
  readonly remedy: string;
}

const SAVED = 'Everything up to the last published Dolt commit is saved; Postgres keeps the WAL after it.';

export const POLICY = {
  // -- configuration and start-up: nothing has been written
  E_CONFIG: { action: 'halt', exit: 2, remedy: 'Correct the configuration; `wal2dolt run --help` lists every key.' },
  E_CHECK: { action: 'halt', exit: 3, remedy: 'Nothing was changed. Apply the fixes above, then start again.' },

  // -- the source
  E_SOURCE_UNREACHABLE: {
    action: 'retry',
    exit: 4,
    remedy: `Is Postgres up, are host and port right, and does it take more connections? ${SAVED}`,
  },
  E_SOURCE_AUTH: { action: 'halt', exit: 3, remedy: 'Check user and password of --source, and pg_hba.conf.' },
  E_SOURCE_TLS: {
    action: 'halt',
    exit: 3,
    remedy:
      'Check sslmode and sslrootcert in --source: does the server speak TLS, and is its certificate known and for this host name?',
  },
  E_SOURCE_DATABASE: { action: 'halt', exit: 3, remedy: 'Check the database name at the end of --source.' },
  E_SOURCE_PRIVILEGE: {
    action: 'halt',
    exit: 3,
    remedy: 'Run `wal2dolt check`: it prints the GRANTs that are missing.',
  },
  E_SOURCE_QUERY: { action: 'halt', exit: 3, remedy: `Postgres refused a statement. ${SAVED}` },
  E_STREAM_ENDED: { action: 'retry', exit: 4, remedy: `The replication connection ended. ${SAVED}` },
  E_TABLE_REWRITTEN: {
    action: 'retry',
    exit: 4,
    remedy:
      'A table was altered or dropped while it was read. It is read again; copied again from a newer snapshot, where it was being copied.',
  },
  E_SOURCE_PROTOCOL: {
    action: 'halt',
    exit: 3,
    remedy: `A message of the stream could not be read. Please report it. ${SAVED}`,
  },
  E_SLOT_IN_USE: {
    action: 'halt',
    exit: 3,
    remedy:
      'Another consumer reads this slot (pg_replication_slots.active_pid). Stop it, or give this one another --slot.',
  },
  E_SLOT_MISSING: {
    action: 'resync',
    exit: 3,
    remedy:
      'The slot that held the WAL after our position is gone, so changes may be missing. History up to here stays; copy again into a new target database.',
  },
  E_SLOT_LOST: {
    action: 'resync',
    exit: 3,
    remedy:
      'Postgres removed WAL that the slot needed (max_slot_wal_keep_size). History up to here stays; copy again into a new target.',
  },
  E_SLOT_ADVANCED: {
    action: 'resync',
    exit: 3,
    remedy:
      'Someone else consumed or advanced the slot, so changes are missing between our position and it. Copy again into a new target.',
  },
  E_SLOT_EXISTS: {
    action: 'halt',
    exit: 3,
    remedy:
      'To replay what the slot holds, start with --snapshot never. Otherwise give another name with --slot, or, if nobody uses it, drop it: SELECT pg_drop_replication_slot(…).',
  },
  E_SLOT_INVALID: {
    action: 'halt',
    exit: 3,
    remedy: 'The slot is of another plugin or database. Give another name with --slot.',
  },
  E_SLOT_TIMEOUT: {
    action: 'halt',
    exit: 3,
    remedy:
      'Creating a slot waits for transactions that are open. End them (pg_stat_activity, oldest xact_start), or raise slotTimeout.',
  },
  E_PUBLICATION_MISSING: {
    action: 'resync',
    exit: 3,
    remedy:
      'The publication does not exist. If it was dropped while wal2dolt was streaming, changes since then are lost to the stream even if it is created again: history up to here stays; copy again into a new target.',
  },
  E_PUBLICATION_CHANGED: {
    action: 'halt',
    exit: 3,
    remedy:
      'The publication was altered, so that changes are missing in the stream. Nothing incomplete was written: what came just before it, and is not in Dolt yet, comes again. Copy the tables again: wal2dolt resync schema.table, then start again; or leave them out (tables: !schema.table), which keeps their history up to here, and go on with the others.',
  },
  E_PUBLICATION_OPERATIONS: {
    action: 'halt',
    exit: 3,
    remedy:
      "The publication leaves out operations, so that changes are missing in the stream, and nothing would tell of them once it carries all again. So all tables are marked to be copied again. Nothing incomplete was written. Have it carry all: ALTER PUBLICATION … SET (publish = 'insert, update, delete, truncate'), then start again: the tables are copied, and their history goes on.",
  },
  E_SCHEMA_CHANGED: {
    action: 'halt',
    exit: 3,
    remedy: `The stream and the source's catalog do not agree on a table. ${SAVED} Copy the table again: wal2dolt resync schema.table, then start again.`,
  },
  E_SCHEMA_AMBIGUOUS: {
    action: 'halt',
    exit: 3,
    remedy: `Without event triggers on the source, what became of a column can not always be told. Nothing was guessed, and nothing written. ${SAVED} Copy the table again as it is now: wal2dolt resync schema.table, then start again. With event triggers (docs/schema-changes.md) this does not happen.`,
  },
  E_SOURCE_INCONSISTENT: {
    action: 'halt',
    exit: 3,
    remedy: `The stream contradicts itself. Please report it. ${SAVED}`,
  },
  E_OTHER_SOURCE: {
    action: 'halt',
    exit: 3,
    remedy:
      'The target belongs to another Postgres server, timeline, database, slot or publication. Give another target database.',
  },

  E_SOURCE_BEHIND: {
    action: 'resync',
    exit: 3,
    remedy:
      'Postgres failed over to a server that had not received everything yet, or was restored to an earlier time: Dolt has transactions that do not exist there. History up to here stays; copy again into a new target. synchronized_standby_slots on the primary prevents it.',
  },
  E_SOURCE_STANDBY: {
    action: 'retry',
    exit: 4,
    remedy:
      'The server is a standby that keeps a copy of the slot, and can be read once it is promoted. Until then, give its primary as --source.',
  },

  // -- the target
  E_TARGET_UNREACHABLE: { action: 'retry', exit: 4, remedy: 'Is `dolt sql-server` up, and the host and port right?' },
  E_TARGET_LOST: {
    action: 'retry',
    exit: 4,
    remedy: `The connection to Dolt ended in the middle of a statement. Did Dolt, or a proxy in between, restart? ${SAVED}`,
  },
  E_TARGET_CRASHES: {
    action: 'halt',
    exit: 3,
    remedy: `Look into the log of Dolt, and of a proxy in between, for what ends the connection there each time: a panic, too little memory, a time limit. Then start again. ${SAVED}`,
  },
  E_TARGET_TLS: {
    action: 'halt',
    exit: 3,
    remedy:
      'Check ssl and ssl-ca in --target: does Dolt speak TLS, or ask for it, and is its certificate valid, of a known authority, and for this host name?',
  },
  E_TARGET_AUTH: { action: 'halt', exit: 3, remedy: 'Check user and password of --target.' },
  E_TARGET_DATABASE: {
    action: 'halt',
    exit: 3,
    remedy:
      'Check the database name at the end of --target, and targetBranch. If nothing was copied yet: the first `wal2dolt run` creates both.',
  },
  E_TARGET_PRIVILEGE: {
    action: 'halt',
    exit: 3,
    remedy: 'Run `wal2dolt check`: it prints the GRANT, or the rows of dolt_branch_control, that are missing in Dolt.',
  },
  E_TARGET_VERSION: { action: 'halt', exit: 3, remedy: 'Use Dolt 2.0 or newer.' },
  E_TARGET_CONFLICT: {
    action: 'retry',
    exit: 4,
    remedy: 'Another session wrote the staging branch at the same time; only wal2dolt may.',
  },
  E_TARGET_QUERY: { action: 'halt', exit: 3, remedy: `Dolt refused a statement. ${SAVED}` },
  E_TARGET_DIVERGED: {
    action: 'halt',
    exit: 3,
    remedy:
      'The target does not hold what the stream left there: someone else wrote to it, or a type changed that nothing told of. Where rows of a table are meant, copy it again: wal2dolt resync schema.table, then start again. Commits of others have to leave the branch (`wal2dolt check` prints how; a revert is one more); else copy again into a new target.',
  },
  E_TARGET_FOREIGN: {
    action: 'halt',
    exit: 3,
    remedy:
      'The target database has tables that are not of wal2dolt. Give an empty or a new database; wal2dolt creates it.',
  },
  E_TARGET_DIRTY: {
    action: 'halt',
    exit: 3,
    remedy:
      'The target branch has uncommitted changes in replicated tables. Commit them to a branch of their own or revert them.',
  },
  E_TARGET_LOCKED: { action: 'halt', exit: 3, remedy: 'Another wal2dolt writes this target. Stop it first.' },
  E_VALUE_IN_KEY: {
    action: 'halt',
    exit: 3,
    remedy: `A key's value does not fit its Dolt column exactly. Set the column's type in the configuration and copy again into a new target. ${SAVED}`,
  },
  E_VALUE: { action: 'halt', exit: 3, remedy: `A value could not be read as its type. Please report it. ${SAVED}` },
  E_ROW_TOO_LARGE: {
    action: 'halt',
    exit: 3,
    remedy: `A row with its values as SQL is longer than a statement can be (some 500 million characters; a byte of a bytea takes two). Leave out its column or table, and copy into a new target. ${SAVED}`,
  },
  E_DEMO: {
    action: 'halt',
    exit: 3,
    remedy:
      'The demo brings its own servers. With servers of yours: wal2dolt run --source postgres://… --target mysql://…',
  },
  E_INTERNAL: { action: 'halt', exit: 3, remedy: `This is a defect of wal2dolt. Please report it. ${SAVED}` },
} as const satisfies Record<string, Policy>;

export type ErrorCode = keyof typeof POLICY;

/** The one error class. `message` says what happened; the policy's remedy says what to do. */
export class Wal2DoltError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Wal2DoltError';
    this.code = code;
  }

  get policy(): Policy {
    return POLICY[this.code];
  }
}

/** Anything thrown becomes a Wal2DoltError; what is not one yet is a defect. */
export function asWal2DoltError(thrown: unknown): Wal2DoltError {
  if (thrown instanceof Wal2DoltError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Wal2DoltError('E_INTERNAL', message, { cause: thrown });
}
