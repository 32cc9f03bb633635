import { Wal2DoltError } from '../errors.js';
import { areExact, installTriggers, isRefusal, readTriggers } from '../postgres/ddl-triggers.js';
import type { RunContext, Sides } from './run-context.js';

/**
 * Has the source tell of schema changes by event triggers, as the configuration wants it: from here on every one of them is
 * in the stream, so on a first start it comes before the slot. `behind`: there is something in the stream already, of which they do
 * not tell.
 *
 * Throws E_SOURCE_PRIVILEGE where the configuration insists on them and the role may not install them.
 */
export async function prepareTriggers(
  { config, source }: Sides,
  { logger }: RunContext,
  behind: boolean,
): Promise<void> {
  if (config.ddl === 'relations') return;
  try {
    const done = await installTriggers(source, config.publication);
    if (done !== 'kept')
      logger.info({ publication: config.publication }, `event triggers ${done}: schema changes come in their place`);
    if (done === 'installed' && behind)
      logger.warn(
        'of what is in the stream from before that, a command that wrote rows anew and left all names and types as they were is not noticed: after one, resync the table',
      );
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const { message } = error;
    // An older version of them is as good as none is bad.
    if (areExact(await readTriggers(source), config.publication)) {
      logger.warn({ reason: message }, 'the event triggers of an older version were not replaced');
    } else if (config.ddl === 'triggers') {
      throw new Wal2DoltError('E_SOURCE_PRIVILEGE', `the event triggers can not be installed: ${message}`, {
        cause: error,
      });
    } else
      logger.info(
        { reason: message },
        'without event triggers: schema changes are found by what the stream says of relations',
      );
  }
}
