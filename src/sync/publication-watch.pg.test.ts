import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createPostgresDatabase } from '../../test/support/postgres.js';
import { read } from '../../test/support/read-tables.js';
import { Horizons } from '../core/horizons.js';
import type { TableSchema } from '../core/schema.js';
import { connectSource } from '../postgres/client.js';
import { currentWal } from '../postgres/system.js';
import { PublicationWatch } from './publication-watch.js';

it('a table that was left out of the looks while it was copied is looked at from its copy on', async () => {
  await using source = await createPostgresDatabase();
  await source.sql(`create table a (id int primary key); create table b (id int primary key);
    create publication pub for table a, b`);
  const [a, b] = await read(source, 'pub');
  if (!a || !b) throw new Error('two tables are published');
  const client = await connectSource(source.url, 'test');
  const start = await currentWal(client);
  let followed: readonly TableSchema[] = [a];
  await using watch = new PublicationWatch({
    connect: () => connectSource(source.url, 'test watch'),
    publication: 'pub',
    tables: () => followed,
    received: null,
    start,
    horizons: new Horizons(),
    logger: pino({ level: 'silent' }),
  });
  const copied = await currentWal(client);
  await source.sql('alter publication pub drop table b; insert into b values (1); alter publication pub add table b');
  const end = await currentWal(client);
  await watch.whole(end);
  followed = [a, b];
  watch.startOver(copied);
  await expect(watch.whole(end)).rejects.toMatchObject({ code: 'E_PUBLICATION_CHANGED' });
  expect(watch.change?.wholeUntil).toBeLessThanOrEqual(copied);
  await client.end();
});
