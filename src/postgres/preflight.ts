import pg from 'pg';
import { error, type Finding, info, warning } from '../core/finding.js';
import { Wal2DoltError } from '../errors.js';
import { connectReplication, queryRows } from './client.js';
import { checkPublication } from './preflight-publication.js';
import { checkSlot } from './preflight-slot.js';
import type { Server, SourceWishes } from './preflight-wishes.js';
import { identifySystem, type SystemIdentity } from './system.js';

const OLDEST_VERSION = 150_000;
/** Below it a status report, sent at a fraction of the timeout, may come too late while a large statement runs. */
const SHORT_SENDER_TIMEOUT_MS = 10_000;

/**
 * Everything about the source that a run would stumble over, all at once, by reading only. `client` is a connection of
 * `connectSource` that no transaction is open on. Throws Wal2DoltError where a catalog cannot be read.
 *
 * Source: https://www.postgresql.org/docs/current/logical-replication-config.html and -security.html
 */
export async function checkSource(client: pg.Client, wishes: SourceWishes): Promise<Finding[]> {
  const facts = await readFacts(client);
  if (facts.version < OLDEST_VERSION) {
    return [error('server_version', `Postgres 15 or newer is needed; the source is ${facts.versionName}.`)];
  }
  return [
    ...checkServer(facts),
    ...(await checkSlot(client, wishes, facts)),
    ...(await checkPublication(client, wishes, facts)),
  ];
}

interface Facts extends Server {
  readonly versionName: string;
  readonly encoding: string;
  readonly wal_level: string;
  /** From Postgres 19 on wal_level = replica is enough: the first logical slot raises it. */
  readonly risesByItself: boolean;
  /** As printed, with units. */
  readonly max_slot_wal_keep_size: string;
  readonly idle_replication_slot_timeout: string | null;
  readonly wal_sender_timeout: string;
  readonly wal_sender_timeout_ms: number;
  readonly hot_standby_feedback: string;
  readonly synchronous_standby_names: string;
}

async function readFacts(client: pg.Client): Promise<Facts> {
  const [row] = await queryRows<{ facts: string }>(
    client,
    `SELECT json_build_object(
       'version', current_setting('server_version_num')::int,
       'versionName', current_setting('server_version'),
       'inRecovery', pg_is_in_recovery(),
       'superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
       'role', format('%I', current_user),
       'database', format('%I', current_database()),
       'hasStandby', EXISTS (SELECT FROM pg_replication_slots WHERE slot_type = 'physical' AND active),
       'encoding', (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()),
       'wal_level', current_setting('wal_level'),
       'risesByItself', current_setting('effective_wal_level', true) IS NOT NULL,
       'max_slot_wal_keep_size', current_setting('max_slot_wal_keep_size'),
       'idle_replication_slot_timeout', nullif(current_setting('idle_replication_slot_timeout', true), '0'),
       'wal_sender_timeout', current_setting('wal_sender_timeout'),
       'wal_sender_timeout_ms', (SELECT setting::int FROM pg_settings WHERE name = 'wal_sender_timeout'),
       'hot_standby_feedback', current_setting('hot_standby_feedback'),
       'synchronous_standby_names', current_setting('synchronous_standby_names'))::text AS facts`,
  );
  return JSON.parse(row?.facts ?? '{}') as Facts; // the shape is what the statement builds
}

