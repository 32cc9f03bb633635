#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { keepHeapSmall } from './cli/heap.js';
import {
  CONFIG_EPILOGUE,
  EPILOGUE,
  LOG_EPILOGUE,
  OTHER_EPILOGUE,
  RESYNC_EPILOGUE,
  RUN_EPILOGUE,
  SUMMARY,
} from './cli/help-text.js';
import { addConfigOptions, GENERAL } from './cli/options.js';
import { exit, ignoreBrokenPipes, stopOnSignals } from './cli/process.js';
import { parseSeconds } from './cli/seconds.js';
import { parseCount, splitWords } from './cli/words.js';
import { type ConfigSources, configError, loadConfig, loadTargetConfig } from './config/load.js';
import { redactUrl, scrubSecrets } from './config/secrets.js';
import { redact, type TargetConfig } from './config.js';
import { formatFindings } from './core/finding.js';
import { asWal2DoltError, Wal2DoltError } from './errors.js';
import { type LogStyle, logStyle, reportError } from './ops/logging.js';
import { openOutput } from './ops/output.js';
import type { Copied, Waited } from './sync/await-resync.js';

interface LogFlags {
  readonly schema?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

interface Package {
  readonly version: string;
}

// The package's own file, beside dist/; its shape is ours.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as Package;

/** As shells know a program that Ctrl-C ended. */
const INTERRUPTED = 130;

/** How the command that is running reports an error. */
let style: LogStyle = styleFor({ forPeople: true });

function styleFor(options: { readonly logFormat?: unknown; readonly forPeople?: boolean }): LogStyle {
  const asked = options.logFormat ?? process.env.WAL2DOLT_LOG_FORMAT;
  const fallback = options.forPeople ? 'pretty' : 'auto';
  const logFormat = asked === 'json' || asked === 'pretty' ? asked : fallback;
  return logStyle({ logLevel: 'info', logFormat }, process.stderr, process.env);
}

/** Loads the configuration of a command. `forPeople`: its errors are text, unless JSON was asked for. */
async function configOf<T extends TargetConfig>(
  load: (sources: ConfigSources) => Promise<T>,
  command: Command,
  forPeople: boolean,
  unknown = command.args,
): Promise<T> {
  const options = command.opts();
  style = styleFor({ logFormat: options.logFormat, forPeople });
  const config = await load({ argvOptions: options, argvUnknown: unknown, env: process.env });
  const logFormat = forPeople && config.logFormat === 'auto' ? 'pretty' : config.logFormat;
  style = logStyle({ logLevel: config.logLevel, logFormat }, process.stderr, process.env);
  return config;
}

/** Results go to standard output, without passwords that they may quote. */
const print = (text: string): void => console.log(scrubSecrets(text));

const program = new Command('wal2dolt')
  .description(SUMMARY)
  .version(version)
  .showSuggestionAfterError()
  .exitOverride()
  .configureOutput({ outputError: () => {} })
  .helpOption('-h, --help', 'this text; `wal2dolt run --help` shows the options of a command')
  .addHelpText('after', EPILOGUE);

addConfigOptions(program.command('check'))
  .description('Says everything that would stop or surprise a run, each finding with its fix. Changes nothing.')
  .addOption(new Option('--json', 'print the findings as JSON').helpGroup(GENERAL))
  .addHelpText('after', CONFIG_EPILOGUE)
  .action(async (options: { json?: boolean }, command: Command) => {
    const config = await configOf(loadConfig, command, true);
    const { check } = await import('./sync/check.js');
    const findings = await check(config);
    const ready = findings.every((finding) => finding.severity !== 'error');
    if (options.json) print(JSON.stringify({ ready, findings }, null, 2));
    else {
      if (findings.length > 0) print(`${formatFindings(findings)}\n`);
      const running = findings.some(({ code }) => code === 'running');
      if (!ready) print('Not ready: apply the fixes above, then check again.');
      else print(running ? 'Running: `wal2dolt status` says how far.' : 'Ready: `wal2dolt run` can start.');
    }
    if (!ready) process.exitCode = 1;
  });

addConfigOptions(program.command('run'))
  .description('Copies the database, then streams every committed change. Creates what is missing on both sides.')
  .addHelpText('after', RUN_EPILOGUE)
  .action(async (_options: unknown, command: Command) => {
    const config = await configOf(loadConfig, command, false);
    const { logger, progress } = openOutput(style, process.stderr);
    const signal = stopOnSignals((name) => {
      logger.info({ signal: name }, 'stopping after the open batch; a second signal exits at once');
    });
    process.once('exit', () => progress.finish()); // gives the cursor back, however the process ends
    const { source, target, ...rest } = redact(config);
    logger.info({ version, source, target }, 'wal2dolt starts');
    logger.debug({ config: rest }, 'configuration');
    keepHeapSmall();
    const { run } = await import('./sync/supervisor.js');
    try {
      await run(config, { logger, progress, signal });
    } finally {
      progress.finish(); // before an error is printed
    }
  });

addConfigOptions(program.command('status'), ['Connections'])
  .description('Says where both sides stand: positions, lag, the health of the slot, the last commits. Reads only.')
  .addOption(new Option('--json', 'print it as JSON; with --watch one line each time').helpGroup(GENERAL))
  .addOption(
    new Option('--watch [seconds]', 'look again every so often (default: 2), with rates, until Ctrl-C')
      .argParser(parseSeconds)
      .helpGroup(GENERAL),
  )
  .addHelpText('after', OTHER_EPILOGUE)
  .action(async (options: { json?: boolean; watch?: number | true }, command: Command) => {
    const config = await configOf(loadConfig, command, true);
    const { status } = await import('./sync/status.js');
    if (options.watch !== undefined) {
      const { watch } = await import('./cli/watch.js');
      const signal = stopOnSignals(() => {});
      const json = options.json === true;
      const seconds = options.watch === true ? 2 : options.watch;
      await watch({ look: () => status(config), seconds, json, output: process.stdout, signal });
      return;
    }
    const { formatStatus, isHealthy } = await import('./cli/status-text.js');
    const current = await status(config);
    print(options.json ? JSON.stringify(current, null, 2) : formatStatus(current));
    if (!isHealthy(current)) process.exitCode = 1;
  });

addConfigOptions(
  program.command('log').argument('[tables...]', 'with --schema: only these'),
  ['Connections'],
  ['source', 'slot', 'publication', 'slotFailover', 'slotTimeout'],
)
  .description('Lists the last commits, or with --schema what changed in the tables, when, and by whom. Reads only.')
  .addOption(new Option('--schema', 'the schema history').helpGroup(GENERAL))
  .addOption(new Option('--limit <n>', 'at most so many commits').default(20).argParser(parseCount).helpGroup(GENERAL))
  .addOption(new Option('--json', 'print it as JSON').helpGroup(GENERAL))
  .addHelpText('after', LOG_EPILOGUE)
  .action(async (_tables: string[], options: LogFlags, command: Command) => {
    const { names, unknown } = splitWords(command);
    const config = await configOf(loadTargetConfig, command, true, unknown);
    if (names.length > 0 && !options.schema) throw configError(['names of tables go with --schema']);
    const { readLog, readSchemaLog } = await import('./history/log.js');
    const { formatLog, formatSchemaLog } = await import('./cli/log-text.js');
    const { limit, json } = options;
    if (options.schema) {
      const entries = await readSchemaLog(config, { limit, tables: names });
      print(json ? JSON.stringify(entries, null, 2) : formatSchemaLog(entries));
    } else {
      const entries = await readLog(config, { limit });
      print(json ? JSON.stringify(entries, null, 2) : formatLog(entries));
    }
  });

addConfigOptions(program.command('resync').argument('<tables...>', 'as schema.table, by their names in Postgres'), [
  'Connections',
])
  .description('Copies tables again: by the run that is going on, while it streams the rest, or else by the next one.')
  .addOption(new Option('--wait', 'until the run has done it, and readers see it').helpGroup(GENERAL))
  .addOption(new Option('--json', 'print what was done as JSON').helpGroup(GENERAL))
  .addHelpText('after', RESYNC_EPILOGUE)
  .action(async (_tables: string[], { wait, json }: { wait?: boolean; json?: boolean }, command: Command) => {
    const { names, unknown } = splitWords(command);
    const config = await configOf(loadConfig, command, true, unknown);
    const { resync } = await import('./sync/resync.js');
    const { formatCopied, formatResync, resyncJson, WAITED } = await import('./cli/resync-text.js');
    const asked = await resync(config, names);
    if (!json) print(formatResync(asked));
    const copied: Copied[] = [];
    let waited: Waited | null = null;
    if (wait && asked.how === 'asked') {
      const { awaitResync } = await import('./sync/await-resync.js');
      const done = (copy: Copied): void => {
        copied.push(copy);
        if (!json) print(formatCopied(copy));
      };
      waited = await awaitResync(
        config,
        asked,
        done,
        stopOnSignals(() => {}),
      );
    }
    if (json) print(JSON.stringify(resyncJson(asked, waited, copied), null, 2));
    if (waited === null || waited === 'done') return;
    process.stderr.write(`${WAITED[waited]}\n`);
    process.exitCode = waited === 'interrupted' ? INTERRUPTED : 1;
  });

addConfigOptions(program.command('teardown'), ['Connections'])
  .description('Drops the slot and our publication in Postgres, for good; asks first. Dolt keeps everything.')
  .addOption(new Option('--yes', 'do not ask').helpGroup(GENERAL))
  .addHelpText('after', OTHER_EPILOGUE)
  .action(async (options: { yes?: boolean }, command: Command) => {
    const config = await configOf(loadConfig, command, true);
    if (!options.yes && !process.stdin.isTTY)
      throw configError(['teardown asks first, and nobody can answer here: give --yes']);
    const { planTeardown, teardown } = await import('./sync/teardown.js');
    const { confirm, formatPlan, isNothing } = await import('./cli/teardown-text.js');
    const plan = await planTeardown(config);
    print(`At ${redactUrl(config.source)} this\n${formatPlan(plan, config)}`);
    if (isNothing(plan)) print('Nothing to do.');
    else if (options.yes || (await confirm('Go on?'))) {
      await teardown(config, plan);
      print('Done.');
    } else print('Nothing was changed.');
  });

program
  .command('demo')
  .description('Shows it all on this machine: starts Postgres and Dolt, streams a small shop, and cleans up.')
  .option('--keep', 'leave both servers running, to look around in them')
  .option('--dir <folder>', "where the servers' folders go (default: where temporary ones do)")
  .helpOption('-h, --help', 'this text')
  .action(async (options: { keep?: boolean; dir?: string }) => {
    style = styleFor({ forPeople: true });
    const { demo } = await import('./demo/demo.js');
    const { Screen } = await import('./demo/screen.js');
    const screen = new Screen(process.stdout, process.env);
    const signal = stopOnSignals(() => screen.write('\nStopping; a second signal exits at once\n'));
    process.once('exit', () => screen.finish());
    const outcome = await demo({ keep: options.keep === true, folder: options.dir, screen, signal });
    process.exitCode = { equal: 0, different: 1, interrupted: INTERRUPTED }[outcome];
  });

function fail(thrown: unknown): Promise<never> {
  const error = asWal2DoltError(thrown);
  reportError(error, style, (text) => process.stderr.write(text));
  return exit(error.policy.exit);
}

async function main(): Promise<void> {
  ignoreBrokenPipes();
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (thrown: unknown) => {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      void fail(new Wal2DoltError('E_INTERNAL', message, { cause: thrown }));
    });
  }
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(error);
    if (error.exitCode === 0) return exit(0); // help or version, which it has printed
    if (error.code === 'commander.help') return exit(2); // no command: the help was printed instead
    return fail(configError([error.message.replace(/^error: /, '').replace(/\n/g, ' ')]));
  }
  return exit(typeof process.exitCode === 'number' ? process.exitCode : 0);
}

await main();
