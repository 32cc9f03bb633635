import { z } from 'zod';
import { fieldsOf, keys } from './config/fields.js';
import { redactUrl } from './config/secrets.js';
import { tableRules, typeMap } from './config/tables.js';
import { choice, count, duration, onOff, size, sourceUrl, stopPosition, targetUrl, text } from './config/values.js';
import { EVERY_TABLE } from './core/patterns.js';
import { formatLsn } from './core/position.js';

/**
 * Every key of the configuration, once: its kind of value, default, help and example. The names of flags and variables,
 * `--help` and docs/configuration.md follow from here (see config/fields.ts).
 */

const CONNECTIONS = 'Connections';
const SELECTION = 'What is replicated';
const STREAM = 'Copy and stream';
const COMMITS = 'Commits in Dolt';
const TABLES = 'Tables in Dolt';
const RUNNING = 'Running';

/** Dolt refuses more than this in a branch name too, also what is a commit's hash; a slash would be read as database/branch. */
const branch = () =>
  text(
    'a branch name of letters, digits, _ . and -',
    'branch',
    /^(?!.*\.\.|(?:HEAD|head)$|[0-9a-v]{32}$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,98}(?<!\.|\.lock)$/,
  );

const keysOfAll = z.strictObject({
  source: sourceUrl().register(keys, {
    group: CONNECTIONS,
    help: 'The Postgres database to replicate. The URL takes what libpq takes (sslmode=require, …).',
    example: 'postgres://wal2dolt:secret@db.example.org:5432/shop?sslmode=require',
  }),
  target: targetUrl().register(keys, {
    group: CONNECTIONS,
    help: 'The Dolt database to write, at a running dolt sql-server. It is created if it does not exist.',
    example: 'mysql://wal2dolt:secret@127.0.0.1:3306/shop',
  }),
  slot: text('1 to 63 lower-case letters, digits and _', 'name', /^[a-z0-9_]{1,63}$/)
    .prefault('wal2dolt')
    .register(keys, {
      group: CONNECTIONS,
      help: 'The replication slot in Postgres. It is created if it does not exist; two wal2dolt on one server need two.',
      example: 'wal2dolt_shop',
    }),
  publication: text('a name of 1 to 63 characters', 'name', /^[^\0]{1,63}$/su)
    .prefault('wal2dolt')
    .register(keys, {
      group: CONNECTIONS,
      help: 'The publication in Postgres. It is created if it does not exist; one that exists is taken as it is, with its row filters and column lists.',
      example: 'wal2dolt_shop',
    }),
  slotFailover: onOff().prefault(false).register(keys, {
    group: CONNECTIONS,
    help: 'Create the slot so that it is kept on standby servers (Postgres 17 and newer).',
    example: 'true',
  }),
  slotTimeout: duration().prefault('60s').register(keys, {
    group: CONNECTIONS,
    help: 'How long creating the slot may wait for transactions that are open in Postgres. 0 waits as long as it takes.',
    example: '5m',
  }),

  tables: tableRules().default(EVERY_TABLE).register(keys, {
    group: SELECTION,
    help: 'Which tables, and how: patterns (* for any characters, ! before it excludes), or in the file a map that also renames tables and excludes columns (see docs/configuration.md).',
    example: "['public.*', '!public.audit_*']",
    defaultHelp: 'all tables',
  }),

  snapshot: choice('initial', 'never', 'only').prefault('initial').register(keys, {
    group: STREAM,
    help: 'initial copies all rows, then streams. never streams an existing slot without a copy (a backfill; without event triggers it copies what was altered since). only copies and exits.',
    example: 'never',
  }),
  until: stopPosition().optional().register(keys, {
    group: STREAM,
    help: "Stop when everything up to here is in Dolt, and exit 0: an LSN, or current for the source's position at start. A table that is being copied beside the stream joins first.",
    example: 'current',
    defaultHelp: 'never stops',
  }),
  ddl: choice('auto', 'triggers', 'relations').prefault('auto').register(keys, {
    group: STREAM,
    help: 'How schema changes are noticed. triggers installs event triggers in Postgres, which tell of each in its place; it is an error where the role may not. relations does without them. auto takes triggers where it may.',
    example: 'relations',
  }),
  copyConnections: count(64).prefault(2).register(keys, {
    group: STREAM,
    help: 'How many connections copy tables, each another one at the same time; those that are left over, the largest.',
    example: '4',
  }),

  commit: z
    .strictObject({
      maxTransactions: count().prefault(100_000).register(keys, {
        group: COMMITS,
        help: 'Close a Dolt commit after this many Postgres transactions. 1 gives one Dolt commit for each transaction.',
        example: '1',
      }),
      maxDelay: duration().prefault('1s').register(keys, {
        group: COMMITS,
        help: 'Close a Dolt commit when its first transaction has waited this long, and Dolt is done with the one before: commits are small when wal2dolt has caught up, and larger while it is behind. Longer means fewer, larger commits.',
        example: '10s',
      }),
      maxRows: count().prefault(500_000).register(keys, {
        group: COMMITS,
        help: 'Close a Dolt commit at the first transaction that reaches this many changed rows.',
        example: '10000',
      }),
      maxBytes: size().prefault('32MB').register(keys, {
        group: COMMITS,
        help: 'Close a Dolt commit at the first transaction with which what is to be written takes this much memory, of which another batch may have as much while it is written. A larger transaction is written in parts, and still published at once.',
        example: '64MB',
      }),
    })
    .prefault({}),
  targetBranch: branch().prefault('main').register(keys, {
    group: COMMITS,
    help: 'The branch that readers see. It only ever moves to a state that Postgres had.',
    example: 'replica',
  }),
  stagingBranch: branch().prefault('wal2dolt').register(keys, {
    group: COMMITS,
    help: 'The branch on which commits are prepared. Nobody else may write it.',
    example: 'wal2dolt_staging',
  }),
  transactions: onOff().prefault(false).register(keys, {
    group: COMMITS,
    help: 'Record every Postgres transaction in the table wal2dolt_transactions: xid, time, number of rows, context. One more row to write for each.',
    example: 'true',
  }),
  context: z
    .strictObject({
      author: text('Name <address>', 'author', /^[^<>\s][^<>]* <[^<>\s]+>$/)
        .prefault('wal2dolt <wal2dolt@localhost>')
        .register(keys, {
          group: COMMITS,
          help: 'The author of Dolt commits whose transactions did not carry one by a wal2dolt.context message.',
          example: 'Shop replication <ops@example.org>',
        }),
    })
    .prefault({}),

  tableName: text(
    'a template with {table}, and {schema} where wanted',
    'template',
    /^(?=.*\{table\})([^{}]|\{schema\}|\{table\})*$/su,
  )
    .prefault('{schema}__{table}')
    .register(keys, {
      group: TABLES,
      help: 'The name in Dolt of a table of any schema but public; tables of public keep their name. A single table is renamed under tables.',
      example: "'{schema}_{table}'",
    }),
  types: typeMap().default(new Map()).register(keys, {
    group: TABLES,
    help: 'Another Dolt column type for a Postgres type, by its name (numeric) or as Postgres prints it (numeric(10,2)). For one column, set it under tables.',
    example: '{numeric: DOUBLE, "numeric(10,2)": "DECIMAL(10,2)"}',
    defaultHelp: 'as in docs/types.md',
  }),
  foreignKeys: onOff().prefault(false).register(keys, {
    group: TABLES,
    help: 'Create foreign keys in Dolt too. They are recorded in wal2dolt_tables in any case; in Dolt they cost time at every write, and merges of other branches check them.',
    example: 'true',
  }),
  checks: onOff().prefault(false).register(keys, {
    group: TABLES,
    help: 'Create check constraints in Dolt too, those whose expression Dolt understands. They are recorded in wal2dolt_tables in any case.',
    example: 'true',
  }),

  logLevel: choice('error', 'warn', 'info', 'debug', 'trace').prefault('info').register(keys, {
    group: RUNNING,
    help: 'How much is logged to standard error: error, warn, info, debug or trace. From debug on, errors come with their stack traces.',
    example: 'debug',
  }),
  logFormat: choice('auto', 'pretty', 'json').prefault('auto').register(keys, {
    group: RUNNING,
    help: 'pretty is for people, json is one object a line. auto is pretty on a terminal, else json.',
    example: 'json',
  }),
  retry: z
    .strictObject({
      firstDelay: duration().prefault('500ms').register(keys, {
        group: RUNNING,
        help: 'The pause after a first transient failure (a lost connection, a server that restarts). It doubles with every further one.',
        example: '1s',
      }),
      maxDelay: duration().prefault('30s').register(keys, {
        group: RUNNING,
        help: 'The longest pause between two attempts.',
        example: '2m',
      }),
      giveUpAfter: duration().prefault('0').register(keys, {
        group: RUNNING,
        help: 'Exit with code 4 when attempts have failed for this long. 0 never gives up: Postgres keeps the WAL until then.',
        example: '1h',
      }),
    })
    .prefault({}),
});

