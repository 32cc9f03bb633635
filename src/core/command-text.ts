/**
 * A command's text as the client sent it, made fit to be shown: it may be a script of many lines, be longer than
 * anybody wants to read, and hold the password of a role.
 */

/** The literal after `PASSWORD`, or `password =`: quoted in any way, and perhaps cut off. */
const LITERAL = /\b(password\s*=?\s*)(?:[eu]&?)?(?:'(?:''|[^'])*(?:'|$)|\$(\w*)\$[\s\S]*?(?:\$\2\$|$))/gi;
/** As a connection string has it. */
const SETTING = /\b(password\s*=\s*)[^\s'";]+/gi;

export function withoutPasswords(command: string): string {
  return command.replace(LITERAL, "$1'***'").replace(SETTING, '$1***');
}

/** The first line that is more than a comment; empty where there is none. */
export function firstLine(command: string): string {
  const lines = command.split(/\r\n?|\n|\u2028|\u2029/).map((line) => line.replaceAll(/\s+/g, ' ').trim());
  return lines.find((line) => line !== '' && !line.startsWith('--')) ?? lines.find((line) => line !== '') ?? '';
}
