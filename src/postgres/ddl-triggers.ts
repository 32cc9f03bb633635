import type pg from 'pg';
import { Wal2DoltError } from '../errors.js';
import { queryRows } from './client.js';
import { SQL, SQL_VERSION } from './sql-file.js';

/** The event triggers by which schema changes come in the stream: as sql/wal2dolt.sql describes them. */
export interface DdlTriggers {
  /** Of what is installed, all three triggers; null where that is not complete. */
  readonly version: number | null;
  /** Somebody switched one of them off (ALTER EVENT TRIGGER … DISABLE). */
  readonly disabled: boolean;
  /** The publications about which they speak. */
  readonly followed: readonly string[];
  /** Our role may replace and drop them. */
  readonly owned: boolean;
}

/** Takes no lock, and needs no privilege. */
export async function readTriggers(client: pg.Client): Promise<DdlTriggers> {
  const [row] = await queryRows<{
    version: string | null;
    triggers: string;
    disabled: string;
    owned: string;
    readable: string;
  }>(
    client,
    `SELECT substring(obj_description(n.oid, 'pg_namespace') FROM 'version (\\d+)') AS version,
       count(*) AS triggers, bool_or(e.evtenabled IN ('D', 'R')) AS disabled,
       bool_and(pg_has_role(e.evtowner, 'USAGE') AND pg_has_role(n.nspowner, 'USAGE')) AS owned,
       has_schema_privilege(n.oid, 'USAGE') AND to_regprocedure('wal2dolt.followed()') IS NOT NULL AS readable
     FROM pg_catalog.pg_namespace n, pg_catalog.pg_event_trigger e
     WHERE n.nspname = 'wal2dolt' AND e.evtname IN ('wal2dolt_ddl', 'wal2dolt_drop', 'wal2dolt_rewrite')
     GROUP BY n.oid`,
  );
  if (row?.triggers !== '3' || row.version === null)
    return { version: null, disabled: false, followed: [], owned: false };
  const followed =
    row.readable === 't'
      ? await queryRows<{ publication: string }>(client, 'SELECT unnest(wal2dolt.followed()) AS publication')
      : [];
  return {
    version: Number(row.version),
    disabled: row.disabled === 't',
    followed: followed.map(({ publication }) => publication),
    owned: row.owned === 't',
  };
}

/** Whether schema changes of the publication's tables come as messages. */
export const areExact = ({ version, disabled, followed }: DdlTriggers, publication: string): boolean =>
  version !== null && !disabled && followed.includes(publication);

/**
 * Installs the triggers, or the newer version of them, and has them speak about the publication. Nothing happens where that
 * is so already. One that somebody has switched off stays so. Not to be called inside a transaction.
 *
 * Throws E_SOURCE_PRIVILEGE or E_SOURCE_QUERY where the role may not: event triggers take a superuser, or what a managed
 * Postgres has instead.
 */
export async function installTriggers(
  client: pg.Client,
  publication: string,
): Promise<'kept' | 'installed' | 'upgraded'> {
  const before = await readTriggers(client);
  const upToDate = before.version !== null && before.version >= SQL_VERSION;
  if (upToDate && before.followed.includes(publication)) return 'kept';
  await transaction(client, 'COMMIT', async () => {
    if (!upToDate) await queryRows(client, SQL);
    await queryRows(client, 'SELECT wal2dolt.follow($1)', [publication]);
  });
  return before.version !== null && !upToDate ? 'upgraded' : 'installed';
}

/**
 * Why `installTriggers` would fail, by trying; null if it would not. Changes nothing. Throws Wal2DoltError for what has nothing to
 * do with the triggers, such as a lost connection.
 */
export async function whyNotInstallable(client: pg.Client, publication: string): Promise<string | null> {
  try {
    await transaction(client, 'ROLLBACK', async () => {
      await queryRows(client, SQL);
      await queryRows(client, 'SELECT wal2dolt.follow($1)', [publication]);
    });
    return null;
  } catch (error) {
    if (isRefusal(error)) return error.message;
    throw error;
  }
}

/** What a server or its provider answers that does not let this role have event triggers, or not on a standby. */
export const isRefusal = (thrown: unknown): thrown is Wal2DoltError =>
  thrown instanceof Wal2DoltError && (thrown.code === 'E_SOURCE_PRIVILEGE' || thrown.code === 'E_SOURCE_QUERY');

/**
 * The triggers speak no more about the publication; where there is no other one, they are removed with all that belongs to
 * them. Throws E_SOURCE_PRIVILEGE where the role does not own them.
 */
export async function removeTriggers(client: pg.Client, publication: string): Promise<void> {
  const { followed } = await readTriggers(client);
  if (followed.some((name) => name !== publication)) {
    await transaction(client, 'COMMIT', () => queryRows(client, 'SELECT wal2dolt.unfollow($1)', [publication]));
    return;
  }
  // For themselves, before their functions: a command that is about to call one would fail.
  await transaction(client, 'COMMIT', async () => {
    for (const trigger of ['wal2dolt_ddl', 'wal2dolt_drop', 'wal2dolt_rewrite'])
      await queryRows(client, `DROP EVENT TRIGGER IF EXISTS ${trigger}`);
  });
  await transaction(client, 'COMMIT', () => queryRows(client, 'DROP SCHEMA IF EXISTS wal2dolt CASCADE'));
}

/** One at a time, in this database. */
async function transaction(client: pg.Client, end: 'COMMIT' | 'ROLLBACK', work: () => Promise<unknown>): Promise<void> {
  await queryRows(client, 'BEGIN');
  try {
    await queryRows(client, `SELECT pg_advisory_xact_lock(hashtextextended('wal2dolt', 0))`);
    await work();
    await queryRows(client, end);
  } catch (error) {
    await queryRows(client, 'ROLLBACK').catch(() => {});
    throw error;
  }
}
