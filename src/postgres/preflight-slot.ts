import pg from 'pg';
import { error, type Finding, info, warning } from '../core/finding.js';
import { formatLsn } from '../core/position.js';
import { queryRows } from './client.js';
import type { Server, SourceWishes } from './preflight-wishes.js';
import { readSlot, type Slot, slotHealth } from './slot.js';

/** The slot as a run would find it, or whether it could be made. */
export async function checkSlot(client: pg.Client, wishes: SourceWishes, server: Server): Promise<Finding[]> {
  const slot = await readSlot(client, wishes.slot);
  const prepared = await checkPreparedTransactions(client, slot === null);
  if (slot) return [...(await checkExisting(client, slot, wishes)), ...prepared];
  if (wishes.slotState === 'kept') {
    const what =
      wishes.acknowledged === null
        ? 'there is nothing that could be replayed'
        : "the changes since the target's position are not kept anywhere";
    return [error('E_SLOT_MISSING', `The slot ${wishes.slot} does not exist, so ${what}.`)];
  }
  return [
    ...(await checkFreeSlot(client)),
    ...(await checkOpenTransactions(client, wishes.slotTimeoutMs)),
    ...prepared,
    ...checkFailover(wishes, server),
  ];
}

async function checkExisting(client: pg.Client, slot: Slot, wishes: SourceWishes): Promise<Finding[]> {
  const [row] = await queryRows<{ database: string; two_phase: string }>(
    client,
    'SELECT current_database() AS database, two_phase FROM pg_catalog.pg_replication_slots WHERE slot_name = $1',
    [slot.name],
  );
  const database = row?.database ?? '';
  const other = `slot: wal2dolt_${database.toLowerCase().replace(/[^a-z0-9_]/g, '_')}`.slice(0, 'slot: '.length + 63);
  const drop = `SELECT pg_drop_replication_slot(${pg.escapeLiteral(slot.name)}); -- if nobody needs it; or give another name with --slot`;
  const invalid = (why: string, fix: string): Finding[] => [
    error('E_SLOT_INVALID', `The slot ${slot.name} ${why}.`, fix),
  ];

  if (slot.slotType !== 'logical') return invalid('is a physical one', other);
  if (slot.plugin !== 'pgoutput') return invalid(`is of the output plugin ${slot.plugin}, not pgoutput`, other);
  if (slot.database !== database) return invalid(`is of the database ${slot.database}`, other);
  if (slot.temporary) return invalid('is temporary, and ends with the session that made it', other);
  // Postgres then sends PREPARE even in protocol version 1, which has no such message.
  if (row?.two_phase === 't')
    return invalid('was made with two_phase: it sends transactions that are not committed', drop);
  if (wishes.slotState === 'new') {
    const message = `The slot ${slot.name} exists already, and the target has no position in it: it is somebody else's, or was left over (--snapshot never streams from it without a copy).`;
    return [error('E_SLOT_EXISTS', message, drop)];
  }
  if (slot.copyOnStandby) {
    const message = `The source is a standby, and the slot ${slot.name} its copy of its primary's slot: it can be read once the standby is promoted.`;
    return [error('E_SOURCE_STANDBY', message, 'Give the primary as --source, or SELECT pg_promote();')];
  }
  if (slot.active) {
    const terminate = `SELECT pg_terminate_backend(${slot.activePid}); -- if nobody needs that; or give another name with --slot`;
    return [
      error(
        'E_SLOT_IN_USE',
        `The slot ${slot.name} is being read by process ${slot.activePid} of Postgres.`,
        terminate,
      ),
    ];
  }
  if (wishes.slotState === 'begun') return [];
  const health = slotHealth(slot);
  if (health.state === 'lost') return [error('E_SLOT_LOST', health.sentence)];
  const { confirmedFlushLsn: confirmed } = slot;
  if (wishes.acknowledged !== null && confirmed !== null && confirmed > wishes.acknowledged) {
    const message = `The slot ${slot.name} was advanced to ${formatLsn(confirmed)}, but the target stands at ${formatLsn(wishes.acknowledged)}: the changes between them are lost to it.`;
    return [error('E_SLOT_ADVANCED', message)];
  }
  return health.state === 'unreserved' ? [warning('slot_unreserved', health.sentence)] : [];
}

