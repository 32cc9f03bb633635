import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Finding } from '../../src/core/finding.js';
import { EVERY_TABLE, parseSelection, type TableRules } from '../../src/core/patterns.js';
import { connectSource } from '../../src/postgres/client.js';
import { checkSource } from '../../src/postgres/preflight.js';
import type { SourceWishes } from '../../src/postgres/preflight-wishes.js';
import type { PostgresDatabase } from './postgres.js';

/** Runs `checkSource` as `url`'s role, with a slot and publication of the test's own unless `wishes` names others. */
export async function checkSourceAt(
  database: PostgresDatabase,
  wishes: Partial<SourceWishes> = {},
  url = database.url,
): Promise<readonly Finding[]> {
  const client = await connectSource(url, 'wal2dolt check');
  try {
    return await checkSource(client, {
      slot: database.name,
      publication: 'wal2dolt',
      tables: EVERY_TABLE,
      failover: false,
      slotTimeoutMs: 60_000,
      slotState: 'new',
      acknowledged: null,
      ...wishes,
    });
  } finally {
    await client.end();
  }
}

export const only = (...patterns: string[]): TableRules => ({ selection: patterns.map(parseSelection), options: [] });

export const codes = (findings: readonly Finding[]): string[] => findings.map((finding) => finding.code);

/** The one finding of this code. */
export function the(code: string, findings: readonly Finding[]): Finding {
  const [found, ...others] = findings.filter((finding) => finding.code === code);
  if (!found || others.length > 0) throw new Error(`expected one ${code}, got ${JSON.stringify(findings, null, 1)}`);
  return found;
}

/** The statements of a fix, as somebody would paste them: one by one, comments included. */
export function statements(finding: Finding): string[] {
  const lines = (finding.fix ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('--'));
  if (lines.length === 0) throw new Error(`${finding.code} has no fix`);
  return lines;
}

export async function applyFix(finding: Finding, sql: (text: string) => Promise<unknown>): Promise<void> {
  for (const statement of statements(finding)) await sql(statement);
}

interface Role extends AsyncDisposable {
  readonly name: string;
  /** Connects to the database as this role. */
  readonly url: string;
}

/** A role that may log in and nothing else, with an upper-case letter and a quote in its name; dropped at disposal. */
export async function createRole(database: PostgresDatabase, attributes = ''): Promise<Role> {
  const name = `Role"${randomBytes(4).toString('hex')}`;
  const quoted = pg.escapeIdentifier(name);
  await database.sql(`create role ${quoted} login password 'p-secret' ${attributes}`);
  const url = new URL(database.url);
  url.username = encodeURIComponent(name);
  url.password = 'p-secret';
  return {
    name,
    url: url.href,
    async [Symbol.asyncDispose]() {
      await database.sql(`drop owned by ${quoted} cascade; drop role ${quoted}`);
    },
  };
}
