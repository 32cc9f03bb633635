import { InvalidArgumentError } from 'commander';

const LONGEST_SECONDS = 86_400;

/** The value of `--watch`. */
export function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds < 0.1 || seconds > LONGEST_SECONDS) {
    throw new InvalidArgumentError(`expected a number of seconds from 0.1 to ${LONGEST_SECONDS}.`);
  }
  return seconds;
}
