import type { Config } from '../config.js';
import { connectSource } from '../postgres/client.js';
import { type DdlTriggers, readTriggers, removeTriggers } from '../postgres/ddl-triggers.js';
import { dropPublication, isOwnPublication } from '../postgres/publication.js';
import { dropSlot, readSlot } from '../postgres/slot.js';

/** What a teardown would take away from, or leave at, the source. Dolt keeps everything. */
export interface TeardownPlan {
  readonly slot: boolean;
  /** Only a publication that wal2dolt created is dropped. */
  readonly publication: 'drop' | 'leave' | 'missing';
  /** Only where no other publication is followed are the event triggers removed, and only by who owns them. */
  readonly triggers: 'drop' | 'unfollow' | 'leave' | 'missing';
}

export async function planTeardown(config: Config): Promise<TeardownPlan> {
  const client = await connectSource(config.source, 'wal2dolt teardown');
  try {
    const own = await isOwnPublication(client, config.publication);
    return {
      slot: (await readSlot(client, config.slot)) !== null,
      publication: own === null ? 'missing' : own ? 'drop' : 'leave',
      triggers: planTriggers(await readTriggers(client), config.publication),
    };
  } finally {
    await client.end().catch(() => {});
  }
}

function planTriggers({ version, followed, owned }: DdlTriggers, publication: string): TeardownPlan['triggers'] {
  const others = followed.some((name) => name !== publication);
  if (version === null || (others && !followed.includes(publication))) return 'missing';
  if (!owned) return 'leave';
  return others ? 'unfollow' : 'drop';
}

/**
 * Drops the slot, so that Postgres keeps no more WAL for us, the event triggers, and our publication. Throws E_SLOT_IN_USE
 * while a run uses it.
 */
export async function teardown(config: Config, plan: TeardownPlan): Promise<void> {
  const client = await connectSource(config.source, 'wal2dolt teardown');
  try {
    if (plan.slot) await dropSlot(client, config.slot);
    if (plan.triggers === 'drop' || plan.triggers === 'unfollow') await removeTriggers(client, config.publication);
    if (plan.publication === 'drop') await dropPublication(client, config.publication);
  } finally {
    await client.end().catch(() => {});
  }
}
