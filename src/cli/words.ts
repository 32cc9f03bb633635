import { type Command, InvalidArgumentError } from 'commander';

const MOST = 1_000_000;

/** The value of `--limit`. */
export function parseCount(text: string): number {
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST) throw new InvalidArgumentError(`expected a number from 1 to ${MOST}.`);
  return count;
}

/** The words of a command line that name tables, and those that look like an option, which no option took. */
export function splitWords({ args }: Pick<Command, 'args'>): { names: string[]; unknown: string[] } {
  const isOption = (word: string): boolean => word.startsWith('-');
  return { names: args.filter((word) => !isOption(word)), unknown: args.filter(isOption) };
}