const branches = z.looseObject({ stagingBranch: z.string(), targetBranch: z.string() });

const withTwoBranches = <S extends z.ZodType<z.output<typeof branches>>>(schema: S): S =>
  schema.refine((config) => config.stagingBranch.toLowerCase() !== config.targetBranch.toLowerCase(), {
    path: ['stagingBranch'],
    message: 'must be another branch than targetBranch',
    // Told together with all other problems, not only when there are none.
    when: ({ value }) => branches.safeParse(value).success,
  });

export const configSchema = withTwoBranches(keysOfAll);

/** Of a command that reads Dolt only. */
export const targetConfigSchema = withTwoBranches(keysOfAll.extend({ source: keysOfAll.shape.source.optional() }));
export type TargetConfig = z.output<typeof targetConfigSchema>;

/** Durations in milliseconds, sizes in bytes. Holds passwords: log `redact(config)` instead. */
export type Config = z.output<typeof configSchema>;

export const FIELDS = fieldsOf(configSchema);

/** What may be logged of a configuration: passwords hidden, and everything as JSON can say it. */
export function redact(config: Config): Record<string, unknown> {
  return {
    ...config,
    source: redactUrl(config.source),
    target: redactUrl(config.target),
    until: typeof config.until === 'bigint' ? formatLsn(config.until) : config.until,
    types: Object.fromEntries(config.types),
    tables: {
      selection: config.tables.selection.map(({ pattern, include }) => (include ? pattern.text : `!${pattern.text}`)),
      options: Object.fromEntries(config.tables.options.map(({ pattern, options }) => [pattern.text, options])),
    },
  };
}
