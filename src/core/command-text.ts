/** The first line that is more than a comment; empty where there is none. */
export function firstLine(command: string): string {
  const lines = command.split(/\r\n?|\n|\u2028|\u2029/).map((line) => line.replaceAll(/\s+/g, ' ').trim());
  return lines.find((line) => line !== '' && !line.startsWith('--')) ?? lines.find((line) => line !== '') ?? '';
}