function checkServer(server: Facts): Finding[] {
  const findings: Finding[] = [];
  if (server.wal_level !== 'logical' && !(server.risesByItself && server.wal_level === 'replica')) {
    const fix = `${alterSystem('wal_level', 'logical')}\n${RESTART} On managed services: rds.logical_replication = 1, cloudsql.logical_decoding = on, …`;
    findings.push(error('wal_level', `wal_level is ${server.wal_level}; streaming needs logical.`, fix));
  }
  if (server.encoding === 'SQL_ASCII') {
    findings.push(
      error(
        'encoding',
        'The database has the encoding SQL_ASCII, so Postgres cannot say which characters its bytes are. Restore it into a database with ENCODING UTF8.',
      ),
    );
  }
  findings.push(...checkRecovery(server));
  if (server.max_slot_wal_keep_size !== '-1') {
    findings.push(
      warning(
        'max_slot_wal_keep_size',
        `Postgres drops WAL that the slot still needs beyond max_slot_wal_keep_size = ${server.max_slot_wal_keep_size}: after a pause that long everything has to be copied again.`,
        `${alterSystem('max_slot_wal_keep_size', '-1')}\n${RELOAD}`,
      ),
    );
  }
  if (server.idle_replication_slot_timeout !== null) {
    findings.push(
      warning(
        'idle_replication_slot_timeout',
        `Postgres invalidates a slot that nobody reads for ${server.idle_replication_slot_timeout}: after a pause that long everything has to be copied again.`,
        `${alterSystem('idle_replication_slot_timeout', '0')}\n${RELOAD}`,
      ),
    );
  }
  if (server.wal_sender_timeout_ms > 0 && server.wal_sender_timeout_ms < SHORT_SENDER_TIMEOUT_MS) {
    findings.push(
      warning(
        'wal_sender_timeout',
        `wal_sender_timeout is ${server.wal_sender_timeout}: Postgres may end the stream while a long statement runs.`,
        `ALTER ROLE ${server.role} SET wal_sender_timeout = '60s';`,
      ),
    );
  }
  if (/\*|\bwal2dolt\b/i.test(server.synchronous_standby_names)) {
    findings.push(
      warning(
        'synchronous_standby',
        `synchronous_standby_names (${server.synchronous_standby_names}) also covers wal2dolt: commits in Postgres may wait until they are in Dolt. Name the standby servers instead.`,
      ),
    );
  }
  return findings;
}

function checkRecovery(server: Facts): Finding[] {
  if (!server.inRecovery) return [];
  if (server.version < 160_000) {
    return [
      error(
        'standby',
        'The source is a standby, which can be streamed from Postgres 16 on. Give its primary as --source.',
      ),
    ];
  }
  const findings = [
    info(
      'standby',
      'The source is a standby: publications are created on its primary, and creating the slot waits until the primary writes a snapshot record.',
      'SELECT pg_log_standby_snapshot(); -- on the primary, while wal2dolt creates the slot',
    ),
  ];
  if (server.hot_standby_feedback !== 'on') {
    findings.push(
      warning(
        'hot_standby_feedback',
        'hot_standby_feedback is off: a VACUUM on the primary may invalidate the slot on this standby.',
        `${alterSystem('hot_standby_feedback', 'on')}\n${RELOAD}`,
      ),
    );
  }
  return findings;
}

/**
 * Opens a replication connection and closes it again: only trying shows whether the role, max_wal_senders, pg_hba.conf
 * and a pooler in between allow it. Never throws; `system` is null where it failed.
 */
export async function checkReplicationConnection(
  url: string,
): Promise<{ readonly findings: readonly Finding[]; readonly system: SystemIdentity | null }> {
  let client: pg.Client | undefined;
  try {
    client = await connectReplication(url, 'wal2dolt check');
    return { findings: [], system: await identifySystem(client) };
  } catch (thrown) {
    return { findings: [refusedReplication(thrown, roleOf(url))], system: null };
  } finally {
    await client?.end().catch(() => {});
  }
}

function refusedReplication(thrown: unknown, role: string): Finding {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const cause: unknown = thrown instanceof Wal2DoltError ? thrown.cause : thrown;
  const sqlState = cause instanceof pg.DatabaseError ? cause.code : undefined;
  if (sqlState === '42501') {
    const fix = `ALTER ROLE ${role} REPLICATION; -- on Amazon RDS: GRANT rds_replication TO ${role};`;
    return error('replication_role', `The role may not replicate: ${message}`, fix);
  }
  // Other limits have the same SQLSTATE; the setting's name and number are in the message in every language.
  const [, senders] = (sqlState === '53300' && /max_wal_senders\D*(\d+)/.exec(message)) || [];
  if (senders !== undefined) {
    const fix = `${alterSystem('max_wal_senders', String(Number(senders) + 10))}\n${RESTART} Or stop a consumer: SELECT pid, application_name FROM pg_stat_replication;`;
    return error('max_wal_senders', `Postgres has no replication connection left: ${message}`, fix);
  }
  return error(
    thrown instanceof Wal2DoltError ? thrown.code : 'replication_connection',
    `A replication connection cannot be opened: ${message}. It needs a direct connection, not a pooler, that pg_hba.conf lets in.`,
  );
}

const roleOf = (url: string): string => pg.escapeIdentifier(new pg.Client({ connectionString: url }).user ?? '');

const RESTART = '-- Then restart Postgres.';
const RELOAD = 'SELECT pg_reload_conf();';
const alterSystem = (name: string, value: string): string => `ALTER SYSTEM SET ${name} = '${value}';`;
