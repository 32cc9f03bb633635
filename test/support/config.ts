import { expect } from 'vitest';
import { type ConfigSources, loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/config.js';
import { Wal2DoltError } from '../../src/errors.js';

export const URLS = { source: 'postgres://ann:s3cret@db/shop', target: 'mysql://bob:h1dden@dolt:3306/shop' };

/** `files` by name; no other file exists. */
export function load(sources: Partial<ConfigSources> & { files?: Record<string, string> }): Promise<Config> {
  const readFile = async (path: string): Promise<string> => {
    const text = sources.files?.[path];
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return text;
  };
  return loadConfig({ argvOptions: URLS, env: {}, readFile, ...sources });
}

export const loadYaml = (yaml: string): Promise<Config> => load({ files: { 'wal2dolt.yaml': yaml } });
export const loadOptions = (options: Record<string, unknown>): Promise<Config> =>
  load({ argvOptions: { ...URLS, ...options } });

export async function problemsOf(loading: Promise<Config>): Promise<string> {
  const error = await loading.then(
    () => new Error('it was accepted'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Wal2DoltError);
  expect(error).toHaveProperty('code', 'E_CONFIG');
  return String((error as Wal2DoltError).message);
}
