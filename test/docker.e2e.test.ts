import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname } from 'node:path';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { startDolt } from './support/dolt.js';
import { createPostgresDatabase } from './support/postgres.js';
import { drain } from './support/run.js';

const file = (name: string): Promise<string> => readFile(new URL(`../docker/${name}`, import.meta.url), 'utf8');

it('what docker/compose.yaml prepares is enough for wal2dolt', async () => {
  await using source = await createPostgresDatabase();
  await source.sql(await file('shop.sql'));

  await using dolt = await startDolt();
  const root = await mysql.createConnection(dolt.url);
  // What the image's entrypoint makes of DOLT_DATABASE, DOLT_USER, DOLT_USER_HOST and DOLT_PASSWORD.
  await root.query('CREATE DATABASE IF NOT EXISTS shop');
  await root.query("CREATE USER IF NOT EXISTS 'wal2dolt'@'%' IDENTIFIED BY 'secret'");
  await root.query("GRANT ALL ON shop.* TO 'wal2dolt'@'%'");

  const compose = parse(await file('compose.yaml'));
  const [, healthcheck] = compose.services.dolt.healthcheck.test as string[];
  const healthy = (password: string): Promise<{ stdout: string }> =>
    promisify(execFile)(
      '/bin/sh',
      ['-c', (healthcheck ?? '').replaceAll('$$', '$').replace('3306', String(dolt.port))],
      {
        env: {
          PATH: `${dirname(inject('doltBinary'))}${delimiter}${process.env.PATH}`,
          HOME: dolt.folder,
          DOLT_USER: 'wal2dolt',
          DOLT_PASSWORD: password,
          DOLT_DATABASE: 'shop',
        },
      },
    );
  expect((await healthy('secret')).stdout).toContain('| 1 |');
  await expect(healthy('wrong')).rejects.toThrow('Access denied');

  await drain(source.url, `mysql://wal2dolt:secret@127.0.0.1:${dolt.port}/shop`);
  const [rows] = await root.query('SELECT count(*) AS orders, cast(sum(total) AS char) AS total FROM shop.orders');
  expect(rows).toEqual([{ orders: 3, total: '69.40' }]);
  await root.end();
});