async function checkFreeSlot(client: pg.Client): Promise<Finding[]> {
  const [row] = await queryRows<{ allowed: string; used: string; idle: string | null }>(
    client,
    `SELECT current_setting('max_replication_slots') AS allowed, count(*) AS used,
       string_agg(quote_literal(slot_name), ', ' ORDER BY slot_name) FILTER (WHERE NOT active) AS idle
     FROM pg_catalog.pg_replication_slots`,
  );
  const allowed = Number(row?.allowed);
  if (Number(row?.used) < allowed) return [];
  const idle = row?.idle ? `\n-- Or drop one that nobody needs any more; not in use now: ${row.idle}` : '';
  return [
    error(
      'max_replication_slots',
      `All ${allowed} replication slots are taken.`,
      `ALTER SYSTEM SET max_replication_slots = ${allowed + 10};\n-- Then restart Postgres.${idle}`,
    ),
  ];
}

/**
 * Creating a slot waits for the end of all transactions that have an xid. One that has been open for longer than the
 * wait may last is not going to end by itself. The role sees its own only, unless it has pg_read_all_stats.
 */
async function checkOpenTransactions(client: pg.Client, longerThanMs: number): Promise<Finding[]> {
  const rows = await queryRows<{ pid: string; seconds: string; who: string }>(
    client,
    `SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::int8 AS seconds,
       concat_ws(', ', usename, datname, nullif(application_name, ''), state) AS who
     FROM pg_catalog.pg_stat_activity
     WHERE backend_xid IS NOT NULL AND xact_start < clock_timestamp() - make_interval(secs => $1) ORDER BY xact_start`,
    [longerThanMs / 1000],
  );
  if (rows.length === 0) return [];
  const what = rows.map((row) => `process ${row.pid} (${row.who}) for ${row.seconds} s`).join('; ');
  return [
    warning(
      'open_transactions',
      `Creating the slot waits for transactions that are open: ${what}.`,
      rows.map((row) => `SELECT pg_terminate_backend(${row.pid});`).join('\n'),
    ),
  ];
}

async function checkPreparedTransactions(client: pg.Client, slotIsNew: boolean): Promise<Finding[]> {
  const rows = await queryRows<{ gid: string; here: string; literal: string }>(
    client,
    `SELECT gid, database = current_database() AS here, quote_literal(gid) AS literal
     FROM pg_catalog.pg_prepared_xacts ORDER BY prepared`,
  );
  const gids = rows.map((row) => row.gid).join(', ');
  if (rows.length > 0 && slotIsNew) {
    const fix = rows.map(
      (row) =>
        `ROLLBACK PREPARED ${row.literal}; -- or COMMIT PREPARED${row.here === 't' ? '' : ', in its own database'}`,
    );
    return [
      warning(
        'prepared_transactions',
        `Creating the slot waits for transactions that are prepared: ${gids}.`,
        fix.join('\n'),
      ),
    ];
  }
  if (!rows.some((row) => row.here === 't')) return [];
  return [
    info(
      'prepared_transactions',
      `Transactions are prepared for two-phase commit (${gids}): they arrive when they are committed.`,
    ),
  ];
}

function checkFailover(wishes: SourceWishes, server: Server): Finding[] {
  if (server.version < 170_000) {
    if (!wishes.failover) return [];
    return [
      error(
        'slot_failover',
        'Slots are kept on standby servers from Postgres 17 on; the source is older.',
        'slotFailover: false',
      ),
    ];
  }
  if (wishes.failover || !server.hasStandby) return [];
  return [
    info(
      'slot_failover',
      'There is a standby: with slotFailover the slot is kept there too (if it has sync_replication_slots on), and the stream can go on after a failover.',
      'slotFailover: true',
    ),
  ];
}
