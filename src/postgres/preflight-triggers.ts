import pg from 'pg';
import { error, type Finding, info, warning } from '../core/finding.js';
import { areExact, readTriggers, whyNotInstallable } from './ddl-triggers.js';
import { SQL_VERSION } from './sql-file.js';

/** How a run would learn of schema changes: by event triggers, each in its place, or by what the stream says of relations. */
export async function checkTriggers(
  client: pg.Client,
  { publication, ddl }: { readonly publication: string; readonly ddl: 'auto' | 'triggers' | 'relations' },
): Promise<Finding[]> {
  const triggers = await readTriggers(client);
  const current = triggers.version !== null && triggers.version >= SQL_VERSION;
  const exact = areExact(triggers, publication);
  if (ddl === 'relations') return exact ? [EXACT] : [info('ddl', `By the configuration, ${BY_RELATIONS}`)];
  if (triggers.disabled) {
    const message =
      'The event triggers of wal2dolt are switched off, so that schema changes are not told in their place.';
    return [(ddl === 'triggers' ? error : warning)('ddl', message, ENABLE)];
  }
  if (exact && current) return [EXACT];
  const refusal = await whyNotInstallable(client, publication);
  if (refusal === null) {
    return [
      info(
        'ddl',
        `Schema changes are followed exactly: a run ${triggers.version === null || current ? 'installs' : 'renews'} the event triggers for that.`,
      ),
    ];
  }
  if (exact)
    return [
      warning(
        'ddl',
        `The event triggers are of an older version, and can not be replaced: ${refusal}`,
        byHand(publication),
      ),
    ];
  const message = `The event triggers can not be installed: ${refusal}`;
  return ddl === 'triggers'
    ? [error('ddl', message, byHand(publication))]
    : [info('ddl', `${message} So ${BY_RELATIONS}`, byHand(publication))];
}

const EXACT = info('ddl', 'Schema changes are followed exactly: event triggers tell of each in its place.');
const BY_RELATIONS =
  'a schema change is noticed with the first row after it, and what can not be told by then stops the stream.';
const ENABLE = ['ddl', 'drop', 'rewrite']
  .map((name) => `ALTER EVENT TRIGGER wal2dolt_${name} ENABLE ALWAYS;`)
  .join('\n');

/** sql/wal2dolt.sql is part of the package. */
const byHand = (publication: string): string =>
  `\\i wal2dolt.sql -- in psql as a superuser, the file sql/wal2dolt.sql of this package\nSELECT wal2dolt.follow(${pg.escapeLiteral(publication)});`;
