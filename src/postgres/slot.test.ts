import { describe, expect, it } from 'vitest';
import { parseLsn } from '../core/position.js';
import { type Slot, slotHealth } from './slot.js';

const healthy: Slot = {
  name: 's',
  plugin: 'pgoutput',
  slotType: 'logical',
  database: 'shop',
  temporary: false,
  active: false,
  activePid: null,
  confirmedFlushLsn: parseLsn('0/2'),
  restartLsn: parseLsn('0/1'),
  walStatus: 'reserved',
  safeWalSize: null,
  invalidationReason: null,
  failover: false,
  copyOnStandby: false,
};

describe('slotHealth', () => {
  it('tells the four states apart', () => {
    expect(slotHealth(null).state).toBe('missing');
    expect(slotHealth(healthy).state).toBe('ok');
    expect(slotHealth({ ...healthy, walStatus: 'extended', safeWalSize: 4096 })).toMatchObject({
      state: 'ok',
      sentence: expect.stringContaining('4096 more bytes'),
    });
    expect(slotHealth({ ...healthy, walStatus: 'unreserved', safeWalSize: -1 }).state).toBe('unreserved');
    expect(slotHealth({ ...healthy, walStatus: 'lost', restartLsn: null })).toMatchObject({
      state: 'lost',
      sentence: expect.stringContaining('max_slot_wal_keep_size'),
    });
    // Postgres 18 invalidates idle slots whose WAL is still there.
    expect(slotHealth({ ...healthy, invalidationReason: 'idle_timeout' })).toMatchObject({
      state: 'lost',
      sentence: expect.stringContaining('idle_replication_slot_timeout'),
    });
    expect(slotHealth({ ...healthy, invalidationReason: 'something_new' })).toMatchObject({
      state: 'lost',
      sentence: expect.stringContaining('something_new'),
    });
  });
});
