import type { Config } from '../../src/config.js';
import type { Finding } from '../../src/core/finding.js';
import { check as checkAll, preflight as preflightAll } from '../../src/sync/check.js';
import type { DoltDatabase } from './dolt.js';
import type { PostgresDatabase } from './postgres.js';
import { configFor } from './run.js';

/** With a slot and a publication of the test's own. */
export const configOf = (source: PostgresDatabase, target: DoltDatabase, settings: Record<string, unknown> = {}) =>
  configFor(source.url, target.url, { slot: source.name, publication: source.name, ...settings });

/** Without how schema changes would be noticed, which is always said. */
const but = (findings: readonly Finding[]): readonly Finding[] => findings.filter(({ code }) => code !== 'ddl');
export const check = async (config: Config): Promise<readonly Finding[]> => but(await checkAll(config));
export const preflight = async (config: Config): Promise<readonly Finding[]> => but(await preflightAll(config));

/** Two tables of one name. */
export const SHOP = `
  create table orders (id int primary key, note text);
  create schema sales; create table sales.orders (id int primary key)`;
