import { type Command, Option } from 'commander';
import type { Field } from '../config/fields.js';
import { DEFAULT_FILE } from '../config/load.js';
import { CONFIG_VARIABLE } from '../config/sources.js';
import { FIELDS } from '../config.js';

/** Where `--config`, `--help` and what a command has of its own stand in the help. */
export const GENERAL = 'General:';

/**
 * Gives a command all keys of the configuration as options. Words that no option takes are left in `command.args`, so
 * that `loadConfig` can name them together with all other problems. Help shows the groups named, or all of them, but
 * not what the command has no use for.
 */
export function addConfigOptions(
  command: Command,
  groups?: readonly string[],
  unused: readonly string[] = [],
): Command {
  command.addHelpOption(new Option('-h, --help', 'this text').helpGroup(GENERAL));
  const file = `a YAML file with any of the keys (variable: ${CONFIG_VARIABLE}; default: ${DEFAULT_FILE}, if it is there)`;
  command.addOption(new Option('--config <file>', file).helpGroup(GENERAL));
  for (const field of FIELDS) {
    const hidden = (groups !== undefined && !groups.includes(field.group)) || unused.includes(field.path);
    command.addOption(optionOf(field).hideHelp(hidden));
    if (isSwitch(field)) command.addOption(new Option(`--no-${field.flag.slice(2)}`).hideHelp());
  }
  return command.allowUnknownOption().allowExcessArguments();
}

function optionOf(field: Field): Option {
  const flags = isSwitch(field) ? field.flag : `${field.flag} <${field.placeholder}>`;
  const option = new Option(flags, `${field.help}${noteOf(field)}`).helpGroup(`${field.group}:`);
  // Given several times, patterns add up instead of silently replacing each other.
  if (field.path === 'tables') {
    option.argParser((value, previous) => (typeof previous === 'string' ? `${previous},${value}` : value));
  }
  return option;
}

const isSwitch = (field: Field): boolean => field.placeholder === null;

/** A switch is off unless it is given, which needs no note. */
function noteOf(field: Field): string {
  if (field.required) return ' (required)';
  return field.default === undefined || isSwitch(field) ? '' : ` (default: ${field.default})`;
}
